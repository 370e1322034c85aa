"""Encoded media of a caller to arrays in the call's arena, and back."""
