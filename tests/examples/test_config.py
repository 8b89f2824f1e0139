import json

import pytest

from fornet_hf.errors import ConfigurationError
from training.config import TrainConfig
from training.options import parse


def test_the_command_line_names_every_field():
    config = parse(
        [
            "--model",
            "tiny",
            "--epochs",
            "2",
            "--lr",
            "0.1",
            "--plain",
            "--evaluate",
            "all",
            "same",
            "--stop-after",
            "1",
        ]
    )
    assert (config.model, config.epochs, config.lr, config.plain) == ("tiny", 2, 0.1, True)
    assert (config.evaluate, config.stop_after, config.patches) == (("all", "same"), 1, None)


def test_defaults_are_those_of_the_value():
    assert parse([]) == TrainConfig()


def test_pairs_are_json_or_words():
    config = parse(["--recombination", "fg_bates_n=2", "fg_scale_jitter=[0.1, 0.8]", "orig_img_prob=cos"])
    assert config.recombination == {"fg_bates_n": 2, "fg_scale_jitter": [0.1, 0.8], "orig_img_prob": "cos"}


@pytest.mark.parametrize(
    ("words", "original"), [("", "cos"), ("orig_img_prob=0", 0), ("orig_img_prob=linear", "linear")]
)
def test_recombination_keeps_its_defaults_unless_they_are_named(words, original):
    config = parse(["--recombination", "background_combination=all", *words.split()])
    assert config.recombination == {"background_combination": "all", "orig_img_prob": original}
    assert TrainConfig().recombination == {"orig_img_prob": "cos"}


@pytest.mark.parametrize(
    "words",
    [
        "--optimizer lamb",
        "--schedule linear",
        "--tune dora",
        "--bn keep",
        "--crop square",
        "--crop padded",
        "--ema 1.5",
        "--accumulate 0",
        "--milestones 3",
        "--adapter rank=2",
        "--adapter bn=adapt --tune lora",
        "--measures speed",
        "--schedule step",
        "--images pictures --plain",
        "--images pictures --evaluate all",
        "--images pictures --mix background",
        "--images pictures --defer jpeg",
        "--rotate 10 --defer pixels",
        "--epochs 0",
        "--lr -1",
        "--recombination fg_bates_n",
        "--augment auto",
        "--defer gpu",
        "--augment randaugment --defer pixels",
        "--color-jitter .3 --defer jpeg",
        "--mix-options p=0.5",
        "--mix-options seed=1 --mix fmix",
        "--mix-options bce=true --mix fmix",
        "--mix-options label_smoothing=0.1 --mix fmix",
        "--mixup 1 --mix fmix",
    ],
)
def test_values_that_are_not_allowed_are_named(words):
    name = words.split()[0].removeprefix("--").replace("-", "_")
    with pytest.raises(ConfigurationError, match=name):
        parse(words.split())


def test_lists_are_as_good_as_tuples():
    values = {"milestones": [3], "schedule": "step", "evaluate": ["original"], "measures": ["accuracy"]}
    config = TrainConfig(images="pictures", **values)
    assert (config.milestones, config.evaluate, config.measures) == ((3,), ("original",), ("accuracy",))


def test_json_gives_the_same_run():
    config = parse(["--model", "tiny", "--evaluate", "all"])
    assert config.differences(config.to_json()) == []
    assert config.differences(TrainConfig().to_json()) == [
        "model: 'timm:vit_small_patch16_224', now 'tiny'",
        "evaluate: ['original'], now ['all']",
    ]


def test_a_run_from_before_an_option_goes_on():
    stored = TrainConfig().to_json()
    for name in ("mix", "mix_labels", "mix_options"):
        del stored[name]
    assert TrainConfig().differences(stored) == []
    assert TrainConfig(mix="fmix").differences(stored) == ["mix: 'none', now 'fmix'"]


def test_a_resumed_run_may_have_other_workers_and_leave_composing_to_the_device():
    assert TrainConfig(workers=1, stop_after=3, defer="jpeg").differences(TrainConfig().to_json()) == []


def test_the_digest_names_a_base_that_is_no_run(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "vit"}')
    assert TrainConfig(weights=str(tmp_path)).digest not in {
        TrainConfig().digest,
        TrainConfig(weights="other").digest,
    }


def test_the_digest_ends_where_a_run_begins_with_weights_in_its_own_folder(tmp_path):
    config = TrainConfig(weights=str(tmp_path), out=str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps(config.to_json()))
    assert config.digest
