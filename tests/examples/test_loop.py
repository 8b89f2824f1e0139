from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from fornet_hf.errors import ConfigurationError, MissingDependencyError  # noqa: E402
from tests.torchvision_shim import import_torchvision  # noqa: E402
from training.average import moving_average  # noqa: E402
from training.config import TrainConfig  # noqa: E402
from training.loop import Timed, Trainer, seed_of  # noqa: E402
from training.model import build_model, build_optimizer  # noqa: E402
from training.processes import Place  # noqa: E402
from training.run import Run  # noqa: E402
from training.schedule import Schedule  # noqa: E402

ALONE = Place(rank=0, world=1, local_rank=0)


def trainer_of(model, **values):
    config = TrainConfig(**{"precision": "fp32", **values})
    return Trainer(
        config=config,
        here=ALONE,
        model=model,
        bare=model,
        optimizer=build_optimizer(config, model),
        schedule=Schedule(config),
        average=moving_average(model, config.ema) if config.ema else None,
        mix=None,
        report=lambda line: None,
        check=lambda: None,
    )


def test_weights_decay_and_biases_do_not():
    decaying, others = build_optimizer(TrainConfig(), build_model(TrainConfig(model="tiny"), 5)).param_groups
    assert decaying["weight_decay"] == 0.05
    assert others["weight_decay"] == 0
    assert all(parameter.ndim > 1 for parameter in decaying["params"])


@pytest.mark.parametrize("name", ["resnet", "keras:resnet", "timm:"])
def test_an_unknown_model_is_named(name):
    with pytest.raises(ConfigurationError, match=name):
        build_model(TrainConfig(model=name), 5)


def test_a_missing_library_is_named_with_its_pip_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "timm", None)
    with pytest.raises(MissingDependencyError, match="pip install timm"):
        build_model(TrainConfig(), 5)


def test_training_lowers_the_loss_and_counts_images():
    torch.manual_seed(0)
    trainer = trainer_of(build_model(TrainConfig(model="tiny"), 2), lr=0.01, epochs=9, warmup_epochs=0, batch_size=4)
    labels = torch.tensor([0, 1, 0, 1])
    images = (labels.view(4, 1, 1, 1) * 200).expand(4, 3, 16, 16).to(torch.uint8)
    loader = [{"image": images, "label": labels}] * 5
    losses = [trainer.train(loader, epoch)["train_loss"] for epoch in range(4)]
    assert losses[-1] < losses[0]
    assert trainer.evaluate(trainer.bare, loader)["top1"] == 1.0


def test_evaluation_counts_right_guesses():
    scores = torch.eye(7)
    trainer = trainer_of(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 4 * 4, 7)))
    network = torch.nn.Module()
    network.forward = lambda images: scores[: len(images)]
    images = torch.zeros(4, 3, 4, 4, dtype=torch.uint8)
    figures = trainer.evaluate(network, [{"image": images, "label": torch.tensor([0, 1, 2, 6])}])
    assert figures["top1"] == 0.75


def test_waiting_is_timed_and_steps_are_not(monkeypatch):
    clock, found = [0.0], []
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])

    def loader():
        for number in range(3):
            clock[0] += 2
            yield number

    for number in (timed := Timed(loader())):
        clock[0] += 5
        found.append(number)
    assert (found, timed.waited) == ([0, 1, 2], 6)


def test_processes_and_epochs_have_their_own_seeds():
    assert len({seed_of(0, epoch, rank) for epoch in range(50) for rank in range(50)}) == 2500


def test_a_run_goes_on_where_it_stopped(tmp_path):
    values = {"out": str(tmp_path / "run"), "ema": 0.9, "schedule": "plateau"}
    trainers = [trainer_of(build_model(TrainConfig(model="tiny"), 5), **values) for _ in range(2)]
    one, other = trainers
    run = Run(one.config, ALONE)
    assert run.restore(one) == 0
    for epoch in (0, 1, 1):  # an epoch that is repeated has one line
        one.schedule.note(3.0)
        run.finish_epoch(epoch, {"train_loss": 1.0}, one)
    assert Run(other.config, ALONE).restore(other) == 2
    for name in ("bare", "average"):
        pairs = zip(getattr(one, name).parameters(), getattr(other, name).parameters(), strict=True)
        assert all(torch.equal(mine, its) for mine, its in pairs)
    assert other.schedule == one.schedule
    assert [line["epoch"] for line in run.figures] == [0, 1]


def test_optimizers_count_steps_where_nobody_waits_for_them(tmp_path):
    """Adam reads the count of each parameter in every step, and it stays on the device to which it was loaded."""
    one, other = (trainer_of(torch.nn.Linear(2, 2), out=str(tmp_path)) for _ in range(2))
    one.model(torch.ones(1, 2)).sum().backward()
    one.optimizer.step()
    Run(one.config, ALONE).finish_epoch(0, {}, one)
    other.here = SimpleNamespace(device=torch.device("meta"), is_first=True)
    Run(other.config, ALONE).restore(other)
    assert {state["step"].device.type for state in other.optimizer.state.values()} == {"cpu"}


def test_a_folder_with_another_run_is_refused(tmp_path):
    trainer = trainer_of(build_model(TrainConfig(model="tiny"), 5), out=str(tmp_path))
    Run(trainer.config, ALONE).finish_epoch(0, {}, trainer)
    with pytest.raises(ConfigurationError, match=r"lr: 0\.001, now 0\.5"):
        Run(TrainConfig(precision="fp32", out=str(tmp_path), lr=0.5), ALONE)


@pytest.mark.parametrize("clip", [0.0, 0.01])
def test_a_step_in_parts_is_a_step_of_all_of_them(clip):
    torch.manual_seed(0)
    images, labels = torch.randint(0, 256, (8, 3, 16, 16), dtype=torch.uint8), torch.arange(8) % 3

    def trained(parts):
        torch.manual_seed(1)
        values = {"optimizer": "sgd", "lr": 0.1, "warmup_epochs": 0, "batch_size": 4, "clip_norm": clip}
        trainer = trainer_of(
            build_model(TrainConfig(model="tiny"), 3), accumulate=parts, label_smoothing=0.1, **values
        )
        size = 4 // parts
        batches = [{"image": images[i : i + size], "label": labels[i : i + size]} for i in range(0, 8, size)]
        loss = trainer.train([*batches, *batches[: parts - 1]], 0)["train_loss"]  # the rest fills no step
        return [*trainer.bare.parameters(), torch.tensor(loss)]

    wanted = trained(1)
    for parts in (2, 4):
        assert all(torch.allclose(mine, its, atol=1e-6) for mine, its in zip(trained(parts), wanted, strict=True))


def test_a_model_of_torchvision_is_trained():
    import_torchvision()
    model = build_model(TrainConfig(model="torchvision:mobilenet_v3_small", model_options={"dropout": 0.1}), 5)
    trainer = trainer_of(model, optimizer="sgd", lr=0.01)
    batch = {"image": torch.zeros(2, 3, 64, 64, dtype=torch.uint8), "label": torch.tensor([0, 4])}
    assert trainer.train([batch], 0)["train_loss"] > 0
    with pytest.raises(ConfigurationError, match="resnet51"):
        build_model(TrainConfig(model="torchvision:resnet51"), 5)
