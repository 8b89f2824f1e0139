"""The facade between the script and a library that may be of another version."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ForNet
from fornet_hf import builder
from tests.published import ROOT

SCRIPT = ast.parse((ROOT / "ForNet.py").read_text(encoding="utf-8"))


def test_the_script_names_nothing_else_of_the_library() -> None:
    imports = {ast.unparse(node) for node in ast.walk(SCRIPT) if isinstance(node, (ast.Import, ast.ImportFrom))}
    assert {line for line in imports if "fornet_hf" in line} == {"from fornet_hf import builder"}
    used = {
        node.attr
        for node in ast.walk(SCRIPT)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "builder"
    }
    assert used
    assert used <= set(builder.__all__)


def test_no_import_of_the_library_stands_in_the_module() -> None:
    """There `datasets` looks for packages that it takes to be missing."""
    outside = [ast.unparse(node) for node in SCRIPT.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert not [line for line in outside if "fornet_hf" in line]


def test_script_and_library_of_one_commit_fit() -> None:
    assert ForNet.CONTRACT == builder.CONTRACT


def test_every_name_of_the_facade_is_there() -> None:
    assert all(getattr(builder, name) is not None for name in builder.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        builder.nothing  # noqa: B018 - the access is what is tested


def test_the_facade_is_imported_without_what_the_work_needs() -> None:
    program = "import sys, fornet_hf.builder; print({'datasets', 'numpy', 'PIL', 'torch', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def said_with(library: str | None, folder: Path) -> str:
    """Return the last line of what the script says to a library with this facade; None: it has none."""
    package = folder / "fornet_hf"
    package.mkdir()
    (package / "__init__.py").write_text('__version__ = "9.8.7"\n')
    if library is not None:
        (package / "builder.py").write_text(library)
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); import ForNet; ForNet.ForNet(base_path='.')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("library", "facade"), [(None, "missing"), ("x = 1\n", "missing"), ("CONTRACT = -1\n", "-1")]
)
def test_an_older_library_is_named_with_the_pip_line(tmp_path: Path, library: str | None, facade: str) -> None:
    assert said_with(library, tmp_path) == (
        f"ImportError: ForNet.py needs a newer library: found 9.8.7 in {tmp_path / 'fornet_hf'}, whose facade is "
        f"{facade}; needed: {ForNet.CONTRACT}. Install it: {ForNet.INSTALL}"
    )


def test_a_newer_library_wants_a_newer_script(tmp_path: Path) -> None:
    said = said_with("CONTRACT = 1000\n", tmp_path)
    assert said.startswith("ImportError: ForNet.py is older than the library: found 9.8.7")
    assert said.endswith(
        "whose facade is 1000; needed: 1. Load a newer revision of the script, or call "
        + "fornet_hf.load_dataset, which brings its own."
    )


def test_a_facade_that_lacks_what_it_needs_is_no_older_one(tmp_path: Path) -> None:
    said = said_with("CONTRACT = 1\ndef __getattr__(name):\n    import bsdiff5\n", tmp_path)
    assert said.startswith("ImportError: ForNet needs its library: No module named 'bsdiff5'. pip install 'bsdiff4")
