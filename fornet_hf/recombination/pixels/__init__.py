"""Pixels of a drawn composition: decode, cut out, scale, soften, paste. No randomness here."""
