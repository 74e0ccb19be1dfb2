"""Halves of characters in the CRM's JSON: one such text is read, and makes no table unreadable for
everybody."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dynamics.http.characters import with_whole_characters
from connectors.interface.rows import Among
from rules.model.personal_records import FullContact
from rules.model.records import Dossier
from tests.connectors.dynamics.fake_crm import FakeCrm, row_id


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("half \ud83d", "half \ufffd"),
        ("\udc00half", "\ufffdhalf"),
        ("\ud800\ud83d\ude00\ude00", "\ufffd😀\ufffd"),
        (r"a path C:\ud83d, and \ude00", r"a path C:\ud83d, and \ude00"),
        ("\\ud83d\ude00", "\\ud83d\ufffd"),
        ("\\\\\ud83d", "\\\\\ufffd"),
    ],
)
def test_half_of_a_character_in_a_text_is_read_as_the_replacement_character(crm: FakeCrm, text: str, read: str) -> None:
    crm.rows["contacts"] = [{"contactid": row_id(1), "firstname": text}, {"contactid": row_id(2), "firstname": "Ann (fictief)"}]
    with crm.connector() as connector:
        names = [row.first_name for page in connector.read(FullContact, ("first_name",)) for row in page]
        among = [row.first_name for page in connector.read(FullContact, ("first_name",), among=Among("id", [row_id(1)])) for row in page]
    assert names == [read, "Ann (fictief)"]
    assert among == [read]


def test_half_of_a_character_where_no_text_is_asked_for_stops_nothing(crm: FakeCrm) -> None:
    crm.rows["cf_dossiers"] = [{"cf_dossierid": row_id(1), "cf_name": "D\ud800", "cf_legalhold": False, "statecode": 0}]
    with crm.connector() as connector:
        assert [row.id for page in connector.read(Dossier, ("legal_hold",)) for row in page] == [row_id(1)]


def _halved(text: str) -> str:
    """What a program reads that puts the replacement character in place of each half."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@given(st.text(st.sampled_from('\\u"d8😀é\ud83d\ude00\ud800\n')))
def test_whatever_a_text_holds_it_is_readable_and_loses_nothing_else(text: str) -> None:
    whole = msgspec.json.decode(with_whole_characters(json.dumps({"a": text}).encode()))["a"]
    assert whole == _halved(text)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"]))))
def test_json_of_whole_characters_stays_as_it_came(document: dict[str, str]) -> None:
    body = json.dumps(document).encode()
    assert with_whole_characters(body) == body
