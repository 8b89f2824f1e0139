import json

import pytest

from fornet_hf.errors import ConfigurationError, IntegrityError
from producers.training.run import TrainingRun

SETTINGS = {"lr": 0.1, "steps": 10, "sides": (3, 4)}


def test_a_training_goes_on_with_the_same_settings_alone(tmp_path):
    run = TrainingRun(tmp_path / "run")
    run.begin(SETTINGS)
    run.begin(SETTINGS)
    with pytest.raises(ConfigurationError, match=r"begun with other settings; found .*0\.2.*allowed: .*0\.1"):
        run.begin({**SETTINGS, "lr": 0.2})
    run.begin({**SETTINGS, "lr": 0.2}, free=frozenset({"lr"}))
    assert json.loads((run.folder / "config.json").read_text())["lr"] == 0.2


def test_the_log_ends_where_the_checkpoint_is(tmp_path):
    torch = pytest.importorskip("torch")
    run = TrainingRun(tmp_path)
    run.note(1, loss=2.0)
    assert run.restore() == {}
    assert run.figures() == []
    run.note(1, loss=2.0)
    run.save(1, {"weights": torch.ones(2)})
    run.note(2, loss=1.0)
    with run.log.open("a") as file:
        file.write('{"step": 3, "lo')  # killed meanwhile
    state = run.restore()
    assert (state["step"], state["weights"].tolist()) == (1, [1, 1])
    assert run.figures() == [{"step": 1, "loss": 2.0}]


def test_one_process_of_several_writes(tmp_path):
    run = TrainingRun(tmp_path / "run", writes=False)
    run.begin(SETTINGS)
    run.note(1, loss=2.0)
    run.save(1, {})
    assert not run.folder.exists()


def test_a_damaged_checkpoint_is_named(tmp_path):
    pytest.importorskip("torch")
    run = TrainingRun(tmp_path)
    run.checkpoint.write_bytes(b"no checkpoint")
    with pytest.raises(IntegrityError, match=r"checkpoint\.pt: damaged"):
        run.restore()


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops(tmp_path, loss):
    run = TrainingRun(tmp_path)
    run.check_loss(3, 0.5)
    with pytest.raises(ConfigurationError, match=f"not finite; found {loss} at step 3. There is no checkpoint yet"):
        run.check_loss(3, loss)
