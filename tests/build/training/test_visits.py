from hypothesis import given
from hypothesis import strategies as st

from producers.training.visits import Visit, Visits


@given(st.integers(1, 30), st.integers(1, 40), st.integers(0, 3))
def test_every_epoch_visits_each_sample_once_whatever_the_batch(count, size, seed):
    visits = Visits(seed, count)
    seen = [visit for step in range(3 * count) for visit in visits.batch(step, size)][: 3 * count]
    for epoch in range(3):
        part = seen[epoch * count : (epoch + 1) * count]
        assert sorted(part) == [Visit(epoch, index) for index in range(count)]


def test_orders_differ_between_epochs_and_seeds():
    first, second = (Visits(0, 50).batch(step, 50) for step in range(2))
    other = Visits(1, 50).batch(0, 50)
    assert len({tuple(visit.sample for visit in one) for one in (first, second, other)}) == 3
