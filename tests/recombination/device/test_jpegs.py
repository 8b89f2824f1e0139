"""JPEGs of a batch are decoded by what is installed; what a decoder refuses, Pillow decodes; damage is named."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError, MissingDependencyError, SourceError
from fornet_hf.recombination.pixels.decoding import decoded
from tests.recombination.device import cases

torch = pytest.importorskip("torch")


def batch() -> Any:
    return cases.batch(cases.cases("bilinear")[:4], "jpeg")


def composed(given: Any, **options: Any) -> Any:
    from fornet_hf.recombination.device.compositor import Compositor

    return Compositor(dtype=torch.uint8, **options).composed(given)


@pytest.fixture
def torchcodec(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A stand-in, as builds of torchcodec for GPUs do not load beside a torch for CPUs: Pillow by its signature.

    It refuses the bytes in `refused`, and the whole list if they are in it, as nvJPEG does.
    """
    package, decoders = ModuleType("torchcodec"), ModuleType("torchcodec.decoders")
    decoders.refused, decoders.calls = [], []  # type: ignore[attr-defined]
    decoders.ImageReadMode = SimpleNamespace(RGB=3)  # type: ignore[attr-defined]

    def decode_jpeg(source: Any, *, mode: Any, output_dtype: Any = torch.uint8, device: Any = "cpu") -> Any:
        assert (mode, output_dtype) == (3, torch.uint8)
        data = [one.numpy().tobytes() for one in source]
        decoders.calls.append(len(data))  # type: ignore[attr-defined]
        if set(data) & set(decoders.refused):  # type: ignore[attr-defined]
            raise RuntimeError("nvjpegDecode failed: 5")
        return [torch.from_numpy(np.asarray(decoded(one)).transpose(2, 0, 1).copy()).to(device) for one in data]

    decoders.decode_jpeg = decode_jpeg  # type: ignore[attr-defined]
    package.decoders = decoders  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchcodec", package)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", decoders)
    return decoders


def test_all_jpegs_of_a_batch_are_decoded_at_once(torchcodec: Any) -> None:
    given = batch()
    assert torch.equal(composed(given, decoder="torchcodec").images, composed(given).images)
    assert torchcodec.calls == [len(given.jpegs)]


def test_pillow_decodes_what_a_decoder_refuses_and_says_so(torchcodec: Any) -> None:
    given = batch()
    torchcodec.refused.append(bytes(given.codes[: given.jpegs[0].length].numpy()))
    refused = r"so Pillow does; found \d of 8, the first of them background of image 0 of the batch: nvjpeg"
    with pytest.warns(UserWarning, match=refused):
        found = composed(given, decoder="torchcodec")
    assert torch.equal(found.images, composed(given).images)


def test_an_image_of_another_size_is_refused(torchcodec: Any) -> None:
    given = batch()
    wrong = (given.jpegs[0]._replace(size=(16, 16)), *given.jpegs[1:])
    with pytest.raises(SourceError, match="background of image 0 of the batch: a JPEG has another size"):
        composed(replace(given, jpegs=wrong), decoder="torchcodec")


def test_damage_names_the_image() -> None:
    given = batch()
    start = sum(code.length for code in given.jpegs[:3])
    given.codes[start + 640 : start + given.jpegs[3].length] = 0
    given = replace(given, columns={"key": ["n01_1", "n01_2", "n01_3", "n01_4"]})
    with pytest.raises(SourceError, match=r"foreground of image 1 of the batch \(n01_2\): an image cannot"):
        composed(given)


def test_a_gpu_takes_what_is_installed(torchcodec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from fornet_hf.recombination.device.jpegs import decoder_for

    gpu, installed = torch.device("cuda"), torchcodec.decode_jpeg
    assert decoder_for(torch.device("cpu")) == "pillow"
    assert decoder_for(gpu) == "torchcodec"
    del torchcodec.decode_jpeg  # as before 0.16
    vision = ModuleType("torchvision.io")
    vision.decode_jpeg, vision.ImageReadMode = installed, torchcodec.ImageReadMode  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchvision.io", vision)
    assert decoder_for(gpu) == "torchvision"
    monkeypatch.setitem(sys.modules, "torchvision.io", None)
    with pytest.raises(MissingDependencyError, match="Install one: pip install torchcodec"):
        decoder_for(gpu)


def test_a_decoder_that_is_not_installed_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    with pytest.raises(MissingDependencyError, match="pip install torchcodec"):
        composed(batch(), decoder="torchcodec")


def test_an_unknown_decoder_is_refused() -> None:
    from fornet_hf.recombination.device.compositor import Compositor

    with pytest.raises(ConfigurationError, match="allowed: torchcodec, torchvision, pillow"):
        Compositor(decoder="opencv")


@pytest.mark.parametrize("form", ["PNG", "WEBP", "JPEG", "grey JPEG", "CMYK JPEG", "progressive JPEG"])
def test_images_of_other_formats_go_as_pixels_in_the_same_batch(form: str) -> None:
    """Among restart-coded ones, which go as they are."""
    some = []
    for parts, composition in cases.cases("bilinear")[:4]:
        other = parts._replace(background=written(decoded(parts.background), form))
        some += [(other, composition), (parts, composition)]
    made = cases.batch(some, "jpeg")
    assert len(made.jpegs) == 12  # of 16
    found = cases.differences(composed(made), some)
    assert found["most"] <= 2
    assert found["mask"] == 0


def written(image: Any, form: str) -> bytes:
    """The bytes of an image in a format."""
    mode = {"grey JPEG": "L", "CMYK JPEG": "CMYK"}.get(form, "RGB")
    options = {"WEBP": {"lossless": True}, "progressive JPEG": {"progressive": True}}.get(form, {})
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, form.rpartition(" ")[2], **options)
    return buffer.getvalue()
