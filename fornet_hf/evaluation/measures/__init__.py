"""Measures of a classifier: which conditions each needs, and how its numbers follow from the answers."""
