"""The script which makes the table of classes of WordNet."""

import pytest

import make_classes
from fornet_hf.classes import COLUMNS
from fornet_hf.errors import ConfigurationError, NotFoundError
from make_classes import Synset, class_rows, lineage, parse_synset, read_wnids, read_wordnet

# Form of data.noun; the second synset has 11 (hexadecimal 0b) lemmas, the third two hypernyms and a meronym, and the
# one that it names second sorts first.
FAKE = """\
  1 This line stands for the licence.
00000001 03 n 01 thing 0 000 | what there is
00000002 03 n 0b a 0 b 0 c 0 d 0 e 0 f 0 g 0 h 0 i 0 j 0 k_k 1 001 @ 00000001 n 0000 | letters
00000003 05 n 02 tench 0 Tinca_tinca 0 003 #m 00000001 n 0000 @ 00000001 n 0000 @ 00000002 n 0000 | fish @ sea
00000004 15 n 01 Rhine 0 001 @i 00000002 n 0000 | a river
03126707 06 n 01 tench 0 002 ! 00000009 a 0101 @ 00000001 n 0000 | a name of another
00000005 05 n 02 tench 0 Tinca_tinca 0 001 @ 00000002 n 0000 | the name again
"""


@pytest.fixture
def data_noun(tmp_path):
    path = tmp_path / "data.noun"
    path.write_text(FAKE)
    return path


def test_lemmas_are_joined_and_their_number_is_hexadecimal(data_noun):
    wordnet = read_wordnet(data_noun)
    assert wordnet["n00000003"].lemmas == ("tench", "Tinca tinca")
    assert wordnet["n00000002"].lemmas == (*"abcdefghij", "k k")


def test_an_instance_is_a_kind_of_nothing(data_noun):
    hypernyms = {wnid: synset.hypernyms for wnid, synset in read_wordnet(data_noun).items()}
    assert hypernyms["n00000003"] == ("n00000001", "n00000002")
    assert hypernyms["n00000004"] == hypernyms["n00000001"] == ()


def test_rows_hold_the_class_and_the_nouns_above_it_up_to_the_root(data_noun):
    rows = class_rows(["n00000001", "n00000003"], read_wordnet(data_noun))
    assert rows == [
        ("n00000001", "thing", "thing"),
        ("n00000003", "tench, Tinca tinca", "tench < a < thing"),
    ]


@pytest.mark.parametrize(
    ("names", "parent"),
    [
        (("device", "aid"), "aid"),
        (("cat fish", "cat"), "cat"),  # "." before "_", as in cat.n.01 and cat_fish.n.01
        (("cat", "Ape"), "Ape"),  # capitals do not count
        (("catkin", "cat fish"), "cat fish"),  # "_" before "k", as a space would be, too
    ],
)
def test_the_parent_is_the_hypernym_whose_name_sorts_first(names, parent):
    above = {f"n{index}": Synset((name,), ()) for index, name in enumerate(names)}
    assert lineage("n9", {**above, "n9": Synset(("thing",), tuple(above))}) == ["thing", parent]


def test_name_of_the_second_crane_is_numbered(data_noun):
    assert class_rows(["n03126707"], read_wordnet(data_noun)) == [("n03126707", "crane2", "tench < thing")]


def test_two_classes_of_one_name_are_refused(data_noun):
    with pytest.raises(ConfigurationError, match="tench, Tinca tinca"):
        class_rows(["n00000003", "n00000005"], read_wordnet(data_noun))


def test_class_of_another_wordnet_is_refused(data_noun):
    with pytest.raises(ConfigurationError, match="n00000007"):
        class_rows(["n00000007"], read_wordnet(data_noun))


@pytest.mark.parametrize("line", ["", "00000001 03 n xx thing", "00000001 03 n 05 thing 0 000 | cut"])
def test_other_files_are_refused(line):
    with pytest.raises(ConfigurationError, match=r"data\.noun"):
        parse_synset(line)


def test_missing_wordnet_is_named_with_the_way_to_get_it(tmp_path):
    with pytest.raises(NotFoundError, match="apt-get install wordnet-base"):
        read_wordnet(tmp_path / "data.noun")


def test_synsets_are_sorted_and_repeats_refused(tmp_path):
    synsets = tmp_path / "synsets.txt"
    synsets.write_text("wnid\nn00000003\nn00000001\n")
    assert read_wnids(synsets) == ["n00000001", "n00000003"]
    synsets.write_text("n00000003\nn00000003\n")
    with pytest.raises(ConfigurationError, match="n00000003"):
        read_wnids(synsets)


def test_command_writes_the_table(data_noun, tmp_path):
    synsets, out = tmp_path / "synsets.txt", tmp_path / "out.tsv"
    synsets.write_text("n00000001\n")
    make_classes.main(["--synsets", str(synsets), "--wordnet", str(data_noun), "--out", str(out)])
    assert out.read_bytes().decode() == "\t".join(COLUMNS) + "\nn00000001\tthing\tthing\n"


def test_committed_table_is_what_the_script_makes(tmp_path):
    if not make_classes.DATA_NOUN.is_file():
        pytest.skip("wordnet-base is not installed")
    out = tmp_path / "out.tsv"
    make_classes.main(["--synsets", str(make_classes.CLASSES), "--out", str(out)])
    assert out.read_bytes() == make_classes.CLASSES.read_bytes()
