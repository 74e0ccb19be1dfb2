"""The chain: whatever is done to an entry or to an export, verification fails and names the first place
(R-141, ACC-06)."""

import hashlib
import io
import json
from collections.abc import Sequence
from enum import StrEnum

import msgspec
import pytest
import rfc8785
from hypothesis import assume, example, given
from hypothesis import strategies as st

from jobs.ledger.entries import FIRST, LedgerEntry, Verdict, canonical, decode, encode, hash_of, looks_like_one, next_entry
from tests.jobs.chains import verdict_of

texts = st.text(st.characters(codec="utf-8"), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
data: st.SearchStrategy[dict[str, object]] = st.dictionaries(texts, values, max_size=3)


def chain(*datas: dict[str, object]) -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    for number, each in enumerate(datas):
        run = "run-1" if number % 2 else None
        entries.append(next_entry(entries[-1] if entries else None, at="2026-03-02T01:30:00.000Z", kind="disposed", run=run, data=each))
    return entries


chains = st.lists(data, min_size=1, max_size=5).map(lambda datas: chain(*datas))


def verified(export: bytes) -> Verdict:
    return verdict_of(decode(io.BytesIO(export)))


@given(chains)
def test_an_honest_export_verifies_and_reads_back_equal(entries: Sequence[LedgerEntry]) -> None:
    export = b"".join(encode(entry) for entry in entries)
    assert list(decode(io.BytesIO(export))) == entries
    assert verified(export) == verdict_of(entries) == Verdict(len(entries), entries[-1].hash, None)


@given(chains, st.data())
def test_any_edited_byte_of_an_export_breaks_the_chain_at_its_entry(entries: Sequence[LedgerEntry], draw: st.DataObject) -> None:
    export = bytearray().join(encode(entry) for entry in entries)
    place = draw.draw(st.integers(0, len(export) - 1))
    byte = draw.draw(st.integers(0, 255).filter(lambda byte: byte != export[place]))
    line = export[:place].count(b"\n") + 1
    export[place] = byte
    assert verified(bytes(export)).first_broken == line


@given(chains, st.data())
def test_any_lost_byte_of_an_export_breaks_the_chain_at_its_entry(entries: Sequence[LedgerEntry], draw: st.DataObject) -> None:
    export = b"".join(encode(entry) for entry in entries)
    place = draw.draw(st.integers(0, len(export) - 2))  # the last line end says nothing
    verdict = verified(export[:place] + export[place + 1 :])
    assert verdict.first_broken == export[:place].count(b"\n") + 1


@given(chains, st.data())
def test_another_order_breaks_the_chain_at_the_first_entry_out_of_place(entries: Sequence[LedgerEntry], draw: st.DataObject) -> None:
    other = draw.draw(st.permutations(entries))
    assume(other != entries)
    assert verdict_of(other).first_broken == next(place for place in range(len(entries)) if other[place] != entries[place]) + 1


@given(chains, st.data())
def test_an_entry_taken_out_of_the_middle_breaks_the_chain_there(entries: Sequence[LedgerEntry], draw: st.DataObject) -> None:
    assume(len(entries) > 1)
    place = draw.draw(st.integers(0, len(entries) - 2))
    assert verdict_of([*entries[:place], *entries[place + 1 :]]).first_broken == place + 1


@given(chains, st.data())
def test_an_entry_that_stands_there_twice_breaks_the_chain(entries: Sequence[LedgerEntry], draw: st.DataObject) -> None:
    place = draw.draw(st.integers(0, len(entries) - 1))
    assert verdict_of([*entries[: place + 1], *entries[place:]]).first_broken == place + 2


@given(chains, st.data())
def test_a_changed_entry_with_a_hash_that_fits_it_breaks_the_chain_at_the_next(entries: Sequence[LedgerEntry], draw: st.DataObject) -> None:
    assume(len(entries) > 1)
    place = draw.draw(st.integers(0, len(entries) - 2))
    old = entries[place]
    changed = msgspec.structs.replace(old, kind="other", hash=hash_of(old.seq, old.at, "other", old.run, old.data, old.prev_hash))
    assert verdict_of([*entries[:place], changed, *entries[place + 1 :]]).first_broken == place + 2


def test_a_broken_chain_says_how_many_entries_there_are_and_where_it_was_last_whole() -> None:
    entries = chain({}, {"n": 1}, {"n": 2}, {})
    entries[2] = msgspec.structs.replace(entries[2], kind="other")
    verdict = verdict_of(entries)
    assert (verdict, verdict.ok) == (Verdict(4, entries[1].hash, 3), False)


def test_an_empty_ledger_verifies() -> None:
    assert verdict_of([]) == verified(b"") == Verdict(0, FIRST, None)


def test_a_line_of_the_export_is_what_the_outside_contract_says() -> None:
    (entry,) = chain({"b": 2, "a": "é"})
    line = encode(entry)
    told = json.loads(line)
    assert list(told) == sorted(("seq", "at", "kind", "run", "data", "prev_hash", "hash"))
    own = told.pop("hash")
    written = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert own == hashlib.sha256(written).hexdigest()
    assert told["prev_hash"] == FIRST
    assert line.endswith(b"}\n")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"null",
        b"[" * 100_000,
        b"\xff",
        b'{"at":"","data":{},"hash":"","kind":"","prev_hash":"","run":null,"seq":"1"}',
        b'{"at":"","data":{"n":1e400},"hash":"","kind":"","prev_hash":"","run":null,"seq":1}',
        b'{"at":"","data":{"n":99999999999999999999},"hash":"","kind":"","prev_hash":"","run":null,"seq":1}',
        b'{"at":"","data":{"s":"\\ud800"},"hash":"","kind":"","prev_hash":"","run":null,"seq":1}',
    ],
)
def test_a_line_that_cannot_be_read_counts_as_broken_at_its_place(line: bytes) -> None:
    first, second, third = (encode(entry) for entry in chain({}, {}, {}))
    assert verified(first + line + b"\n" + second + third).first_broken == 2


@pytest.mark.parametrize("extra", [b" ", b"\r", b',"note":1}'])
def test_an_edit_that_leaves_the_meaning_alone_is_an_edit_all_the_same(extra: bytes) -> None:
    first, second = (encode(entry).removesuffix(b"\n") for entry in chain({}, {}))
    edited = second[:-1] + extra if extra.endswith(b"}") else second + extra
    assert verified(first + b"\n" + edited + b"\n").first_broken == 2


def test_an_export_without_its_last_line_end_still_verifies() -> None:
    assert verified(b"".join(encode(entry) for entry in chain({}, {})).removesuffix(b"\n")).ok


class Colour(StrEnum):
    RED = "red"


def test_data_is_kept_in_plain_json_types_so_that_it_reads_back_equal() -> None:
    (entry,) = chain({"colour": Colour.RED, "pair": (1, [True, None]), "deep": {Colour.RED: "x"}})
    assert entry.data == {"colour": "red", "pair": [1, [True, None]], "deep": {"red": "x"}}
    assert [type(key) for key in entry.data["deep"]] == [str]  # type: ignore[attr-defined]
    assert list(decode([encode(entry)])) == [entry]


@pytest.mark.parametrize("value", [0.5, 1.0, 2**53, -(2**53), b"x", {1: "x"}, {"deep": [0.1]}, object()])
def test_data_without_one_single_json_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="ledger entry"):
        chain({"value": value})


def test_an_entry_whose_data_cannot_be_written_down_is_broken_and_does_not_stop_verification() -> None:
    (entry,) = chain({})
    assert verdict_of([msgspec.structs.replace(entry, data={"n": float("nan")})]).first_broken == 1


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53) + 1, 2**53 - 1)
anything = st.recursive(
    st.none() | st.booleans() | numbers | st.text(st.characters(codec="utf-8"), max_size=8) | st.from_regex(r"[:,\[0-9.eE\-\]}]{0,24}"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner, max_size=4),
    max_leaves=10,
)


@given(anything)
@example({"\U0001f600": 1, "\uffff": 2, "\ue000": 3})
@example([1e22, 1.0, 1e-7, -0.0])
@example({"a": 5e-324})
@example(["1.5,", ":1e5]"])
def test_the_quick_way_to_write_a_value_gives_the_form_of_rfc_8785(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "was_one"),
    [(b"Geachte heer", False), (b'{"name":"x"}', False), (b"", False), (b'{"at":"2026', True), (b'"kind":"x","run":null,"seq":1}', True)],
)
def test_a_broken_entry_is_told_apart_from_another_kind_of_file(line: bytes, was_one: bool) -> None:
    assert looks_like_one(line) is was_one
