"""Reads the release that the public repository holds today: zips of pickled differences.

unpickle  the bytes of a pickle -> plain values and arrays, without running anything
patch     checked contents of one patch file
archive   one zip of patch files
release   which files of a folder belong to which split, and the ratio files
apply     source picture + patch -> background, foreground and mask
"""

from fornet_hf.legacy.apply import LegacyPicture, apply
from fornet_hf.legacy.archive import LegacyArchive
from fornet_hf.legacy.patch import LegacyPatch, read_patch
from fornet_hf.legacy.release import LegacyRelease, find_release, read_ratios

__all__ = [
    "LegacyArchive",
    "LegacyPatch",
    "LegacyPicture",
    "LegacyRelease",
    "apply",
    "find_release",
    "read_patch",
    "read_ratios",
]
