"""The challenge finds what showing every foreground on every background finds."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError, SourceError, StorageError
from fornet_hf.evaluation.challenge.experiment import Challenge, challenge
from fornet_hf.evaluation.challenge.standing import NOBODY, Standing
from fornet_hf.evaluation.challenge.tree import Foreground
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.data.trees import read_tree
from fornet_hf.evaluation.labels.mapping import LabelMap
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.ranks import Ranks

torch = pytest.importorskip("torch")

SIDE, CLASSES, EACH = 8, 9, 2
MASK = np.zeros((SIDE, SIDE), np.float32)
MASK[2:6, 2:6] = 1
BOOTSTRAP = Bootstrap(0, 20)


class Drawn:
    """Squares on plain backgrounds; the level of the first colour, by tens, is the class."""

    class_names = tuple(f"c{label}" for label in range(CLASSES))
    fingerprint = "drawn"

    def __init__(self, each: int = EACH) -> None:
        self.left_out: dict[str, int] = {}
        self.labels = np.arange(CLASSES).repeat(each)
        self.background_labels = np.arange(CLASSES).repeat(each)
        self.foregrounds = [f"fg {number}" for number in range(len(self.labels))]
        self.backgrounds = [f"bg {number}" for number in range(len(self.labels))]
        self.random = np.random.default_rng(0).integers(
            256, size=(2, len(self.labels), 3, SIDE, SIDE), dtype=np.uint8
        )

    def foreground(self, number: int) -> Foreground:
        image = self.random[0, number].copy()
        image[0] = self.labels[number] * 10
        return Foreground(image, MASK)

    def background(self, number: int) -> np.ndarray:
        image = self.random[1, number].copy()
        image[0] = self.background_labels[number] * 10
        return image


class At(torch.nn.Module):
    """Sees one pixel."""

    def __init__(self, x: int, y: int) -> None:
        super().__init__()
        self.place = x, y

    def forward(self, images):
        level = images[:, 0, self.place[1], self.place[0]] * 25.5
        return -(level[:, None] - torch.arange(CLASSES)).abs()


class Constant(torch.nn.Module):
    def forward(self, images):
        return torch.eye(CLASSES)[torch.full((len(images),), 3)]


class Noisy(torch.nn.Module):
    """Sees all, and is often wrong."""

    def __init__(self) -> None:
        super().__init__()
        weights = torch.randn(3 * SIDE * SIDE, CLASSES, generator=torch.Generator().manual_seed(0))
        self.weights = torch.nn.Parameter(weights)
        self.forwards = 0

    def forward(self, images):
        self.forwards += len(images)
        fine = -(images[:, 0, 4, 4, None] * 25.5 - torch.arange(CLASSES)).abs()
        return fine * 15 + images.flatten(1) @ self.weights


def classifier(network, name: str = "drawn") -> Classifier:
    plain = Preprocessing(size=SIDE, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    return Classifier(name=name, revision="1", network=network, preprocessing=plain)


def config(batch_size: int = 7, **options) -> EvaluationConfig:
    return EvaluationConfig(batch_size=batch_size, workers=2, device="cpu", resamples=20, **options)


SAME = LabelMap(np.arange(CLASSES, dtype=np.int32))


def values(network, images=None, **options) -> dict:
    outcome = challenge(classifier(network), SAME, images or Drawn(), config(), **options)
    return {one.part: one for one in outcome.values(BOOTSTRAP)}


def test_a_constant_classifier_is_deceived_about_all_but_its_class():
    found = values(Constant())
    assert found[""].value == pytest.approx(1 / 9)
    assert found["class c3"].value == 1
    assert found["targeted"].value == pytest.approx(1 / 9)
    assert found[""].note.endswith("composites until all were decided")


def test_a_classifier_that_sees_the_foreground_only_withstands_all_backgrounds():
    found = values(At(4, 4))
    assert found[""].value == found["targeted"].value == 1
    assert "324 composites until all were decided" in found[""].note


def test_a_classifier_that_sees_the_background_only_withstands_none():
    found = values(At(0, 0))
    assert found[""].value == found["targeted"].value == 0
    composites = int(re.search(r"(\d+) composites", found[""].note)[1])
    assert composites < (CLASSES * EACH) ** 2 / 2


def every(network, images) -> np.ndarray:
    """The class of each foreground on each background: one composite at a time, in the formula's own words."""
    answers = np.zeros((len(images.foregrounds), len(images.backgrounds)), int)
    for at in np.ndindex(answers.shape):
        image, mask = images.foreground(at[0])
        background = images.background(at[1]) / np.float32(255)
        composite = background * (1 - mask) + mask * (image / np.float32(255))
        with torch.inference_mode():
            answers[at] = network(torch.from_numpy(composite)[None]).argmax()
    return answers


@pytest.mark.parametrize("batch_size", [1, 5, 64, 1000])
@pytest.mark.parametrize("targeted", [False, True])
def test_nothing_depends_on_the_size_of_batches(batch_size, targeted):
    images, network = Drawn(4), Noisy()
    found = challenge(classifier(network), SAME, images, config(batch_size), targeted=targeted)
    answers = every(network, images)[:, found.order]
    wrong = answers != images.labels[:, None]
    taken = wrong & (answers == images.background_labels[found.order])
    assert 0 < wrong.any(axis=1).mean() < 1, "the example shows nothing"
    for number in range(len(images.labels)):
        first = [np.flatnonzero(row[number]) for row in (wrong, taken)]
        fooled, attacked = (places[0] if len(places) else NOBODY for places in first)
        standing = found.standing
        assert standing.fooled[number] == fooled
        assert standing.answers[number] == (answers[number, fooled] if fooled != NOBODY else NOBODY)
        last = max(fooled, attacked) if targeted else fooled
        decided = fooled != NOBODY and (attacked != NOBODY or not targeted)
        assert standing.tried[number] == (last + 1 if decided else len(images.backgrounds))
        if targeted:
            assert standing.attacked[number] == attacked


@pytest.mark.parametrize("soft", [0, 1, CLASSES * EACH], ids=["hard", "one soft", "soft"])
def test_composites_follow_the_formula(soft):
    """To the last bit: with hard masks, with soft ones, and with both in one batch."""
    images, shown = Drawn(), {}

    class Keeping(Constant):
        def forward(self, batch):
            for image in batch:
                shown[image.numpy().tobytes()] = True
            return super().forward(batch)

    masks = np.random.default_rng(1).random((CLASSES * EACH, SIDE, SIDE)).astype(np.float32)
    masks[: CLASSES * EACH - soft] = masks[: CLASSES * EACH - soft] > 0.5
    images.foreground = lambda number: Foreground(images.random[0, number], masks[number])
    found = challenge(classifier(Keeping()), SAME, images, config(16))
    expected = set()
    for number, tried in enumerate(found.standing.tried):
        for background in found.order[:tried]:
            pixels = images.background(background) / np.float32(255)
            composite = pixels * (1 - masks[number]) + masks[number] * (images.random[0, number] / np.float32(255))
            expected.add(composite.tobytes())
    assert expected <= shown.keys()


def test_early_stop_spares_forwards():
    images = Drawn(8)
    network = Noisy()
    outcome = challenge(classifier(network), SAME, images, config(16), targeted=False)
    needed, made = outcome.standing.tried.sum(), network.forwards
    assert needed <= made < 1.1 * needed
    assert made < 0.9 * len(images.labels) ** 2


class Stop(Exception):  # noqa: N818
    pass


class Failing(Noisy):
    """Stops after some batches."""

    batches = 5

    def forward(self, images):
        self.batches -= len(images) > 1  # one image is asked for beforehand
        if self.batches < 0:
            raise Stop
        return super().forward(images)


def test_what_was_interrupted_goes_on(tmp_path):
    images, whole = Drawn(4), Noisy()
    expected = challenge(classifier(whole), SAME, images, config(16))
    failing, going = Failing(), Failing()
    with pytest.raises(Stop):
        challenge(classifier(failing), SAME, images, config(16), tmp_path)
    going.batches = 10**6
    found = challenge(classifier(going), SAME, images, config(16), tmp_path)
    assert_same(found, expected)
    assert going.forwards + failing.forwards <= whole.forwards + 32
    again = Failing()
    again.batches = 0
    assert_same(challenge(classifier(again), SAME, images, config(16), tmp_path), expected)  # nothing is shown
    with pytest.raises(Stop):  # with another seed nothing is known
        challenge(classifier(again), SAME, images, config(16, seed=1), tmp_path)


def assert_same(found, expected):
    for name in ("tried", "fooled", "answers", "attacked"):
        np.testing.assert_array_equal(getattr(found.standing, name), getattr(expected.standing, name))


class Shared(Ranks):
    """One of two processes; the other does its share while the first waits for it."""

    def __init__(self, rank: int, other=lambda: None) -> None:
        super().__init__(rank, 2)
        object.__setattr__(self, "other", other)

    def share(self, work):
        return work[self.rank :: self.count] if self.rank == 0 else work

    def wait(self):
        self.other()


def test_processes_share_the_foregrounds(tmp_path):
    images, networks, found = Drawn(4), [Noisy(), Noisy()], []

    def run(rank, *other):
        ranks = Shared(rank, *other)
        found.append(challenge(classifier(networks[rank]), SAME, images, config(), tmp_path, ranks))

    run(0, lambda: run(1))
    expected = challenge(classifier(Noisy()), SAME, images, config())
    for one in found:
        assert_same(one, expected)
    assert all(0 < network.forwards < 0.7 * expected.standing.tried.sum() for network in networks)


def test_processes_need_a_folder_that_all_see():
    with pytest.raises(StorageError, match="the answers of another process are not there"):
        challenge(classifier(Noisy()), SAME, Drawn(4), config(), None, Shared(0))


def test_what_another_network_answered_is_not_taken_over(tmp_path):
    """Two networks without weights, of one name."""
    for network, right in ((Constant(), 1 / 9), (At(4, 4), 1)):
        outcome = challenge(classifier(network), SAME, Drawn(), config(), tmp_path)
        assert outcome.values(BOOTSTRAP)[0].value == pytest.approx(right)


def test_a_damaged_standing_is_passed_over(tmp_path):
    images = Drawn(4)
    expected = challenge(classifier(Noisy()), SAME, images, config(16), tmp_path)
    (kept,) = tmp_path.rglob("00000.parquet")
    (kept.parent / "00001.parquet").write_bytes(kept.read_bytes()[:100])
    network = Noisy()
    assert_same(challenge(classifier(network), SAME, images, config(16), tmp_path), expected)
    assert network.forwards == 1  # one image tells whether the network is the same
    kept.write_bytes(kept.read_bytes()[:-100])
    assert_same(challenge(classifier(network), SAME, images, config(16), tmp_path), expected)
    assert network.forwards > len(images.labels)


def test_what_is_farther_is_taken_over():
    one, other = (Standing(2, 5, targeted=True) for _ in range(2))
    one.tried[:], other.tried[:] = (3, 2), (0, 4)
    one.fooled[:], other.fooled[:] = (2, NOBODY), (NOBODY, 3)
    other.add(one.table())
    assert (other.tried.tolist(), other.fooled.tolist()) == ([3, 4], [2, 3])


def test_outputs_that_are_none_of_the_classes_are_never_right():
    nothing = LabelMap(np.full(CLASSES, -1, np.int32))
    outcome = challenge(classifier(At(4, 4)), nothing, Drawn(), config())
    found = {one.part: one for one in outcome.values(BOOTSTRAP)}
    assert (found[""].value, found["targeted"].value) == (0, 1)
    assert {row["predicted"] for row in outcome.rows()} == {""}


def test_images_of_two_sizes_are_refused():
    images = Drawn()
    images.background = lambda number: np.zeros((3, SIDE, SIDE + (number == 5)), np.uint8)
    with pytest.raises(SourceError, match="bg 5: images of a challenge have one size; found 9 x 8; allowed: 8 x 8"):
        challenge(classifier(Constant()), SAME, images, config())


def test_nan_and_other_outputs_are_refused():
    class Nan(Constant):
        def forward(self, images):
            return super().forward(images) * torch.nan

    with pytest.raises(ConfigurationError, match=r"mine answers with NaN or infinity; found fg \d+ on a background"):
        challenge(classifier(Nan(), "mine"), SAME, Drawn(), config())
    with pytest.raises(ConfigurationError, match=r"other outputs than expected; found .*9"):
        challenge(classifier(Constant()), LabelMap(np.arange(3, dtype=np.int32)), Drawn(), config())


def test_batches_are_halved_when_memory_runs_out():
    class Small(At):
        def forward(self, images):
            if len(images) > 3:
                raise MemoryError
            return super().forward(images)

    with pytest.warns(UserWarning, match="drawn: batches of 2"):
        assert values(Small(4, 4))[""].value == 1


@pytest.fixture
def tree(tmp_path):
    """The drawn images in ImageNet-9's folders, without loss; one foreground and background a class."""
    images = Drawn(1)
    for label, name in enumerate(images.class_names):
        for variant, pixels in (
            ("original", images.foreground(label).image),
            ("only_bg_t", images.background(label)),
        ):
            path = tmp_path / "in9" / variant / "val" / f"{label:02}_{name}" / f"{variant}{label}.png"
            path.parent.mkdir(parents=True)
            Image.fromarray(pixels.transpose(1, 2, 0)).save(path)
        path = tmp_path / "in9" / "fg_mask" / "val" / f"{label:02}_{name}" / f"original{label}.npy"
        path.parent.mkdir(parents=True)
        np.save(path, MASK.astype(bool))
    return read_tree(tmp_path / "in9")


def test_the_table_names_the_background_and_the_answer(tree, tmp_path):
    found = Challenge().run(classifier(At(0, 0)), SAME, tree, config(), tmp_path)
    assert [one.part for one in found][:2] == ["", "class c0"]
    assert found[0].value == 0
    with (tmp_path / "challenge.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == CLASSES
    of = {"data": tree.name, "split": "validation", "release": tree.fingerprint, "seed": "0", "precision": "float32"}
    for row in rows:
        assert of.items() <= row.items()
        assert {"model", "weights"} <= row.keys()
        assert row["predicted"] == row["background_class"] != row["class"]
        assert row["background"] == row["attacked_by"] == f"only_bg_t{row['predicted'][1:]}"
        assert int(row["tried"]) >= 1


def test_an_oracle_withstands_a_tree(tree):
    assert Challenge().run(classifier(At(4, 4)), SAME, tree, config(), None)[0].value == 1


def test_originals_without_a_mask_are_counted(tree):
    next((tree.root / "fg_mask").rglob("*.npy")).unlink()
    found = Challenge().run(classifier(At(4, 4)), SAME, read_tree(tree.root), config(), None)
    counted = {one.part: (one.n, one.left_out) for one in found if one.part in {"", "targeted"}}
    assert counted == dict.fromkeys(["", "targeted"], (CLASSES - 1, {"no mask": 1}))


def test_data_without_masks_lack_something(tree):
    assert Challenge().lacks(tree) == ""
    assert "fg_mask" in Challenge().lacks(object())
    with pytest.raises(ConfigurationError, match="the challenge needs ImageNet-9's folders"):
        Challenge().run(classifier(At(4, 4)), SAME, object(), config(), None)
