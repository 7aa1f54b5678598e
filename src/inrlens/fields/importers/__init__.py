"""Can a network that somebody else's code saved be used here? A table of layouts, and one door: ``read``."""
