"""Refiners: masks that were rough become exact."""
