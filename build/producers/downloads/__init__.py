"""Sets of images and weights that commands of this project want: listed, fetched, checked."""
