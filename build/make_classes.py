"""Write `fornet_hf/data/imagenet_classes.tsv`: ImageNet's 1000 classes and the nouns above them in WordNet.

    apt-get install wordnet-base
    python build/make_classes.py --synsets imagenet_synsets.txt

`--synsets` has one WNID a line, in any order; `timm/data/_info/imagenet_synsets.txt` of the timm wheel is
such a list, and so is the first column of the file written. A WNID is `n` and the offset of a noun in
WordNet 3.0; other versions of WordNet have other offsets. What the columns mean is told by
`fornet_hf.classes`.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fornet_hf.classes import BELOW, COLUMNS
from fornet_hf.errors import ConfigurationError, NotFoundError, explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DATA_NOUN = Path("/usr/share/wordnet/data.noun")
CLASSES = Path(__file__).parents[1] / "fornet_hf" / "data" / "imagenet_classes.tsv"

# A ClassLabel's names are unique, but the bird and the machine have the same single lemma. The labels of
# ILSVRC/imagenet-1k number the second; its other 999 names are the lemmas of WordNet as they are.
OVERRIDES = {"n03126707": "crane2"}


class Synset(NamedTuple):
    """A noun of WordNet.

    Attributes:
        lemmas: its names, the commonest first, with spaces where WordNet has underscores.
        hypernyms: WNIDs of what it is a kind of, in WordNet's order. An instance (`@i`: a person, a place) has none.
    """

    lemmas: tuple[str, ...]
    hypernyms: tuple[str, ...]


def parse_synset(line: str) -> tuple[str, Synset]:
    """Return the WNID and the synset of one line of `data.noun` (its form: manual page wndb(5)).

    Raises:
        ConfigurationError: if the line does not have that form.
    """
    fields = line.partition(" | ")[0].split()
    try:
        words = 4 + 2 * int(fields[3], base=16)
        pointers = [fields[at : at + 3] for at in range(words + 1, words + 1 + 4 * int(fields[words]), 4)]
        hypernyms = tuple(f"n{offset}" for symbol, offset, kind in pointers if (symbol, kind) == ("@", "n"))
    except (IndexError, ValueError) as error:
        raise ConfigurationError(explain("not a line of data.noun", found=repr(line[:80]))) from error
    lemmas = tuple(lemma.replace("_", " ") for lemma in fields[4:words:2])
    return f"n{fields[0]}", Synset(lemmas, hypernyms)


def read_wordnet(data_noun: Path) -> dict[str, Synset]:
    """Return all nouns of WordNet by WNID.

    Raises:
        NotFoundError: if there is no such file.
        ConfigurationError: if it is something else.
    """
    if not data_noun.is_file():
        raise NotFoundError(f"WordNet's nouns are not at {data_noun}. Run: apt-get install wordnet-base")
    with data_noun.open(encoding="ascii") as lines:
        # The licence at the top of the file is indented, a synset never is.
        return dict(parse_synset(line) for line in lines if not line.startswith(" "))


def read_wnids(synsets: Path) -> list[str]:
    """Return the first column of a file, sorted; lines that do not begin with a WNID are skipped.

    Raises:
        ConfigurationError: if a WNID comes twice.
    """
    wnids = re.findall(r"^n\d{8}\b", synsets.read_text(encoding="utf-8"), flags=re.MULTILINE)
    _refuse_repeats(wnids, f"WNIDs of {synsets}")
    return sorted(wnids)


def class_rows(wnids: Sequence[str], wordnet: Mapping[str, Synset]) -> list[tuple[str, ...]]:
    """Return one row of `COLUMNS` for each class.

    Raises:
        ConfigurationError: if WordNet lacks a class, or two classes have the same name.
    """
    absent = [wnid for wnid in wnids if wnid not in wordnet]
    if absent:
        raise ConfigurationError(
            explain("classes which this WordNet does not have", found=absent[:5], allowed="offsets of version 3.0")
        )
    rows: list[tuple[str, ...]] = [
        (wnid, OVERRIDES.get(wnid, ", ".join(wordnet[wnid].lemmas)), BELOW.join(lineage(wnid, wordnet)))
        for wnid in wnids
    ]
    _refuse_repeats((row[1] for row in rows), "class names")
    return rows


def lineage(wnid: str, wordnet: Mapping[str, Synset]) -> list[str]:
    """Return the first lemma of a noun, of its parent, and so on up to the root.

    The parent of a noun with several hypernyms is the one whose name sorts first, which is the one that
    the natural language toolkit NLTK 3.8 lists first; names are compared as NLTK writes them, `toy_dog.n.01`.
    """
    names = [wordnet[wnid].lemmas[0]]
    while hypernyms := wordnet[wnid].hypernyms:
        wnid = min(hypernyms, key=lambda one: (wordnet[one].lemmas[0].replace(" ", "_").lower() + ".n", one))
        names.append(wordnet[wnid].lemmas[0])
    return names


def _refuse_repeats(values: Iterable[str], what: str) -> None:
    repeated = [value for value, count in Counter(values).items() if count > 1]
    if repeated:
        raise ConfigurationError(explain(f"{what} are not unique", found=repeated[:5]))


def write_classes(out: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write a header and the rows, separated by tabs; WordNet has neither tabs nor quotes to escape."""
    lines = ["\t".join(fields) for fields in (COLUMNS, *rows)]
    out.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--synsets", type=Path, required=True, help="file with one WNID a line")
    parser.add_argument("--wordnet", type=Path, default=DATA_NOUN, help="data.noun of WordNet 3.0 (%(default)s)")
    parser.add_argument("--out", type=Path, default=CLASSES, help="file to write (%(default)s)")
    options = parser.parse_args(arguments)
    rows = class_rows(read_wnids(options.synsets), read_wordnet(options.wordnet))
    write_classes(options.out, rows)
    print(f"{len(rows)} classes written to {options.out}")


if __name__ == "__main__":
    main()
