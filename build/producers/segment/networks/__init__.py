"""Networks that give each pixel a logit of being the object, and the files that hold them."""
