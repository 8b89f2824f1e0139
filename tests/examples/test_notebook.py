"""The notebook runs from its first cell to its last, and stores outputs that a run gives."""

from __future__ import annotations

import pytest

from tests.blocks import ROOT

pytest.importorskip("torch")
pytest.importorskip("nbclient", reason="the notebook needs Jupyter")

import nbformat

import make_notebook

STORED = nbformat.read(make_notebook.NOTEBOOK, as_version=4)
CODE = [cell for cell in STORED.cells if cell.cell_type == "code"]


def kinds(notebook) -> list[list[tuple[str, ...]]]:
    """The outputs of each cell: their type, and the stream's name or the formats."""
    return [
        [
            (output.output_type, *([output.name] if "name" in output else sorted(output.data)))
            for output in cell.outputs
        ]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, str(folder / "home"))
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("OMP_NUM_THREADS", "1")
        return make_notebook.executed(folder)


@pytest.mark.slow
def test_a_run_gives_the_kinds_of_outputs_that_are_stored(executed):
    assert kinds(executed) == kinds(STORED)


@pytest.mark.slow
def test_the_network_trained_on_fornet_leans_less_on_backgrounds(executed):
    (table,) = [
        output.text
        for cell in executed.cells
        for output in cell.get("outputs", ())
        if "robustness" in output.get("text", "")
    ]
    plain, fornet = (float(line.split("   95 %")[0].split()[-1]) for line in table.splitlines()[-2:])
    assert fornet > plain + 0.1


def test_outputs_are_stored_of_a_whole_run():
    assert [cell.execution_count for cell in CODE] == [*range(1, len(CODE) + 1)]
    formats = {name for cell in kinds(STORED) for output in cell for name in output}
    assert {"image/jpeg", "image/png", "stdout"} <= formats
    assert not formats & {"error", "stderr"}


def test_the_file_is_small_and_tells_nothing_of_a_machine():
    text = make_notebook.NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < 1_500_000
    plain = "".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for cell in CODE
        for output in cell.outputs
    )
    assert "site-packages" not in plain
    assert " /" not in plain
