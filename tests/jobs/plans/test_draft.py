"""The lines of a plan while it is made, and how they are counted."""

from collections.abc import Iterator
from datetime import date

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.plans import draft as drafts
from jobs.plans.draft import Draft, line_of
from jobs.plans.lines import columns
from jobs.plans.lines import pages as pages_of_lines
from jobs.plans.lines.pages import lines_of, paged
from rules.model.decisions import Decision, Disposition, End, Flag, Reason
from rules.model.records import UnitKind

TABLES = {kind: f"cf_{kind.value}" for kind in UnitKind}
DAY = date(2026, 11, 25)
SCHEMA = {"shape": pl.UInt32, "id": pl.String, "retention_end": pl.Date, "etag": pl.String, "anchor_on": pl.Date}
days = st.dates(date(1753, 1, 1), date(2100, 1, 1))


def decided(disposition: Disposition, reasons: set[Reason], on: date | None, flags: set[Flag], categories: set[str], end: End) -> Decision:
    why = (Reason.EXPIRED,) if disposition is not Disposition.KEEP else tuple(reasons)
    return Decision(disposition, why, on, tuple(sorted(flags)), tuple(categories), "RET-07", (msgspec.structs.replace(end, on=on),))


ENDS = st.builds(
    End,
    st.just("e_safety"),
    st.just("RET-07"),
    st.sampled_from(["birth_date", "last_activity", "closed_on"]),
    st.none() | days,
    st.just("P6M"),
    st.none(),
    st.just(Disposition.DELETE),
)
DECISIONS = st.builds(
    decided,
    st.sampled_from(Disposition),
    st.sets(st.sampled_from(Reason), min_size=1),
    st.none() | days,
    st.sets(st.sampled_from(Flag), max_size=2),
    st.sets(st.sampled_from(["a", "100000099"])),
    ENDS,
)


@pytest.fixture(scope="module", autouse=True)
def several_pages() -> Iterator[None]:
    """Pages of a few lines, not as many as are added or read together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drafts, "LINES_A_PAGE", 3)
        patch.setattr(pages_of_lines, "LINES_A_PAGE", 4)
        patch.setattr(columns, "AT_ONCE", 3)
        yield


def drafted(units: list[tuple[UnitKind, str, str, Decision]]) -> Draft:
    """A draft with a line for each of these, added some at a time; lines that differ in days alone have one
    shape."""
    shapes: dict[tuple[object, ...], tuple[int, tuple[UnitKind, str, Decision]]] = {}
    rows = []
    for kind, row, etag, decision in units:
        end = decision.deciding
        key = (kind, decision.disposition, decision.reasons, decision.flags, decision.categories, end.anchor if end else None)
        number, _ = shapes.setdefault(key, (len(shapes), (kind, TABLES[kind], decision)))
        rows.append((number, row, decision.retention_end, etag, end.anchor_on if end else None))
    draft = Draft("1.0", DAY, 30, {})
    for part in pl.DataFrame(rows, schema=SCHEMA, orient="row").iter_slices(7):
        numbers = part["shape"].unique().sort(descending=True)  # each part numbers its own
        own = part.with_columns(shape=pl.Series([numbers.index_of(number) for number in part["shape"]], dtype=pl.UInt32))
        add(draft, own, [[*shapes.values()][number][1] for number in numbers])
    return draft


def add(draft: Draft, lines: pl.DataFrame, shapes: list[tuple[UnitKind, str, Decision]]) -> None:
    """Add lines whose ids and versions are told by the number of their row."""
    draft.add(lines.with_row_index("row"), shapes, lines.select("id", "etag").__getitem__)


@given(units=st.lists(st.tuples(st.sampled_from(UnitKind), st.text(max_size=40), st.text(max_size=12), DECISIONS), max_size=30))
def test_every_unit_has_its_line(units: list[tuple[UnitKind, str, str, Decision]]) -> None:
    draft = drafted(units)
    pages, digest = draft.finish(())
    expected = [line_of(TABLES[kind], row, etag, decision, "1.0") for kind, row, etag, decision in units]
    assert (pages, digest) == paged(expected, (), {}), "the same lines give the same pages"
    assert [msgspec.to_builtins(line) for line in lines_of(pages)] == [msgspec.to_builtins(line) for line in expected]


@pytest.mark.parametrize("lacking", ["id", "etag"])
def test_a_unit_is_never_left_out_silently(lacking: str) -> None:
    draft, kept = Draft("1.0", DAY, 30, {}), Decision(Disposition.KEEP, (Reason.NOT_EXPIRED,), None, (), (), "RET-20")
    rows = pl.DataFrame([(0, "one", None, "1", None), (0, "other", None, "1", None)], schema=SCHEMA, orient="row")
    rows = rows.with_columns(pl.when(pl.col("id") == "one").then(lacking).alias(lacking))
    add(draft, rows, [(UnitKind.DOSSIER, "cf_dossier", kept)])
    with pytest.raises(ValueError, match="without an id or a version"):
        draft.finish(())


@given(units=st.lists(st.tuples(st.sampled_from(UnitKind), st.just("id"), st.just("etag"), DECISIONS), max_size=30))
def test_every_unit_counts_once(units: list[tuple[UnitKind, str, str, Decision]]) -> None:
    """ACC-03: dispositions and primary reasons add up to the units read."""
    draft = drafted(units)
    assert sum(draft.dispositions().values()) + sum(draft.retained().values()) == len(units)
    for total in draft.by_category():
        ends = [
            each.retention_end for _, _, _, each in units if each.is_disposal and total.category in each.categories and each.retention_end
        ]
        assert total.oldest == (min(ends).isoformat() if ends else "")
    going = [kind for kind, _, _, decision in units if decision.disposition is not Disposition.KEEP and kind is not UnitKind.CONTACT]
    assert sum(draft.planned().values()) == len(going)
