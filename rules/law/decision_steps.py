"""The steps of one decision, for a person who wants to check the verdict by hand: what the columns of the law
say of a unit, beside what went into them. Nothing is concluded here. Source: sections 2.4 and 4.2, RET-17."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from rules.dates.periods import iso
from rules.holds.holds import REQUEST, Hold, Holds
from rules.law.bits import flags_in, reasons_in
from rules.law.of_units import steps_of
from rules.model.decisions import Decision, Disposition, Flag, Reason, Step, deciding_end
from rules.model.records import Unit, UnitKind
from rules.people.birthdates import sources
from rules.policy.policy import Policy
from rules.retention.clocks import CLOSED_ON, LAST_ACTIVITY, RECORDING, Kind
from rules.retention.compiled_schedule import Schedule, schedule_of

if TYPE_CHECKING:
    from polars import DataFrame

    from rules.law.terms import Terms

PRECEDENCE: Final = "4.2"
_FILES: Final = (UnitKind.DOSSIER, UnitKind.FICHE)
Row = Mapping[str, Any]


def explain_each(units: Sequence[Unit], policy: Policy, holds: Holds, day: date) -> list[tuple[Decision, list[Step]]]:
    """Return the decision of each unit, in their order, and every step that led to it, in the order of the
    rules; the last step is the disposition. Each step has the rule, its input and its output, as JSON values.
    Of a register number only the date part is shown. The law is asked once for all of them. Source: RET-17,
    section 9.1."""
    from rules.law.row_numbers import in_order  # polars only where something is decided

    there, found = steps_of(units, policy, holds, day)
    decided = list(found.decisions())
    ends, births = _by_row(in_order(found.ends, "row", "place")), _by_row(in_order(found.births, "row", "child"))
    every = [
        Columns(unit, row, found.terms[row["terms"]], decided[at], ends.get(at, []), births.get(at, []))
        for at, (unit, row) in enumerate(zip(there, found.units.iter_rows(named=True), strict=True))
    ]
    schedule = schedule_of(policy)
    return [
        (own.decision, list(own.steps(None if own.row["leader"] is None else every[own.row["leader"]], schedule, holds, day)))
        for own in every[: len(units)]
    ]


def _by_row(frame: DataFrame) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in frame.iter_rows(named=True):
        found.setdefault(row["row"], []).append(row)
    return found


@dataclass(frozen=True)
class Columns:
    """What the law says of one unit: its row, and those of its ends and of its children's births."""

    unit: Unit
    row: Row
    terms: Terms
    decision: Decision
    ends: list[Row]
    births: list[Row]

    def steps(self, leader: Columns | None, schedule: Schedule, holds: Holds, day: date) -> Iterator[Step]:
        """Yield every step; `leader` is the dossier that the unit follows."""
        unit = self.unit
        yield Step("RET-17", {"kind": unit.word, "as_of": day.isoformat()}, "read")
        yield self.hold_step(holds)
        if unit.kind in _FILES:
            yield from self.file_steps(schedule, day)
        elif unit.kind is UnitKind.EMAIL:
            yield from self.email_steps(day)
        elif unit.relation is not None:
            yield from self.relation_steps()
        else:
            yield self.mark_step(leader)
            if leader is None:
                yield from self.recording_steps(day)
            else:
                yield leader.hold_step(holds)
                yield from leader.file_steps(schedule, day)
        yield from self.last_steps(leader, day)

    def hold_step(self, holds: Holds) -> Step:
        """Return the step of the holds: those on the unit, and the reasons to keep it that follow."""
        return Step("HLD-04", {"holds": _told(holds.on(self.unit))}, _codes(reasons_in(self.row["held"])))

    # -- a dossier or a lone fiche ---------------------------------------------------------------------------

    def file_steps(self, schedule: Schedule, day: date) -> Iterator[Step]:
        """Yield the steps of a dossier or a lone fiche, up to its ends."""
        yield from self._category_steps()
        yield from self._moment_steps(day)
        if self.terms.needs_birth:
            yield from self._birth_steps(schedule, day)
        for end in self.ends:
            clock = self.terms.clocks[end["place"]]
            if clock.kind is Kind.AGE:
                yield from self._age_steps(end, clock.period, schedule)
                continue
            yield _end_step(end, clock.kind, list(clock.anchors))
            if not clock.is_usual and end["anchor_on"] is not None:  # a date that every dossier is not asked for
                yield Step("RET-16", {"as_of": day.isoformat(), end["anchor"]: iso(end["anchor_on"])}, end["is_to_come"])
        if self.terms.review_months:
            asked: dict[str, object] = {
                "review_due_on": iso(self.row["review_due_on"]),
                "review_months": self.terms.review_months,
                "as_of": day.isoformat(),
            }
            yield Step("RET-15", asked, Flag.REVIEW_DUE in flags_in(self.row["flags"]))
        if self.unit.dossier is not None:
            asked = {"is_active": self.row["is_open"], "is_six_month_unit": self.row["is_six_month"]}
            yield Step("RET-13", asked, self.row["is_kept_open"])

    def _category_steps(self) -> Iterator[Step]:
        found = self.terms.classification
        assert found is not None  # of every file
        for line in found.derived:
            flag = None if line.flag is None else line.flag.value
            yield Step("RET-12", {"category": line.crm_key, "outcome": self.row["outcome"]}, {"key": line.key, "flag": flag})
        fiches = self.unit.fiches
        asked: dict[str, object] = {
            "unconfigured": list(found.unconfigured),
            "fiches": len(fiches),
            "fiches_without_category": sum(not fiche.categories for fiche in fiches),
            "is_missing": found.is_missing,
        }
        yield Step("RET-14", asked, found.is_complete)

    def _moment_steps(self, day: date) -> Iterator[Step]:
        row, dossier = self.row, self.unit.dossier
        reopened_on = None if dossier is None else dossier.reopened_on
        in_order = sorted(self.unit.fiches, key=lambda fiche: (fiche.communicated_on or date.min, fiche.created_on or date.min))
        fiches: list[object] = [{"communicated_on": iso(fiche.communicated_on), "created_on": iso(fiche.created_on)} for fiche in in_order]
        result: dict[str, object] = {
            "first_fiche_on": iso(row["first_fiche_on"]),
            "last_activity": None if row["is_undated"] else iso(row["last_activity"]),
            "created_on_used": row["created_used"],
        }
        yield Step("RET-07", {"fiches": fiches, "reopened_on": iso(reopened_on)}, result)
        asked: dict[str, object] = {"as_of": day.isoformat(), "communicated_on": [iso(fiche.communicated_on) for fiche in in_order]}
        if dossier is not None:
            asked["reopened_on"] = iso(reopened_on)
            asked["closed_on"] = iso(dossier.closed_on)
            asked["proceedings_ended_on"] = iso(dossier.proceedings_ended_on)
        yield Step("RET-16", asked, row["is_future"])

    def _birth_steps(self, schedule: Schedule, day: date) -> Iterator[Step]:
        """Yield a step for each child; of a file without one, for the child of whom nothing is known."""
        first = self.row["first_fiche_on"]
        births = [(birth["born"], birth["told"]) for birth in self.births] or [(first, self.row["birth_flags"])]
        for number, (child, (born_on, flags)) in enumerate(zip(self.unit.children or [None], births, strict=True), start=1):
            asked: dict[str, object] = {
                "child": number,
                "recorded": sources(child, day, schedule.sentinels.scheme),
                "first_fiche_on": iso(first),
            }
            yield Step("RET-09", asked, {"latest_birth_on": iso(born_on), "flags": _codes(flags_in(flags))})

    def _age_steps(self, end: Row, period: str, schedule: Schedule) -> Iterator[Step]:
        row, birthday = self.row, iso(end["birthday"])
        yield Step("RET-08", {"category": end["category"], "birth_date": iso(row["born_on"]), "period": period}, birthday)
        asked: dict[str, object] = {
            "category": end["category"],
            "age_end": birthday,
            "late_activity": CLOSED_ON if row["closing_is_last"] else LAST_ACTIVITY,
            "late_activity_on": iso(row["late_activity_on"]),
            "late_rule_months": schedule.late_months,
        }
        yield Step("RET-10", asked, iso(end["on"]))

    # -- whatever counts from one day ------------------------------------------------------------------------

    def email_steps(self, day: date) -> Iterator[Step]:
        """Yield the steps of an e-mail that is attached to nothing."""
        yield Step("RET-05", {"attached_to": None}, "lone fiche without category")
        yield Step("RET-16", {"as_of": day.isoformat(), "received_on": iso(self.row["own_day"])}, self.row["own_day_to_come"])

    def relation_steps(self) -> Iterator[Step]:
        """Yield the steps of a gift, course, agreement or row of a dependent table."""
        clocks = self.terms.clocks
        yield Step("RET-14", {"kind": self.row["sort"], "rows": [clock.key for clock in clocks]}, bool(clocks))
        for end in self.ends:
            if end["is_termless"]:
                yield Step(end["rule"], {"category": end["category"]}, False)
            else:
                yield _end_step(end, clocks[end["place"]].kind, [end["anchor"]])

    def mark_step(self, leader: Columns | None) -> Step:
        """Return whether a recording or attachment follows a dossier on its evidence mark."""
        unit = self.unit
        evidence = unit.recording.evidence if unit.recording is not None else unit.note.evidence if unit.note is not None else None
        in_dossier = unit.belongs_to is not None and unit.belongs_to.kind is UnitKind.DOSSIER
        asked: dict[str, object] = {"evidence": evidence is True, "in_dossier": in_dossier}
        if len(dossiers := sorted(level.id for level in unit.above())) > 1:  # its fiche is in several
            asked |= {"dossiers": dossiers, "follows": leader.unit.id if leader is not None else None}
        return Step("RET-05", asked, leader is not None)

    def recording_steps(self, day: date) -> Iterator[Step]:
        """Yield the steps of a recording or attachment that counts by itself."""
        on, anchor = self.row["own_day"], self.row["own_anchor"]
        if not self.terms.clocks:
            if Reason.NO_TERM in self.terms.reasons:
                yield Step("RET-15", {"category": RECORDING}, False)
            else:
                yield Step("RET-14", {"unconfigured": [RECORDING]}, False)
            return
        (clock,), (end,) = self.terms.clocks, self.ends
        if on is None:
            yield Step(clock.rule, {"category": RECORDING, "anchor": anchor, "anchor_on": None}, None)
            return
        yield Step("RET-16", {"as_of": day.isoformat(), anchor: iso(on)}, self.row["own_day_to_come"])
        yield _end_step(end, clock.kind, [anchor])

    # -- the end ---------------------------------------------------------------------------------------------

    def last_steps(self, leader: Columns | None, day: date) -> Iterator[Step]:
        """Yield the longest end, the table of precedence, the disposition: the ends are those of the dossier
        that the unit follows, where it follows one."""
        file = leader or self
        end_on = file.row["retention_end"]
        best = None if end_on is None else deciding_end(file.decision.ends)
        category = None if best is None else best.category
        counted = [end for end in file.ends if not end["is_termless"]]
        if file.unit.recording is not None or file.unit.note is not None:
            counted = [end for end in counted if end["on"] is not None]
        without_end = sorted(_codes(reasons_in(file.row["endless"])))
        ends: dict[str, object] = {end["category"]: iso(end["on"]) for end in counted}
        yield Step("RET-11", {"ends": ends, "without_end": without_end}, {"end": iso(end_on), "category": category})

        held = reasons_in(self.row["held"] | file.row["held"])
        reasons = _codes(self.decision.reasons)
        asked: dict[str, object] = {
            "as_of": day.isoformat(),
            "end": iso(end_on),
            "holds": _codes(held),
            "without_end": without_end,
            "is_open": file.row["is_kept_open"],
        }
        yield Step(PRECEDENCE, asked, reasons)

        public_alert = file.row["public_alert"] is True
        disposition = self.decision.disposition
        asked = {
            "reasons": reasons,
            "category": category,
            "category_disposition": None if best is None else best.disposition.value,
            "public_alert": public_alert,
            "follows_dossier": leader is not None,
        }
        yield Step("ERA-04" if public_alert and disposition is Disposition.DELETE else "RET-23", asked, disposition.value)


def _told(found: Iterable[Hold]) -> list[object]:
    """Return the holds as anybody may see them. A request is shown by its code alone, each code once: a
    person who looks at a file must not learn by it who made a request about it, nor how many did (SUS-07,
    ACC-08)."""
    told: list[object] = []
    for hold in found:
        shown: dict[str, object] = {"reason": hold.reason.value}
        if hold.source != REQUEST:
            shown = {"hold": hold.hold_id, **shown, "source": hold.source, "kind": hold.kind, "review_overdue": hold.is_overdue}
        if shown not in told:
            told.append(shown)
    return told


def _end_step(end: Row, kind: Kind, anchors: list[str]) -> Step:
    asked: dict[str, object] = {
        "category": end["category"],
        "anchors": anchors,
        "anchor": end["anchor"],
        "anchor_on": iso(end["anchor_on"]),
        "period": end["period"],
        "to_end_of_year": kind is Kind.YEAR_END,
    }
    return Step(end["rule"], asked, iso(end["on"]))


def _codes(codes: Iterable[str]) -> list[str]:
    return [str(code) for code in codes]
