"""What the commands of the producers share."""

import pytest

import create_patches
import import_release
import segment
import select_versions

WORDS = [
    (create_patches, 2, ["--shards", "0"]),
    (import_release, 3, ["--shards", "-1"]),
    (import_release, 3, ["--workers", "0"]),
    (segment, 2, ["--window", "0"]),
    (segment, 2, ["--gpus", "-1"]),
    (segment, 2, ["--batch-size", "many"]),
    (select_versions, 3, ["--attempts", "0"]),
    (select_versions, 3, ["--gpus", "-1"]),
    (select_versions, 3, ["--precision", "bf16"]),
    (select_versions, 3, ["--classifiers", "resnet50"]),
    (select_versions, 3, ["--classifiers", "torchvision:resnet50", "timm:"]),
]


@pytest.mark.parametrize(("command", "paths", "words"), WORDS)
def test_what_makes_no_sense_is_refused_before_anything_is_done(command, paths, words, tmp_path, capsys):
    names = [str(tmp_path / str(number)) for number in range(paths)]
    with pytest.raises(SystemExit) as exit_:
        command.main([*names, *words])
    assert exit_.value.code == 2
    assert words[0] in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
