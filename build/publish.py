#!/usr/bin/env python
"""Publish a release, weights, results or a Space on the Hub, checked and in one commit; or bring an old state back.

    python build/publish.py run/patches TNauen/ForNet --dry-run
    python build/publish.py run/patches TNauen/ForNet -in ~/imagenet --tag v1.0
    python build/publish.py unet you/bird-segmenter --kind model --create public
    python build/publish.py TNauen/ForNet --restore v1.0

FOLDER holds what --kind says: patch shards (release); a segmenter of train_segmenter.py, a generator of
train_layers.py, an adapter, or a run of examples/train.py (model); what `fornet evaluate` wrote (results); or
examples/space (space). Only what changed is uploaded, and readers see the old state until all of the new one is
there. An interrupted run goes on where it was when the same command is given again.

Of a release, every shard is read and compared with the manifest; with --imagenet-dir, patches of every shard are
applied. No token and no image of ImageNet is published, and no other image unless --images-may-be-published.

--restore TAG makes a new commit with the files of a tag; the history and all tags stay.

Exit status: 0 done, 1 an error that a message explains, 2 a wrong command line, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import huggingface_hub as hub

from fornet_hf.endings import ended
from fornet_hf.errors import AccessError, ConfigurationError, explain
from fornet_hf.hub.errors import without_token
from fornet_hf.hub.retry import Patience
from fornet_hf.publish.contents import refuse_tokens
from fornet_hf.publish.kinds.kind import KINDS, Maker
from fornet_hf.publish.preflight import check_output, check_rights, find_start
from fornet_hf.publish.push import Pushed, push
from fornet_hf.publish.restore import find_return, restore
from fornet_hf.publish.target import Target
from producers.publishing.makers import maker_of
from producers.publishing.options import add_options, check_options
from producers.work.command import described

PROJECT = Path(__file__).resolve().parents[1]


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    result = described(__doc__)
    add = result.add_argument
    add("folder", type=Path, nargs="?", metavar="FOLDER", help="what to publish; none with --restore")
    add("repository", metavar="REPO", help="namespace/name on the Hub")
    add("--kind", choices=KINDS, default="release", help="of what is published (%(default)s)")
    add("--dry-run", action="store_true", help="check, print the plan, change nothing")
    add("--restore", metavar="TAG", help="bring the files of a tag back by a new commit")
    add("--message", help="of the commit; title of the pull request")
    add("--revision", metavar="BRANCH", help="default: main")
    add("--create-pr", action="store_true", help="open a pull request instead of changing the branch")
    add("--tag", help="name for the new commit")
    add("--create", choices=("public", "private"), help="create the repository if there is none")
    add("--remove", action="append", default=[], metavar="PATTERN", help="delete other files, too: '*.zip'")
    add("--card", type=Path, metavar="FILE", help="also write the finished card here")
    add("--token", help="default: HF_TOKEN, or the login (others can see the command line while this runs)")
    add_options(result)
    return result


def publish(arguments: argparse.Namespace, token: str | None) -> Pushed | None:
    """Do what the command line says; None for a dry run.

    Raises:
        ForNetError: anything that a user can put right; its message says how.
    """
    target = _target(arguments, token)
    refuse_tokens({"--message": target.message.encode()}, token)
    maker = maker_of(arguments, PROJECT, token)
    head = _preflight(arguments, target, maker)
    made = maker.made()
    for line in made.said:
        _say(line)
    if arguments.card:
        arguments.card.write_bytes(made.card)
    if not arguments.dry_run:
        if not head:
            target.create(private=arguments.create == "private")
        head = target.head()  # it may have moved during the checks
    plan = target.plan(made.files, head, made.known)
    print("\n".join(plan.lines()))
    if arguments.dry_run:
        target.check_tag(head, there=plan.is_empty)
        return None
    made.keep()
    return push(target, made.files, plan)


def bring_back(arguments: argparse.Namespace, token: str | None) -> Pushed | None:
    """Make the branch hold the files of a tag again; None for a dry run.

    Raises:
        ForNetError: as `publish`.
    """
    given = {"FOLDER": arguments.folder, "--create": arguments.create, "--card": arguments.card}
    if found := [f"{name} {value}" for name, value in given.items() if value is not None]:
        then = "Give the repository alone: publish.py REPO --restore TAG"
        raise ConfigurationError(explain("--restore publishes nothing new", found=found[0], then=then))
    check_options(arguments)
    target = _target(arguments, token)
    refuse_tokens({"--message": target.message.encode()}, token)
    head = find_start(target, {}, create=False)
    _ask_rights(arguments, target, head)
    way = find_return(target, arguments.restore)
    _say(f"{arguments.restore} is commit {way.commit}")
    print("\n".join(way.plan.lines()))
    return None if arguments.dry_run else restore(target, way)


def _preflight(arguments: argparse.Namespace, target: Target, maker: Maker) -> str:
    """Refuse what a glance tells; return the commit to build on, empty for a repository that is yet to be created."""
    given = maker.given()
    if arguments.card:
        check_output(arguments.card)
    if not arguments.dry_run:
        for path in maker.outputs:
            check_output(path)
    head = find_start(target, given, create=bool(arguments.create))
    if not head:
        _say(f"there is no {target.repository} yet; it is created, {arguments.create}, by the push")
    _ask_rights(arguments, target, head)
    return head


def _ask_rights(arguments: argparse.Namespace, target: Target, head: str) -> None:
    try:
        check_rights(target, head)
    except AccessError as error:
        if not arguments.dry_run:
            raise
        _say(f"only a plan, for a push would be refused: {error}")


def _target(arguments: argparse.Namespace, token: str | None) -> Target:
    kind = KINDS[arguments.kind]
    usual = f"Back to {arguments.restore}" if arguments.restore else kind.message
    return Target(
        api=hub.HfApi(token=token, library_name="fornet-hf"),
        repository=arguments.repository,
        repo_type=kind.repo_type,
        sdk=kind.sdk,
        revision=arguments.revision,
        create_pr=arguments.create_pr,
        tag=arguments.tag,
        message=usual if arguments.message is None else arguments.message,
        remove=(*kind.managed, *arguments.remove),
        patience=Patience(say=_say),
        say=_say,
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    arguments = parser().parse_intermixed_args(argv)
    token = arguments.token or hub.get_token()
    return ended(
        partial(_publish_or_restore, arguments, token),
        interrupted="interrupted; the same command goes on from here",
        hide=partial(without_token, own=token),
    )


def _publish_or_restore(arguments: argparse.Namespace, token: str | None) -> int:
    """Do what was asked for, and say what became of it."""
    verb, work = ("published", publish) if arguments.restore is None else ("restored", bring_back)
    done = work(arguments, token)
    if done is not None:
        print(f"{'was there already' if done.was_there else verb}: {arguments.repository}@{done.commit}")
        if done.pull_request:
            print(f"pull request: {done.pull_request}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
