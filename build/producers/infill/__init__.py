"""Infillers: backgrounds without the object."""
