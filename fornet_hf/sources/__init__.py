"""Where pictures come from: a folder of class folders, or the Parquet shards of a Hub dataset."""

from fornet_hf.sources.damage import damage_named
from fornet_hf.sources.folder import FolderSource, PictureRef
from fornet_hf.sources.label_names import label_names
from fornet_hf.sources.picture import Picture, picture_key
from fornet_hf.sources.shards import check_schema, iter_pictures, shard_files, shard_names

__all__ = [
    "FolderSource",
    "Picture",
    "PictureRef",
    "check_schema",
    "damage_named",
    "iter_pictures",
    "label_names",
    "picture_key",
    "shard_files",
    "shard_names",
]
