"""`datasets.load_dataset` where the library is not installed: the script fetches that of its own commit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builder.rows import made_directly
from tests.builder.user import User, needs_scripts
from tests.local_hub.faults import Fault
from tests.local_hub.state import Hub
from tests.published import FORNET, ROOT

pytestmark = needs_scripts

BARE = """
import importlib.util, json, sys, traceback
from pathlib import Path
sys.path = [one for one in sys.path if not (Path(one or ".") / "fornet_hf").exists()]  # as if it were not installed
assert importlib.util.find_spec("fornet_hf") is None
import datasets

def load(**keywords):
    try:
        rows = datasets.load_dataset(**{"path": "TNauen/ForNet", "trust_remote_code": True, **keywords})
        result = [row.get("key", sorted(row)) for row in rows]
    except Exception as error:
        result = "".join(traceback.format_exception_only(error)).strip()
    print("RESULT", json.dumps(result), flush=True)
"""


def keys(split: str) -> list[str]:
    return [row["key"] for row in made_directly(split)]


def run(user: User, code: str) -> list:
    """What each `load(...)` in the code gave."""
    command = [sys.executable, "-c", BARE + code]
    done = subprocess.run(
        command, env=user.environment(), cwd=user.home, capture_output=True, text=True, check=False, timeout=300
    )
    results = [line.removeprefix("RESULT ") for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert results, done.stderr
    return [json.loads(line) for line in results]


def library() -> dict[str, Path]:
    files = (path for path in (ROOT / "fornet_hf").rglob("*") if "__pycache__" not in path.parts and path.is_file())
    return {path.relative_to(ROOT).as_posix(): path for path in files}


@pytest.fixture
def complete(published: Hub) -> Hub:
    """The Hub, whose repository has the library, too, as `publish.py` leaves it."""
    published.commit(FORNET, library())
    published.forget()
    return published


def changed(hub: Hub) -> None:
    """A later commit with other code."""
    hub.commit(
        FORNET, {"fornet_hf/format/rows.py": (ROOT / "fornet_hf/format/rows.py").read_bytes() + b"\n# later\n"}
    )


def test_it_is_fetched_from_the_commit_of_the_script(alice: User, complete: Hub) -> None:
    code = """
load(split="train", num_proc=2)
load(split="train", streaming=True)
load(split="validation", background_combination="all", crop=32)
import fornet_hf
print("RESULT", json.dumps(fornet_hf.__file__))
"""
    rows, streamed, recombined, place = run(alice, code)
    assert rows == streamed == keys("train")
    assert recombined == [["image", "label"]] * len(keys("validation"))
    assert f"/snapshots/{complete.head(FORNET)}/fornet_hf/" in place
    asked = {record.path for record in complete.asked("/fornet_hf/", "GET")}
    assert {path.partition("/fornet_hf/")[2] for path in asked} == {
        path.removeprefix("fornet_hf/") for path, file in library().items() if file.stat().st_size
    }


def test_it_is_fetched_once(alice: User, complete: Hub) -> None:
    run(alice, 'load(split="validation")')
    complete.forget()
    assert run(alice, 'load(split="validation")') == [keys("validation")]
    assert complete.asked("/fornet_hf/", "GET") == []
    offline = User(complete, alice.home, variables={"HF_HUB_OFFLINE": "1"})
    assert run(offline, 'load(split="validation")') == [keys("validation")]


def test_a_later_commit_brings_its_own(alice: User, complete: Hub) -> None:
    first = complete.head(FORNET)
    run(alice, 'load(split="validation")')
    changed(complete)
    code = """
load(split="validation")
import fornet_hf
print("RESULT", json.dumps(fornet_hf.__file__))
"""
    rows, place = run(alice, code)
    assert rows == keys("validation")
    assert complete.head(FORNET) in place
    assert first not in place


def test_two_commits_in_one_process(alice: User, complete: Hub) -> None:
    complete.tag(FORNET, "v1")
    complete.commit(FORNET, {"README.md": b"words"})
    complete.tag(FORNET, "v2")
    changed(complete)
    same, alike, other = run(
        alice,
        """
load(split="validation", revision="v1")
load(split="validation", revision="v2")
load(split="validation")
""",
    )
    assert same == alike == keys("validation")
    assert other.startswith("ImportError: this process uses the library in ")
    assert "Load each in a process of its own, or install one: " in other


def test_an_installed_library_is_not_hidden(alice: User, complete: Hub, tmp_path: Path) -> None:
    """Nor is one that is installed later."""
    run(alice, 'load(split="validation")')
    complete.forget()
    code = f"""
sys.path.insert(0, {str(ROOT)!r})
load(split="validation")
import fornet_hf
print("RESULT", json.dumps(fornet_hf.__file__))
"""
    rows, place = run(alice, code)
    assert rows == keys("validation")
    assert Path(place) == ROOT / "fornet_hf/__init__.py"
    assert complete.asked("/fornet_hf/") == []


def test_a_folder_of_its_name_is_none(alice: User, complete: Hub) -> None:
    code = """
Path("fornet_hf").mkdir()
sys.path.insert(0, "")
load(split="validation")
"""
    assert run(alice, code) == [keys("validation")]


def test_a_damaged_download_is_repeated(alice: User, complete: Hub) -> None:
    fault = complete.inject(Fault("flip", r"fornet_hf/format/rows\.py", after=200))
    assert run(alice, 'load(split="validation")') == [keys("validation")]
    assert fault.hits == 1


def test_a_checkout_has_its_own(alice: User, complete: Hub, tmp_path: Path) -> None:
    for path, file in {**library(), "ForNet.py": ROOT / "ForNet.py"}.items():
        (tmp_path / "checkout" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "checkout" / path).write_bytes(file.read_bytes())
    script = str(tmp_path / "checkout" / "ForNet.py")
    assert run(alice, f'load(path={script!r}, patches="{FORNET}", split="validation")') == [keys("validation")]


def test_without_what_it_needs_the_pip_line_is_named(alice: User, complete: Hub) -> None:
    (message,) = run(alice, 'sys.modules["bsdiff4"] = None\nload(split="validation")')
    assert message.startswith("ImportError: ForNet needs its library: import of bsdiff4 halted")
    assert "pip install 'bsdiff4>=1.3.2' 'pillow>=11.3'" in message


def test_a_repository_without_it_says_so(alice: User, published: Hub) -> None:
    (message,) = run(alice, 'load(split="validation")')
    assert message.startswith("ImportError: ForNet needs its library: No module named 'fornet_hf'")
    assert 'pip install -U "fornet-hf[torch] @ git+https' in message


@pytest.mark.parametrize("revision", ["v9", "0" * 40])
def test_a_revision_that_the_hub_does_not_have_gives_no_other_rows(alice: User, complete: Hub, revision: str) -> None:
    first, other = run(alice, f'load(split="validation")\nload(split="validation", revision="{revision}")')
    assert first == keys("validation")
    assert revision in other
