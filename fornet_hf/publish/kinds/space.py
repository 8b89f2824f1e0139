"""A Gradio app that becomes a Space, with the library, and with a release of patches that it can run on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.format.manifest import MANIFEST, read_manifest
from fornet_hf.format.shards import PatchShard
from fornet_hf.hub.location import contents
from fornet_hf.publish.contents import Content, library_files, refuse_tokens
from fornet_hf.publish.kinds.cards import left_out
from fornet_hf.publish.kinds.images import ENDINGS, is_of_imagenet, refuse_images
from fornet_hf.publish.kinds.kind import Maker, Publication
from fornet_hf.release.verify import CARD, card_header

RELEASE = "release"
_NEEDED = (CARD, "requirements.txt")
_BELONG = frozenset({".py", ".txt", ".md", ".css", ".js", ".json", ".svg", ".toml", ".yaml", *ENDINGS})
_LIBRARY = ("ForNet.py", "fornet_hf/")
_TESTS = ("test", "conftest")  # beginnings of names


@dataclass(frozen=True, kw_only=True)
class SpaceMaker(Maker):
    """An app to be published.

    Attributes:
        folder: of the app, with `README.md` and `requirements.txt`.
        project: folder of the builder script and the library, which go along: git would fetch all patches with them.
        release: a folder with patches and the images that they apply to, for the app; None: it has none, or its own.
        images_allowed: whether images that are not ImageNet's may be published.
        sdk: of the app, which its header has to name.
        token: the token in use, which no file may hold.
    """

    folder: Path
    project: Path
    release: Path | None = None
    images_allowed: bool = False
    sdk: str = "gradio"
    token: str | None = None

    def given(self) -> Mapping[str, Content]:
        """Return the files, by path; raises as `made`."""
        return self._files

    def made(self) -> Publication:
        """Return the app; its card is the one in its folder.

        Raises:
            NotFoundError: a file of the app is missing, or there is no release.
            ConfigurationError: its header does not name the SDK and the app, the release is of ImageNet, or a file
                holds a token or images that must not be published.
        """
        files, text = self._files, (self.folder / CARD).read_text(encoding="utf-8")
        header = card_header(text, self.folder / CARD)
        app = header.get("app_file", "app.py")
        if header.get("sdk") != self.sdk or app not in files:
            found = f"sdk {header.get('sdk')}, app_file {app}"
            allowed = f"sdk: {self.sdk}, and app_file: a file of the folder"
            raise ConfigurationError(explain(f"{self.folder / CARD}: its header", found=found, allowed=allowed))
        refuse_tokens({path: of for path, of in files.items() if of.suffix.lower() not in ENDINGS}, self.token)
        inside = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        left = [path.relative_to(self.folder).as_posix() for path in inside if path not in files.values()]
        return Publication(files=files, card=text.encode(), said=left_out([one for one in left if "__" not in one]))

    @cached_property
    def _files(self) -> dict[str, Path]:
        for name in _NEEDED:
            if not (self.folder / name).is_file():
                found = f"no file {self.folder / name}"
                raise NotFoundError(
                    explain("a file of the Space is missing", found=found, then="See examples/space.")
                )
        files = {path.relative_to(self.folder).as_posix(): path for path in _inside(self.folder, _BELONG)}
        files = {name: path for name, path in files.items() if not path.name.startswith(_TESTS)}
        files |= {name: self.project / name for name in library_files(self.project) if name.startswith(_LIBRARY)}
        if self.release is not None:
            files |= {f"{RELEASE}/{name}": path for name, path in _of_release(self.release).items()}
        texts = [path for path in files.values() if path.suffix == ".json"]
        pages = {name: path for name, path in files.items() if path.suffix != ".parquet"}  # patches are no images
        refuse_images(pages, allowed=self.images_allowed, beside=texts)
        return files


def _of_release(folder: Path) -> dict[str, Path]:
    """Return the files of a release with its images, by path.

    Raises:
        NotFoundError: there is no manifest, or a shard is missing.
        ConfigurationError: it is of ImageNet.
        PatchFormatError: a shard does not hold patches.
    """
    found = sorted(folder.rglob(MANIFEST))
    if not found:
        then = f"Give a folder with patches ({MANIFEST}) and the images that they apply to."
        raise NotFoundError(explain(f"{folder}: no release for the Space", found=contents(folder), then=then))
    paths = [path for path in _inside(folder, ENDINGS) if path.parent != folder]  # sheets for people stand there
    for path in found:
        manifest = read_manifest(path.parent)
        if manifest.classes is None or "imagenet" in manifest.source.lower():
            raise _forbidden(f"{path}, made from {manifest.source}")
        shards = [path.parent / entry.path for entry in manifest.shards]
        for shard in shards:
            PatchShard(shard, shard.name)  # which has the columns of patches, and no images
        paths += [path, *shards]
    files = {path.relative_to(folder).as_posix(): path for path in paths}
    if keys := [name for name in files if is_of_imagenet(name)]:
        raise _forbidden(keys[0])
    return files


def _forbidden(found: str) -> ConfigurationError:
    what = "a release of ImageNet must not be published with its images"
    then = "Photographs with names of their own may: build/demo_pictures.py OUT --own-names"
    return ConfigurationError(explain(what, found=found, then=then))


def _inside(folder: Path, endings: frozenset[str]) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith((".", "__")) or part == "tests" for part in parts)
        if path.is_file() and not hidden and path.suffix.lower() in endings:
            yield path
