#!/usr/bin/env python
"""Publish a folder of patch shards as a dataset repository on the Hub, checked and in one commit.

    python build/publish.py run/patches TNauen/ForNet --dry-run
    python build/publish.py run/patches TNauen/ForNet -in ~/imagenet --tag v1.0

Every shard is read and compared with the manifest; with --imagenet-dir, patches of every shard are applied. Only what
changed is uploaded, and readers see the old release until all of the new one is there. An interrupted run goes
on where it was when the same command is given again. Exit status: 0 done, 1 an error that a message explains,
2 a wrong command line, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import huggingface_hub as hub

from fornet_hf.errors import AccessError, ConfigurationError, ForNetError, explain
from fornet_hf.evaluation.leakage.read import read_numbers, sentence
from fornet_hf.files import readable_bytes
from fornet_hf.hub.errors import without_token
from fornet_hf.hub.location import locate
from fornet_hf.hub.retry import Patience
from fornet_hf.publish.assembly import Assembled, Ingredients, assemble, given_files, patches_in
from fornet_hf.publish.contents import refuse_tokens
from fornet_hf.publish.preflight import check_output, check_rights, find_start
from fornet_hf.publish.push import Pushed, push
from fornet_hf.publish.target import Target
from fornet_hf.release.release import open_release
from fornet_hf.release.statistics import STATISTICS
from producers.work.command import described

PROJECT = Path(__file__).resolve().parents[1]


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    result = described(__doc__)
    add = result.add_argument
    add("folder", type=Path, metavar="FOLDER", help="the patch shards, or the folder of a run with patches/ in it")
    add("repository", metavar="REPO", help="namespace/name of the dataset")
    add("--dry-run", action="store_true", help="check, print the plan, change nothing")
    names = ("-in", "--imagenet-dir", "--source")
    add(*names, dest="imagenet_dir", type=Path, metavar="DIR", help="the images: apply a sample of the patches")
    add("--sample", type=int, default=4, metavar="N", help="patches of every shard to apply (%(default)s)")
    add(
        "--image",
        "--picture",
        type=Path,
        metavar="FILE",
        help="sample for the card; only images that may be published",
    )
    add(
        "--leakage",
        type=Path,
        metavar="FILE",
        help="leakage.json of `fornet leakage` for these patches: for the card",
    )
    add("--message", default="New release of patches", help="of the commit; title of the pull request")
    add("--revision", metavar="BRANCH", help="default: main")
    add("--create-pr", action="store_true", help="open a pull request instead of changing the branch")
    add("--tag", help="name for the new commit")
    add("--create", choices=("public", "private"), help="create the repository if there is none")
    add("--remove", action="append", default=[], metavar="PATTERN", help="delete other files, too: '*.zip'")
    add("--card", type=Path, metavar="FILE", help="also write the finished card here")
    add("--source-repo", default="ILSVRC/imagenet-1k", help="of shards without manifest (%(default)s)")
    add("--source-revision", metavar="COMMIT", help="of the source, for shards without manifest")
    add("--token", help="default: HF_TOKEN, or the login (others can see the command line while this runs)")
    return result


def publish(arguments: argparse.Namespace, token: str | None) -> Pushed | None:
    """Do what the command line says; None for a dry run.

    Raises:
        ForNetError: anything that a user can put right; its message says how.
    """
    refuse_tokens({"--message": arguments.message.encode()}, token)
    target = _target(arguments, token)
    ingredients = _ingredients(arguments, token)
    head = _preflight(arguments, target, ingredients)
    release = assemble(ingredients)
    _tell_checks(release)
    if arguments.card:
        arguments.card.write_bytes(release.card)
    if not arguments.dry_run:
        if not head:
            target.create(private=arguments.create == "private")
        head = target.head()  # it may have moved during the checks
    plan = target.plan(release.files, head, release.known)
    print("\n".join(plan.lines()))
    if arguments.dry_run:
        target.check_tag(head, there=plan.is_empty)
        return None
    release.write(patches_in(arguments.folder))
    return push(target, release.files, plan)


def _preflight(arguments: argparse.Namespace, target: Target, ingredients: Ingredients) -> str:
    """Refuse what a glance tells; return the commit to build on, empty for a repository that is yet to be created."""
    given = given_files(ingredients)
    if arguments.card:
        check_output(arguments.card)
    if not arguments.dry_run:
        check_output(patches_in(arguments.folder) / STATISTICS)
    head = find_start(target, given, create=bool(arguments.create))
    if not head:
        _say(f"there is no {target.repository} yet; it is created, {arguments.create}, by the push")
    try:
        check_rights(target, head)
    except AccessError as error:
        if not arguments.dry_run:
            raise
        _say(f"only a plan, for a push would be refused: {error}")
    return head


def _ingredients(arguments: argparse.Namespace, token: str | None) -> Ingredients:
    return Ingredients(
        patches=arguments.folder,
        repository=arguments.repository,
        project=PROJECT,
        source_repository=arguments.source_repo,
        source_revision=arguments.source_revision,
        imagenet_dir=arguments.imagenet_dir,
        sample=arguments.sample,
        image=arguments.image,
        remarks=_remarks(arguments),
        token=token,
    )


def _remarks(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Return sentences for the card: the leakage, if it was measured.

    Raises:
        ForNetError: the file cannot be read, or is of another release.
    """
    if arguments.leakage is None:
        return ()
    document = read_numbers(arguments.leakage)
    split = document["settings"]["split"]
    release = open_release(locate(str(patches_in(arguments.folder))))
    now = release.fingerprint(split) if split in release.splits else f"no split {split}"
    if document["settings"]["release"] != now:
        what, then = f"{arguments.leakage}: of another release", "Measure these patches: fornet leakage."
        raise ConfigurationError(explain(what, found=document["settings"]["release"], allowed=now, then=then))
    return (sentence(document),)


def _target(arguments: argparse.Namespace, token: str | None) -> Target:
    return Target(
        api=hub.HfApi(token=token, library_name="fornet-hf"),
        repository=arguments.repository,
        revision=arguments.revision,
        create_pr=arguments.create_pr,
        tag=arguments.tag,
        message=arguments.message,
        remove=arguments.remove,
        patience=Patience(say=_say),
        say=_say,
    )


def _tell_checks(release: Assembled) -> None:
    for split, one in release.statistics.items():
        counts = f"{one['rows']:,} rows, {one['foregrounds']:,} foregrounds, {one['backgrounds']:,} backgrounds"
        _say(f"{split}: {one['shards']:,} shards, {counts}, {readable_bytes(one['bytes'])}")
    applied = release.findings.applied
    _say(f"applied {applied:,} patches: all exact" if applied else "applied no patches: --imagenet-dir was not given")
    for remark in release.remarks:
        _say(remark)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    arguments = parser().parse_args(argv)
    token = arguments.token or hub.get_token()
    try:
        done = publish(arguments, token)
    except ForNetError as error:
        _say(f"error: {without_token(str(error), token)}")
        return 1
    except KeyboardInterrupt:
        _say("interrupted; the same command goes on from here")
        return 130
    if done is not None:
        print(f"{'was there already' if done.was_there else 'published'}: {arguments.repository}@{done.commit}")
        if done.pull_request:
            print(f"pull request: {done.pull_request}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
