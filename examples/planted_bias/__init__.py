"""A planted bias, measured: the parts of plant_bias.py."""
