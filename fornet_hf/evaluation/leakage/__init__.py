"""Leakage: how much a set's infilled backgrounds betray of the objects that were taken out of them."""
