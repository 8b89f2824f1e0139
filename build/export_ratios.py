#!/usr/bin/env python
"""Write fg_bg_ratios_train.json and fg_bg_ratios_val.json, which the public tools read beside their data.

    python build/export_ratios.py PATCHES OUT

PATCHES is the folder of a release, with its manifest.json. Images without a foreground or without a
background are not listed. Exit status: 0 done, 1 an error that a message explains, 2 a wrong command line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from fornet_hf.classes import class_folders
from fornet_hf.errors import ForNetError
from fornet_hf.files import write_text
from fornet_hf.format.manifest import Manifest, read_manifest
from fornet_hf.format.shards import PatchShard
from fornet_hf.layout.paths import BACKGROUNDS, Layout
from producers.work.command import described


def ratios(manifest: Manifest, patches: Path, layout: Layout) -> dict[str, float]:
    """Return the ratios of a split by the names that its backgrounds have in the layout of the public tools."""
    classes = class_folders(manifest.classes)
    result: dict[str, float] = {}
    for entry in manifest.splits[layout.split]:
        shard = PatchShard(patches / entry.path, entry.path)
        for row in range(len(shard)):
            patch = shard[row]
            if patch.mask is not None and patch.delta is not None:
                result[layout.member(BACKGROUNDS, classes[patch.label], patch.key)] = patch.foreground_ratio
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    options = described(__doc__)
    options.add_argument("patches", type=Path, metavar="PATCHES", help="folder of a release")
    options.add_argument("out", type=Path, metavar="OUT", help="folder for the two files")
    arguments = options.parse_args(argv)
    try:
        manifest = read_manifest(arguments.patches)
        for split in manifest.splits:
            layout = Layout(arguments.out, split)
            found = ratios(manifest, arguments.patches, layout)
            write_text(layout.ratios, json.dumps(found) + "\n")
            print(f"{layout.ratios}: {len(found)} ratios")
    except ForNetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
