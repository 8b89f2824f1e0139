"""Scores of candidates by classifiers, for choosing between versions."""
