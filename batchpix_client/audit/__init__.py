"""The audit: sends pictures that can be recognised anywhere, then looks for them everywhere."""
