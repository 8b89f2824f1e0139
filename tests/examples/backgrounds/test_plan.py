"""Plans give each run its images, its base and its place."""

import json
from pathlib import Path

import pytest

from fornet_hf.errors import ConfigurationError, NotFoundError

pytest.importorskip("torch")

from backgrounds.plan import BASE, FOLDER, Plan
from backgrounds.sets import Sets

SETS = Sets({"images": "originals"}, {"images": "mixed"}, Path("test"))
PLANS = sorted(path.stem for path in FOLDER.glob("*.json"))


def test_there_are_plans():
    assert PLANS == ["in9", "planted"]


@pytest.mark.parametrize("name", PLANS)
def test_each_plan_has_every_way_of_tuning_and_fits_train_py(name, tmp_path):
    plan = Plan.read(name)
    configs = [plan.run(arm, 3, SETS, tmp_path) for arm in (BASE, *plan.arms)]
    assert {config.tune for config in configs} >= {"head", "lora", "oft", "full"}
    assert {config.seed for config in configs} == {3}
    assert len({config.out for config in configs}) == len(configs)


def test_arms_begin_with_the_base_of_their_seed_on_images_of_their_own(tmp_path):
    plan = Plan.read("planted")
    base, again, oft = (plan.run(arm, 1, SETS, tmp_path) for arm in (BASE, "originals", "oft"))
    assert base.weights is None
    assert again.weights == oft.weights == base.out
    assert (base.images, again.images, oft.images) == ("originals", "originals", "mixed")
    assert oft.measure_on == "test"


@pytest.mark.parametrize("content", ["{", "[]", '{"common": {}}', '{"arms": {}, "more": 1}'])
def test_files_that_are_no_plan_are_refused(tmp_path, content):
    path = tmp_path / "mine.json"
    path.write_text(content)
    with pytest.raises(ConfigurationError):
        Plan.read(str(path))


def test_a_plan_that_is_not_there_is_named():
    with pytest.raises(NotFoundError, match="in9, planted"):
        Plan.read("celeba")


def test_own_plans_are_read(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(
        json.dumps({"about": "", "common": {"epochs": 2}, "base": {}, "arms": {"full": {"tune": "full"}}})
    )
    assert Plan.read(str(path)).run("full", 0, SETS, tmp_path).epochs == 2


def test_fields_that_are_not_there_are_named(tmp_path):
    plan = Plan(about="", common={}, base={}, arms={"full": {"epoch": 2}})
    with pytest.raises(ConfigurationError, match=r"found epoch; .* mean epochs"):
        plan.run("full", 0, SETS, tmp_path)


def test_arms_are_chosen_after_the_base_and_once():
    plan = Plan(about="", common={}, base={}, arms={"full": {}, "head": {}})
    assert plan.chosen(None) == ["base", "full", "head"]
    assert plan.chosen(["head", "head"]) == ["base", "head"]
    with pytest.raises(ConfigurationError, match="found 'lorra'; allowed: full, head"):
        plan.chosen(["lorra"])
