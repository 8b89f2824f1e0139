"""Measuring classifiers; so far, loading them by name."""
