"""Answers of classifiers: batches through a network, on one process or several, kept so that a killed run goes on."""
