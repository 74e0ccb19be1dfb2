"""Which rows an answer is about: everything about the child in its files, a person's own data and statements,
and relations.

What is in a file that is closed to the person is excluded whole. So is, for such a person, every free text
that is in no file: it may stem from the closed one (SUS-05). Source: EXP-03, EXP-05, EXP-14, SUS-05, SUS-06,
R-098, R-107."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from datetime import date, datetime

from jobs.model.answer import MentionedIn
from jobs.requests.search.assess import Assessment
from jobs.requests.search.case_files import record_of
from jobs.requests.search.contact_details import EMAILS, PHONES, numbers_on
from jobs.requests.search.mentions import NAMES, Sought
from jobs.requests.search.namesakes import Namesakes
from jobs.requests.search.reporters import activities_of_others, is_one_of, reports_of_others
from jobs.requests.search.rows_without_contact import stand_in
from rules.dates.calendar import Calendar
from rules.model.file_roles import SPEAKERS, FileRole
from rules.model.kinds import PARTS, RELATIONS, ROW_KINDS, kind_of
from rules.model.media_types import is_sound
from rules.model.personal_records import FullCall, FullContact, FullEmail, FullFiche, FullNote, FullParty, FullRecording
from rules.model.records import REGARDING, Dependent, Record, tied_to
from rules.rights.entitlement import ItemScope, item_scope
from rules.rights.facts import UnitKey

MENTION = "mention"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an answer. `unit` is its file, None for what is in none. `is_own`: it describes the person,
    or is a statement of theirs.

    `is_others_call`: it is a recording of somebody else's call, whose voice it has.
    `is_caller`: it is a fiche, and the person called or wrote; else what shows who did is somebody else's.
    `is_doubtful`: it may as well be somebody else's, who has the same number or address. `is_limited`: RGT-09
    holds for it. `is_reference`: of the row itself only its number is disclosed. `place`
    is `mention`, or the place of a row that is not live any more (`bin`, `retained`), or empty. `is_askers`:
    it is the report of the person who asks in the person's name, and of nobody else."""

    kind: str
    id: str
    record: Record
    unit: UnitKey | None = None
    is_own: bool = False
    is_limited: bool = False
    is_reference: bool = False
    place: str = ""
    fields: tuple[str, ...] = ()  # of a mention: where the person is mentioned
    evidence: str = ""  # of a mention: the strongest kind
    said: tuple[tuple[str, str], ...] = ()  # of a mention in a file: its field, and a passage
    where: MentionedIn | None = None  # of a mention, for who reviews it
    has_texts: bool = True  # not where it is in no file and may tell of a closed one
    is_caller: bool = False
    is_askers: bool = False
    is_others_call: bool = False
    is_doubtful: bool = False

    @property
    def source(self) -> tuple[str, str]:
        return self.kind, self.id

    @property
    def at(self) -> str:
        """The instant or day by which the row is ordered, in ISO form; empty where it has none, and for a row
        that only mentions."""
        if self.place == MENTION:
            return ""
        values = (getattr(self.record, name, None) for name in kind_of(self.kind, self.record).dates)
        return next((str(json_value(value)) for value in values if value is not None), "")

    def day(self, calendar: Calendar) -> str:
        """Return the civil day alone."""
        at = self.at
        return calendar.day(datetime.fromisoformat(at)).isoformat() if "T" in at else at


class Scope:
    """What of everything that was found the answer is about: `rows` in their order, and `excluded`, which
    never leaves the process. `numbers` are the telephone numbers and e-mail addresses of the person; `askers`
    are the contacts of who asks in the person's name, with their names, and `asker_numbers` theirs."""

    def __init__(self, assessment: Assessment) -> None:
        self._found = assessment
        self._entitlement = assessment.entitlement
        self._me = assessment.subject
        self.country = assessment.home.country
        self.numbers = numbers_on([*assessment.subject_contacts, *assessment.said_of_subject], self.country)
        contacts = assessment.material.contacts
        others = sorted(assessment.people.requester - assessment.subject) if assessment.is_on_behalf else ()
        asking = [contacts[one] for one in others if one in contacts]
        self.askers = {one.id: " ".join(part for part in (one.first_name, one.last_name) if part) for one in asking}
        self.asker_numbers = numbers_on(asking, self.country)
        self._lines_of_others = self.numbers | numbers_on((one for one in contacts.values() if one.id not in self.askers), self.country)
        mine = [party for party in assessment.material.activity_parties.values() if party.party in self._me or self._is_loose(party)]
        self._own_activities = {party.activity for party in mine}
        roles = assessment.material.parties.values()
        self._spoken = {party.fiche for party in roles if party.role in SPEAKERS and self._is_mine(party)}
        reporters = [party for party in roles if party.role == FileRole.REPORTER and party.fiche is not None]
        by_me = {party.fiche for party in reporters if self._is_mine(party)}
        by_others = {party.fiche for party in reporters if not self._is_mine(party)}
        by_askers = {party.fiche for party in reporters if party.contact in self.askers}
        self._reported = by_me - by_others
        found, filing = assessment.material, assessment.filing
        self._others_reports = reports_of_others(found, filing, self._me, self.country, assessment.born_by)
        self._not_of_askers = reports_of_others(found, filing, frozenset(self.askers), self.country, None)
        self._strangers_reports = self._others_reports - by_askers
        self._others_activities = activities_of_others(found, self._me)
        self._spoken |= self._only_reports()
        self._sharing = self._sharers(contacts)
        self._statements = {fiche.id for fiche in assessment.material.fiches.values() if self._is_statement(fiche)}
        self._called = {fiche.id for fiche in assessment.material.fiches.values() if self._is_caller(fiche)}
        self._heard = {fiche.id for fiche in assessment.material.fiches.values() if self._is_heard_on(fiche)}
        # Who has no role in a file, and is only written to about it, is not told which file that was
        # (EXP-05).
        of_mine = [party for party in roles if self._is_mine(party)]
        self._with_role = {unit for party in of_mine for unit in assessment.filing.units("party", party.id)}
        self.excluded: set[tuple[str, str]] = set()
        rows = {} if self._entitlement.answer == "neutral" or self._entitlement.refusal else self._rows()
        order = assessment.material.kinds.in_order
        self.rows = tuple(rows[source] for source in sorted(rows, key=lambda source: (order.index(source[0]), source[1])))

    @property
    def is_complete(self) -> bool:
        """Whether everybody who was confirmed is still there, and nothing is both disclosed and excluded
        (EXP-14, R-128). Whether each row became an item: jobs/requests/answer/completeness.py."""
        return not self._found.is_missing and not self.excluded.intersection(row.source for row in self.rows)

    def _rows(self) -> dict[tuple[str, str], Row]:
        found: dict[tuple[str, str], Row] = {}
        for kind in self._found.material.kinds.in_order:
            for record in self._found.filing.rows(kind):
                units = self._found.filing.units(kind, record.id)
                if units & self._entitlement.excluded:
                    self.excluded.add((kind, record.id))
                elif (row := self._in_a_file(kind, record, units) if units else self._in_no_file(kind, record)) is not None:
                    found[row.source] = row
        for row in self._elsewhere():
            found.setdefault(row.source, row)
        for row in self._mentions(found.keys()):
            found.setdefault(row.source, row)
        return found

    # -- in files --------------------------------------------------------------------------------------------

    def _in_a_file(self, kind: str, record: Record, units: frozenset[UnitKey]) -> Row | None:
        for unit in sorted(units):
            scope = item_scope(self._entitlement, unit)
            if scope is ItemScope.NOTHING:
                continue
            is_limited, is_own = unit in self._entitlement.limited, self._is_own(kind, record)
            if scope is not ItemScope.OWN or is_own:
                is_caller = isinstance(record, FullFiche) and self._is_caller(record)
                is_askers = isinstance(record, FullFiche) and self._is_askers(record)
                is_doubtful = scope is ItemScope.OWN and self._is_doubtful(kind, record)
                row = Row(
                    kind, record.id, record, unit, is_own, is_limited, is_caller=is_caller, is_askers=is_askers, is_doubtful=is_doubtful
                )
                return replace(row, is_others_call=self._is_others_call(record))
            if kind == "dossier" and unit in self._with_role:
                return Row(kind, record.id, record, unit, is_reference=True)
        return None

    def _is_own(self, kind: str, record: Record) -> bool:
        """Return whether a row describes the person, or is a contact with them or a statement of theirs."""
        if self._is_loose_row(kind, record.id):
            return True
        if isinstance(record, FullParty):
            return record.contact in self._me
        if isinstance(record, FullFiche):
            return record.id in self._statements
        if isinstance(record, FullRecording):
            if line := numbers_on([record], self.country):
                return record.fiche in self._called or (bool(line & self.numbers) and record.fiche not in self._others_reports)
            return record.fiche in self._heard
        if isinstance(record, FullCall | FullEmail):
            is_by_own_line = record.id not in self._others_activities and bool(self.numbers & numbers_on([record], self.country))
            return record.id in self._own_activities or is_by_own_line
        if isinstance(record, Dependent):
            return self._is_about_me(record)
        if isinstance(record, FullNote):  # an attachment with sound on a fiche of theirs is a recording (RET-05)
            return record.regarding in self._heard and is_sound(record.media_type)
        return False

    def _sharers(self, contacts: Mapping[str, FullContact]) -> list[tuple[frozenset[str], frozenset[str]]]:
        """Return of everybody else who was found and has a number or an address of the person's: these, and
        the fiches that are not theirs."""
        found, filing = self._found.material, self._found.filing
        others = [one for one in contacts.values() if one.id not in self._me | self.askers.keys()]
        shared = [(one, lines) for one in others if (lines := numbers_on([one], self.country) & self.numbers)]
        return [(lines, reports_of_others(found, filing, frozenset({one.id}), self.country, None)) for one, lines in shared]

    def _is_doubtful(self, kind: str, record: Record) -> bool:
        """Return whether nothing but a line says that a call or a message was the person's, and somebody else
        has it too (IDN-11)."""
        if not isinstance(record, FullFiche | FullRecording | FullNote | FullCall | FullEmail):
            return False
        if self._is_loose_row(kind, record.id) or record.id in self._own_activities:
            return False
        above = getattr(record, "fiche", None) or getattr(record, "regarding", None) or ""
        fiche = record if isinstance(record, FullFiche) else self._found.material.fiches.get(above)
        if fiche is not None and (fiche.id in self._spoken or self._is_loose_row("fiche", fiche.id)):
            return False
        line = numbers_on([record] if fiche is None else [record, fiche], self.country)
        return any(line & lines and (fiche is None or fiche.id not in not_theirs) for lines, not_theirs in self._sharing)

    def _only_reports(self) -> set[str | None]:
        """Return the fiches of dossiers that have no other one, and no other reporter than the person, where
        nothing says that somebody else called."""
        fiches: dict[str, list[FullFiche]] = {}
        for fiche in self._found.material.fiches.values():
            for dossier in fiche.dossiers:
                fiches.setdefault(dossier, []).append(fiche)
        only = {dossier: found[0] for dossier, found in fiches.items() if len(found) == 1}
        reporters = [party for party in self._found.material.parties.values() if party.role == FileRole.REPORTER]
        return {
            fiche.id
            for dossier, fiche in only.items()
            if (theirs := [party for party in reporters if party.dossier == dossier or party.fiche == fiche.id])
            and all(self._is_mine(party) for party in theirs)
            and fiche.id not in self._others_reports
            and (line := numbers_on([fiche], self.country)) <= (line & self.numbers)
        }

    def _is_statement(self, fiche: FullFiche) -> bool:
        """Return whether what a fiche reports was said by the person: they are its reporter or witness, or
        called by a number of theirs."""
        return self._is_by_own_number(fiche) or fiche.id in self._spoken or self._is_loose_row("fiche", fiche.id)

    def _is_by_own_number(self, fiche: FullFiche) -> bool:
        """Return whether a number of the person's was called from, and nobody else did."""
        return bool(self.numbers & numbers_on([fiche], self.country)) and fiche.id not in self._others_reports

    def _is_caller(self, fiche: FullFiche) -> bool:
        """Return whether it was the person who called or wrote: by a number of theirs, or as its only
        reporter."""
        return self._is_by_own_number(fiche) or fiche.id in self._reported or self._is_loose_row("fiche", fiche.id)

    def _is_askers(self, fiche: FullFiche) -> bool:
        """Return whether the requester on the person's behalf called or wrote: as its only reporter, or by a
        number that nobody else here has, where nothing says that it was somebody else."""
        line = numbers_on([fiche], self.country)
        if not self.askers or (line and not line & self.asker_numbers):
            return False
        reporters = {
            party.contact for party in self._found.material.parties.values() if party.fiche == fiche.id and party.role == FileRole.REPORTER
        }
        if reporters:
            return reporters <= self.askers.keys()
        return bool(line) and not line & self._lines_of_others and fiche.id not in self._not_of_askers

    def _is_others_call(self, record: Record) -> bool:
        """Return whether what is heard is a call of somebody who is neither the person nor who asks in the
        person's name: by the number, else by who called or reported on its fiche, or in its dossier."""
        if isinstance(record, FullRecording):
            numbers, fiche = numbers_on([record], self.country), record.fiche
            dossier = record.dossier if fiche is None else None
        elif isinstance(record, FullNote) and record.regarding_kind == "fiche":
            numbers, fiche, dossier = frozenset[str](), record.regarding, None
        else:
            return False
        call = self._found.material.fiches.get(fiche or "")
        is_own = fiche in (self._called if numbers else self._heard) or (call is not None and self._is_askers(call))
        if is_own or (fiche not in self._strangers_reports and numbers & (self.numbers | self.asker_numbers)):
            return False
        if call is not None:
            numbers |= numbers_on([call], self.country)
        own = self._me | self.askers.keys()
        return bool(numbers) or any(
            party.fiche == fiche if fiche is not None else dossier is not None and self._is_in(party, dossier) and party.contact not in own
            for party in self._found.material.parties.values()
            if party.role == FileRole.REPORTER
        )

    def _is_in(self, party: FullParty, dossier: str) -> bool:
        return ("dossier", dossier) in self._found.filing.units("party", party.id)

    def _is_heard_on(self, fiche: FullFiche) -> bool:
        """Return whether a recording of it is one of the person's voice: not where they are its witness and
        somebody else called."""
        is_foreign = bool(numbers_on([fiche], self.country)) and not self._is_caller(fiche)
        return fiche.id in self._statements and not is_foreign

    def _is_mine(self, party: FullParty) -> bool:
        return is_one_of(party, self._me)

    def _is_loose(self, record: Record) -> bool:
        return any(stand_in(kind, record.id) in self._me for kind in PARTS)

    def _is_loose_row(self, kind: str, row: str) -> bool:
        return (kind, row) in self._found.subject_rows

    # -- in no file ------------------------------------------------------------------------------------------

    def _in_no_file(self, kind: str, record: Record) -> Row | None:
        is_limited = bool(self._entitlement.limited)
        if kind == "contact":
            is_told = record.id in self._me and (self._entitlement.identity or self._entitlement.relations)
            texts = not self._entitlement.excluded  # nobody can tell from which file they stem
            return Row(kind, record.id, record, is_own=True, is_limited=is_limited, has_texts=texts) if is_told else None
        if kind in RELATIONS:
            is_mine = self._entitlement.relations and getattr(record, "contact", None) in self._me
            return Row(kind, record.id, record, is_own=True, has_texts=not self._entitlement.excluded) if is_mine else None
        is_about = self._is_about_me(record)
        if not (is_about or self._is_own(kind, record)) or not self._entitlement.identity:
            return None
        if self._entitlement.excluded:  # nobody can tell from which file it stems
            self.excluded.add((kind, record.id))
            return None
        return Row(
            kind, record.id, record, is_own=True, is_limited=is_limited, is_doubtful=not is_about and self._is_doubtful(kind, record)
        )

    def _is_about_me(self, record: Record) -> bool:
        """Return whether a row belongs to the person: itself, or the row of a dependent table to which it
        belongs."""
        seen, waiting = set[str](), [record]
        for each in waiting:
            seen.add(each.id)
            named = [(getattr(each, f"{name}_kind", None), getattr(each, name, None)) for name in REGARDING]
            for kind, regarding in (*named, *tied_to(getattr(each, "tied", ()), getattr(each, "regarding_kind", None))):
                if kind == "contact" and regarding in self._me:
                    return True
                top = self._found.filing.row(kind, regarding) if kind and regarding and kind not in ROW_KINDS else None
                waiting += [top] if top is not None and top.id not in seen else []
        return False

    # -- not live, or not linked -----------------------------------------------------------------------------

    def _elsewhere(self) -> list[Row]:
        found = []
        for each in self._found.material.elsewhere:
            kinds = self._found.material.kinds
            if each.kind not in kinds.in_order:
                continue
            record = record_of(kinds[each.kind], {**each.values, "id": each.id})
            units = self._found.filing.units(each.kind, each.id)
            is_suspicion = getattr(record, "role", None) == FileRole.SUSPECT
            if units & self._entitlement.excluded or (is_suspicion and getattr(record, "contact", None) in self._me):
                self.excluded.add((each.kind, each.id))
                continue
            row = self._in_a_file(each.kind, record, units) if units else self._in_no_file(each.kind, record)
            if row is not None:
                found.append(replace(row, place=each.place))
        return found

    def _mentions(self, disclosed: Set[tuple[str, str]]) -> list[Row]:
        """Return rows other than the `disclosed`, of other files that mention the person, for the DPO to look
        at (EXP-04). Whoever asks for a child gets none of them, and neither does somebody to whom a file is
        closed: they may stem from there. A row that a name leads to, and that is somebody else's, mentions
        that person."""
        fields: dict[tuple[str, str], list[str]] = {}
        evidence: dict[tuple[str, str], str] = {}
        said: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for each in self._found.material.mentions:
            heard = self._found.material.recordings.get(each.id)
            is_line = each.field in (*PHONES.get(each.kind, ()), *EMAILS.get(each.kind, ()))
            if is_line and (heard.fiche if heard else each.id) in self._others_reports | self._others_activities:
                continue  # who used this telephone is not told
            if each.kind in self._found.material.kinds.in_order and each.kind != "contact" and self._me.intersection(each.people):
                source = (each.kind, each.id)
                fields.setdefault(source, []).append(each.field)
                said.setdefault(source, []).extend((each.field, passage) for passage in each.said)
                evidence[source] = min(each.evidence, evidence.get(source, each.evidence), key=Sought.strength)
        if self._found.request.on_behalf or not self._entitlement.identity:
            return []
        if self._entitlement.excluded:
            self.excluded.update(fields.keys() - disclosed)
            return []
        found = []
        namesakes = Namesakes(self._found)
        for (kind, row), places in sorted(fields.items()):
            record, units = self._found.filing.row(kind, row), self._found.filing.units(kind, row)
            if record is None or any(unit in self._entitlement.own for unit in units):  # of those files the role decides (EXP-05)
                continue
            if evidence[kind, row] in NAMES and namesakes.owns(kind, record):
                continue
            where = namesakes.where(kind, record)
            told = tuple(sorted(set(places)))
            strongest, passages = evidence[kind, row], tuple(said[kind, row])
            found.append(Row(kind, row, record, place=MENTION, fields=told, evidence=strongest, said=passages, where=where))
        return found


def json_value(value: object) -> str | int | float | bool | None:
    """Return a value of a row as it stands in JSON: days and instants in ISO form, several keys with
    commas."""
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value)
    return str(value)
