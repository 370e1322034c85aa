"""Train, export and judge the garment network: mask, landmarks and kind of a garment."""
