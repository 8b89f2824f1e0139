"""Run a test Hub by itself: `python -m tests.local_hub --state DIR --user TNauen --seed TNauen/ForNet=FOLDER`."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from fornet_hf.processes import end_with
from tests.local_hub.persistence import open_hub, save_hub
from tests.local_hub.server import running_hub
from tests.local_hub.state import Hub


def main() -> None:
    """Serve until interrupted; every change is kept in the state folder."""
    arguments = _parse()
    if arguments.parent is not None:
        end_with(arguments.parent)
    hub = open_hub(arguments.state)
    _fill(hub, arguments)
    hub.changed = lambda: save_hub(hub, arguments.state)
    hub.changed()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with running_hub(hub, port=arguments.port):
        print(f"HF_ENDPOINT={hub.url}", flush=True)
        for token, user in hub.users.items():
            print(f"# {user.name}: HF_TOKEN={token}", flush=True)
        stop.wait()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.local_hub", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder that holds the repositories")
    parser.add_argument("--port", type=int, default=0, help="port on the loopback (default: any free one)")
    parser.add_argument("--parent", type=int, help="id of the process that started this one: end when it ends")
    parser.add_argument("--user", action="append", default=[], help="a user to add, with a write token")
    parser.add_argument("--seed", action="append", default=[], metavar="REPO=FOLDER", help="fill a dataset")
    parser.add_argument("--gate", action="append", default=[], metavar="REPO=USER,..", help="gate a dataset")
    return parser.parse_args()


def _fill(hub: Hub, arguments: argparse.Namespace) -> None:
    for name in arguments.user:
        hub.add_user(name)
    for name, _, folder in (text.partition("=") for text in arguments.seed):
        paths = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        hub.commit(name, {path.relative_to(folder).as_posix(): path for path in paths})
    for name, _, users in (text.partition("=") for text in arguments.gate):
        hub.gate(name, allow=users.split(","))


if __name__ == "__main__":
    main()
