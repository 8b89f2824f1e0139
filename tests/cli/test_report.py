"""fornet report: models of several folders on one page."""

from __future__ import annotations

from fornet_hf.cli import main
from fornet_hf.evaluation.results.origin import Origin
from fornet_hf.evaluation.results.results import Results
from fornet_hf.evaluation.results.rows import Result
from fornet_hf.evaluation.statistics.values import Value


def write(folder, model: str) -> None:
    origin = Origin(
        model=model, weights="ab" * 32, data="own", split="validation", release="cd" * 8, seed=0,
        precision="float32", settings="", version="1",
    )  # fmt: skip
    value = Value(measure="accuracy", part="original", value=0.5, low=0.4, high=0.6, n=10)
    Results(results=[Result(origin, value)]).write(folder)


def test_models_of_several_folders_stand_on_one_page(tmp_path, capsys):
    for name in ("one", "two"):
        write(tmp_path / name, f"timm:{name}")
    assert main(["report", str(tmp_path / "one"), str(tmp_path / "two"), "-o", str(tmp_path / "both")]) == 0
    text = (tmp_path / "both" / "report.html").read_text(encoding="utf-8").replace("<wbr/>", "")
    assert "Biases of 2 classifiers on own" in text
    assert "timm:one" in text
    assert "timm:two" in text
    assert "report.html" in capsys.readouterr().err


def test_a_folder_without_results_is_an_error(tmp_path, capsys):
    assert main(["report", str(tmp_path), "-o", str(tmp_path)]) == 1
    assert "no results" in capsys.readouterr().err
