"""The folder of a segmenting run: like that of patches, but its shards are candidates, and it has no manifest.

candidates/train-00000-of-00294.parquet ...
reports/train-00000-of-00294.json ...     a shard counts as finished when this is there too
run.json                                  settings and images; a run goes on only with the same
models.json                               which models were really used, with revisions and digests
logs/HOST-PROCESS.log                     what happened when, with the traces of errors
report.json                               the sum of the reports, written last
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from fornet_hf.files import write_text
from producers.work.plan import Task
from producers.work.report import Report
from producers.work.run_folder import RunFolder


@dataclass(frozen=True)
class CandidateFolder(RunFolder):
    """See the module."""

    @property
    def candidates(self) -> Path:
        """The folder of the shards."""
        return self.root / "candidates"

    def shard(self, task: Task) -> Path:
        """Where a task's candidates go."""
        return self.candidates / f"{task.name}.parquet"

    def sum_up(self) -> Report:
        """Write the sum of all reports once no shard is missing; returns it."""
        report = self.total()
        write_text(self.root / "report.json", json.dumps(report.to_json(), indent=1, ensure_ascii=False) + "\n")
        return report
