"""Checkpoints kept elsewhere bring to light what a chain cannot: an end that was cut off, a history written
again (ACC-06, R-141)."""

import io

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jobs.ledger.checkpoints import Checkpoint, decode, encode
from jobs.ledger.verification import audit_ledger
from tests.jobs.ledger.chains import NOTARY, chain, points_of

lengths = st.integers(1, 20)
sizes = st.lists(st.integers(1, 20), min_size=1, max_size=4, unique=True).map(sorted)


@given(sizes, lengths)
def test_a_ledger_that_has_only_grown_agrees_with_every_checkpoint(at: list[int], more: int) -> None:
    entries = chain(range(at[-1] + more))
    points = points_of(entries, at)
    audit = audit_ledger(entries, points, kept=points, check=NOTARY.check)
    assert (audit.ok, audit.checkpoints, audit.first_broken) == (True, len(at), None)


@given(sizes, st.data())
def test_an_end_that_was_cut_off_is_named(at: list[int], draw: st.DataObject) -> None:
    entries = chain(range(at[-1]))
    left = draw.draw(st.integers(0, at[-1] - 1))
    audit = audit_ledger(entries[:left], points_of(entries, at))
    assert audit.verdict.ok  # the chain alone is content
    assert (audit.ok, audit.first_broken) == (False, left + 1)
    assert f"entries {left + 1} to {at[-1]}: cut off" in str(audit.problems[-1])


@given(sizes, st.data())
def test_a_history_written_anew_is_named_from_the_last_checkpoint_that_agrees(at: list[int], draw: st.DataObject) -> None:
    entries = chain(range(at[-1]))
    changed = draw.draw(st.integers(0, at[-1] - 1))
    again = chain([*range(changed), 1000, *range(changed + 1, at[-1])])  # every hash fits
    audit = audit_ledger(again, points_of(entries, at))
    good = [size for size in at if size <= changed]
    assert audit.verdict.ok
    assert audit.first_broken == (good[-1] if good else 0) + 1 <= changed + 1
    assert audit.checkpoints == len(good)


@given(sizes, st.data())
def test_a_checkpoint_taken_out_of_the_anchor_is_noticed(at: list[int], draw: st.DataObject) -> None:
    assume(len(at) > 1)
    entries = chain(range(at[-1]))
    points = points_of(entries, at)
    lost = draw.draw(st.integers(0, len(points) - 1))
    anchor = [*points[:lost], *points[lost + 1 :]]
    if lost < len(points) - 1:
        assert not audit_ledger(entries, anchor).ok
    both = audit_ledger(entries, anchor, kept=points)
    assert f"checkpoint over {points[lost].entries} entries: the external log lacks it" in map(str, both.problems)
    other = audit_ledger(entries, points, kept=anchor)
    assert f"checkpoint over {points[lost].entries} entries: the database has lost it" in map(str, other.problems)


@given(sizes, st.data())
def test_another_order_of_checkpoints_is_noticed(at: list[int], draw: st.DataObject) -> None:
    entries = chain(range(at[-1]))
    points = points_of(entries, at)
    other = draw.draw(st.permutations(points))
    assume(other != points)
    assert not audit_ledger(entries, other).ok


@given(sizes, st.data())
def test_any_edited_byte_of_an_anchor_is_noticed(at: list[int], draw: st.DataObject) -> None:
    entries = chain(range(at[-1]))
    content = bytearray().join(map(encode, points_of(entries, at)))
    place = draw.draw(st.integers(0, len(content) - 2))  # the last line end says nothing
    content[place] = draw.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    points = list(decode(io.BytesIO(bytes(content))))
    stamp = any(point is not None and point.timestamp for point in points)  # it is not signed; that it verifies is asked elsewhere
    assert stamp or not audit_ledger(entries, points, check=NOTARY.check).ok


@pytest.mark.parametrize("line", [b"null\n", b"\n", b"{}\n", b"[" * 100_000, b"\xff\n"])
def test_a_line_that_is_no_checkpoint_is_named_at_its_place(line: bytes) -> None:
    entries = chain(range(9))
    first, second = points_of(entries, [3, 9])
    audit = audit_ledger(entries, list(decode([encode(first), line, encode(second)])), check=NOTARY.check)
    assert [str(problem) for problem in audit.problems] == ["checkpoint 2 of the external log: is not as it was written"]


def test_a_checkpoint_signed_by_a_stranger_or_forged_is_named() -> None:
    entries = chain(range(5))
    (point,) = points_of(entries, [5])
    stranger = msgspec.structs.replace(point, key="s-2026-11-ffffffffffffffff")
    forged = msgspec.structs.replace(point, at="2020-01-01T00:00:00.000Z")
    assert "unknown key" in str(audit_ledger(entries, [stranger], check=NOTARY.check).problems[0])
    assert "signature does not verify" in str(audit_ledger(entries, [forged], check=NOTARY.check).problems[0])


def test_a_broken_chain_is_told_first_and_nothing_is_said_of_what_follows() -> None:
    entries = chain(range(5))
    points = points_of(entries, [2, 5])
    entries[3] = msgspec.structs.replace(entries[3], kind="other")
    audit = audit_ledger(entries, points)
    assert [str(problem) for problem in audit.problems] == ["entry 4: does not follow from the one before it"]
    assert (audit.first_broken, audit.checkpoints) == (4, 1)


def test_a_checkpoint_over_less_than_the_one_before_is_named() -> None:
    entries = chain(range(5))
    first, second = points_of(entries, [5, 3])
    assert "no more entries" in " ".join(map(str, audit_ledger(entries, [first, second]).problems))


@given(sizes, st.data())
def test_what_does_not_verify_always_names_a_first_entry(at: list[int], draw: st.DataObject) -> None:
    """A checkpoint is changed, dropped or unreadable: `first_broken` is the first entry for which it alone
    vouched."""
    entries = chain(range(at[-1]))
    points: list[Checkpoint | None] = [*points_of(entries, at)]
    kept = points_of(entries, at)
    place = draw.draw(st.integers(0, len(at) - 1))
    damage = draw.draw(st.sampled_from(["unreadable", "dropped", "unsigned", "lost"]))
    if damage == "unreadable":
        points[place] = None
    elif damage == "dropped":
        del points[place]
    elif damage == "unsigned":
        points[place] = msgspec.structs.replace(kept[place], signature="")
    else:
        del kept[place]
    audit = audit_ledger(entries, points, kept=kept, check=NOTARY.check)
    assert (audit.ok, audit.first_broken) == (False, ([0, *at][place]) + 1)
