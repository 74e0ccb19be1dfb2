"""What can be granted on a request for a right other than access: one item for each thing that the DPO may
decide about.

Only files from which anything may be disclosed to the person are read (`Entitlement`): what stems from a
suspicion is in no item, and in no gap between two (SUS-05, SUS-10). Source: section 6.2, RGT-10 to RGT-12,
R-101 to R-104, R-115."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from types import MappingProxyType
from typing import Final

import msgspec

from jobs.model.answer import Compilation, Context, Field, Item, ItemStatus
from jobs.model.request import DECISIONS, Given, SubjectRequest
from jobs.ports.context import JobContext
from jobs.register.confirmed_people import confirmed_people
from jobs.register.decision import What, decision_of
from jobs.requests.decisions.correct import ENDED
from jobs.requests.decisions.correctable import ALL, FIELDS, corrections
from jobs.requests.search.case_files import Filing
from jobs.requests.search.contact_details import numbers_on
from jobs.requests.search.material import Material
from jobs.requests.search.reporters import reports_of_others
from jobs.requests.search.roles_and_files import Files, files_of
from jobs.requests.search.rows_without_contact import stand_in
from rules.model.file_roles import SPEAKERS, FileRole
from rules.model.personal_records import FullContact, FullRecording
from rules.model.requests import Right
from rules.people.birthdates import born_by, sentinels_of
from rules.retention.clocks import without_sentinel
from rules.rights.entitlement import Entitlement
from rules.rights.fields import needed_by

Unit = tuple[str, str]  # dossier or fiche, and its id
_DAYS: Final = MappingProxyType(
    {
        "dossier": "opened_on", "fiche": "communicated_on", "recording": "started_on", "donation": "booked_on", "enrolment": "held_on",
        "engagement": "started_on",
    }
)  # fmt: skip
PROPOSALS: Final = MappingProxyType(
    {
        What.ERASE: "erase it with all rows that depend on it",
        What.DISOWN: "keep the information, and remove whose role it was",
        What.PROFILE: "erase the profile as far as nothing else needs it; payments stay for their fiscal term",
        What.CORRECT: "write what the person says",
        What.ANNOTATE: "leave the text as it is, and add a dated note",
        What.RESTRICT: "keep it and do nothing else with it (art. 18)",
        What.UNSUBSCRIBE: "no newsletter and no bulk e-mail any more, at once; the mark that says so stays",
        What.NO_IMAGE: "remove the picture, at once",
        What.NO_CALLER: "keep the information, and remove from where it was reported",
        What.RECORDED: "note it; people see to what lies outside the CRM",
    }
)


def propose(
    context: JobContext, request: SubjectRequest, given: Given, entitlement: Entitlement, material: Material, shell: Compilation
) -> Compilation:
    """Return the answer with everything that can be granted. Each item waits for the DPO's decision. A
    neutral answer, one that the DPO has to look at first and a right that does not exist here get no items
    (SUS-04, R-095, R-099)."""
    if entitlement.answer != "package" or entitlement.refusal or shell.refusal:
        return shell
    wishes = Wishes(context, request, given, entitlement, material)
    items = [msgspec.structs.replace(item, item=f"item-{at}") for at, item in enumerate(wishes.items(), start=len(shell.items) + 1)]
    return msgspec.structs.replace(shell, items=(*shell.items, *items), kept=tuple(wishes.kept(shell.contexts)))


class Wishes:
    """What one request could come to."""

    def __init__(self, context: JobContext, request: SubjectRequest, given: Given, entitlement: Entitlement, material: Material) -> None:
        people = confirmed_people(context.store, request.id)
        is_for_child = entitlement.scope.startswith("on_behalf")
        self.request, self.given = request, given
        self.person = given.on_behalf_of if is_for_child and given.on_behalf_of is not None else given.requester
        # What was asked for a child corrects nothing of whoever may not act for it (RGT-08).
        self.asked = given.details.corrections if is_for_child or given.on_behalf_of is None else {}
        self.contacts = [
            material.contacts[one] for one in sorted(people.child if is_for_child else people.requester) if one in material.contacts
        ]
        self.entitlement, self.material = entitlement, material
        self.day, self.fillers = context.today, context.policy.fillers
        self.home, self.mapped = context.home, context.connector.fields(FullContact)
        self.sentinels = sentinels_of(context.policy)
        self.awaited = _awaited(context, request) if request.right is Right.RECTIFICATION else frozenset()
        self.rows = people.child_rows if is_for_child else people.requester_rows  # of the person, without a contact
        units = sorted(entitlement.for_child if is_for_child else entitlement.own)
        children = {unit: file.children - (people.child if is_for_child else people.requester) for unit, file in files_of(material).items()}
        # A file is as much about another child in it, whether or not there is a contact of it: what is theirs
        # does not go at this one's word.
        shared = {unit for unit, others in children.items() if others} | self._with_a_child_without_contact()
        self.child_units: list[Unit] = [unit for unit in units if unit in entitlement.whole and unit not in shared]
        self.other_units: list[Unit] = [unit for unit in units if unit not in self.child_units and unit not in self.rows]

    def _with_a_child_without_contact(self) -> set[Unit]:
        """Return the files in which a child has a role without a contact that is not confirmed to be the
        person's."""
        files = Files(self.material)
        roles = (row for row in self.material.parties.values() if row.role == FileRole.CHILD and row.contact is None)
        return {unit for row in roles if ("party", row.id) not in self.rows for unit in files.units_of("party", row.id)}

    def items(self) -> Iterator[Item]:
        right = self.request.right
        if right is Right.ERASURE:
            yield from self._erasure()
        elif right is Right.RECTIFICATION:
            yield from self._rectification()
        elif right is Right.RESTRICTION:
            yield from self._restriction()
        elif right is Right.OBJECTION:
            yield from self._objection()
        elif right is Right.CONSENT_WITHDRAWAL:
            yield from self._withdrawal()

    def kept(self, contexts: Sequence[Context]) -> Iterator[str]:
        """Yield, by key, the contexts of which something stays even if every proposed item is granted (art.
        12(4), R-104)."""
        if self.request.right is Right.ERASURE:
            runs_on = any(kind == "engagement" and not self._has_ended(until) for kind, _, until in self._relations())
            stays = {"donation"} | ({"engagement"} if runs_on else set())
            whole = {*self.child_units}
            yield from (each.key for each in contexts if each.kind in stays or (each.source[1] and each.source not in whole))
        elif self.request.right is Right.OBJECTION:
            disowned = {item.source for item in self.items() if item.title == What.DISOWN}
            yield from (each.key for each in contexts if each.source in disowned)

    # -- by right --------------------------------------------------------------------------------------------

    def _erasure(self) -> Iterator[Item]:
        """Yield the items of an erasure. A child's files are deleted whole. In others, also those of another
        child, the role is dissociated and the information stays (6.2). The contact goes with a relation, or
        where it is all there is."""
        yield from (self._of_unit(unit, What.ERASE) for unit in self.child_units)
        yield from (self._of_unit(unit, What.DISOWN) for unit in self.other_units if self._has_role_in(unit))
        yield from (self._of_unit(("fiche", fiche), What.NO_CALLER) for fiche in self._reported())
        yield from (self._of_unit(("recording", recording.id), What.ERASE) for recording in self._recordings())
        if self.entitlement.relations:
            # A running agreement is a contract: it is ended first (6.2).
            for kind, row, until in self._relations():
                if kind == "enrolment" or (kind == "engagement" and self._has_ended(until)):
                    yield self._of_unit((kind, row), What.ERASE)
            yield from (_item(What.UNSUBSCRIBE, "contact", contact.id) for contact in self.contacts if contact.newsletter)
        if self.entitlement.relations or not (self.child_units or self.other_units):
            yield from (_item(What.PROFILE, "contact", contact.id) for contact in self.contacts)

    def _rectification(self) -> Iterator[Item]:
        """Yield the items of a rectification. Facts are corrected field by field. A statement stays as it was
        given. Where nothing is to be corrected, the CRM has no column for something, or the person adds a
        statement, a note can be added to each file (R-103)."""
        details = self.given.details
        told = ALL if self.entitlement.identity else needed_by({kind for kind, _, _ in self._relations()})
        fields = [
            _item(What.CORRECT, "contact", contact.id, fields=(Field(name, value, provided=True),))
            for contact in self.contacts
            for name, value in corrections(
                contact,
                self.person,
                self.asked,
                today=self.day,
                home=self.home,
                told=told,
                mapped=self.mapped,
                awaited={name for row, name in self.awaited if row == contact.id},
            )
        ]
        yield from fields
        asked = {value.strip() for name, value in self.asked.items() if name in FIELDS and FIELDS[name] not in self.mapped}
        lacking = asked - {"", *(field.value for item in fields for field in item.fields)}
        if details.statement or not fields or lacking:
            for kind, row in self._places_of_statements():
                added = (Field("statement", details.statement, is_text=True, provided=True),) if details.statement else ()
                yield _item(What.ANNOTATE, kind, row, at=self._day_of((kind, row)), fields=added)

    def _restriction(self) -> Iterator[Item]:
        """Yield the items of a restriction, file by file, so that nothing else of the person is held. Without
        a file or a relation it is on the contact itself."""
        found = [self._of_unit(unit, What.RESTRICT) for unit in (*self.child_units, *self.other_units)]
        if self.entitlement.relations:
            found += [self._of_unit((kind, row), What.RESTRICT) for kind, row, _ in self._relations()]
        yield from found or [_item(What.RESTRICT, "contact", contact.id) for contact in self.contacts]

    def _objection(self) -> Iterator[Item]:
        """Yield the items of an objection: always against direct marketing (R-101). Where no subject is
        stated and the person is not known for a relation, it is against ongoing processing. What the
        objection ends is erased (art. 17(1)(c), RGT-11)."""
        about = self.given.details.about
        is_marketing = about == "direct_marketing" or (not about and self.entitlement.relations)
        if is_marketing:
            yield from self._end_of(What.UNSUBSCRIBE)
            return
        recordings = self._recordings(everywhere=about == "recording")
        yield from (self._of_unit(("recording", recording.id), What.ERASE) for recording in recordings)
        if about != "recording":
            yield from (self._of_unit(unit, What.ERASE) for unit in self.child_units)
            yield from (self._of_unit(unit, What.DISOWN) for unit in self.other_units if self._has_role_in(unit))
            if not (self.child_units or self.other_units):
                yield from (_item(What.PROFILE, "contact", contact.id) for contact in self.contacts)

    def _withdrawal(self) -> Iterator[Item]:
        """Yield the items of a withdrawal, as easy as giving: the use stops at once. What has no other basis
        is deleted by RET-20 (RGT-12, R-115)."""
        about = self.given.details.about
        if about in ("", "newsletter") and self.entitlement.relations:
            yield from self._end_of(What.UNSUBSCRIBE)
        if about == "image":
            yield from self._end_of(What.NO_IMAGE)
        if about == "testimonial":
            yield from self._end_of(What.RECORDED)

    def _end_of(self, use: What) -> Iterator[Item]:
        """Yield the items that end a use. Where no column of the CRM says that there is one, people see to
        it."""
        what = What.RECORDED if self.mapped.isdisjoint(ENDED.get(use, ())) else use
        yield from (_item(what, "contact", contact.id) for contact in self.contacts)

    # -- rows ------------------------------------------------------------------------------------------------

    def _of_unit(self, unit: Unit, what: What) -> Item:
        return _item(what, *unit, at=self._day_of(unit))

    def _recordings(self, *, everywhere: bool = False) -> list[FullRecording]:
        """Return recordings of the person's own voice in files of somebody else. Those of a child's own file
        are deleted with it; one in a file of another child too is as much that child's."""
        units = {*self.other_units, *(self.child_units if everywhere else ())}
        speaking = SPEAKERS | {FileRole.CHILD} if everywhere else SPEAKERS
        speaks = {
            row.fiche
            for row in self.material.parties.values()
            if row.fiche is not None and self._is_of_person(row.contact) and row.role in speaking
            if not (row.role == FileRole.WITNESS and self._is_called_by_others(row.fiche))
        }
        return sorted(
            (
                row
                for row in self.material.recordings.values()
                if ("recording", row.id) in self.rows or (row.fiche in speaks and self._unit_of(row.fiche) in units)
            ),
            key=lambda row: row.id,
        )

    def _is_called_by_others(self, fiche: str) -> bool:
        """Return whether a fiche, or a recording of it, has a number or an address that is not the person's.
        Then the voice is not theirs."""
        found = self.material.fiches.get(fiche)
        recorded = [row for row in self.material.recordings.values() if row.fiche == fiche]
        called = numbers_on([*recorded, *([found] if found is not None else [])], self.home.country)
        return bool(called) and called.isdisjoint(numbers_on(self.contacts, self.home.country))

    def _relations(self) -> Iterator[tuple[str, str, date | None]]:
        """Yield the person's gifts, courses and agreements: kind, id, and the last day of an agreement."""
        material = self.material
        rows = [("donation", one.id, one.contact, None) for one in material.donations.values()]
        rows += [("enrolment", one.id, one.contact, None) for one in material.enrolments.values()]
        ended = [("engagement", one.id, one.contact, without_sentinel(one.ended_on, self.fillers)) for one in material.engagements.values()]
        for kind, row, contact, until in sorted([*rows, *ended], key=lambda one: one[:2]):
            if self._is_of_person(contact):
                yield kind, row, until

    def _has_ended(self, until: date | None) -> bool:
        return until is not None and until < self.day

    def _reported(self) -> list[str]:
        """Return fiches, of files that are not about the person, that show the number or address from which
        they reported."""
        country = self.home.country
        own, born = numbers_on(self.contacts, country), born_by(self.contacts, self.sentinels, self.day)
        people = frozenset({contact.id for contact in self.contacts} | {stand_in(*row) for row in self.rows})
        others = reports_of_others(self.material, Filing(self.material), people, country, born)
        units = {*self.other_units, *(row for row in self.rows if row[0] == "fiche" and row not in self.child_units)}
        return sorted(
            fiche.id
            for fiche in self.material.fiches.values()
            if self._unit_of(fiche.id) in units
            and (("fiche", fiche.id) in self.rows or (fiche.id not in others and own & numbers_on([fiche], country)))
        )

    def _has_role_in(self, unit: Unit) -> bool:
        return any(
            self._is_of_person(row.contact)
            and row.role != FileRole.SUSPECT
            and unit in (("dossier", row.dossier), self._unit_of(row.fiche))
            for row in self.material.parties.values()
        )

    def _places_of_statements(self) -> list[Unit]:
        """Return where a note about a statement is added: to the fiche on which the person has a role, else
        to the dossier."""
        units = {*self.child_units, *self.other_units}
        places: set[Unit] = set()
        for row in self.material.parties.values():
            if self._is_of_person(row.contact) and row.role != FileRole.SUSPECT:
                if row.fiche is not None and self._unit_of(row.fiche) in units:
                    places.add(("fiche", row.fiche))
                elif row.dossier is not None and ("dossier", row.dossier) in units:
                    places.add(("dossier", row.dossier))
        return sorted(places)

    def _unit_of(self, fiche: str | None) -> Unit:
        row = self.material.fiches.get(fiche or "")
        return ("dossier", row.dossier) if row is not None and row.dossier is not None else ("fiche", fiche or "")

    def _is_of_person(self, contact: str | None) -> bool:
        return any(one.id == contact for one in self.contacts)

    def _day_of(self, unit: Unit) -> str:
        """Return the day by which the DPO and the letter tell one row of a kind from another."""
        kind, row = unit
        return _iso(getattr(self.material.rows(kind).get(row), _DAYS.get(kind, ""), None))


def _awaited(context: JobContext, request: SubjectRequest) -> frozenset[tuple[str, str]]:
    """Return what earlier requests still wait to correct: contact and field."""
    store = context.store
    earlier = [each.id for each in store.requests.all()]
    decided = store.requests.with_part(DECISIONS) & {*earlier[earlier.index(request.id) + 1 :]}
    found = [decision for each in decided if (decision := decision_of(store, each)) is not None]
    return frozenset((task.id, name) for decision in found for task in decision.of({What.CORRECT}) for name in task.values)


def _item(what: What, kind: str, row: str, *, at: str = "", fields: tuple[Field, ...] = ()) -> Item:
    return Item(
        item="",
        context="",
        kind=kind,
        source=(kind, row),
        title=what.value,
        at=at,
        fields=fields,
        needs_review=True,
        status=ItemStatus.PENDING_REVIEW,
        proposal=PROPOSALS[what],
        digest=hashlib.sha256(msgspec.json.encode((what, kind, row, fields))).hexdigest(),
    )


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()
