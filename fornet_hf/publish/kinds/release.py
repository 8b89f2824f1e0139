"""A release of patches, with the loader and documents that belong to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fornet_hf.files import readable_bytes
from fornet_hf.publish.assembly import Assembled, Ingredients, assemble, given_files, patches_in
from fornet_hf.publish.contents import Content
from fornet_hf.publish.kinds.images import ENDINGS, refuse_named
from fornet_hf.publish.kinds.kind import Maker, Publication
from fornet_hf.release.statistics import STATISTICS


@dataclass(frozen=True)
class ReleaseMaker(Maker):
    """Patches that become a release."""

    ingredients: Ingredients

    @property
    def outputs(self) -> Sequence[Path]:
        """The statistics, beside the shards."""
        return [patches_in(self.ingredients.patches) / STATISTICS]

    def given(self) -> Mapping[str, Content]:
        """Return what is there before the shards are read.

        Raises:
            ForNetError: as `given_files`; or an image is one of ImageNet.
        """
        if self.ingredients.image is not None:
            refuse_named({str(self.ingredients.image): self.ingredients.image})
        given = given_files(self.ingredients)
        paths = {name: of for name, of in given.items() if isinstance(of, Path)}
        refuse_named({name: path for name, path in paths.items() if path.suffix.lower() in ENDINGS})
        return given

    def made(self) -> Publication:
        """Return the release; raises as `assemble`."""
        release = assemble(self.ingredients)
        return Publication(
            files=release.files,
            card=release.card,
            known=release.known,
            said=_checks(release),
            keep=partial(release.write, patches_in(self.ingredients.patches)),
        )


def _checks(release: Assembled) -> list[str]:
    """Return what the checks found, a line for each split and for the patches that were applied."""
    lines = []
    for split, one in release.statistics.items():
        counts = f"{one['rows']:,} rows, {one['foregrounds']:,} foregrounds, {one['backgrounds']:,} backgrounds"
        lines.append(f"{split}: {one['shards']:,} shards, {counts}, {readable_bytes(one['bytes'])}")
    applied = release.findings.applied
    exact = f"applied {applied:,} patches: all exact"
    lines.append(exact if applied else "applied no patches: --imagenet-dir was not given")
    return [*lines, *release.remarks]
