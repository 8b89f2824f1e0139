"""Tables and numbers of leakage are read again; what is none of them is refused."""

import json

import pytest

from fornet_hf.errors import ConfigurationError, NotFoundError
from fornet_hf.evaluation.leakage.read import read_numbers, read_scores, sentence
from fornet_hf.evaluation.statistics.values import Value

DOCUMENT = {
    "values": [Value(measure="leakage", part="", value=0.123, low=0.1, high=0.146, error=0.01, n=1200).to_json()],
    "settings": {"release": "abc", "split": "train"},
}


def test_scores_are_read_by_their_keys(tmp_path):
    path = tmp_path / "leakage.csv"
    path.write_text('key,class,score,area,rim\nb,"dog, pug",3.5000,0.9,0.1\na,cat,-0.25,0,0\n')
    assert read_scores(path) == {"b": 3.5, "a": -0.25}


def test_names_may_have_separators_of_lines(tmp_path):
    path = tmp_path / "leakage.csv"
    path.write_bytes("key,class,score,area,rim\r\nb\u2028c,do\x85g,3.5000,0.9,0.1\r\n".encode())
    assert read_scores(path) == {"b\u2028c": 3.5}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "nothing"),
        ("key,score\na,1\n", "['key', 'score']"),
        ("key,class,score,area,rim\na,cat,much,0,0\n", "'much' in line 2"),
        ("key,class,score,area,rim\na,cat,nan,0,0\n", "'nan' in line 2"),
        ("key,class,score,area,rim\na\n", "None in line 2"),
        ("a" * 200_000, "field larger than"),
        (b"\xff\xfe", "can't decode"),
    ],
)
def test_other_tables_are_refused(tmp_path, text, found):
    path = tmp_path / "leakage.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigurationError, match="not written by fornet leakage") as caught:
        read_scores(path)
    assert found in str(caught.value)


def test_numbers_become_a_sentence(tmp_path):
    path = tmp_path / "leakage.json"
    path.write_text(json.dumps(DOCUMENT))
    assert sentence(read_numbers(path)).startswith("leakage of train: mean score 0.12 (0.10 to 0.15) of 1,200 backgr")


@pytest.mark.parametrize("document", [{}, {**DOCUMENT, "values": []}, {**DOCUMENT, "settings": {}}, [], 3])
def test_other_numbers_are_refused(tmp_path, document):
    path = tmp_path / "leakage.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ConfigurationError, match="not written by fornet leakage"):
        read_numbers(path)


@pytest.mark.parametrize("read", [read_scores, read_numbers])
def test_a_missing_file_is_said(tmp_path, read):
    with pytest.raises(NotFoundError, match="the scores of leakage are missing"):
        read(tmp_path / "none")
