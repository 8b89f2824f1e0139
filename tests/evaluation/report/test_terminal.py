"""Headlines on a terminal."""

from __future__ import annotations

from fornet_hf.evaluation.report import Comparison, Measured
from fornet_hf.evaluation.report.comparison import Compared
from fornet_hf.evaluation.report.terminal import lines
from fornet_hf.evaluation.statistics.values import Value


def model(name: str, share: float) -> Measured:
    values = [
        Value(measure="accuracy", part="original", value=share, low=share - 0.1, high=share + 0.1, n=1200),
        Value(measure="centre_bias", value=None, n=7, left_out={"no room": 1190, "empty mask": 3}, note="no; really"),
    ]
    return Measured(model=name, digest="ab", values=values)


def test_data_numbers_and_differences_stand_in_columns():
    value = Value(measure="accuracy", part="original", value=-0.2, low=-0.3, high=-0.1, n=1100, left_out={"a": 100})
    comparison = Comparison(
        data="TNauen/ForNet",
        split="validation",
        seed=3,
        settings={"draws": "2", "resamples": "1000"},
        models=[model("timm:one", 0.75), model("two", 0.55)],
        differences=[Compared(1, 0, value)],
    )
    assert list(lines([comparison])) == [
        "TNauen/ForNet, validation; seed 3; draws 2",
        "measure             model     value        95 %          images  left out",
        "Accuracy, original  timm:one  75.0 %       65.0 to 85.0  1,200",
        "                    two       55.0 %       45.0 to 65.0  1,200",
        "Centre bias         timm:one  not defined  (1)           7       1,193",
        "                    two       not defined  (1)           7       1,193",
        "(1) no; really",
        "",
        "difference from timm:one",
        "measure             model  difference    95 %            images  left out",
        "Accuracy, original  two    \u221220.0 points  \u221230.0 to \u221210.0  1,100   100",
    ]


def test_accuracies_behind_another_measure_are_no_headlines():
    names = (("accuracy", "cell 0"), ("accuracy", "size 1"), ("centre_bias", ""))
    values = [Value(measure=measure, part=part, value=0.5, n=9) for measure, part in names]
    (_, _, line) = lines(
        [Comparison(data="d", split="train", models=[Measured(model="m", digest="", values=values)])]
    )
    assert line.split() == ["Centre", "bias", "m", "0.50", "9"]
