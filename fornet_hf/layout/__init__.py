"""ForNet as files: the public tools' folders and zips, made from patches, checked, packed, and trained on.

layout    where which file is
trees     the files of one kind, in folders or in a zip, and their bytes
index     a split: foregrounds, backgrounds, labels and ratios
dataset   `ForNetDataset`: the second door to recombination
apply     patches and images -> such files; jobs, journal and sinks are its parts
packing   folders or applied images -> zips without compression
validate  whether all is there, and sound
"""
