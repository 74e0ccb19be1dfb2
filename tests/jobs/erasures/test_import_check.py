"""A file that is about to be imported is looked through by table and id alone."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.erasures.import_check import Found, Incoming, incoming_rows, look_through
from jobs.erasures.register import Register
from jobs.model.run import Erasure
from rules.errors import UsageError

ID = "0f0e0d0c-0b0a-4908-8706-050403020100"
OTHER = "11111111-2222-4333-8444-555555555555"


def rows(text: str | bytes) -> list[Incoming]:
    raw = text.encode() if isinstance(text, str) else text
    return list(incoming_rows(raw.splitlines(keepends=True), "in.csv"))


def as_json(text: str) -> str:
    return json.dumps({"table": "contact", "id": text, "firstname": "Lotte"})


@pytest.mark.parametrize(
    "text",
    [
        f"contact,{ID}\ncf_fiche,{OTHER}\n",
        f"contact;{ID}\ncf_fiche;{OTHER}",
        f"table,id\ncontact,{ID}\n\ncf_fiche,{OTHER}\n",
        f"\n\ufefftable,id\r\ncontact,{ID}\r\ncf_fiche,{OTHER}\r\n",
        f'"lastname";"ID";"Table"\n"Peeters; fictief";"{{{ID.upper()}}}";"contact"\n"x";"{OTHER}";"cf_fiche"\n',
        f"id\ttable\n{ID.replace('-', '')}\tcontact\n{OTHER}\tcf_fiche\n",
        f'{{"table": "contact", "id": "{ID}", "lastname": "Peeters"}}\n\n{{"id": "{OTHER}", "table": "cf_fiche"}}\n',
        f'\ufeff{{"table": "contact", "id": "{ID}"}}\n{{"id": "{OTHER}", "table": "cf_fiche"}}',
    ],
)
def test_each_form_of_a_file_is_understood(text: str) -> None:
    assert [(row.table, row.id) for row in rows(text)] == [("contact", ID), ("cf_fiche", OTHER)]


def test_lines_are_those_of_the_file() -> None:
    """A cell may run over several lines; the row is where it begins."""
    text = f'table,id,note\ncontact,{ID},"two\nlines"\n\ncontact,{OTHER},x\n'
    assert [row.line for row in rows(text)] == [2, 5]
    assert [row.line for row in rows(f"\n{as_json(ID)}\n\n{as_json(ID)}\n")] == [2, 4]


def test_a_file_of_a_header_has_no_rows() -> None:
    assert rows("table,id\n") == []


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff\n"])
def test_a_file_with_nothing_in_it_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="there is nothing in it") as refused:
        rows(text)
    assert refused.value.where == "in.csv"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("contact,not-an-id\n", 1),
        (f"table,id\ncontact,{ID}\ncontact\n", 3),
        (f"table,id\ncontact,{ID}\nLotte Peeters,{ID}\n", 3),
        (f"table,id\ncontact,{ID}\ncontact,Lotte\n", 3),
        (f"firstname,lastname,id\nLotte,Peeters,{ID}\n", 1),
        (f'table,id\ncontact,"{ID}" Lotte\n', 2),
        (f"contact,{ID}\n\xff,{ID}\n".encode("latin-1"), 2),
        ('{"table": "contact", "id": 7}\n', 1),
        (f'{{"table": "contact", "id": "{ID}"}}\n{{"firstname": "Lotte"}}\n', 2),
        (b'{"table": "contact", "id": "\xff"}\n', 1),
        (f'{{"table": "contact", "id": "{ID}"}}\ncontact,{ID}\n', 2),
    ],
)
def test_a_bad_line_is_named_and_nothing_of_it_repeated(text: str | bytes, line: int) -> None:
    with pytest.raises(UsageError) as refused:
        rows(text)
    assert refused.value.where == f"in.csv:{line}"
    assert str(refused.value).startswith(f"line {line}: ")
    assert "Lotte" not in f"{refused.value} {refused.value.hint}"


@given(st.binary(max_size=200))
def test_any_file_is_read_or_refused(content: bytes) -> None:
    try:
        found = rows(content)
    except UsageError:
        return
    assert all(row.line >= 1 for row in found)


def keyed(table: str, row: str) -> tuple[str, ...]:
    return (f"{table}/{row}",)


def looked(register: Register, text: str, references: Callable[[str, str], tuple[str, ...]] = keyed) -> Found:
    return look_through(rows(text), register, references)


def entry(ref: str, operation: str = "delete", table: str = "contact") -> Erasure:
    return Erasure(ref, operation, table, "run-1", "2026-11-25T11:00:00Z", "EXPIRED")


def test_a_row_that_had_been_erased_or_masked_is_found() -> None:
    register = Register([entry(f"contact/{ID}"), entry(f"cf_fiche/{OTHER}", "mask", "cf_fiche")])
    found = looked(register, f"contact,{ID.upper()}\ncontact,{OTHER}\ncf_fiche,{OTHER}\n")
    assert (found.rows, found.erased, found.other_tables) == (3, ((1, "contact"), (3, "cf_fiche")), {})


def test_a_trimmed_contact_may_be_filled_in_again() -> None:
    register = Register([entry(f"contact/{ID}", "trim")])
    assert looked(register, f"contact,{ID}\n").erased == ()


def test_tables_of_which_nothing_was_erased_are_counted() -> None:
    """A misspelt table would find nothing, and that would look like good news."""
    register = Register([entry(f"contact/{ID}")])
    assert looked(register, f"contacts,{ID}\ncontacts,{ID}\n").other_tables == {"contacts": 2}
