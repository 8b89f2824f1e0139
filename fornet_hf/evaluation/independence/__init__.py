"""Independence: how much one part of an image still knows of another, such as a background of its object."""
