"""Measuring classifiers: their biases, and how sure each number is."""
