"""The whole comparison runs, goes on, and says what is missing."""

import json

import pytest
from PIL import Image

from tests.torchvision_shim import import_torchvision

pytest.importorskip("torch")
import_torchvision()  # peft imports it

import tune_for_backgrounds  # noqa: E402
from backgrounds.plan import FOLDER  # noqa: E402


def plan(folder, **base):
    """Return a plan of one epoch, as the command line takes it."""
    fields = json.loads((FOLDER / "planted.json").read_text())
    fields["common"].update(base, batch_size=8)
    for arm in (fields["base"], *fields["arms"].values()):
        arm["epochs"] = 1
    path = folder / "plan.json"
    path.write_text(json.dumps(fields))
    return str(path)


@pytest.mark.slow
def test_the_comparison_runs_and_goes_on(tmp_path, capfd):
    words = [str(tmp_path / "out"), "--plan", plan(tmp_path), "--train", "11", "--val", "6", "--seeds", "1"]
    words += ["--shown", "2", "--arms", "head", "lora", "oft"]
    assert tune_for_backgrounds.main(words) == 0
    printed = capfd.readouterr().out
    assert "| oft |" in printed
    runs = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [run["arm"] for run in runs] == ["base", "head", "lora", "oft"]
    assert all(0 <= run["values"]["accuracy original"] <= 1 for run in runs)
    assert runs[1]["parameters"] == 6 * 129
    with Image.open(tmp_path / "out" / "figure.png") as page:
        assert page.width > 500
    assert tune_for_backgrounds.main(words) == 0
    assert json.loads((tmp_path / "out" / "results.json").read_text()) == runs


@pytest.mark.parametrize(("words", "said"), [(["--seeds", "0"], "seeds"), (["--arms", "boft"], "arm is not allowed")])
def test_what_cannot_be_is_refused_before_anything_is_drawn(words, said, tmp_path, capfd):
    assert tune_for_backgrounds.main([str(tmp_path / "out"), *words]) == 1
    assert said in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


def test_missing_images_are_said_with_the_next_step(tmp_path, capfd):
    assert tune_for_backgrounds.main([str(tmp_path), "--variants", str(tmp_path)]) == 1
    assert "fornet variants --split train" in capfd.readouterr().err
