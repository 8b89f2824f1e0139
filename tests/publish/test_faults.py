"""Publishing while the Hub, or the way to it, fails."""

from __future__ import annotations

import pytest

from tests.local_hub.faults import Fault
from tests.local_hub.fixtures import uploads
from tests.publish.conftest import NAME

pytestmark = uploads

FAULTS = {
    "busy tree": Fault("status", "/tree/", status=503),
    "busy head": Fault("status", f"/api/datasets/{NAME}$|/revision/", status=502),
    "limited commit": Fault("status", "/commit/", method="POST", status=429, retry_after=3),
    "busy commit": Fault("status", "/commit/", method="POST", status=503, times=3),
    "lost commit": Fault("lost", "/commit/", method="POST"),
    "dropped commit": Fault("cut", "/commit/", method="POST", after=100),
    "limited preupload": Fault("status", "/preupload/", method="POST", status=429, retry_after=1),
    "busy batch": Fault("status", "objects/batch", method="POST", status=500, times=2),
    "cut upload": Fault("cut", "/_lfs/", method="PUT", after=500),
    "lost upload": Fault("lost", "/_lfs/", method="PUT"),
    "busy upload": Fault("status", "/_lfs/", method="PUT", status=503, times=3),
    "refused upload": Fault("refuse", "/_lfs/", method="PUT", times=2),
    "upload damaged on its way": Fault("corrupt", "/_lfs/", method="PUT", after=700, times=2),
    "upload busy for longer than the client waits": Fault("status", "/_lfs/", method="PUT", status=503, times=30),
    "upload limited for longer": Fault("status", "/_lfs/", method="PUT", status=429, retry_after=2, times=30),
    "upload dropped for longer": Fault("refuse", "/_lfs/", method="PUT", times=30),
    "address of an upload that has expired": Fault("status", "/_lfs/", method="PUT", status=403),
    **{
        f"{kind} as the answer of {name}": Fault(kind, path, method=method)
        for kind in ("html", "half")
        for name, method, path in (
            ("the head", "GET", f"/api/datasets/{NAME}$|/revision/"),
            ("the tree", "GET", "/tree/"),
            ("the tags", "GET", "/refs"),
            ("the upload's modes", "POST", "/preupload/"),
            ("the card's check", "POST", "/validate-yaml"),
            ("the batch", "POST", "objects/batch"),
            ("the commit", "POST", "/commit/"),
            ("the tag", "POST", "/tag/"),
        )
    },
    "busy tags": Fault("status", "/refs", status=503),
    "lost tag": Fault("lost", "/tag/", method="POST"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_failures_that_pass_are_survived(run, hub, release, fault):
    fault.hits = fault._seen = 0
    hub.inject(fault)
    assert run(release.patches, "--tag", "v1") == 0
    assert fault.hits > 0
    assert len(hub.history(NAME)) == 2
    assert hub.repo(NAME).tags == {"v1": hub.head(NAME)}
    assert hub.files(NAME)["patches/manifest.json"] == (release.patches / "manifest.json").read_bytes()


def test_a_lost_answer_opens_no_second_pull_request(run, hub, release):
    hub.inject(Fault("lost", "/commit/", method="POST"))
    assert run(release.patches, "--create-pr") == 0
    assert len(hub.repo(NAME).pulls) == 1


def test_an_unreadable_answer_opens_no_second_pull_request(run, hub, release):
    hub.inject(Fault("html", "/commit/", method="POST"))
    assert run(release.patches, "--create-pr") == 0
    assert len(hub.repo(NAME).pulls) == 1


LASTING = {
    "busy commit": (Fault("status", "/commit/", method="POST"), "the Hub answers 503"),
    "busy uploads": (
        Fault("status", "/_lfs/", method="PUT"),
        "upload to TNauen/ForNet; found the Hub answers 503",
    ),
    "damaged uploads": (Fault("corrupt", "/_lfs/", method="PUT"), "Expected an object with SHA-256"),
    "refused uploads": (Fault("status", "/_lfs/", method="PUT", status=403), "write role"),
    "dropped uploads": (Fault("refuse", "/_lfs/", method="PUT"), "it goes on where it stopped"),
    "web pages": (Fault("html", "", method=""), "an answer that cannot be read"),
    "half a batch": (
        Fault("half", "objects/batch", method="POST"),
        "upload to TNauen/ForNet; found an answer",
    ),
    "half the modes": (Fault("half", "/preupload/", method="POST"), "an answer that cannot be read"),
}


@pytest.mark.parametrize(("fault", "words"), LASTING.values(), ids=LASTING)
def test_failures_that_last_are_errors_without_traceback(run, hub, release, capsys, fault, words):
    fault.hits, fault.times = 0, None
    head = hub.head(NAME)
    hub.inject(fault)
    assert run(release.patches) == 1
    message = capsys.readouterr().err
    assert message.splitlines()[-1].startswith("error: cannot ")
    assert words in message
    assert "attempt 7 of 7" in message
    assert hub.head(NAME) == head
    hub.faults.clear()
    assert run(release.patches) == 0


def test_uploads_are_given_the_time_that_storage_asks_for(run, hub, release, capsys):
    hub.inject(Fault("status", "/_lfs/", method="PUT", status=429, retry_after=77, times=30))
    assert run(release.patches) == 0
    assert "upload: 429; attempt 2 of 7 in 77 s" in capsys.readouterr().err


def test_a_file_that_vanishes_is_told(run, hub, release, capsys, monkeypatch):
    from huggingface_hub import HfApi

    upload = HfApi.preupload_lfs_files

    def vanish(self, repository, additions, **kwargs):
        for one in additions:
            if one.path_in_repo.endswith("train-00001-of-00003.parquet"):
                one.path_or_fileobj = "/nowhere/train-00001-of-00003.parquet"
        return upload(self, repository, additions, **kwargs)

    monkeypatch.setattr(HfApi, "preupload_lfs_files", vanish)
    assert run(release.patches) == 1
    message = capsys.readouterr().err
    assert "a file on this machine cannot be read: FileNotFoundError" in message
    assert "attempt 2" not in message
