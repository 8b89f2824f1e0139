"""Small images on a disk: made once, then read at random from memory that the disk backs.

NAME.bin    their bytes, one image after another
NAME.json   what they were made for, their digest, shapes and names, and what could not be used
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from fornet_hf.errors import IntegrityError, explain
from fornet_hf.files import atomic_path, write_text

Pixels = npt.NDArray[np.uint8]  # height x width x channels
Index = dict[str, Any]
Store = TypeVar("Store", bound="ArrayStore")

_SHOWN = 3  # reasons of each kind that are kept


@dataclass(frozen=True)
class ArrayStore:
    """Arrays in a folder; see the module.

    Attributes:
        folder: of the files.
        index: of `NAME.json`.
    """

    folder: Path
    index: Mapping[str, Any]

    name: ClassVar[str]
    channels: ClassVar[int]

    @classmethod
    def opened(cls: type[Store], folder: Path, request: Mapping[str, Any]) -> Store | None:
        """Return what was made for the same request; None: nothing was.

        Raises:
            IntegrityError: the bytes are not as many as were written.
        """
        path = folder / f"{cls.name}.json"
        if not path.is_file():
            return None
        index = json.loads(path.read_text(encoding="utf-8"))
        if index["request"] != json.loads(json.dumps(request)):
            return None
        store = cls(folder, index)
        if store._bin.stat().st_size != store.places[-1]:
            then = f"Delete {folder} to read the {cls.name} anew."
            raise IntegrityError(explain(f"{store._bin}: not of the size that was written", then=then))
        return store

    @classmethod
    def made(
        cls: type[Store],
        folder: Path,
        request: Mapping[str, Any],
        found: Iterable[tuple[Mapping[str, str], Pixels | str]],
        check: Callable[[Index], None],
    ) -> Store:
        """Write arrays in place of others that there may be; the index comes last.

        Args:
            folder: of the files; made when it is needed.
            request: JSON that `opened` is to know them by.
            found: uint8 of height x width x channels each, with values of the index's columns for it, its name first;
                or the reason why it cannot be used, and after a colon what that says.
            check: raises an error if the index is not one to go on with.

        Raises:
            StorageError: the disk is full.
        """
        index: Index = {"request": request, "shapes": []}
        lost: Counter[str] = Counter()
        examples: list[str] = []
        digest = hashlib.sha256()
        (folder / f"{cls.name}.json").unlink(missing_ok=True)  # of others, which the bytes are about to replace
        with atomic_path(folder / f"{cls.name}.bin") as temporary, temporary.open("wb") as file:
            for columns, pixels in found:
                if isinstance(pixels, str):
                    reason, _, detail = pixels.partition(": ")
                    if lost[reason] < _SHOWN:
                        examples.append(detail or next(iter(columns.values())))
                    lost[reason] += 1
                    continue
                codes = pixels.tobytes()
                file.write(codes)
                digest.update(codes)
                index["shapes"].append(pixels.shape[:2])
                for name, value in columns.items():
                    index.setdefault(name, []).append(value)
        index |= {"sha256": digest.hexdigest(), "lost": dict(lost), "examples": examples}
        check(index)
        write_text(folder / f"{cls.name}.json", json.dumps(index, ensure_ascii=False) + "\n")
        return cls(folder, json.loads(json.dumps(index)))

    def __len__(self) -> int:
        return len(self.index["shapes"])

    @property
    def _bin(self) -> Path:
        return self.folder / f"{self.name}.bin"

    @cached_property
    def places(self) -> npt.NDArray[np.int64]:
        """The first byte of each array, and the number of all bytes."""
        sizes = np.prod(np.array(self.index["shapes"], np.int64).reshape(-1, 2), axis=1) * self.channels
        return np.concatenate([[0], np.cumsum(sizes)])

    @cached_property
    def codes(self) -> npt.NDArray[np.uint8]:
        """All bytes."""
        return np.memmap(self._bin, np.uint8, "r")

    def shape(self, number: int) -> tuple[int, int]:
        """Return height and width of an array."""
        height, width = self.index["shapes"][number]
        return height, width

    def array(self, number: int) -> Pixels:
        """Return an array, height x width x channels; its bytes are read when they are looked at."""
        codes = self.codes[self.places[number] : self.places[number + 1]]
        return codes.reshape(*self.shape(number), self.channels)

    def said(self) -> list[str]:
        """Return lines for people: what could not be used, with a few examples."""
        counts = [f"left out, {reason}: {count:,}" for reason, count in self.index["lost"].items()]
        return counts + [f"  {example}" for example in self.index["examples"]]

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "index": self.index}
