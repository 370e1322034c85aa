"""Weights, the lock that names them, and what fetches those of others."""
