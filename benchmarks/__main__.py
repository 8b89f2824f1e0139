"""The benchmarks whose figures pages state, one after the other, from one clean commit: `python -m benchmarks`.

Writes their files in results/, then the pages that show them; README.md has the commands of the others. `--quick`
only sees that everything runs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import harness
from benchmarks.harness import progress

ROOT = Path(__file__).parents[1]
MEASURED = ("patches", "prepare", "recombination", "reading")


def main() -> int:
    """Run all; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few repeats, any tree; writes nothing")
    quick = parser.parse_args().quick
    commit = harness.commit()
    if not quick and commit.endswith(("dirty", "unknown")):
        progress(
            f"error: results name the commit that they measure, and this tree is {commit}: commit, then run again"
        )
        return 1
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fornet-benchmarks-") as folder:
        for words in steps(Path(folder) / "demo", ["--quick"] if quick else []):
            progress(f"\n{' '.join(words)}: {(time.monotonic() - started) / 60:.1f} min so far")
            subprocess.run([sys.executable, *words], cwd=ROOT, check=True)  # noqa: S603
    if not quick:
        commits = {name: written_by(harness.RESULTS / f"{name}.json") for name in MEASURED}
        if set(commits.values()) != {commit}:
            progress(f"error: the tree changed meanwhile, results are of several commits: {commits}")
            return 1
        subprocess.run([sys.executable, "docs/make.py"], cwd=ROOT, check=True)
    progress(f"done: {(time.monotonic() - started) / 60:.1f} min")
    return 0


def steps(demo: Path, options: list[str]) -> Iterator[list[str]]:
    """The commands; what is read is what the demo makes."""
    for name in MEASURED:
        if name == "reading":
            yield ["build/demo.py", "--out", str(demo)]
        yield ["-m", f"benchmarks.{name}", *([str(demo)] if name == "reading" else []), *options]


def written_by(path: Path) -> str:
    """The commit that a result names."""
    commit: str = json.loads(path.read_text(encoding="utf-8"))["machine"]["commit"]
    return commit


if __name__ == "__main__":
    sys.exit(main())
