#!/usr/bin/env python
"""Fetch sets of images and weights that commands of this project want, and check them.

    python build/download.py --list
    python build/download.py cub cub-masks --out sets
    python build/download.py grounding-dino sam-vit-b lama
    python build/download.py --check

docs/data.md lists all names. A file is fetched whole or not at all; what broke off goes on where it was. It must
have the digest that somebody states for it. Where nobody does, the digest of the first file is noted in
OUT/downloads.json, and another file under the same address is an error from then on; of a repository on the Hub the
commit is noted, and fetched again later. Weights go into the caches that commands look into: that of the Hub, and
torch's checkpoints. --out puts them below OUT, too. Archives stay as they are; unpack them where you like.

Exit status: 0 done, 1 an error that a message explains, 2 a wrong command line, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import huggingface_hub as hub

from fornet_hf.endings import ended
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.hub.errors import without_token
from producers.downloads.catalogue import CATALOGUE
from producers.downloads.fetching import Fetching
from producers.downloads.item import Item
from producers.downloads.page import details, lines
from producers.work.command import described

_OUT = Path("downloads")


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    result = described(__doc__)
    add = result.add_argument
    add("names", nargs="*", metavar="NAME", help="what to fetch, by the names of --list")
    add("--list", action="store_true", help="say what there is, and of NAMEs all that is known")
    add("--check", action="store_true", help="say what is there, whole or damaged, of NAMEs or of everything")
    text = f"folder of data, in a folder for each name; weights go there, too (default: data alone, into {_OUT})"
    add("--out", type=Path, metavar="OUT", help=text)
    add("--token", help="for the Hub; default: HF_TOKEN, or the login")
    return result


def download(arguments: argparse.Namespace, token: str | None) -> int:
    """Do what the command line says; return the exit status.

    Raises:
        ForNetError: anything that a user can put right; its message says how.
    """
    if arguments.list:
        items = _asked(arguments.names)
        print("\n".join([line for item in items for line in details(item)] if items else lines()), flush=True)
        return 0
    way = Fetching(out=arguments.out or _OUT, everything=arguments.out is not None, token=token, say=_say)
    if arguments.check:
        return _check(way, _asked(arguments.names) or list(CATALOGUE.values()))
    items = _asked(arguments.names)
    if not items:
        then = "See `python build/download.py --list`."
        raise ConfigurationError(explain("nothing to fetch", allowed="one NAME or more", then=then))
    for item in items:
        for path in way.get(item):
            print(f"{item.name}: {path}")
    return 0


def _asked(names: Sequence[str]) -> list[Item]:
    unknown = [name for name in names if name not in CATALOGUE]
    if unknown:
        what = "unknown name of something to fetch"
        raise ConfigurationError(explain(what, found=", ".join(unknown), allowed=", ".join(CATALOGUE)))
    return [CATALOGUE[name] for name in dict.fromkeys(names)]


def _check(way: Fetching, items: Sequence[Item]) -> int:
    states = [(item, *way.state(item)) for item in items]
    for item, word, path in states:
        print(f"{word:8} {item.name}" + (f"  {path}" if path else ""))
    return int(any(word == "damaged" for _, word, _ in states))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    arguments = parser().parse_args(argv)
    token = arguments.token or hub.get_token()
    return ended(
        partial(download, arguments, token),
        interrupted="interrupted; the same command goes on from here",
        hide=partial(without_token, own=token),
    )


if __name__ == "__main__":
    sys.exit(main())
