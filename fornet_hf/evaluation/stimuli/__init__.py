"""Stimuli of ForNet's rows: every condition of an item, from the same pairs of images."""
