"""The demonstration: sample pictures through every feature of a private mesh, and what comes."""
