"""Groups of processes that torchrun started."""

import pytest

from tests.torchrun import run_two_of

pytest.importorskip("torch")

SCRIPT = """
import time
from fornet_hf.ranks import joined_ranks

for joined in range(3):
    with joined_ranks() as ranks:
        shared = ranks.share([joined, joined])
        assert list(shared) == [joined], shared
        time.sleep(0.2 if ranks.rank == joined % 2 else 0)
"""


def test_processes_join_again_while_one_of_them_has_not_left_yet(tmp_path):
    run_two_of(SCRIPT, tmp_path)


SHARING = """
import threading
from torch import distributed
from fornet_hf import ranks as module
from fornet_hf.ranks import joined_ranks

module._PATIENCE = 60
broadcast, held = distributed.broadcast, []

def slow_to_let_go(tensor, *rest):
    broadcast(tensor, *rest)
    held.append(tensor)
    threading.Timer(0.1, held.clear).start()

distributed.broadcast = slow_to_let_go
with joined_ranks() as ranks:
    for count in (5, 0, 1):
        seen = range(count) if ranks.rank == 0 else []
        assert list(ranks.share(seen)) == [*range(count)][ranks.rank :: 2]
        assert not held
"""


def test_shares_are_of_what_the_first_process_sees_and_nothing_holds_a_tensor_afterwards(tmp_path):
    run_two_of(SHARING, tmp_path)
