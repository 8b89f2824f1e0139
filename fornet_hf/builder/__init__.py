"""Builder of the dataset: what `ForNet.py` needs to load a split from a release and the user's ImageNet."""
