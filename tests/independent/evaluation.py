"""What the published rules say must become of every unit, from raw rows of the Web API.

Written from the rule reference alone, without sight of the product: simple before fast, and every verdict
tells its steps.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from tests.independent.civil import SENTINELS, add_months, add_years, brussels_day, day_of_date, day_of_instant, days, last_of_month
from tests.independent.numbers import BirthPart, digits_of, read_number

Row = dict[str, Any]
Rows = dict[str, list[Row]]
Unit = tuple[str, str]

KEYS = {"phonecall": "activityid", "email": "activityid"}

SIX_MONTHS = {"social_card", "e_safety"}
AGES = {
    "exploitation_organised": 18,
    "exploitation_ict": 18,
    "missing_runaway": 25,
    "missing_intl_abduction_located": 25,
    "missing_third_party_returned": 25,
}
NO_TERM = {"missing_unexplained", "missing_intl_abduction_unlocated", "missing_third_party_not_returned"}
RANKS = [
    "HOLD_LEGAL",
    "HOLD_JUDICIAL",
    "HOLD_COMPLAINT",
    "HOLD_REQUEST",
    "HOLD_RESTRICTION",
    "HOLD_OBJECTION",
    "NO_TERM",
    "UNCONFIGURED",
    "DATA_ERROR",
    "NOT_STARTED",
    "OPEN_DOSSIER",
    "NOT_EXPIRED",
    "EXPIRED",
]
PLAIN_KEYS = {
    0: "social_card",
    1: "e_safety",
    2: "civil_party",
    10: "exploitation_organised",
    11: "exploitation_organised",
    12: "exploitation_organised",
    20: "exploitation_ict",
    21: "exploitation_ict",
    22: "exploitation_ict",
    23: "exploitation_ict",
    30: "missing_runaway",
    33: "missing_unexplained",
}
UNCONFIGURED_KEYS = {
    40: "unaccompanied_minor",
    41: "national_parental_abduction",
    42: "lost_or_injured",
    43: "undefined_disappearance",
    44: "preventive",
    50: "csam_report",
    51: "sexual_abuse_other",
}
OUTCOMES = {0: "not_located", 1: "located", 2: "returned", 3: "not_returned", 4: "found_deceased"}
BASE = 100_000_000
CHILD = BASE


@dataclass(frozen=True)
class PlacedHold:
    """A hold that the service itself keeps."""

    reason: str
    table: str
    row_id: str


@dataclass
class Verdict:
    """What the plan must say of one unit. `may` are flags that the rules leave open; `also` are other
    readings of the outcome."""

    table: str
    row_id: str
    outcome: str = "retain"
    disposition: str | None = None
    end: date | None = None
    reasons: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    may: set[str] = field(default_factory=set)
    may_reasons: set[str] = field(default_factory=set)
    decided_by: str | None = None
    steps: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        return self.reasons[0]

    @property
    def disposed(self) -> bool:
        return self.outcome == "dispose"

    def note(self, text: str) -> None:
        self.steps.append(text)


@dataclass
class Evaluation:
    """All that the rules say at one instant."""

    day: date
    units: dict[Unit, Verdict]


class World:
    """Raw rows with the few indexes that the rules need."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.dossiers = {r["cf_dossierid"]: r for r in rows["cf_dossier"]}
        self.fiches = {r["cf_ficheid"]: r for r in rows["cf_fiche"]}
        self.contacts = {r["contactid"]: r for r in rows["contact"]}
        self.fiches_of: dict[str, list[Row]] = defaultdict(list)
        for fiche in rows["cf_fiche"]:
            if fiche["_cf_dossierid_value"]:
                self.fiches_of[fiche["_cf_dossierid_value"]].append(fiche)
        self.parties_of: dict[Unit, list[Row]] = defaultdict(list)
        for party in rows["cf_party"]:
            for unit in self.units_of_party(party):
                self.parties_of[unit].append(party)

    def unit_of_fiche(self, fiche_id: str) -> Unit:
        dossier = self.fiches[fiche_id]["_cf_dossierid_value"]
        return ("cf_dossier", dossier) if dossier else ("cf_fiche", fiche_id)

    def units_of_party(self, party: Row) -> set[Unit]:
        units: set[Unit] = set()
        if party["_cf_dossierid_value"]:
            units.add(("cf_dossier", party["_cf_dossierid_value"]))
        if party["_cf_ficheid_value"]:
            units.add(self.unit_of_fiche(party["_cf_ficheid_value"]))
        return units

    def regarding(self, activity: Row) -> Unit | None:
        """The unit or contact that an activity is about."""
        target = activity["_regardingobjectid_value"]
        if not target:
            return None
        if target in self.dossiers:
            return ("cf_dossier", target)
        if target in self.fiches:
            return self.unit_of_fiche(target)
        return ("contact", target)


def choices(text: str | None) -> list[int]:
    return [int(part) - BASE for part in text.split(",")] if text else []


def retention_keys(values: Iterable[int], outcome: str | None) -> tuple[set[str], set[str]]:
    """RET-12: retention keys and outcome flags; keys that are not in the schedule stand for themselves."""
    keys, flags = set(), set()
    for value in values:
        if value in PLAIN_KEYS:
            keys.add(PLAIN_KEYS[value])
            if value == 33 and outcome in ("located", "returned", "found_deceased"):
                flags.add("RECLASSIFY")
        elif value == 31:
            keys.add(
                "missing_intl_abduction_located"
                if outcome in ("located", "returned", "found_deceased")
                else "missing_intl_abduction_unlocated"
            )
            if outcome == "not_returned":
                flags.add("OUTCOME_AMBIGUOUS")
            if outcome is None:
                flags.add("OUTCOME_MISSING")
        elif value == 32:
            keys.add("missing_third_party_returned" if outcome == "returned" else "missing_third_party_not_returned")
            if outcome is None:
                flags.add("OUTCOME_MISSING")
        else:
            keys.add(UNCONFIGURED_KEYS.get(value, f"unknown:{value}"))
    return keys, flags


def latest_birth(contact: Row | None, first_fiche: date | None, today: date) -> tuple[date | None, set[str], set[str], str]:
    """RET-09: date, flags, flags that may be there, and the line of the rule."""
    flags: set[str] = set()
    may: set[str] = set()
    if contact is None:
        return first_fiche, {"BIRTHDATE_UNKNOWN"}, may, "child without contact: first fiche"
    column = date.fromisoformat(contact["birthdate"]) if contact["birthdate"] else None
    if column in SENTINELS:
        flags.add("BIRTHDATE_SENTINEL")
        column = None
    if column and column > today:
        flags.add("BIRTHDATE_FUTURE")
        column = None
    number = read_number(contact["cf_nationalnumber"], today)
    if contact["cf_nationalnumber"] and len(digits_of(contact["cf_nationalnumber"]) or "") == 10:
        may.add("RRN_PADDED")
    full = [d for d in (column, number.full if number else None) if d]
    if full:
        if len(set(full)) > 1:
            flags.add("BIRTHDATE_CONFLICT")
        born = max(full)
        if first_fiche and born > first_fiche:
            flags.add("BIRTHDATE_AFTER_FIRST_FICHE")
        return born, flags, may, "line 1: full date"
    parts = (number, BirthPart(contact["cf_birthyear"], contact["cf_birthmonth"]))
    partial = [last_of_month(p.year, p.month or 12) for p in parts if p and p.year]
    if partial:
        born = max(partial)
        if first_fiche and born > first_fiche:
            may.add("BIRTHDATE_AFTER_FIRST_FICHE")
        return born, flags | {"BIRTHDATE_APPROXIMATE"}, may, "line 2: month or year"
    stated_on = day_of_date(contact["cf_statedageon"])
    if contact["cf_statedage"] is not None and stated_on:
        born = add_years(stated_on, -contact["cf_statedage"])
        if first_fiche and born > first_fiche:
            may.add("BIRTHDATE_AFTER_FIRST_FICHE")
        return born, flags | {"BIRTHDATE_APPROXIMATE"}, may, "line 3: stated age"
    return first_fiche, flags | {"BIRTHDATE_UNKNOWN"}, may, "line 4: first fiche"


class Evaluator:
    """Evaluates one organisation at one instant."""

    def __init__(self, rows: Rows, as_of: datetime, holds: Iterable[PlacedHold] = ()) -> None:
        self.world = World(rows)
        self.day = brussels_day(as_of)
        self.holds = list(holds)

    def all(self) -> Evaluation:
        units: dict[Unit, Verdict] = {}
        world = self.world
        for dossier in world.rows["cf_dossier"]:
            if not dossier["cf_anonymisedon"]:
                units["cf_dossier", dossier["cf_dossierid"]] = self.dossier_or_fiche("cf_dossier", dossier)
        for fiche in world.rows["cf_fiche"]:
            if not fiche["_cf_dossierid_value"] and not fiche["cf_anonymisedon"]:
                units["cf_fiche", fiche["cf_ficheid"]] = self.dossier_or_fiche("cf_fiche", fiche)
        for recording in world.rows["cf_recording"]:
            units["cf_recording", recording["cf_recordingid"]] = self.recording(recording, units)
        for note in world.rows["annotation"]:
            if note["_objectid_value"] in world.fiches and is_audio(note):
                units["annotation", note["annotationid"]] = self.audio_note(note, units)
        for mail in world.rows["email"]:
            if not mail["_regardingobjectid_value"]:
                units["email", mail["activityid"]] = self.loose_mail(mail)
        self.duplicates(units)
        return Evaluation(self.day, units)

    # -- holds -----------------------------------------------------------------------------------------------

    def holds_on_unit(self, unit: Unit) -> set[str]:
        """HLD-04, HLD-14: holds on the dossier or fiche itself, in the CRM, or on a contact with any role in
        it."""
        table, row_id = unit
        found: set[str] = set()
        if table == "cf_dossier" and self.world.dossiers[row_id]["cf_legalhold"]:
            found.add("HOLD_LEGAL")
        people = {party["_cf_contactid_value"] for party in self.world.parties_of[unit]} - {None}
        for hold in self.holds:
            if (hold.table, hold.row_id) == unit or (hold.table == "contact" and hold.row_id in people):
                found.add(hold.reason)
        return found

    # -- dossiers and lone fiches ----------------------------------------------------------------------------

    def dossier_or_fiche(self, table: str, row: Row) -> Verdict:
        dossier = row if table == "cf_dossier" else None
        row_id = row[table + "id"]
        fiches = self.world.fiches_of[row_id] if dossier else [row]
        verdict = Verdict(table, row_id)
        reasons = self.holds_on_unit((table, row_id))

        # categories
        outcome = OUTCOMES.get((row["cf_outcome"] or 0) - BASE) if dossier and row["cf_outcome"] is not None else None
        values = set(choices(row["cf_categories"]))
        missing = not dossier and not values
        for fiche in fiches:
            own = choices(fiche["cf_categories"])
            missing = missing or not own
            values |= set(own)
        missing = missing or not values
        keys, outcome_flags = retention_keys(values, outcome)
        verdict.categories = sorted(keys)
        verdict.flags |= outcome_flags
        known = keys & (SIX_MONTHS | set(AGES) | NO_TERM | {"civil_party"})
        six_month = bool(keys) and keys <= SIX_MONTHS
        verdict.note(f"categories {sorted(keys)}, outcome {outcome}, a category is missing: {missing}")
        if keys & NO_TERM:
            reasons.add("NO_TERM")
        if missing or keys - known:
            reasons.add("UNCONFIGURED")

        # dates
        spoken: list[date] = []
        fallback = False
        for fiche in fiches:
            day = day_of_instant(fiche["cf_communicatedon"])
            if day and day > self.day:
                reasons.add("DATA_ERROR")
            if not day:
                fallback = True
                day = day_of_instant(fiche["createdon"])
            if day:
                spoken.append(day)
        is_open = bool(dossier) and row["statecode"] == 0
        closed_any = day_of_instant(row["cf_closedon"]) if dossier else None
        reopened = day_of_instant(row["cf_reopenedon"]) if dossier else None
        proceedings = day_of_date(row["cf_proceedingsendedon"]) if dossier else None
        for day in (closed_any, reopened, proceedings):
            if day and day > self.day:
                reasons.add("DATA_ERROR")
        closed = None if is_open else closed_any
        first = min(spoken, default=None)
        activity = max([*spoken, *([reopened] if reopened else [])], default=None)
        late = max([d for d in (activity, closed) if d], default=None)
        verdict.note(f"first fiche {first}, last activity {activity}, closed {closed}, open {is_open}, proceedings {proceedings}")
        needs_activity = keys & SIX_MONTHS or keys & set(AGES)
        if fallback:
            (verdict.flags if needs_activity and not missing else verdict.may).add("ANCHOR_FALLBACK")

        # ends
        ends: dict[str, date] = {}
        for key in sorted(keys & SIX_MONTHS):
            if activity is None:
                reasons.add("NOT_STARTED")
            else:
                ends[key] = add_months(activity, 6)
        if "civil_party" in keys:
            anchor = proceedings or closed
            if anchor is None:
                reasons.add("NOT_STARTED")
            else:
                ends["civil_party"] = add_years(anchor, 5)
                if not proceedings:
                    verdict.flags.add("ANCHOR_FALLBACK")
        if keys & set(AGES):
            birth = self.birth_of_youngest(verdict, (table, row_id), first)
            for key in sorted(keys & set(AGES)):
                if birth is None:
                    reasons.add("NOT_STARTED")
                    continue
                age_end = add_years(birth, AGES[key])
                ends[key] = add_months(late, 6) if late and late > age_end else age_end
                verdict.note(f"{key}: latest compatible birth {birth}, age end {age_end}, late activity {late}")
        for key, end in ends.items():
            verdict.note(f"{key} ends {end}")

        # verdict
        if not reasons & {"NO_TERM", "UNCONFIGURED", "DATA_ERROR", "NOT_STARTED"}:
            verdict.end = max(ends.values())
            if self.day <= verdict.end:
                reasons.add("NOT_EXPIRED")
            elif is_open and not six_month:
                verdict.flags.add("OPEN_PAST_END")
        if is_open and not six_month:
            if missing and keys <= SIX_MONTHS:
                verdict.may_reasons.add("OPEN_DOSSIER")  # whether such a unit is a six-month unit is open
            else:
                reasons.add("OPEN_DOSSIER")
        if verdict.end:
            deciding = sorted(key for key in keys if ends[key] == verdict.end)
            verdict.decided_by = "|".join(deciding)
            deletes = any(key in SIX_MONTHS or key == "civil_party" for key in deciding)
            disposition = "delete" if deletes or (dossier and row["cf_publicalert"]) else "anonymise"
        if is_open and "missing_runaway" in keys and outcome in (None, "not_located"):
            verdict.may.add("RECLASSIFY")  # A-19 suggests it, RET-12 does not list it
        if not dossier and not six_month:
            (verdict.may if missing else verdict.flags).add("ORPHAN_FICHE")
        self.review(verdict, dossier, first, keys)
        self.conclude(verdict, reasons)
        if verdict.disposed:
            verdict.disposition = disposition
        return verdict

    def birth_of_youngest(self, verdict: Verdict, unit: Unit, first: date | None) -> date | None:
        children = [p for p in self.world.parties_of[unit] if p["cf_role"] == CHILD]
        if not children:
            verdict.flags.add("BIRTHDATE_UNKNOWN")
            verdict.note(f"no child: first fiche {first}")
            return first
        births: list[date] = []
        for contact_id in sorted({p["_cf_contactid_value"] for p in children}, key=str):
            contact = self.world.contacts.get(contact_id) if contact_id else None
            born, flags, may, line = latest_birth(contact, first, self.day)
            verdict.flags |= flags
            verdict.may |= may
            verdict.note(f"child {contact_id}: {line} -> {born} {sorted(flags)}")
            if born is None:
                return None
            births.append(born)
        return max(births)

    def review(self, verdict: Verdict, dossier: Row | None, first: date | None, keys: set[str]) -> None:
        if not keys & NO_TERM:
            return
        told = [day_of_date(dossier["cf_reviewedon"]), day_of_instant(dossier["cf_openedon"]), first] if dossier else [first]
        start = next((day for day in told if day and day <= self.day), None)
        if start and self.day >= add_months(start, 60):
            verdict.flags.add("REVIEW_DUE")
        verdict.note(f"review counted from {start}")

    def conclude(self, verdict: Verdict, reasons: set[str]) -> None:
        verdict.reasons = sorted(reasons, key=RANKS.index) or ["EXPIRED"]
        verdict.outcome = "retain" if reasons else "dispose"
        verdict.disposition = None if reasons else "delete"

    # -- recordings ------------------------------------------------------------------------------------------

    def recording(self, row: Row, units: dict[Unit, Verdict]) -> Verdict:
        verdict = Verdict("cf_recording", row["cf_recordingid"], categories=["recording"])
        fiche_id = row["_cf_ficheid_value"]
        unit = self.world.unit_of_fiche(fiche_id) if fiche_id else None
        if row["cf_evidence"] and unit and unit[0] == "cf_dossier" and unit in units:
            parent = units[unit]
            verdict.note(f"evidence: follows dossier {unit[1]}")
            verdict.outcome, verdict.end, verdict.reasons = parent.outcome, parent.end, list(parent.reasons)
            verdict.reasons += [h.reason for h in self.holds if (h.table, h.row_id) == ("cf_recording", row["cf_recordingid"])]
            verdict.disposition = "delete" if parent.disposed else None
            verdict.may = parent.flags | parent.may | {"TAKEOVER_WARNING", "DISPOSED_NOT_TAKEN_OVER"}
            verdict.may_reasons = set(parent.may_reasons)
            return verdict
        reasons = self.holds_on_unit(unit) if unit else set()
        reasons |= {h.reason for h in self.holds if (h.table, h.row_id) == ("cf_recording", row["cf_recordingid"])}
        if fiche_id:
            reasons |= {h.reason for h in self.holds if (h.table, h.row_id) == ("cf_fiche", fiche_id)}
        ended, started = day_of_instant(row["cf_endedon"]), day_of_instant(row["cf_startedon"])
        anchor = ended or started
        verdict.note(f"ended {ended}, started {started}, unit {unit}")
        if not ended and started:
            verdict.may.add("ANCHOR_FALLBACK")
        if anchor is None:
            reasons.add("NOT_STARTED")
        elif anchor > self.day:
            reasons.add("DATA_ERROR")
        self.six_months(verdict, reasons, anchor)
        if verdict.end and not row["cf_takenover"] and self.day >= verdict.end - days(30):
            if verdict.disposed:
                verdict.may |= {"TAKEOVER_WARNING", "DISPOSED_NOT_TAKEN_OVER"}
            else:
                verdict.flags.add("TAKEOVER_WARNING")
        return verdict

    def six_months(self, verdict: Verdict, reasons: set[str], anchor: date | None) -> None:
        if anchor and not reasons & {"DATA_ERROR", "NOT_STARTED"}:
            verdict.end = add_months(anchor, 6)
            if self.day <= verdict.end:
                reasons.add("NOT_EXPIRED")
        self.conclude(verdict, reasons)

    def audio_note(self, note: Row, units: dict[Unit, Verdict]) -> Verdict:
        verdict = Verdict("annotation", note["annotationid"], categories=["recording"])
        fiche = self.world.fiches[note["_objectid_value"]]
        unit = self.world.unit_of_fiche(fiche["cf_ficheid"])
        reasons = self.holds_on_unit(unit)
        anchor = day_of_instant(fiche["cf_communicatedon"])
        if anchor and anchor > self.day:
            reasons.add("DATA_ERROR")
        if not anchor:
            anchor = day_of_instant(fiche["createdon"])
            verdict.flags.add("ANCHOR_FALLBACK")
        verdict.note(f"audio on fiche {fiche['cf_ficheid']} dated {anchor}, unit {unit}")
        self.six_months(verdict, reasons, anchor)
        verdict.may |= {"TAKEOVER_WARNING", "DISPOSED_NOT_TAKEN_OVER"}
        if not verdict.disposed and unit in units and units[unit].disposed:
            verdict.note("its own term still runs, but its fiche goes and a note cannot do without it (RET-03)")
            verdict.end = units[unit].end
            self.conclude(verdict, set())
        return verdict

    def loose_mail(self, mail: Row) -> Verdict:
        verdict = Verdict("email", mail["activityid"], reasons=["UNCONFIGURED"])
        verdict.may = {"ORPHAN_FICHE", "ANCHOR_FALLBACK"}
        verdict.note("an e-mail attached to nothing has no category")
        return verdict

    def duplicates(self, units: dict[Unit, Verdict]) -> None:
        """A-25, R-040: dossiers whose child is the same contact or has the same valid register number."""
        seen: dict[str, set[Unit]] = defaultdict(set)
        for unit in units:
            if unit[0] != "cf_dossier":
                continue
            for party in self.world.parties_of[unit]:
                contact = self.world.contacts.get(party["_cf_contactid_value"] or "")
                if party["cf_role"] != CHILD or contact is None:
                    continue
                seen["contact " + contact["contactid"]].add(unit)
                if read_number(contact["cf_nationalnumber"], self.day) is not None:
                    seen["number " + (digits_of(contact["cf_nationalnumber"]) or "").zfill(11)].add(unit)
        for members in seen.values():
            if len(members) > 1:
                for unit in members:
                    units[unit].flags.add("POSSIBLE_DUPLICATE")


def is_audio(note: Row) -> bool:
    """RET-05: a note with a file whose media type is audio."""
    return bool(note["isdocument"]) and (note["mimetype"] or "").strip().lower().startswith("audio/")
