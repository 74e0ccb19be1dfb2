"""What data are kept for, and the particulars of art. 15(1) for each: purposes, basis, recipients, term, sources, rights.

Nothing here stems from a file that is closed to the person (SUS-05): only what is told has a context.

Source: GDPR art. 15(1), 15(2); section 7.1; RGT-10 to RGT-12; R-100, R-107, R-119, R-120.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from jobs.assessing import Assessment
from jobs.disclosure import Context, Retention
from jobs.gather import gather_units
from jobs.holding import active_holds
from jobs.items import OF_RELATIONS
from jobs.ports import JobContext
from jobs.recipients import recipients_of
from jobs.scoping import Row, Scope
from jobs.veiling import Veil
from rules.asked import UnitKey
from rules.categories import Category, Mission, UntilAge
from rules.decide import decide
from rules.disposition import Decision, Reason
from rules.full_records import FullContact, FullFiche, FullRecording
from rules.holds import Holds
from rules.policy import Policy
from rules.records import Donation, Engagement, Enrolment, Unit, UnitKind
from rules.subject_requests import Right

LANGUAGES: Final = ("nl", "fr", "de", "en")
# What one request freezes is no reason to tell that something is kept for a claim.
TOLD_HOLDS: Final = frozenset(
    {Reason.HOLD_LEGAL, Reason.HOLD_JUDICIAL, Reason.HOLD_COMPLAINT, Reason.HOLD_RESTRICTION, Reason.HOLD_OBJECTION}
)
_PURPOSES: Final[Mapping[Mission, tuple[str, ...]]] = MappingProxyType(
    {
        Mission.DISAPPEARANCE: ("investigation", "support", "prevention"),
        Mission.EXPLOITATION: ("investigation", "support", "prevention"),
        Mission.OTHER: ("support", "referral"),
    }
)
_RECORDING: Final = "recording"
_ANYBODY: Final = ("self", "third_party")
_EVERYWHERE: Final = (Right.ACCESS.value, Right.RECTIFICATION.value, Right.ERASURE.value, Right.RESTRICTION.value)
_ON_CONSENT: Final = (*_EVERYWHERE, Right.PORTABILITY.value, Right.OBJECTION.value, Right.CONSENT_WITHDRAWAL.value)
_ON_CONTRACT: Final = (*_EVERYWHERE, Right.PORTABILITY.value)
# kind of relation -> role, purposes, basis where no row of the schedule in force says one, data, rights
_RELATIONS: Final[Mapping[str, tuple[str, tuple[str, ...], str, tuple[str, ...], tuple[str, ...]]]] = MappingProxyType(
    {
        "donation": ("donor", ("fundraising", "accounting"), "contract", ("payment",), (*_ON_CONTRACT, Right.OBJECTION.value)),
        "enrolment": ("participant", ("training",), "contract", ("training",), _ON_CONTRACT),
        "engagement": ("volunteer", ("volunteering",), "contract", ("engagement",), _ON_CONTRACT),
        "newsletter": ("subscriber", ("newsletter",), "consent", ("contact_details", "preferences"), _ON_CONSENT),
    }
)
_DATA_OF_CONTACT: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "identification": ("first_name", "last_name"),
        "contact_details": ("email", "email_2", "phone", "mobile", "street", "city", "postcode"),
        "national_number": ("national_number",),
        "birth": ("birth_on", "birth_year", "birth_month", "stated_age", "birth_place"),
        "sex": ("gender",),
        "preferences": ("language", "newsletter", "no_bulk_email"),
    }
)


class Contexts:
    """The contexts of one answer, in their order: the person's own row, files by age, recordings, relations."""

    def __init__(self, context: JobContext, assessment: Assessment, scope: Scope, veil: Veil, *, portable: bool = False) -> None:
        self._found = assessment
        self._policy = context.policy
        self._veil = veil
        self._rows = scope.rows
        self._units = {} if portable else _units(context, _wanted(scope.rows))
        self._holds = active_holds(context, assessment.day) if self._units else Holds.of(())
        self._day = assessment.day
        others = [*([] if portable else [*self._of_files(), *self._of_recordings()]), *self._of_relations()]
        made = others if portable else [*self._of_contact("of_the_others" if others else "not_decided"), *others]
        self.made = tuple(replace(each, key=f"context-{number}") for number, each in enumerate(made, 1))
        self._by_source = {context.source: context.key for context in self.made}

    def key_of(self, row: Row) -> str:
        """The context that a row is told under."""
        if row.unit is not None and not _has_own_term(row):
            return self._by_source[row.unit]
        kind = row.kind if row.kind in (*_RELATIONS, _RECORDING) else "contact"
        return self._by_source.get((kind, ""), self.made[0].key if self.made else "")

    # -- files ---------------------------------------------------------------------------------------------------------------------

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
        is_whole, is_limited = unit in self._found.standing.whole, any(row.is_limited for row in rows)
        found = self._units.get(unit)
        decision = decide(found, self._policy, self._holds, as_of=self._day) if found is not None else None
        key = _deciding(decision)
        category = self._policy.categories.get(key)
        fiches = [row.record for row in rows if isinstance(row.record, FullFiche)]
        is_only_child = is_whole and found is not None and len(found.children) <= 1  # else the day would tell of a brother or a sister
        return Context(
            key="",
            kind=unit[0],
            role="child" if is_whole else next(iter(self._found.standing.own.get(unit, ())), "other"),
            category_labels=_labels(category),
            basis_labels=_basis_labels(category),
            purposes=_PURPOSES[category.mission] if category is not None else ("support",),
            basis=category.basis if category is not None and category.enabled else "not_decided",
            data_categories=_data(rows, is_whole=is_whole),
            recipients=recipients_of(fiches, self._veil, is_limited=is_limited),
            retention=_retention(key, category, decision, tells_age=is_only_child),
            sources=_sources(fiches, is_whole=is_whole, is_limited=is_limited),
            rights=_EVERYWHERE,  # where vital interests are the basis, there is nothing to object to (RGT-11)
            special=is_whole,
            source=unit,
        )

    def _of_recordings(self) -> list[Context]:
        """Conversations that were recorded have purposes and a term of their own, whatever file they belong to (RET-03, section 7.1)."""
        rows = [row for row in self._rows if row.kind == _RECORDING and _has_own_term(row)]
        if not rows:
            return []
        standing, units = self._found.standing, [row.unit for row in rows if row.unit is not None]
        is_whole = any(unit in standing.whole for unit in units)
        roles = [role for unit in units for role in standing.own.get(unit, ())]
        category = self._policy.categories.get(_RECORDING)
        return [
            Context(
                key="",
                kind=_RECORDING,
                role="child" if is_whole else next(iter(roles), "other"),
                category_labels=_labels(category),
                basis_labels=_basis_labels(category),
                purposes=(_RECORDING,),
                basis=category.basis if category is not None and category.enabled else "not_decided",
                data_categories=("voice", "communication"),
                recipients=recipients_of((), self._veil, is_limited=False),
                retention=self._end_of_recordings(rows),
                sources=_ANYBODY if is_whole else ("self",),
                rights=(*_EVERYWHERE, Right.OBJECTION.value),  # a legitimate interest is the basis (6.2)
                special=is_whole,
                source=(_RECORDING, ""),
            )
        ]

    def _end_of_recordings(self, rows: Sequence[Row]) -> Retention:
        """The day on which the last of them goes; not where RGT-09 holds, since it would tell when the child called."""
        found = [self._units[row.source] for row in rows if row.source in self._units]
        decisions = [decide(unit, self._policy, self._holds, as_of=self._day) for unit in found]
        ends = [decision.retention_end for decision in decisions if decision.retention_end is not None]
        is_told = len(ends) == len(rows) and not any(row.is_limited for row in rows)
        is_held = any(TOLD_HOLDS.intersection(decision.reasons) for decision in decisions)
        return Retention(_RECORDING, max(ends) if is_told else None, "" if is_told else "six_months_after_contact", is_held)

    # -- the person and relations --------------------------------------------------------------------------------------------------

    def _of_contact(self, basis: str) -> list[Context]:
        contacts = [row.record for row in self._rows if isinstance(row.record, FullContact)]
        if not any(row.unit is None and row.kind not in _RELATIONS for row in self._rows):
            return []
        is_whole = self._found.standing.identity
        told = tuple(
            code
            for code, names in _DATA_OF_CONTACT.items()
            if any(getattr(each, name) for each in contacts for name in names if is_whole or name in OF_RELATIONS)
        )
        others = ("communication",) if any(row.unit is None and row.kind in ("note", "call", "email") for row in self._rows) else ()
        return [
            Context(
                key="",
                kind="contact",
                role="contact",
                category_labels={},
                purposes=("contact",),
                basis=basis,
                data_categories=(*told, *others),
                recipients=recipients_of((), self._veil, is_limited=False),
                retention=Retention("", None, "relation"),
                sources=_ANYBODY,
                rights=_EVERYWHERE,
                source=("contact", ""),
            )
        ]

    def _of_relations(self) -> list[Context]:
        kinds = {row.kind for row in self._rows if row.kind in _RELATIONS}
        contacts = [row.record for row in self._rows if isinstance(row.record, FullContact)]
        if self._found.standing.relations and any(contact.newsletter for contact in contacts):
            kinds.add("newsletter")
        return [self._of_relation(kind) for kind in _RELATIONS if kind in kinds]

    def _of_relation(self, kind: str) -> Context:
        role, purposes, basis, data, rights = _RELATIONS[kind]
        engaged = {str(getattr(row.record, "kind", None)) for row in self._rows if row.kind == kind}
        if kind == "engagement" and engaged == {"employee"}:
            role, purposes = "employee", ("employment",)
        category = _row_for(self._policy, kind, engaged)
        retention = Retention("", None, "until_withdrawn" if kind == "newsletter" else "relation")
        last_day = self._end_of_relations(kind) if category is not None and category.enabled else None
        if category is not None and last_day is not None:
            retention = Retention(_key_of(self._policy, category), last_day)
        return Context(
            key="",
            kind=kind,
            role=role,
            category_labels=_labels(category),
            basis_labels=_basis_labels(category),
            purposes=purposes,
            basis=category.basis if category is not None and category.enabled else basis,
            data_categories=("identification", *data),
            recipients=recipients_of((), self._veil, is_limited=False),
            retention=retention,
            sources=("self",),
            rights=rights,
            portable=True,
            source=(kind, ""),
        )

    def _end_of_relations(self, kind: str) -> date | None:
        """The last day of what ends last of one kind; None where one of them has no end, such as an agreement that goes on."""
        ends = [self._end_of(row) for row in self._rows if row.kind == kind]
        return max((end for end in ends if end is not None), default=None) if None not in ends else None

    def _end_of(self, row: Row) -> date | None:
        if not isinstance(row.record, Donation | Enrolment | Engagement):
            return None
        unit = Unit(UnitKind(row.kind), row.id, row.record.etag, relation=row.record)
        return decide(unit, self._policy, Holds.none(), as_of=self._day).retention_end


def _units(context: JobContext, units: Collection[UnitKey]) -> dict[UnitKey, Unit]:
    """The files as the schedule sees them, read anew."""
    wanted: dict[UnitKind, list[str]] = {}
    for kind, row in sorted(units):
        wanted.setdefault(UnitKind(kind), []).append(row)
    return {(unit.kind.value, unit.id): unit for unit in gather_units(context.connector, wanted).every_unit()} if wanted else {}


def _wanted(rows: Sequence[Row]) -> set[UnitKey]:
    """The files of some rows, and the recordings that have a term of their own."""
    return {row.unit for row in rows if row.unit is not None} | {row.source for row in rows if _has_own_term(row)}


def _has_own_term(row: Row) -> bool:
    """Whether a row is a recording that does not follow a dossier on its evidence mark (RET-05)."""
    if not isinstance(row.record, FullRecording):
        return False
    return not row.record.evidence or row.unit is None or row.unit[0] != "dossier"


def _deciding(decision: Decision | None) -> str:
    """The row of the schedule that decides, or the one that would (RET-11)."""
    if decision is None:
        return ""
    if decision.deciding is not None:
        return decision.deciding.category
    return next((end.category for end in decision.ends if end.on is None), next(iter(decision.categories), ""))


def _labels(category: Category | None) -> dict[str, str]:
    return {} if category is None else {language: str(getattr(category.labels, language)) for language in LANGUAGES}


def _basis_labels(category: Category | None) -> dict[str, str]:
    labels = category.basis_labels if category is not None and category.enabled else None
    return {} if labels is None else {language: str(getattr(labels, language)) for language in LANGUAGES}


def _retention(key: str, category: Category | None, decision: Decision | None, *, tells_age: bool) -> Retention:
    """Say how long a file is kept. Whoever is not the child is not told a day that follows from the child's birthday."""
    if decision is None:
        return Retention(key, None, "unknown")
    is_held = bool(TOLD_HOLDS.intersection(decision.reasons))
    if category is None or Reason.UNCONFIGURED in decision.reasons:
        return Retention(key, None, "not_set", is_held)
    if Reason.NO_TERM in decision.reasons:
        return Retention(key, None, "no_term", is_held)
    if isinstance(category, UntilAge) and not tells_age:
        return Retention(key, None, "until_age", is_held, category.age)
    if decision.retention_end is None or Reason.OPEN_DOSSIER in decision.reasons:
        return Retention(key, None, "open" if Reason.OPEN_DOSSIER in decision.reasons else "unknown", is_held)
    return Retention(key, decision.retention_end, "", is_held)


def _data(rows: Sequence[Row], *, is_whole: bool) -> tuple[str, ...]:
    kinds = {row.kind for row in rows}
    found = ["role"] if "party" in kinds else []
    found += ["facts"] if kinds & {"fiche", "note"} or (is_whole and "dossier" in kinds) else []
    found += ["voice"] if _RECORDING in kinds else []
    found += ["communication"] if kinds & {"call", "email"} else []
    found += ["technical"] if any(getattr(row.record, "ip_address", None) and row.is_caller for row in rows) else []
    return (*found, "sensitive") if is_whole else tuple(found)


def _sources(fiches: Sequence[FullFiche], *, is_whole: bool, is_limited: bool) -> tuple[str, ...]:
    """Where data about the child came from, by kind and never by person (R-119); what somebody said, they said.

    Whether it was the child is not told to whom RGT-09 limits: they are told the same of every file.
    """
    if not is_whole:
        return ("self",)
    if is_limited:
        return _ANYBODY
    kinds = {fiche.reporter_kind for fiche in fiches}
    told = {"professional" if kind == "professional" else "self" if kind == "child" else "third_party" for kind in kinds}
    return tuple(source for source in ("self", "third_party", "professional") if source in told) or ("third_party",)


def _key_of(policy: Policy, category: Category) -> str:
    return next(key for key, row in policy.categories.items() if row is category)


def _row_for(policy: Policy, kind: str, engaged: Collection[str]) -> Category | None:
    """The row of the schedule for a relation: the first one for its unit that fits, in force or not."""
    if kind == "newsletter":
        return policy.categories.get("newsletter")
    fits = [row for row in policy.categories.values() if row.unit == kind and (row.kinds is None or set(row.kinds) & set(engaged))]
    return next(iter(sorted(fits, key=lambda row: not row.enabled)), None)
