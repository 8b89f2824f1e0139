"""Figures of experiments that were repeated with several seeds."""
