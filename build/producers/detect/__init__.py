"""Detectors: boxes around the objects that an image is said to show."""
