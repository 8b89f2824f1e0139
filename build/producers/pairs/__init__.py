"""Images with masks of their objects, of any run, release or folder: what a segmenter learns from."""
