"""Training of a segmenter on pairs of images and masks; the producers need none of it."""
