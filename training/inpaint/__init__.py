"""The recipe of the network that sketches what a hole holds."""
