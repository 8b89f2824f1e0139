"""The generator that samples are made with."""

import pytest

from fornet_hf.errors import NotFoundError
from producers.layers.chosen import chosen, generator_file
from producers.training.run import TrainingRun


def noted(folder, lines):
    run = TrainingRun(folder)
    for step, (kimg, figures) in enumerate(lines, 1):
        run.note(step, kimg=kimg, **figures)
        if figures.get("kept"):
            path = generator_file(folder, kimg)
            path.parent.mkdir(exist_ok=True)
            path.touch()


def test_it_is_the_one_with_the_lowest_fid(tmp_path):
    noted(
        tmp_path,
        [
            (1, {"loss": 1.0}),
            (10, {"kept": True, "fid": 50.0}),
            (20, {"kept": True, "fid": 30.0}),
            (30, {"kept": True, "fid": 20.0}),
            (40, {"kept": True}),
        ],
    )
    assert chosen(tmp_path) == tmp_path / "generators" / "000030.safetensors"
    assert chosen(tmp_path, 29) == generator_file(tmp_path, 20)
    generator_file(tmp_path, 30).unlink()
    assert chosen(tmp_path) == generator_file(tmp_path, 20)


def test_without_an_fid_it_is_the_last_one(tmp_path):
    noted(tmp_path, [(9, {"kept": True}), (10, {"kept": True}), (11, {})])
    assert chosen(tmp_path) == generator_file(tmp_path, 10)
    assert chosen(tmp_path, until_kimg=9) == generator_file(tmp_path, 9)


def test_a_folder_without_any_is_an_error(tmp_path):
    with pytest.raises(NotFoundError, match="there is no generator; found none in"):
        chosen(tmp_path)
    noted(tmp_path, [(9, {"kept": True})])
    with pytest.raises(NotFoundError, match="none of 5 kimg at most in"):
        chosen(tmp_path, 5)
