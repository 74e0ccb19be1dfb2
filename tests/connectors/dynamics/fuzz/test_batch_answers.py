"""What the client makes of an answer to `$batch`, against what a service that renders it in any form has
really done."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dynamics.writing.batch import Decoded, Prepared, Request, decode
from connectors.dynamics.writing.multipart import boundary_of, inner_answer, split
from connectors.interface.changes import ChangeStatus
from tests.connectors.dynamics.batch_answers import MULTIPART, done, joined, nested, operation_part
from tests.connectors.dynamics.fuzz.corpus import Entry, entries
from tests.connectors.dynamics.fuzz.damage import mutated
from tests.connectors.dynamics.fuzz.service import ASKED, CONTENT_TYPES, Asked, Part, Served, served

CORPUS = entries("batch")
BODIES = [entry.body for entry in CORPUS]
TYPES = st.sampled_from(sorted({entry.content_type for entry in CORPUS}))
NAMED_SUCCESS = re.compile(rb"Content-ID:[ \t]*(\d+)[ \t]*\r?\n(?:[^\r\n]+\r?\n)*[\r\n]+HTTP/\d(?:\.\d)? 2\d\d", re.IGNORECASE)
PLANS = st.lists(ASKED, min_size=1, max_size=6)
LOOKS = st.tuples(st.sampled_from(["\r\n", "\n"]), st.booleans(), st.booleans())


def prepared(sizes: list[int]) -> list[Prepared]:
    return [Prepared(f"k{number}", (Request("DELETE", "/x", {}, b""),) * size) for number, size in enumerate(sizes)]


def verdict(decoded: Decoded) -> str:
    """The status; a 429 counts as a claim that nothing was done, since the change set is sent again."""
    return "wait" if decoded.wait is not None else decoded.result.status.value


def is_true(claim: str, was_done: bool) -> bool:
    """Unknown is always true; anything else must be what happened."""
    return claim == "unknown" or (claim == "done") == was_done


def all_true(sizes: list[int], done: list[bool], status: int, content_type: str, body: bytes) -> bool:
    decoded = decode(prepared(sizes), status, content_type, body)
    assert [one.result.key for one in decoded] == [f"k{number}" for number in range(len(sizes))]
    return all(is_true(verdict(one), was_done) for one, was_done in zip(decoded, done, strict=True))


# -- the corpus ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", CORPUS, ids=lambda entry: entry.name)
def test_each_form_of_answer_is_understood_as_it_is_meant(entry: Entry) -> None:
    sizes = [int(size) for size in entry.words("X-Change-Sets")]
    decoded = decode(prepared(sizes), entry.status, entry.content_type, entry.body)
    assert [verdict(one) for one in decoded] == entry.words("X-Expected")
    assert "Peeters" not in repr(decoded)


@pytest.mark.parametrize("entry", CORPUS, ids=lambda entry: entry.name)
def test_an_answer_cut_at_any_byte_claims_nothing_that_did_not_happen(entry: Entry) -> None:
    sizes, done = [int(size) for size in entry.words("X-Change-Sets")], [word == "done" for word in entry.words("X-Truth")]
    for end in range(len(entry.body)):
        assert all_true(sizes, done, entry.status, entry.content_type, entry.body[:end]), end


@given(st.lists(st.integers(1, 3), min_size=1, max_size=4), st.sampled_from([200, 400, 429, 500]), TYPES, mutated(BODIES))
def test_done_takes_a_success_under_each_content_id_of_the_change_set(sizes: list[int], status: int, kind: str, body: bytes) -> None:
    decoded = decode(prepared(sizes), status, kind, body)
    assert len(decoded) == len(sizes)
    succeeded = {int(found) for found in NAMED_SUCCESS.findall(body)}
    first = 1
    for size, one in zip(sizes, decoded, strict=True):
        if one.result.status is ChangeStatus.DONE:
            assert set(range(first, first + size)) <= succeeded
        first += size


@given(mutated(BODIES), TYPES)
def test_parts_are_never_more_than_what_lies_between_boundaries(body: bytes, kind: str) -> None:
    boundary = boundary_of(kind)
    for part in split(body, boundary):
        assert f"\n--{boundary}\r\n".encode() not in b"\r\n" + part.body
        inner_answer(part.body)
        assert part.body in body


def test_parts_with_ids_of_several_change_sets_are_not_matched_by_their_place() -> None:
    """Two boundaries were garbled, and the failure of the second change set stands in the part of the first,
    which was done."""
    body = joined([nested(operation_part(204, 1), operation_part(412, 3, "0x80060882")), nested(operation_part(204, None))])
    assert [verdict(one) for one in decode(prepared([2, 1]), 200, MULTIPART, body)] == ["unknown", "unknown"]


def test_a_nameless_failure_is_nobodys_as_soon_as_the_order_is_broken() -> None:
    """Three change sets: the first and the last were done, and answered for each other's place."""
    failure = operation_part(412, None, "0x80060882")
    for parts in ([failure, done(1), done(3)], [done(3), done(1), failure], [done(3), failure, done(1)]):
        claims = [verdict(one) for one in decode(prepared([1, 1, 1]), 200, MULTIPART, joined(parts))]
        assert claims[0] in ("done", "unknown")
        assert claims[1:] == ["unknown", "done"]
    claims = [verdict(one) for one in decode(prepared([1, 1, 1]), 200, MULTIPART, joined([failure, done(3), done(3)]))]
    assert claims == ["unknown"] * 3, "the answer of the first is lost, and that of the last came twice"


# -- a service that knows what it did ------------------------------------------------------------------------


@given(PLANS, st.data(), LOOKS, st.sampled_from(CONTENT_TYPES))
def test_a_whole_answer_is_never_misread(plan: list[Asked], data: st.DataObject, looks: tuple[str, bool, bool], kind: str) -> None:
    truth = data.draw(served(plan))
    sizes = [one.size for one in plan]
    body = truth.body(*looks)
    assert all_true(sizes, truth.done, truth.status, kind, body)
    if truth.status == 200:
        decoded = decode(prepared(sizes), 200, kind, body)
        assert [one.result.status is ChangeStatus.DONE for one in decoded] == truth.done


def damaged(draw: st.DataObject, parts: list[Part]) -> list[Part]:
    """One accident: parts lost, doubled, shuffled, or one of another answer among them; without nameless
    parts several at once."""
    strange = served([Asked(9), Asked(2), Asked(3, 1)], named_only=True).map(lambda other: other.parts[-2:])
    kinds = ["lost", "doubled", "shuffled", "foreign"]
    once = not all(part.is_named for part in parts)
    for kind in draw.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=1 if once else 3)):
        if kind == "lost" and parts:
            gone = draw.draw(st.sets(st.integers(0, len(parts) - 1), min_size=1))
            parts = [part for position, part in enumerate(parts) if position not in gone]
        elif kind == "doubled" and parts:
            again = draw.draw(st.lists(st.sampled_from(parts), min_size=1, max_size=3))
            parts = parts + again if draw.draw(st.booleans()) else again + parts
        elif kind == "foreign":
            at = draw.draw(st.integers(0, len(parts)))
            parts = [*parts[:at], *draw.draw(strange), *parts[at:]]
        else:
            parts = draw.draw(st.permutations(parts))
    return parts


@given(st.lists(ASKED, min_size=1, max_size=2), st.data(), LOOKS, st.sampled_from(CONTENT_TYPES))
def test_parts_lost_doubled_shuffled_or_foreign_are_never_given_to_the_wrong_change_set(
    plan: list[Asked], data: st.DataObject, looks: tuple[str, bool, bool], kind: str
) -> None:
    truth = data.draw(served(plan, named_only=data.draw(st.booleans())))
    body = truth.body(*looks, damaged(data, truth.parts))
    for status in {truth.status, 200}:
        assert all_true([one.size for one in plan], truth.done, status, kind, body)


@given(PLANS, st.data(), LOOKS, st.sampled_from(CONTENT_TYPES))
def test_an_answer_cut_anywhere_never_claims_what_was_not_done(
    plan: list[Asked], data: st.DataObject, looks: tuple[str, bool, bool], kind: str
) -> None:
    truth: Served = data.draw(served(plan))
    body = truth.body(*looks)
    cut = body[: data.draw(st.integers(0, len(body)))]
    assert all_true([one.size for one in plan], truth.done, truth.status, kind, cut)


@given(
    PLANS,
    st.data(),
    st.sampled_from(CONTENT_TYPES),
    st.lists(st.tuples(st.integers(0), st.sampled_from(b"\r\n -:;=%xX\x00\x85\xff")), max_size=4),
)
def test_garbled_bytes_never_turn_one_outcome_into_the_other(
    plan: list[Asked], data: st.DataObject, kind: str, flips: list[tuple[int, int]]
) -> None:
    """Digits stay as they are: a status or an id that was changed is a lie that no reader can see."""
    truth = data.draw(served(plan))
    body = bytearray(truth.body("\r\n", False, True))
    for place, byte in flips:
        if not chr(body[place % len(body)]).isdigit():
            body[place % len(body)] = byte
    assert all_true([one.size for one in plan], truth.done, truth.status, kind, bytes(body))
