"""Pixels and no randomness: decoding, cutouts, scaling, feathers, and images from compositions."""
