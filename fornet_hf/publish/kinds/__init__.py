"""All kinds of publications, each in a file: the files that belong to it, and the card that is made of them."""
