"""What may be believed of an answer to a `$batch`, whatever happened to it on the way."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.dynamics.writing.batch import Prepared, Request, decode, encode
from connectors.dynamics.writing.multipart import boundary_of, inner_answer, split
from connectors.interface.changes import ChangeStatus
from tests.connectors.dynamics.batch_answers import BOUNDARY, MULTIPART, done, joined, nested, operation_part

DONE, CHANGED, UNKNOWN = ChangeStatus.DONE, ChangeStatus.CHANGED, ChangeStatus.UNKNOWN


def prepared(sizes: list[int]) -> list[Prepared]:
    request = Request("DELETE", "/x", {}, b"")
    return [Prepared(f"k{i}", (request,) * size) for i, size in enumerate(sizes)]


OUTCOMES = st.sampled_from(["done", "changed with id", "changed without id", "plain changed"])
PLANS = st.lists(st.tuples(st.integers(1, 4), OUTCOMES), min_size=1, max_size=6)


def part_of(outcome: str, first: int, size: int) -> bytes:
    if outcome == "done":
        return done(*range(first, first + size))
    if outcome == "changed with id":
        return nested(operation_part(412, first + size - 1, "0x80060882"))
    if outcome == "changed without id":
        return nested(operation_part(412, None, "0x80060882"))
    return operation_part(412, None, "0x80060882")


def answer_of(plan: list[tuple[int, str]]) -> list[bytes]:
    parts, first = [], 1
    for size, outcome in plan:
        parts.append(part_of(outcome, first, size))
        first += size
    return parts


def truth(plan: list[tuple[int, str]]) -> list[ChangeStatus]:
    return [DONE if outcome == "done" else CHANGED for _, outcome in plan]


@given(PLANS)
def test_a_whole_answer_is_understood(plan: list[tuple[int, str]]) -> None:
    decoded = decode(prepared([size for size, _ in plan]), 200, MULTIPART, joined(answer_of(plan)))
    assert [one.result.status for one in decoded] == truth(plan)
    assert [one.result.key for one in decoded] == [f"k{i}" for i in range(len(plan))]


@given(PLANS, st.data())
def test_an_answer_that_lacks_parts_is_never_given_to_the_wrong_change_set(plan: list[tuple[int, str]], data: st.DataObject) -> None:
    parts = answer_of(plan)
    kept = data.draw(st.lists(st.booleans(), min_size=len(parts), max_size=len(parts)).filter(lambda choice: not all(choice)))
    answer = joined([part for part, is_kept in zip(parts, kept, strict=True) if is_kept])
    decoded = decode(prepared([size for size, _ in plan]), 200, MULTIPART, answer)
    for one, really in zip(decoded, truth(plan), strict=True):
        assert one.result.status in (really, UNKNOWN)


@given(PLANS, st.data())
def test_an_answer_that_is_cut_anywhere_tells_nothing_wrong(plan: list[tuple[int, str]], data: st.DataObject) -> None:
    answer = joined(answer_of(plan))
    cut = data.draw(st.integers(0, len(answer)))
    for status in (200, 400):
        decoded = decode(prepared([size for size, _ in plan]), status, MULTIPART, answer[:cut])
        for one, really in zip(decoded, truth(plan), strict=True):
            assert one.result.status in (really, UNKNOWN)


@given(st.permutations(range(5)))
def test_answers_in_another_order_are_told_apart_by_their_content_ids(order: list[int]) -> None:
    plan = [(2, "done"), (1, "changed with id"), (3, "done"), (1, "changed with id"), (2, "done")]
    parts = answer_of(plan)
    decoded = decode(prepared([size for size, _ in plan]), 200, MULTIPART, joined([parts[i] for i in order]))
    assert [one.result.status for one in decoded] == truth(plan)


@given(st.integers(100, 599), st.text(max_size=60), st.binary(max_size=300))
def test_no_answer_makes_the_reader_fail_or_believe(status: int, content_type: str, body: bytes) -> None:
    decoded = decode(prepared([1, 2]), status, content_type, body)
    assert [one.result.status for one in decoded] == [UNKNOWN, UNKNOWN]


@given(st.binary(max_size=400))
def test_bytes_between_boundaries_never_make_the_reader_fail(noise: bytes) -> None:
    body = f"--{BOUNDARY}\r\n".encode() + noise + f"\r\n--{BOUNDARY}--\r\n".encode()
    for one in decode(prepared([1]), 200, MULTIPART, body):
        assert one.result.status is not DONE
    inner_answer(noise)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.booleans())
def test_what_is_written_can_be_split_again(sizes: list[int], bare_lines: bool) -> None:
    body = encode(prepared(sizes), "batch_abc")
    if bare_lines:
        body = body.replace(b"\r\n", b"\n")
    parts = split(body, "batch_abc")
    inner = [split(part.body, boundary_of(part.headers["content-type"])) for part in parts]
    assert [len(one) for one in inner] == sizes
    assert [part.content_id for one in inner for part in one] == [str(n) for n in range(1, sum(sizes) + 1)]
