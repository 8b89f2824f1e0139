"""The documentation does what it says: its code runs, its commands exist, its links lead somewhere."""

from __future__ import annotations

import dataclasses
import re
import shlex
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from itertools import groupby, pairwise

import pytest

from fornet_hf.packages import resolve
from producers.registry import Choice, find, models
from producers.work.command import Setting, with_settings
from tests import torchvision_shim
from tests.blocks import ROOT, Block, blocks, commands
from tests.local_hub.client import run_python
from tests.reader import surroundings

PAGES = [
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
    "examples/README.md",
    "examples/space/README.md",
]
WITH_CODE = [page for page in PAGES if blocks(page, "python") or blocks(page, "console")]
WITH_CODE.remove("docs/recipes.md")  # tests/test_recipes.py looks at what its code leaves behind, too
ROLES = {"--detector": "detector", "--segmenter": "segmenter", "--refine": "refiner", "--infiller": "infiller"}
_RUN = "exec(compile({code!r}, {name!r}, 'exec'), {{'__name__': '__main__'}})\n"


@pytest.fixture(scope="module")
def reader(tmp_path_factory, demo):
    with surroundings(tmp_path_factory.mktemp("reader"), demo) as place:
        yield place


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_CODE)
def test_the_code_of_a_page_runs(page, reader):
    """From top to bottom; neighbouring blocks of Python share a process, to save time."""
    folder, environment = reader
    steps = sorted(blocks(page, "python") + blocks(page, "console"), key=lambda block: block.line)
    for language, group in groupby((step for step in steps if possible(step)), key=lambda block: block.language):
        if language == "python":
            code = "".join(_RUN.format(code=block.code, name=str(block)) for block in group)
            if any(name in code for name in ("torchvision", "lightning", "timm")):
                code = torchvision_shim.CODE + code
            done = run_python(code, environment, cwd=folder, timeout=500)
            assert done.returncode == 0, done.stderr
            continue
        for command in [line for block in group for line in commands(block)]:
            run = [*program(command), *command.split()[1:]]
            done = subprocess.run(run, check=False, cwd=folder, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, f"{page}: {command}\n{done.stdout}\n{done.stderr}"


def possible(block: Block) -> bool:
    """Whether this environment has what a block needs; one runs without torch."""
    names = ("torch", "torchvision", "pytorch_lightning", "accelerate")
    code = re.sub(r"\b(train|sample)_\w+\.py", "torch accelerate", block.code.replace("train.py", "torch"))
    return all(find_spec(name) for name in names if name in code)


def program(command: str) -> list[str]:
    """What the first word of a command starts."""
    return {"fornet": [sys.executable, "-m", "fornet_hf"], "python": [sys.executable]}[command.split(maxsplit=1)[0]]


def shown() -> list[tuple[str, str]]:
    """Commands that are shown but not run (they need GPUs, the Hub, or ImageNet): page and command."""
    pages = [*PAGES, "README.md"]
    lines = [(page, line) for page in pages for block in blocks(page, "bash") for line in block.code.splitlines()]
    return [(page, line) for page, line in lines if line.partition(" ")[0] in ("fornet", "python", "torchrun")]


@pytest.mark.parametrize(("page", "command"), shown())
def test_options_of_shown_commands_exist(page, command):
    words = command.split()
    script = next((number for number, word in enumerate(words) if word.endswith(".py")), None)
    if script is not None and words[script].startswith("examples"):
        pytest.importorskip("torch")
    start = (sys.executable, words[script]) if script is not None else (*program(command), words[1])
    options = [word for word in words[script or 0 :] if word.startswith("--")]
    assert [option for option in options if not re.search(rf"{option}\b", help_of(start))] == []


@cache
def help_of(start: tuple[str, ...]) -> str:
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    run = subprocess.run([*start, "--help"], check=True, cwd=ROOT, env=environment, capture_output=True, text=True)
    return run.stdout


@pytest.mark.parametrize(("page", "command"), [one for one in shown() if {*ROLES} & {*one[1].split()}])
def test_models_and_settings_of_shown_commands_exist(page, command):
    words = shlex.split(command)
    pairs = [(option, value) for option, value in pairwise(words) if option.startswith("--")]
    choices = {ROLES[option]: Choice.parse(value) for option, value in pairs if option in ROLES}
    settings = [Setting.parse(value) for option, value in pairs if option == "--set"]
    for role, choice in with_settings(choices, settings).items():
        find(role, choice.name).check(choice)


@pytest.mark.parametrize("page", [*PAGES, "README.md"])
def test_settings_that_a_page_names_exist(page):
    """In the text, too, where it is not said of which model of the role they are."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for role, name in set(re.findall(r"--set (\w+)\.(\w+)", text)) - {("ROLE", "NAME")}:
        kinds = [resolve(model.settings, name) for model in models(role) if model.settings]
        assert name in {field.name for kind in kinds for field in dataclasses.fields(kind)}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    folder = (ROOT / page).parent
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("http"):
            continue
        file, _, anchor = target.partition("#")
        linked = folder / file if file else ROOT / page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings], (
                target
            )


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [
        page for page in PAGES if page != "docs/README.md" and f"{page.removeprefix('docs/')})" not in index
    ] == []


MADE = ("api.md", "parameters.md", "benchmarks.md", "data.md", "getting_started.md", "scale.md", "device.md")


@pytest.mark.parametrize("name", [*MADE, "../README.md"])
def test_pages_made_from_code_and_results_are_up_to_date(name):
    pytest.importorskip("torch", reason="the names that need torch are on these pages, too")
    code = f"import sys; sys.path.insert(0, 'docs'); import make; print(make.pages()[{name!r}], end='')"
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    made = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=environment, capture_output=True)
    assert made.stdout.decode() == (ROOT / "docs" / name).read_text(encoding="utf-8"), "run: python docs/make.py"


@pytest.mark.parametrize("page", [*PAGES, "README.md", "dataset_card.md"])
def test_no_page_keeps_the_marks_of_a_merge(page):
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if line.startswith(("<<<<<<<", "=======", ">>>>>>>"))]
