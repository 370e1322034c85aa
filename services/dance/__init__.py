"""AI dance: a photo of a person becomes a clip of that person dancing."""
