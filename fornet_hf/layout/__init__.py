"""ForNet as files: the public tools' folders and zips, made from patches, checked, packed, and trained on.

paths        where which file is
trees        the files of one kind, in folders or in a zip, and their bytes
index        a split: foregrounds, backgrounds, labels and ratios
dataset      `ForNetDataset`: the second door to recombination, which `recombining` fits to files
apply        patches and images -> a split in one of three forms: `sinks` has folders and zips, `saved` rows
journal      what is not finished: one run at a time, taken up again by the next
report       what became of the images
pack         folders or applied images -> zips without compression
validate     whether all is there, and sound
samples      a few rows of anything, for previews
"""
