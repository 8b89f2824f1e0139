import json
import re

import pytest

from fornet_hf.errors import ConfigurationError, NotFoundError
from training.config import TrainConfig
from training.options import parse
from training.presets import FOLDER, names, read_preset


@pytest.mark.parametrize("name", names())
def test_every_preset_makes_a_run(name):
    config = parse(["--preset", name])
    assert config != TrainConfig()
    assert config.model_options == read_preset(name).get("model_options", {})
    assert json.loads((FOLDER / f"{name}.json").read_text())["about"]


def test_the_page_names_all_presets_and_no_others():
    text = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    assert {name for name in names() if f"`{name}`" not in text} == set()
    assert set(re.findall(r"--preset ([\w-]+)", text)) - {"NAME", "FILE"} <= set(names())


def test_options_overrule_a_preset_and_join_its_objects():
    config = parse(["--preset", "lora", "--lr", "0.5", "--adapter", "rank=8", "--no-nesterov"])
    assert (config.tune, config.lr, config.epochs) == ("lora", 0.5, 50)
    assert config.adapter == {"rank": 8, "alpha": 1, "targets": ["layer4.*.conv2"]}


def test_what_a_preset_extends_comes_first():
    mixed, alone = parse(["--preset", "cifar10-fmix"]), parse(["--preset", "cifar10-baseline"])
    assert mixed.differences(alone.to_json()) == [
        "mix: 'none', now 'fmix'",
        "mix_options: {}, now {'alpha': 1.0, 'legacy_spectrum': True}",
    ]


def test_a_file_is_a_preset(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text('{"extends": "basic", "epochs": 7}')
    assert parse(["--preset", str(file)]).epochs == 7
    assert parse(["--preset", str(file)]).batch_size == 2048


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"rat": 3}', "unknown keyword; found rat; "),
        ('{"extends": "mine.json"}', "extends is not allowed; found 'mine.json'; allowed: 3augment, "),
        ('{"recombination": [1]}', "recombination is not allowed; found (1,); allowed: an object"),
        ('{"milestones": ["soon"]}', "milestones is not allowed; found ('soon',); allowed: a list, each an integer"),
        ('{"patches": 3}', "patches is not allowed; found 3; allowed: words, or null"),
        ('{"nesterov": "no"}', "nesterov is not allowed; found 'no'; allowed: true or false"),
        ("[1]", "is no preset"),
        ("{", "is no preset"),
        ('{"lr": "fast"}', "lr is not allowed; found 'fast'"),
        ('{"epochs": 2.5}', "epochs is not allowed; found 2.5"),
    ],
)
def test_what_is_no_preset_is_named(tmp_path, text, said):
    file = tmp_path / "mine.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        parse(["--preset", str(file)])


def test_an_unknown_preset_lists_those_there_are(tmp_path):
    with pytest.raises(ConfigurationError, match="no such preset; found 'lorra'; allowed: 3augment, base, basic, "):
        parse(["--preset", "lorra"])
    with pytest.raises(NotFoundError, match="no preset"):
        parse(["--preset", str(tmp_path / "none.json")])
