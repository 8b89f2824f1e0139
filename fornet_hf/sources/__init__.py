"""Where pictures come from: a folder of class folders, or the Parquet shards of a Hub dataset."""

from fornet_hf.sources.columns import Columns
from fornet_hf.sources.damage import damage_named
from fornet_hf.sources.folder import FolderSource, PictureRef
from fornet_hf.sources.keys import are_of_rows, key_with_class, without_class
from fornet_hf.sources.label_names import label_names
from fornet_hf.sources.picture import Picture, picture_key
from fornet_hf.sources.shards import iter_pictures, keys_in_shard, shard_files, shard_names

__all__ = [
    "Columns",
    "FolderSource",
    "Picture",
    "PictureRef",
    "are_of_rows",
    "damage_named",
    "iter_pictures",
    "key_with_class",
    "keys_in_shard",
    "label_names",
    "picture_key",
    "shard_files",
    "shard_names",
    "without_class",
]
