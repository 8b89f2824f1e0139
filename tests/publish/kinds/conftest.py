"""The test Hub, and its client, as for all of publishing."""

from tests.publish.conftest import hub, hub_home, run

__all__ = ["hub", "hub_home", "run"]
