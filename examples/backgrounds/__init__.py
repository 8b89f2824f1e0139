"""Fine-tuning for backgrounds, compared: the parts of tune_for_backgrounds.py."""
