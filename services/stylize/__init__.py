"""Image stylization: photos in, the same photos in the manner of a painting out."""
