"""What data are kept for, and the particulars of art. 15(1) for each: purposes, basis, recipients, term,
sources, rights. Nothing here stems from a file that is closed to the person (SUS-05): only what is disclosed
has a context. Source: GDPR art. 15(1), 15(2); section 7.1; RGT-10 to RGT-12; R-100, R-107, R-119, R-120."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace as with_changes
from types import MappingProxyType
from typing import Final, TypeAlias

from msgspec.structs import replace

from jobs.holds.active import active_holds
from jobs.model.answer import Basis, Context, Criterion, DataCategory, Retention, Source
from jobs.ports.context import JobContext
from jobs.reading.gather import gather_units
from jobs.requests.context.data_and_sources import CONTACTS_ALONE, data_of, sources_of
from jobs.requests.context.grounds import grounds_of, may_be_objected_to, processors_of
from jobs.requests.context.person_context import person_context
from jobs.requests.context.schedule_rows import NEWSLETTER, PARTNERSHIP, basis_labels_of, deciding, key_of, labels_of, months_of, row_for
from jobs.requests.context.terms import Terms
from jobs.requests.context.transmissions import PROCESSOR, recipients_of
from jobs.requests.redaction.redact import TextRedactor
from jobs.requests.search.assess import Assessment
from jobs.requests.search.scope import Row, Scope
from rules.holds.holds import Holds
from rules.holds.of_requests import grace_of
from rules.law.of_units import decisions
from rules.model.file_roles import FileRole
from rules.model.kinds import kind_of
from rules.model.personal_records import FullContact, FullFiche, FullRecording
from rules.model.records import Dependent, Donation, Engagement, Enrolment, Unit, UnitKind, unit_kind
from rules.model.requests import Right
from rules.policy.categories import Category, Mission
from rules.retention.clocks import without_sentinel
from rules.rights.facts import UnitKey

_PURPOSES: Final[Mapping[Mission, tuple[str, ...]]] = MappingProxyType(
    {
        Mission.DISAPPEARANCE: ("investigation", "support", "prevention"),
        Mission.EXPLOITATION: ("investigation", "support", "prevention"),
        Mission.OTHER: ("support", "referral"),
    }
)
_RECORDING: Final = "recording"
_EVERYWHERE: Final = (Right.ACCESS.value, Right.RECTIFICATION.value, Right.ERASURE.value, Right.RESTRICTION.value)
_AND_OBJECTION: Final = (*_EVERYWHERE, Right.OBJECTION.value)
_ON_CONSENT: Final = (*_EVERYWHERE, Right.PORTABILITY.value, Right.OBJECTION.value, Right.CONSENT_WITHDRAWAL.value)
_ON_CONTRACT: Final = (*_EVERYWHERE, Right.PORTABILITY.value)
# kind of relation -> role, purposes, basis where the schedule says none, data, rights, criterion where no row
# of it in force says a term
_Relation: TypeAlias = tuple[str, tuple[str, ...], Basis, tuple[DataCategory, ...], tuple[str, ...], Criterion]
_RELATIONS: Final[Mapping[str, _Relation]] = MappingProxyType(
    {
        "donation": ("donor", ("fundraising", "accounting"), "contract", ("payment",), (*_ON_CONTRACT, Right.OBJECTION.value), "tax"),
        "enrolment": ("participant", ("training",), "contract", ("training",), _ON_CONTRACT, "not_set"),
        "engagement": ("volunteer", ("volunteering",), "contract", ("engagement",), _ON_CONTRACT, "agreement"),
        NEWSLETTER: ("subscriber", ("newsletter",), "consent", ("contact_details", "preferences"), _ON_CONSENT, "until_withdrawn"),
        PARTNERSHIP: ("partner", ("partnership",), "contract", ("contact_details",), _ON_CONTRACT, "not_set"),
    }
)
_ENGAGED: Final = ("volunteer", "trainee", "employee")


class Contexts:
    """The contexts of one answer, in their order: the person's own row, files by age, recordings,
    relations."""

    def __init__(self, context: JobContext, assessment: Assessment, scope: Scope, redactor: TextRedactor, *, portable: bool) -> None:
        self._found = assessment
        self._policy = context.policy
        self._organisation = context.organisation
        self._redactor = redactor
        self._rows = scope.rows
        self._units = {} if portable else _units(context, _wanted(scope.rows))
        asked = self._units | _relations(scope.rows)
        self._day = assessment.day
        self._country = assessment.home.country
        defaults = context.policy.defaults
        grace_days = grace_of(assessment.request.right, defaults.request_grace_days)
        self._terms = Terms(assessment.day, grace_days, defaults.review_months)
        holds = _placed_holds(context, assessment) if scope.rows and not portable else Holds.none()
        self._decisions = dict(zip(asked, decisions(asked.values(), context.policy, holds, assessment.day), strict=True))
        others = [*([] if portable else [*self._of_files(), *self._of_recordings(), *self._of_own_terms()]), *self._of_relations()]
        certain = [each for each in others if not each.is_doubtful]
        own = [] if portable else person_context(_certain(self._rows), certain, is_whole=assessment.entitlement.identity, terms=self._terms)
        made = [replace(each, key=f"context-{number}") for number, each in enumerate((*own, *others), 1)]
        if own:
            made[0] = replace(made[0], processors=processors_of(self._organisation, ()))
        self.made = tuple(self._with_processors(each) for each in made)
        self._by_source = {context.source: context.key for context in self.made}

    def key_of(self, row: Row) -> str:
        """Return the context under which a row is disclosed."""
        if row.unit is not None and not _has_own_term(row):
            return self._by_source[row.unit]
        kind = row.kind if row.kind in (*_RELATIONS, _RECORDING) or _term_of(row) else "contact"
        return self._by_source.get((kind, ""), self.made[0].key if self.made else "")

    # -- files -----------------------------------------------------------------------------------------------

    def _of_files(self) -> list[Context]:
        by_unit: dict[UnitKey, list[Row]] = {}
        for row in self._rows:
            if row.unit is not None and not _has_own_term(row):
                by_unit.setdefault(row.unit, []).append(row)
        return [self._of_file(unit, by_unit[unit]) for unit in sorted(by_unit, key=self._age)]

    def _age(self, unit: UnitKey) -> tuple[str, UnitKey]:
        row = self._found.filing.row(*unit)
        on = getattr(row, "opened_on", None) or getattr(row, "communicated_on", None) or getattr(row, "created_on", None)
        return (on.isoformat() if on is not None else "9999", unit)

    def _of_file(self, unit: UnitKey, rows: Sequence[Row]) -> Context:
        is_whole, is_limited = unit in self._found.entitlement.whole, any(row.is_limited for row in rows)
        found = self._units.get(unit)
        decision = self._decisions.get(unit)
        key = deciding(decision)
        category = self._policy.categories.get(key)
        purposes = ("support",) if category is None else category.purposes or _PURPOSES[category.mission]
        roles = (FileRole.CHILD,) if is_whole else self._found.entitlement.own.get(unit, ()) or (FileRole.OTHER,)
        fiches = [row.record for row in rows if isinstance(row.record, FullFiche)]
        grounds = grounds_of(self._organisation, purposes, category, "not_decided", is_special=is_whole)
        is_only_child = is_whole and found is not None and len(found.children) <= 1  # else the day would tell of a brother or a sister
        return Context(
            key="",
            kind=unit[0],
            role=roles[0],
            roles=roles,
            category_labels=labels_of(category),
            basis_labels=basis_labels_of(category),
            purposes=purposes,
            basis=category.basis if category is not None and category.enabled else "not_decided",
            grounds=grounds,
            data_categories=data_of(_certain(rows), is_whole=is_whole),
            recipients=recipients_of(fiches, self._redactor, self._country),
            retention=self._terms.of_file(key, category, decision, tells_age=is_only_child),
            sources=sources_of(_certain(rows), roles, is_whole=is_whole, is_limited=is_limited),
            rights=_AND_OBJECTION if may_be_objected_to(grounds) else _EVERYWHERE,  # to vital interests nobody objects (RGT-11)
            special=is_whole,
            source=unit,
            is_limited=is_limited,
            is_doubtful=_are_doubtful(rows),
        )

    def _of_recordings(self) -> list[Context]:
        """Return the contexts of recorded conversations. They have purposes and a term of their own, whatever
        file they belong to (RET-03, section 7.1)."""
        rows = _certain([row for row in self._rows if row.kind == _RECORDING and _has_own_term(row)])
        if not rows:
            return []
        is_whole, roles = self._whose(rows)
        category = self._policy.categories.get(_RECORDING)
        return [
            Context(
                key="",
                kind=_RECORDING,
                role=roles[0],
                roles=roles,
                category_labels=labels_of(category),
                basis_labels=basis_labels_of(category),
                purposes=(_RECORDING,),
                basis=category.basis if category is not None and category.enabled else "not_decided",
                grounds=grounds_of(self._organisation, (_RECORDING,), category, "not_decided", is_special=is_whole),
                data_categories=("voice", "communication"),
                recipients=recipients_of((), self._redactor, self._country),
                retention=self._end_of_recordings(rows),
                sources=CONTACTS_ALONE if is_whole else self._from_person(),  # who speaks is in no column
                rights=_AND_OBJECTION,  # a legitimate interest is the basis (6.2)
                special=is_whole,
                source=(_RECORDING, ""),
                is_doubtful=_are_doubtful(rows),
            )
        ]

    def _end_of_recordings(self, rows: Sequence[Row]) -> Retention:
        """Return the day on which the last of them is deleted. It is not given where RGT-09 applies, since it
        would reveal when the child called."""
        found = [self._decisions[row.source] for row in rows if row.source in self._decisions]
        is_told = len(found) == len(rows) and not any(row.is_limited for row in rows)
        months = months_of(self._policy.categories.get(_RECORDING))
        criterion: Criterion = "six_months_after_contact" if months else "unknown"
        return replace(self._terms.of_several(_RECORDING, found, criterion=criterion, is_day_told=is_told), months=months)

    def _of_own_terms(self) -> list[Context]:
        """Return the contexts of rows of dependent tables that have a term of their own, one a table."""
        found: dict[str, list[Row]] = {}
        for row in self._rows:
            if _term_of(row):
                found.setdefault(row.kind, []).append(row)
        return [self._of_own_term(kind, rows) for kind, rows in found.items()]

    def _of_own_term(self, kind: str, rows: Sequence[Row]) -> Context:
        (is_whole, roles), is_limited = self._whose(rows), any(row.is_limited for row in rows)
        key = _term_of(rows[0])
        category = self._policy.categories.get(key)
        is_in_force = category is not None and category.enabled
        purposes = category.purposes if category is not None and category.purposes else ("support",)
        ends = [self._decisions[row.source] for row in rows if row.source in self._decisions]
        retention = self._terms.of_several(
            key,
            ends,
            criterion="unknown" if is_in_force else "not_set",
            is_day_told=is_in_force and not is_limited and len(ends) == len(rows),
        )
        grounds = grounds_of(self._organisation, purposes, category, "not_decided", is_special=is_whole)
        return Context(
            key="",
            kind=kind,
            role=roles[0],
            roles=roles,
            category_labels=labels_of(category),
            basis_labels=basis_labels_of(category),
            purposes=purposes,
            basis=category.basis if category is not None and is_in_force else "not_decided",
            grounds=grounds,
            data_categories=data_of(rows, is_whole=is_whole),
            recipients=recipients_of((), self._redactor, self._country),
            retention=retention,
            sources=sources_of(rows, roles, is_whole=is_whole, is_limited=is_limited) if any(row.unit for row in rows) else CONTACTS_ALONE,
            rights=_AND_OBJECTION if may_be_objected_to(grounds) else _EVERYWHERE,
            special=is_whole,
            source=(kind, ""),
        )

    def _whose(self, rows: Sequence[Row]) -> tuple[bool, tuple[str, ...]]:
        """Return whether rows are in a file that may be told whole, and the roles of the person in their
        files."""
        entitlement, units = self._found.entitlement, [row.unit for row in rows if row.unit is not None]
        is_whole = any(unit in entitlement.whole for unit in units)
        found = dict.fromkeys(role for unit in units for role in entitlement.own.get(unit, ()))
        return is_whole, (FileRole.CHILD,) if is_whole else tuple(found) or (FileRole.OTHER,)

    # -- relations -------------------------------------------------------------------------------------------

    def _of_relations(self) -> list[Context]:
        kinds = {row.kind for row in self._rows if row.kind in _RELATIONS}
        contacts = [row.record for row in self._rows if isinstance(row.record, FullContact)]
        if self._found.entitlement.relations and any(contact.newsletter for contact in contacts):
            kinds.add(NEWSLETTER)
        if self._found.entitlement.relations and any(contact.parent_kind == "account" for contact in contacts):
            kinds.add(PARTNERSHIP)
        return [self._of_relation(kind) for kind in _RELATIONS if kind in kinds]

    def _of_relation(self, kind: str) -> Context:
        role, purposes, basis, data, rights, criterion = _RELATIONS[kind]
        engaged = {str(getattr(row.record, "kind", None)) for row in self._rows if row.kind == kind}
        roles: tuple[str, ...] = (role,)
        if kind == "engagement":
            roles = tuple(each for each in _ENGAGED if each in engaged) or (role,)
            employed = ("employment",) if "employee" in engaged else ()
            purposes = (*(() if engaged == {"employee"} else purposes), *employed)
        category = row_for(self._policy, kind, engaged)
        is_in_force = category is not None and category.enabled
        if category is not None and category.purposes:
            purposes = category.purposes
        grounds = grounds_of(self._organisation, purposes, category, basis, is_special=False)
        if may_be_objected_to(grounds):
            rights = tuple(dict.fromkeys((*rights, Right.OBJECTION.value)))
        return Context(
            key="",
            kind=kind,
            role=roles[0],
            roles=roles,
            category_labels=labels_of(category),
            basis_labels=basis_labels_of(category),
            purposes=purposes,
            basis=category.basis if category is not None and is_in_force else basis,
            grounds=grounds,
            data_categories=tuple(dict.fromkeys(("identification", *data))),
            recipients=recipients_of((), self._redactor, self._country),
            retention=self._end_of_relations(kind, category, criterion),
            sources=self._from_person(),
            rights=rights,
            portable=True,
            source=(kind, ""),
        )

    def _from_person(self) -> tuple[Source, ...]:
        """Return the source of what a person gave: that person. A reader limited by RGT-09 is nowhere shown
        that it was the child."""
        return CONTACTS_ALONE if any(row.is_limited for row in self._rows) else ("self",)

    def _end_of_relations(self, kind: str, category: Category | None, criterion: Criterion) -> Retention:
        """Return the last day of what ends last of one kind. It is a criterion if one of them has no end,
        such as an agreement that continues."""
        ends = [self._decisions[row.kind, row.id] for row in self._rows if row.kind == kind if (row.kind, row.id) in self._decisions]
        is_in_force = category is not None and category.enabled
        months = months_of(category) if is_in_force else 0
        if kind == "engagement":
            criterion = "not_set" if self._has_ended(kind) else "after_agreement" if months else criterion
        if months and criterion == "not_set":
            criterion = "unknown"
        found = self._terms.of_several(key_of(self._policy, category), ends, criterion=criterion, is_day_told=is_in_force)
        return replace(found, months=months) if found.criterion == "after_agreement" else found

    def _has_ended(self, kind: str) -> bool:
        fillers = self._policy.fillers
        ended = [without_sentinel(getattr(row.record, "ended_on", None), fillers) for row in self._rows if row.kind == kind]
        return all(on is not None and on < self._day for on in ended)

    def _with_processors(self, context: Context) -> Context:
        """Return the context with the processors of its data, if the organisation names them. Else the
        category alone is disclosed (7.1(c))."""
        if not self._organisation.processors:
            return context
        found = context.processors or processors_of(self._organisation, context.purposes)
        recipients = tuple(each for each in context.recipients if each != PROCESSOR)
        return replace(context, processors=found, recipients=recipients)


def _placed_holds(context: JobContext, found: Assessment) -> Holds:
    """Return the holds that people placed and the CRM's own. What any request preserves is disclosed of the
    own request alone (SUS-05)."""
    without = with_changes(context, gives_way=lambda hold: hold.source == "request" or context.gives_way(hold))
    return active_holds(without, found.day)


def _units(context: JobContext, units: Collection[UnitKey]) -> dict[UnitKey, Unit]:
    """Return the files as the schedule sees them, read again."""
    wanted: dict[UnitKind, list[str]] = {}
    for kind, row in sorted(units):
        wanted.setdefault(unit_kind(kind), []).append(row)
    return {(unit.word, unit.id): unit for unit in gather_units(context.connector, wanted).every_unit()} if wanted else {}


def _relations(rows: Iterable[Row]) -> dict[UnitKey, Unit]:
    """Return gifts, courses and agreements among rows as the schedule sees them."""
    return {
        (row.kind, row.id): Unit(UnitKind(row.kind), row.id, row.record.etag, relation=row.record)
        for row in rows
        if isinstance(row.record, Donation | Enrolment | Engagement)
    }


def _wanted(rows: Sequence[Row]) -> set[UnitKey]:
    """Return the files of some rows, and what of them has a term of its own."""
    return {row.unit for row in rows if row.unit is not None} | {row.source for row in rows if _has_own_term(row)}


def _has_own_term(row: Row) -> bool:
    """Return whether a row is a recording that does not follow a dossier on its evidence mark (RET-05), or of
    a dependent table with a term of its own."""
    if _term_of(row):
        return True
    if not isinstance(row.record, FullRecording):
        return False
    return not row.record.evidence or row.unit is None or row.unit[0] != "dossier"


def _term_of(row: Row) -> str:
    """Return the row of the schedule that the mapping names for the table of a row; empty where it names
    none."""
    return kind_of(row.kind, row.record).term if isinstance(row.record, Dependent) else ""


def _are_doubtful(rows: Iterable[Row]) -> bool:
    return all(row.is_doubtful for row in rows)


def _certain(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the rows without those that may as well be somebody else's, unless all may."""
    return rows if _are_doubtful(rows) else [row for row in rows if not row.is_doubtful]
