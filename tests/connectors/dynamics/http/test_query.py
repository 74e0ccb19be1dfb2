"""OData query strings: what is quoted comes back as it was."""

import uuid
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from connectors.dynamics.http.query import MAX_CONDITIONS, any_of, guid, literal, query_string, select


@given(st.text())
def test_a_quoted_text_comes_back(text: str) -> None:
    quoted = literal(text)
    assert quoted[0] == quoted[-1] == "'"
    inner = quoted[1:-1]
    assert inner.replace("''", "'") == text
    assert "'" not in inner.replace("''", ""), "no quote stands alone, so the literal cannot end early"


@given(st.dictionaries(st.sampled_from(["$filter", "$select", "$expand"]), st.text(st.characters(exclude_categories=["Cs"]), min_size=1)))
def test_a_query_string_comes_back(options: dict[str, str]) -> None:
    text = query_string(options)
    assert text.isascii()
    assert " " not in text
    assert "#" not in text
    assert dict(parse_qsl(text, keep_blank_values=True)) == options


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_query_survives_the_client_that_sends_it(text: str) -> None:
    url = f"https://host/api/data/v9.2/cf_fiches?{query_string({'$filter': f'cf_name eq {literal(text)}'})}"
    prepared = requests.Request("GET", url).prepare().url
    assert prepared is not None
    assert parse_qs(urlsplit(prepared).query)["$filter"] == [f"cf_name eq {literal(text)}"]


@given(st.uuids())
def test_an_id_is_lower_case_without_braces(value: uuid.UUID) -> None:
    assert guid("{" + str(value).upper() + "}") == str(value)


@pytest.mark.parametrize("text", ["", "x", "1 or 1 eq 1", "00000000-0000-0000-0000-00000000000g", "00000000000000000000000000000000"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="GUID"):
        guid(text)


@given(st.lists(st.uuids(), max_size=700), st.sampled_from(["id", "_cf_dossierid_value", "x" * 100]))
def test_every_id_is_asked_for_once_in_urls_of_bounded_length(ids: list[uuid.UUID], column: str) -> None:
    filters = list(any_of(column, map(str, ids)))
    asked = [condition.removeprefix(f"{column} eq ") for one in filters for condition in one.split(" or ")]
    assert asked == list(dict.fromkeys(map(str, ids)))
    assert all(len(query_string({"$filter": one})) <= 12_100 and one.count(" eq ") <= MAX_CONDITIONS for one in filters)


def test_the_same_question_is_the_same_url() -> None:
    assert select(["b", "a", "b"]) == "a,b"
    assert query_string({"$select": "a", "$filter": ""}) == "$select=a"
