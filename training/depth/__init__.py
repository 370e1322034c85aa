"""The recipe of the depth network: scenes that it renders, with their exact depth."""
