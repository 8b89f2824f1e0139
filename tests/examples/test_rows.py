import pytest

from fornet_hf.errors import ConfigurationError
from training.rows import add_row, read_rows


def test_each_run_has_a_row_and_each_value_a_column(tmp_path):
    table = tmp_path / "results.csv"
    assert read_rows(table) == []
    add_row(table, {"run": "one", "top1": 0.5})
    add_row(table, {"run": "two", "gap": None, "note": "a, b"})
    add_row(table, {"run": "one", "top1": 0.75})
    assert read_rows(table) == [
        {"run": "two", "top1": "", "gap": "", "note": "a, b"},
        {"run": "one", "top1": "0.75", "gap": "", "note": ""},
    ]


def test_the_table_of_somebody_else_stays_as_it_is(tmp_path):
    table = tmp_path / "results.csv"
    table.write_text("name,price\ntea,3\n")
    with pytest.raises(ConfigurationError, match="is no table of runs; found name, price"):
        add_row(table, {"run": "one"})
    assert table.read_text() == "name,price\ntea,3\n"
