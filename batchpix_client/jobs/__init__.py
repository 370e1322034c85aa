"""What callers want done: one record for each feature, and what the generic call asks of them."""
