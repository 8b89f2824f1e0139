import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.mixing.choosing import NAMES, chosen
from fornet_hf.mixing.methods import BackgroundMixConfig, CutMixConfig, FMixConfig, MixUpConfig


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_a_method_or_several(name):
    assert {config.method for config in chosen(name)} == {"alternate": {"fmix", "cutmix", "mixup"}}.get(name, {name})


def test_options_go_to_those_that_have_them():
    assert chosen("alternate", "visible", {"p": 0.5, "decay": 2.0, "correct_lam": False}) == [
        FMixConfig(labels="visible", p=0.5, decay=2.0),
        CutMixConfig(labels="visible", p=0.5, correct_lam=False),
        MixUpConfig(labels="visible", p=0.5),
    ]
    assert chosen("background", options={"max_soft": 0.3}) == [BackgroundMixConfig(max_soft=0.3)]


def test_several_are_joined_by_plus():
    assert chosen("fmix+mixup", options={"p": 0.5, "decay": 2.0}) == [
        FMixConfig(p=0.5, decay=2.0),
        MixUpConfig(p=0.5),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fmixx",), "mix is not allowed; found 'fmixx'; allowed: fmix, cutmix, mixup, alternate, background"),
        (("fmix+cut",), "mix is not allowed; found 'cut'"),
        (("mixup", "area", {"decay": 3}), "mixup has no such option; found decay; allowed: alpha, each"),
        (("background", "visible"), "labels is not allowed"),
        (("alternate", "area", {"alpha": 0}), "alpha is not allowed"),
    ],
)
def test_what_is_not_allowed_is_named(arguments, said):
    with pytest.raises(ConfigurationError, match=said):
        chosen(*arguments)
