"""Clothing replacement: other clothes on the same person, and not one pixel more."""
