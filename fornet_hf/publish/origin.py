"""What a card says of the images that a release was made from: ImageNet's, or those of another set."""

from __future__ import annotations

from fornet_hf.format.manifest import Manifest

_TERMS = "https://www.image-net.org/download.php"


def origin_values(manifest: Manifest, repository: str) -> dict[str, str]:
    """The values of the card's placeholders about names, source and licence.

    Args:
        manifest: of the release; without class names of its own its images are ImageNet-1k's.
        repository: which it is published to.
    """
    source, revision = manifest.source, manifest.source_revision
    is_imagenet, is_on_hub = manifest.classes is None, source.count("/") == 1
    link = f"[{source}](https://huggingface.co/datasets/{source})" if is_on_hub else f"`{source}`"
    return {
        "repository": repository,
        "name": repository.rpartition("/")[2],
        "source_dataset": f"extended|{source}" if is_on_hub else "original",
        "pictures": "ImageNet" if is_imagenet else "the images",
        "access": _access(link, is_imagenet=is_imagenet, is_on_hub=is_on_hub),
        "made_from": link + (f" at revision {revision}" if revision else ""),
        "license": f"license_name: imagenet-terms-of-access\nlicense_link: {_TERMS}"
        if is_imagenet
        else "license_name: terms-of-the-images",
        "terms": _terms(link, is_imagenet=is_imagenet),
    }


def _access(link: str, *, is_imagenet: bool, is_on_hub: bool) -> str:
    if is_imagenet and is_on_hub:
        return (
            f"You need a copy of ImageNet: access to {link} (accept its terms there, then `hf auth login`), or the\n"
            "usual folder of class folders."
        )
    what = "a copy of ImageNet" if is_imagenet else f"the images that the patches were made from, {link}"
    return f"You need {what}" + ("." if is_on_hub else ": `train/` and `val/` with class folders.")


def _terms(link: str, *, is_imagenet: bool) -> str:
    if is_imagenet:
        return (
            "What you make with them contains ImageNet's images, so ImageNet's\n"
            f"[terms of access]({_TERMS}) govern its use: research and education, not commerce, and no\npassing on."
        )
    return f"What you make with them contains images of {link}, so their terms govern its use."
