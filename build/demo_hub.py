"""The demo through a Hub: publish what was made, and load it back in a fresh process.

The Hub is the one of the tests, on this machine alone; the programs that talk to it are the real ones.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from fornet_hf.errors import ForNetError

ROOT = Path(__file__).parents[1]
REPOSITORY = "TNauen/ForNet"
_LOAD = """
import sys
import fornet_hf
ds = fornet_hf.load_dataset(sys.argv[1], imagenet_dir=sys.argv[2], background_combination="all")
print({split: len(part) for split, part in ds.items()}, "from", sys.argv[1], "- first image:", ds["train"][0])
"""


def through_the_hub(out: Path, patches: Path, images: Path) -> str:
    """Publish the folder `patches`, load it with the images in `images`; returns what the loading says.

    Raises:
        ForNetError: one of the steps failed.
    """
    with _running_hub(out) as environment:
        publish = [ROOT / "build" / "publish.py", patches, REPOSITORY, "--create", "public", "--source", images]
        _run([*publish, "--tag", "demo"], environment)
        return _run(["-c", _LOAD, REPOSITORY, images], environment)


@contextlib.contextmanager
def _running_hub(out: Path) -> Iterator[dict[str, str]]:
    """Yield the environment in which a process talks to a Hub that runs meanwhile, with all caches in `out`."""
    sys.path.append(str(ROOT))
    from tests.local_hub.client import hub_environment

    words = ["--state", (out / "hub").absolute(), "--user", "TNauen", "--parent", os.getpid()]
    command = [sys.executable, "-m", "tests.local_hub", *map(str, words)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        try:
            said = [server.stdout.readline() for _ in range(2)] if server.stdout else []
            settings = dict(re.findall(r"(HF_\w+)=(\S+)", "".join(said)))
            if set(settings) != {"HF_ENDPOINT", "HF_TOKEN"}:
                raise ForNetError(f"the Hub of the tests did not start: {said}")
            yield hub_environment(settings["HF_ENDPOINT"], (out / "hub_home").absolute(), settings["HF_TOKEN"])
        finally:
            server.terminate()


def _run(words: list[object], environment: dict[str, str]) -> str:
    finished = subprocess.run(  # noqa: S603
        [sys.executable, *map(str, words)], env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if finished.returncode != 0:
        raise ForNetError(f"{Path(str(words[0])).name} failed; its message stands above")
    return finished.stdout.strip()
