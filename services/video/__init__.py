"""Image-to-video: one photo becomes a clip, with a camera that moves and parts that flow."""
