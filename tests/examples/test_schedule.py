import pytest

from training.config import TrainConfig
from training.schedule import Schedule


def rates(epochs, **values):
    schedule = Schedule(TrainConfig(lr=1.0, warmup_epochs=5, epochs=105, **values))
    return [schedule.rate(epoch) for epoch in epochs]


@pytest.mark.parametrize("schedule", ["cosine", "step", "plateau", "constant"])
def test_every_schedule_rises_first(schedule):
    milestones = (50,) if schedule == "step" else ()
    assert rates((0, 2.5, 5), schedule=schedule, milestones=milestones) == pytest.approx([0.0, 0.5, 1.0])


def test_the_cosine_ends_at_the_lowest_rate():
    assert rates((55, 105), min_lr=0.1) == pytest.approx([0.55, 0.1])


def test_steps_fall_at_their_epochs():
    assert rates((49.9, 50, 79, 80), schedule="step", milestones=(50, 80), decay=0.5) == [1.0, 0.5, 0.5, 0.25]


def test_a_constant_rate_stays():
    assert rates((6, 104), schedule="constant") == [1.0, 1.0]


def test_a_plateau_falls_after_more_evaluations_than_its_patience():
    torch = pytest.importorskip("torch")
    losses = [3.0, 2.0, 2.0, 1.99999, 2.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    ours = Schedule(TrainConfig(lr=1.0, warmup_epochs=0, schedule="plateau", patience=2, decay=0.1, min_lr=0.01))
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=2, min_lr=0.01)
    found = []
    for loss in losses:
        ours.note(loss)
        theirs.step(loss)
        found.append(ours.rate(3))
        assert found[-1] == pytest.approx(optimizer.param_groups[0]["lr"])
    assert found[-1] == pytest.approx(0.01)
    other = Schedule(ours.config)
    other.load_state_dict(ours.state_dict())
    assert other == ours
