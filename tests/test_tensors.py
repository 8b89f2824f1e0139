"""Named tensors have one digest wherever they come from, and files that are whole."""

import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.tensors import check_fit, digest, read_tensors, write_tensors

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")


def weights():
    return {"b": torch.arange(24.0).reshape(1, 2, 3, 4), "a": torch.ones(2, dtype=torch.bfloat16)}


def test_they_come_back_from_a_file(tmp_path):
    strided = {**weights(), "b": weights()["b"].to(memory_format=torch.channels_last)}
    write_tensors(tmp_path / "new" / "one.safetensors", strided)
    torch.testing.assert_close(read_tensors(tmp_path / "new" / "one.safetensors"), weights(), rtol=0, atol=0)


def test_a_tensor_with_two_names_is_in_the_file_under_both(tmp_path):
    one = torch.arange(3.0)
    write_tensors(tmp_path / "one.safetensors", {"a": one, "b": one})
    assert read_tensors(tmp_path / "one.safetensors")["b"].tolist() == [0, 1, 2]


def test_a_file_that_is_not_whole_is_refused(tmp_path):
    file = tmp_path / "one.safetensors"
    write_tensors(file, weights())
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ConfigurationError, match="is damaged"):
        read_tensors(file)


def test_a_digest_depends_on_names_kinds_shapes_and_values_alone():
    one = digest(weights())
    assert one == digest(dict(reversed(weights().items())))
    assert one == digest({**weights(), "b": weights()["b"].to(memory_format=torch.channels_last)})
    others = [
        {"b": weights()["b"]},
        {**weights(), "a": torch.ones(2)},
        {**weights(), "b": weights()["b"].flatten()},
        {**weights(), "b": weights()["b"] + 1},
        {"c": weights()["b"], "a": weights()["a"]},
    ]
    assert len({one, *map(digest, others)}) == 6
    assert digest({}) == ""


def test_what_does_not_fit_is_named(tmp_path):
    check_fit(weights(), weights(), tmp_path, "")
    with pytest.raises(
        ConfigurationError, match="1 keys of no layer: a; 1 layers without weights: c; 1 other shapes: b"
    ):
        check_fit(weights(), {"b": torch.ones(2), "c": torch.ones(1)}, tmp_path, "Name it.")
