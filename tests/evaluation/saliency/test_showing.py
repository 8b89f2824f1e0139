"""Shares of importance on foregrounds: closed forms, any batch size, killed runs, and what is left out."""

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.labels.mapping import LabelMap
from fornet_hf.evaluation.models.classifier import Classifier
from tests.evaluation.fakes import all_outputs

torch = pytest.importorskip("torch")

from fornet_hf.evaluation.saliency import looking, showing  # noqa: E402
from fornet_hf.evaluation.saliency.configuration import METHODS, SaliencyConfig  # noqa: E402
from fornet_hf.evaluation.saliency.showing import examples, foreground_shares  # noqa: E402
from tests.evaluation.saliency.masked import PLAIN, Squares, pixels  # noqa: E402
from tests.evaluation.saliency.networks import build  # noqa: E402

FAST = SaliencyConfig(steps=2)
ONE = EvaluationConfig(workers=1, device="cpu", batch_size=4)


def random_network():
    made, _, _ = build("resnet")
    return Classifier(name="random", revision="", network=made.network, preprocessing=made.preprocessing)


def test_a_network_that_sees_nothing_else_has_all_importance_on_the_foreground():
    stimuli = Squares()
    shares = foreground_shares(pixels(), all_outputs(), stimuli, ONE, FAST)
    there = [item for item in range(stimuli.count) if item % 5 != 3]
    np.testing.assert_allclose(shares.importance[there], 1, rtol=1e-6)
    np.testing.assert_allclose(shares.area[there], [stimuli.area(item) for item in there])
    assert shares.reasons == dict.fromkeys(range(3, stimuli.count, 5), "no foreground")
    assert np.isnan(shares.area[3::5]).all()
    assert np.isnan(shares.importance[3::5]).all()


def test_importance_that_is_the_same_everywhere_is_shared_as_the_area_is():
    class Even(Squares):
        def masked(self, item, preprocessing):
            seen = super().masked(item, preprocessing)
            return seen if isinstance(seen, str) else (np.full_like(seen[0], 77), seen[1])

    shares = foreground_shares(pixels(), all_outputs(), Even(), ONE, FAST)
    there = np.isfinite(shares.area)
    np.testing.assert_allclose(shares.importance[there], shares.area[there, None].repeat(3, 1), rtol=1e-5)


@pytest.mark.parametrize(("batch_size", "workers"), [(1, 1), (7, 2), (999, 1)])
def test_shares_are_the_same_for_every_batch_size_and_number_of_workers(batch_size, workers):
    stimuli, network = Squares(9, background=60), random_network()
    network_labels = LabelMap(np.arange(7, dtype=np.int32) % 3)
    config = EvaluationConfig(workers=workers, device="cpu", batch_size=batch_size)
    one = foreground_shares(network, network_labels, stimuli, ONE, FAST)
    other = foreground_shares(network, network_labels, stimuli, config, FAST)
    np.testing.assert_allclose(one.importance, other.importance, rtol=1e-4)


def test_a_batch_is_halved_when_memory_runs_out(monkeypatch):
    sizes, ask = [], looking.importance

    def short(classifier, images, candidates, **options):
        sizes.append(len(images))
        if len(images) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return ask(classifier, images, candidates, **options)

    expected = foreground_shares(pixels(), all_outputs(), Squares(), ONE, FAST)
    monkeypatch.setattr(looking, "importance", short)
    config = EvaluationConfig(workers=1, device="cpu", batch_size=8)
    with pytest.warns(UserWarning, match="pixels, saliency: batches of 2"):
        found = foreground_shares(pixels(), all_outputs(), Squares(), config, FAST)
    np.testing.assert_allclose(found.importance, expected.importance, rtol=1e-6)
    assert max(sizes[2:]) <= 4
    assert sizes.count(2) > 5


def test_a_killed_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(showing, "CHUNK", 5)
    expected = foreground_shares(pixels(), all_outputs(), Squares(), ONE, FAST)
    shown = []

    class Watched(Squares):
        def masked(self, item, preprocessing):
            shown.append(item)
            if item == 12 and shown.count(12) == 1:
                raise KeyboardInterrupt
            return super().masked(item, preprocessing)

    def run(saliency=FAST):
        return foreground_shares(pixels(), all_outputs(), Watched(), ONE, saliency, tmp_path)

    with pytest.raises(KeyboardInterrupt):
        run()
    shown.clear()
    shown.append(12)
    found = run()
    assert shown[1:] == list(range(10, 23))
    np.testing.assert_array_equal(found.importance, expected.importance)
    np.testing.assert_array_equal(found.area, expected.area)
    assert found.reasons == expected.reasons
    shown[1:] = []
    run()
    assert shown[1:] == []
    run(SaliencyConfig(steps=3))
    assert shown[1:] == list(range(23))
    for path in tmp_path.rglob("00001.parquet"):
        path.write_bytes(path.read_bytes()[:40])
    shown[1:] = []
    run()
    assert shown[1:] == list(range(5, 10))


def test_classes_without_an_output_are_left_out_unless_the_prediction_is_explained():
    labels = LabelMap(np.array([0, 1, -1], np.int32))
    by_label = foreground_shares(pixels(), labels, Squares(), ONE, SaliencyConfig(methods=["gradcam"]))
    assert by_label.reasons[2] == "no output of the classifier means its class"
    assert np.isnan(by_label.importance[2]).all()
    config = SaliencyConfig(methods=["gradcam"], explained="prediction")
    assert 2 not in foreground_shares(pixels(), labels, Squares(), ONE, config).reasons


def test_no_importance_anywhere_is_no_share():
    network = pixels()
    torch.nn.init.zeros_(network.network.features.weight)
    shares = foreground_shares(network, all_outputs(), Squares(), ONE, FAST)
    assert np.isnan(shares.importance).all()
    assert np.isfinite(shares.area).any()


@pytest.mark.parametrize("method", METHODS)
def test_answers_that_are_no_numbers_are_an_error_that_names_the_item(method):
    class Damaged(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = pixels().network

        def forward(self, images):
            bright = images.sum((1, 2, 3)) > 40
            return torch.where(bright[:, None], torch.nan, self.inner(images))

    def bright(item):
        seen = Squares().masked(item, PLAIN)
        return not isinstance(seen, str) and seen[0].sum() / 255 > 40

    first = next(filter(bright, range(1, 23)))
    damaged = Classifier(name="damaged", revision="", network=Damaged().eval(), preprocessing=PLAIN)
    config = SaliencyConfig(methods=[method], steps=2)
    with pytest.raises(ConfigurationError, match=f"damaged answers with NaN or infinity; found item item {first}[.]"):
        foreground_shares(damaged, all_outputs(), Squares(), ONE, config)


def test_another_number_of_outputs_is_an_error():
    with pytest.raises(ConfigurationError, match="other outputs than expected"):
        foreground_shares(pixels(), all_outputs(4), Squares(), ONE, FAST)


def test_one_answer_for_many_images_is_refused_whatever_is_explained():
    class Shared(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = pixels().network

        def forward(self, images):
            return self.inner(images).mean(0, keepdim=True)

    shared = Classifier(name="shared", revision="", network=Shared().eval(), preprocessing=PLAIN)
    for explained in ("label", "prediction"):
        saliency = SaliencyConfig(steps=2, explained=explained)
        with pytest.raises(ConfigurationError, match="shared does not answer with logits"):
            foreground_shares(shared, all_outputs(), Squares(), ONE, saliency)


def test_examples_come_from_all_classes():
    found = examples(pixels(), all_outputs(), Squares(), ONE, FAST, cap=4)
    assert [one.label for one in found] == ["red", "green", "blue", "green"]  # red's second has no foreground
    for one in found:
        assert list(one.maps) == list(METHODS)
        assert all(each.shape == (16, 16) and each.dtype == np.float32 for each in one.maps.values())
        assert (one.maps["gradcam"] > 0).sum() == (one.image.max(0) > 0).sum()


def test_examples_that_do_not_fit_are_looked_at_by_fewer_steps_at_a_time():
    network = pixels()
    answer, sizes = network.network.forward, []

    def short(images):
        sizes.append(len(images))
        if len(images) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return answer(images)

    expected = examples(pixels(), all_outputs(), Squares(), ONE, FAST, cap=2)
    network.network.forward = short
    with pytest.warns(UserWarning, match="pixels, saliency: batches of 1"):
        found = examples(network, all_outputs(), Squares(), ONE, FAST, cap=2)
    assert sizes.count(2) == 1
    for one, other in zip(found, expected, strict=True):
        for method in METHODS:
            np.testing.assert_allclose(one.maps[method], other.maps[method], rtol=1e-6)
