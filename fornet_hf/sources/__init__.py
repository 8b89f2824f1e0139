"""Sources of images: a folder of class folders, one with a list, or the Parquet shards of a Hub dataset."""

from fornet_hf.format.keys import are_of_rows, image_key, key_with_class, without_class
from fornet_hf.sources.columns import Columns
from fornet_hf.sources.files import ImageFiles, ImageRef
from fornet_hf.sources.folder import FolderSource
from fornet_hf.sources.image import SourceImage
from fornet_hf.sources.listed import ListedSource, open_images
from fornet_hf.sources.parquet import damage_named, iter_images, keys_in_shard, label_names, shard_files, shard_names

__all__ = [
    "Columns",
    "FolderSource",
    "ImageFiles",
    "ImageRef",
    "ListedSource",
    "SourceImage",
    "are_of_rows",
    "damage_named",
    "image_key",
    "iter_images",
    "key_with_class",
    "keys_in_shard",
    "label_names",
    "open_images",
    "shard_files",
    "shard_names",
    "without_class",
]
