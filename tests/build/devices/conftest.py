"""All of this needs torch."""

from importlib.util import find_spec

if find_spec("torch") is None:
    collect_ignore_glob = ["*"]
