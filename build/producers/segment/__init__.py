"""Segmenters: a mask for each box."""
