import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.contacts_csv.json_form import JsonForm

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(
    st.lists(TEXTS, min_size=1, max_size=4, unique=True).flatmap(
        lambda names: st.tuples(st.just(names), st.lists(st.tuples(*[TEXTS for _ in names]), min_size=1, max_size=5))
    )
)
def test_rows_are_read_as_they_were(table: tuple[list[str], list[tuple[str, ...]]]) -> None:
    names, rows = table
    written = JsonForm(names).filled(rows)
    assert [list(json.loads(each).items()) for each in written] == [[*zip(names, row, strict=True)] for row in rows]


@given(st.lists(st.sampled_from(["plain", 'say "hi"', "C:\\"]), max_size=200))
def test_a_row_is_written_alike_whatever_stands_in_those_beside_it(cells: list[str]) -> None:
    form = JsonForm(["a"])
    rows = [(cell,) for cell in cells]
    assert form.filled(rows) == [written for row in rows for written in form.filled([row])]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("Zoë", '{"50% of": "Zoë"}'),
        ("100 %s", '{"50% of": "100 %s"}'),
        ('say "hi"', r'{"50% of": "say \"hi\""}'),
        ("C:\\", r'{"50% of": "C:\\"}'),
        ("a\nb\x1f", r'{"50% of": "a\nb\u001f"}'),
        ("\x7f\u2028", '{"50% of": "\x7f\u2028"}'),
    ],
)
def test_cells_are_written_to_the_letter(cell: str, written: str) -> None:
    assert JsonForm(["50% of"]).filled([(cell,)]) == [written]


def test_without_columns_all_objects_are_empty() -> None:
    assert JsonForm([]).filled([(), ()]) == ["{}", "{}"]
