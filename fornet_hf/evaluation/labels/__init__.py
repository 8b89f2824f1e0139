"""Labels: from a classifier's classes to those of the data."""

NO_LABEL = -1
"""The number of no class: of what is none of the classes at hand, or of a class that is not known."""
