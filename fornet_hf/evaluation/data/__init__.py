"""Data as --data names them, opened as stimuli."""
