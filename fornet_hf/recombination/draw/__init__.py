"""Numbers and no pixels: configuration, clock, random generators, and draws of compositions."""
