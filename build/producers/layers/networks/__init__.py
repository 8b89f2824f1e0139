"""The generator of layers, its discriminator, and the files that hold the generator."""
