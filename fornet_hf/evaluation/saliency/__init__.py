"""Saliency: the importance of each pixel for a classifier's answer."""
