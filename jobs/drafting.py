"""The lines of a plan in the making, their digest and their totals.

Most lines differ from another one only in id, version and dates. So a line is cut to its shape once, and filled in a hundred thousand
times; and no more than a page of lines is in memory at a time.
"""

from __future__ import annotations

import hashlib
from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import msgspec
from isal import isal_zlib as zlib
from isal.igzip_lib import IsalError

from jobs.ledger import StoreAltered
from jobs.plan import CategoryTotal, Kind, Plan, PlanLine
from rules.disposition import Decision, Disposition, Reason
from rules.records import UnitKind

LINES_A_PAGE = 2_000
RECORDING_KINDS = frozenset({UnitKind.RECORDING, UnitKind.ATTACHMENT})
_BIRTH = "birth_date"  # the anchor that is named and never dated
_encode = msgspec.json.Encoder().encode
_ID, _ETAG, _END, _ANCHOR_ON = "\x00id", "\x00etag", "\x00end", "\x00anchor_on"


class Shape:
    """What equal lines have in common, the text between what differs, and how many there are."""

    __slots__ = ("count", "decision", "kind", "pieces", "soon")

    def __init__(self, kind: UnitKind, decision: Decision, model: PlanLine) -> None:
        self.kind = kind
        self.decision = decision
        self.count = 0
        self.soon = 0
        text = _encode(model)
        self.pieces: list[bytes] = []
        for mark in (_ID, _END, _ETAG, _ANCHOR_ON):
            before, text = text.split(_encode(mark), 1)
            self.pieces.append(before)
        self.pieces.append(text)


class Pages:
    """Lines as the store keeps them (JSON Lines, deflated), and the digest over `head` and the lines in their order."""

    def __init__(self, head: Mapping[str, object]) -> None:
        self._open: list[bytes] = []
        self._pages: list[bytes] = []
        self._sha = hashlib.sha256(msgspec.json.encode(head, order="sorted"))

    def add(self, line: bytes) -> None:
        self._open.append(line)
        if len(self._open) == LINES_A_PAGE:
            self._turn()

    def _turn(self) -> None:
        page = b"".join(self._open)
        self._sha.update(page)
        self._pages.append(zlib.compress(page, 1))
        self._open.clear()

    def finish(self, trims: Iterable[str]) -> tuple[list[bytes], str]:
        """The pages, and the digest, contacts to trim included: the one that `is_unaltered` looks for."""
        if self._open:
            self._turn()
        _add_trims(self._sha, trims)
        return self._pages, self._sha.hexdigest()


class Draft:
    """Pages of lines with their digest, and totals. A unit under `due_soon_days` of its end counts as due soon."""

    def __init__(
        self, tables: Mapping[UnitKind, str], policy_version: str, day: date, due_soon_days: int, head: Mapping[str, object]
    ) -> None:
        self.tables = tables
        self._pages = Pages(head)
        self.crm_holds: list[tuple[str, str]] = []
        self.victims: dict[str, int] = {}
        self.retained_rows: dict[str, int] = {}
        self.held_contacts: list[tuple[str, str, str]] = []
        self.due: Tally[str] = Tally()
        self._policy_version = policy_version
        self._soon = day + timedelta(days=due_soon_days)
        self._shapes: dict[tuple[object, ...], Shape] = {}

    def add(self, kind: UnitKind, row: str, etag: str, decision: Decision) -> None:
        """Add one unit's line and count it."""
        end = decision.retention_end
        deciding = decision.deciding
        anchor = deciding.anchor if deciding is not None else None
        key = (kind, decision.disposition, decision.reasons, decision.flags, decision.categories, decision.rule, anchor)
        shape = self._shapes.get(key)
        if shape is None:
            model = line_of(self.tables[kind], _ID, _ETAG, decision, self._policy_version)
            model = msgspec.structs.replace(model, retention_end=_END, anchor_on=_ANCHOR_ON)
            shape = self._shapes[key] = Shape(kind, decision, model)
        shape.count += 1
        if end is None:
            end_text = b"null"
        else:
            end_text = _day(end)
            if end < self._soon and decision.reasons[0] is Reason.NOT_EXPIRED:
                shape.soon += 1
                self.due[end.isoformat()] += 1
        on = deciding.anchor_on if deciding is not None and anchor != _BIRTH else None
        anchor_text = b"null" if on is None else _day(on)
        one, two, three, four, five = shape.pieces
        # Ids and versions come from outside and are quoted by the encoder; a date needs no quoting.
        self._pages.add(b"%b%b%b%b%b%b%b%b%b\n" % (one, _encode(row), two, end_text, three, _encode(etag), four, anchor_text, five))

    def finish(self, trims: Iterable[str]) -> tuple[list[bytes], str]:
        """The pages, as the store keeps them, and their digest, contacts to trim included."""
        return self._pages.finish(trims)

    @property
    def units(self) -> int:
        """How many units have a line."""
        return sum(shape.count for shape in self._shapes.values())

    def dispositions(self) -> dict[str, int]:
        """How many units go, by disposition."""
        counts = {"delete": 0, "anonymise": 0}
        for shape in self._shapes.values():
            if shape.decision.is_disposal:
                counts[shape.decision.disposition.value] += shape.count
        return counts

    def going(self) -> dict[tuple[str, tuple[str, ...]], int]:
        """How many units go, by table and categories."""
        counts: Tally[tuple[str, tuple[str, ...]]] = Tally()
        for shape in self._shapes.values():
            if shape.decision.is_disposal:
                counts[self.tables[shape.kind], shape.decision.categories] += shape.count
        return dict(counts)

    def retained(self) -> dict[str, int]:
        """How many units stay, by their primary reason."""
        counts: Tally[str] = Tally()
        for shape in self._shapes.values():
            if not shape.decision.is_disposal:
                counts[shape.decision.reason.value] += shape.count
        return dict(sorted(counts.items()))

    def flagged(self) -> dict[str, int]:
        """How many units carry each flag."""
        counts: Tally[str] = Tally()
        for shape in self._shapes.values():
            for flag in shape.decision.flags:
                counts[flag.value] += shape.count
        return dict(sorted(counts.items()))

    def planned(self) -> dict[str, int]:
        """How many units and recordings go, for the circuit breaker; contacts follow their units and are not counted (RET-24)."""
        counts = {"units": 0, "recordings": 0}
        for shape in self._shapes.values():
            if shape.decision.is_disposal and shape.kind is not UnitKind.CONTACT:
                counts["recordings" if shape.kind in RECORDING_KINDS else "units"] += shape.count
        return counts

    def by_category(self) -> tuple[CategoryTotal, ...]:
        """Totals of each category, in the order of their keys; a mixed unit counts in each of its own."""
        totals: dict[str, list[int]] = {}
        for shape in self._shapes.values():
            decision = shape.decision
            column = 0 if decision.disposition is Disposition.DELETE else 1 if decision.is_disposal else 2
            for category in decision.categories:
                total = totals.setdefault(category, [0, 0, 0, 0])
                total[column] += shape.count
                total[3] += shape.soon
        return tuple(CategoryTotal(key, *numbers) for key, numbers in sorted(totals.items()))


@lru_cache(maxsize=50_000)
def _day(day: date) -> bytes:
    return b'"%b"' % day.isoformat().encode()


def paged(lines: Iterable[PlanLine], trims: Iterable[str], head: Mapping[str, object]) -> tuple[list[bytes], str]:
    """Lines that are all there, as the store keeps them, and their digest."""
    pages = Pages(head)
    for line in lines:
        pages.add(_encode(line) + b"\n")
    return pages.finish(trims)


def digest_head(kind: Kind, as_of: datetime, crm: str, policy_digest: str, mapping_digest: str) -> dict[str, object]:
    """What a plan's digest begins with: what was asked, of whom, and by which rules."""
    moment = as_of.astimezone(UTC).isoformat()
    return {"kind": kind.value, "as_of": moment, "crm": crm, "policy": policy_digest, "mapping": mapping_digest}


def is_unaltered(plan: Plan, pages: Iterable[bytes]) -> bool:
    """Whether the stored pages are the ones that the plan's digest was taken over: what is applied is what was looked at."""
    head = digest_head(plan.kind, plan.as_of, plan.crm, plan.policy_digest, plan.mapping_digest)
    sha = hashlib.sha256(msgspec.json.encode(head, order="sorted"))
    for page in pages:
        sha.update(unpacked(page))
    _add_trims(sha, plan.trims)
    return sha.hexdigest() == plan.digest


def unpacked(page: bytes) -> bytes:
    """The lines of a stored page.

    Raises:
        StoreAltered: it is not what was stored.
    """
    try:
        return zlib.decompress(page)
    except IsalError:  # type: ignore[misc]  # the library has no types
        raise damaged_lines() from None


def damaged_lines() -> StoreAltered:
    """The error that stored lines are not what was stored."""
    return StoreAltered(
        "a page of the plan's lines is damaged", hint="restore the database from a backup and tell the DPO", where="plan_pages"
    )


def _add_trims(sha: hashlib._Hash, trims: Iterable[str]) -> None:
    for contact in sorted(trims):
        sha.update(b"trim %s\n" % contact.encode())


def line_of(table: str, row: str, etag: str, decision: Decision, policy_version: str) -> PlanLine:
    """The line of one unit. The anchor is that of the deciding end; a birth date is named, never given (ACC-04)."""
    disposes = decision.disposition is not Disposition.KEEP
    end, deciding = decision.retention_end, decision.deciding
    anchor = deciding.anchor if deciding is not None else None
    on = deciding.anchor_on if deciding is not None and anchor != _BIRTH else None
    return PlanLine(
        table,
        row,
        "dispose" if disposes else "retain",
        decision.disposition.value if disposes else None,
        end.isoformat() if end is not None else None,
        decision.reasons[0].value,
        decision.reasons,
        decision.flags,
        decision.categories,
        decision.rule,
        policy_version,
        etag,
        anchor,
        on.isoformat() if on is not None else None,
    )
