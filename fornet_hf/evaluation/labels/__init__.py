"""Labels: from a classifier's classes to those of the data."""
