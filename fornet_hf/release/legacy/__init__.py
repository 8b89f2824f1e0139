"""Reads the release that the public repository holds today: zips of pickled differences.

unpickle  the bytes of a pickle -> plain values and arrays, without running anything
patch     checked contents of one patch file
archive   one zip of patch files
files     which files of a folder belong to which split, and the ratio files
apply     source image + patch -> background, foreground and mask; and these as a prepared row
unit      archives + images -> prepared rows
release   the whole, as its readers see it
"""

from fornet_hf.release.legacy.apply import LegacyImage, apply
from fornet_hf.release.legacy.archive import LegacyArchive
from fornet_hf.release.legacy.files import LegacyRelease, find_release, read_ratios
from fornet_hf.release.legacy.patch import LegacyPatch, read_patch
from fornet_hf.release.legacy.release import OldRelease

__all__ = [
    "LegacyArchive",
    "LegacyImage",
    "LegacyPatch",
    "LegacyRelease",
    "OldRelease",
    "apply",
    "find_release",
    "read_patch",
    "read_ratios",
]
