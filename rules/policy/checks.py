"""What makes a retention schedule usable, beyond its form: it was decided and approved, derivations lead
somewhere, anchors exist. Each check yields the field it is about and a sentence; `rules.policy.loader` adds
the line."""

from collections.abc import Collection, Iterator
from typing import TypeAlias

from rules.files.yaml_lines import Path
from rules.model.accounts import one_form
from rules.model.bypass import Bypasses
from rules.model.decisions import Disposition
from rules.model.home import BELGIUM
from rules.model.kinds import RELATIONS, ROW_KINDS
from rules.model.records import UnitKind
from rules.policy.categories import (
    ANCHORS_OF_UNIT,
    OUTCOMES,
    Anchor,
    CategoryBase,
    Derivation,
    MonthsAfter,
    NoTerm,
    UntilAge,
)
from rules.policy.policy import PolicyFile

Finding: TypeAlias = tuple[Path, str]

RECORDING = "recording"
OWN_TABLE = UnitKind.OWN_TABLE.value
TOTAL_PREFIX = "total_"  # rows of totals carry such a key in the column of the category (5.4)
UNDECIDED = "to be decided"  # how the shipped rows without a published term begin
WITH_KINDS = tuple(word for word in RELATIONS if "kind" in ROW_KINDS[word].choices)


def check_policy(policy: PolicyFile, crm_categories: Collection[str] | None) -> Iterator[Finding]:
    """Yield everything that is wrong with a schedule whose form is right; `crm_categories` are those that the
    mapping tells, where it is held against one."""
    yield from _approvers(policy)
    yield from _recording(policy)
    yield from _elsewhere(policy)
    for key, category in policy.categories.items():
        yield from ((("categories", key, *path), text) for path, text in _category(key, category))
        if category.enabled:
            yield from ((("categories", key, *path), text) for path, text in _in_force(policy, category))
    for crm_category, lines in policy.derive.items():
        for index, line in enumerate(lines):
            yield from ((("derive", crm_category, index, "key"), text) for text in _target(policy, line))
        yield from ((("derive", crm_category, *path), text) for path, text in _outcomes(lines))
    yield from _unreachable(policy, crm_categories)
    yield from _named(policy)
    yield from ((("contacts", *path), text) for path, text in _twice(policy.contacts.bypass))


def _elsewhere(policy: PolicyFile) -> Iterator[Finding]:
    """Yield what a schedule of another country leaves open: nothing of Belgium is taken for it (DDL-05,
    IDN-01)."""
    said = policy.defaults
    if said.country == BELGIUM:
        return
    if "holidays" not in said.model_fields_set:
        yield ("defaults", "country"), f"name the public holidays that count in {said.country} beside it: holidays: {said.country}"
    if "national_number" not in said.model_fields_set:
        told = "a module of python-stdnum such as nl.bsn, or none"
        yield ("defaults", "country"), f"name the national numbers of {said.country} beside it: national_number: {told}"
    if "timezone" not in policy.model_fields_set:
        yield ("defaults", "country"), f"name the time zone whose days count in {said.country} as well: timezone: Europe/…"


def _approvers(policy: PolicyFile) -> Iterator[Finding]:
    """Yield what breaks RET-06, R-022: two different persons approve, neither being the one who proposed."""
    people = {one_form(name) for name in policy.approvers}
    if len(people) < 2:
        yield ("approvers",), "a schedule is approved by two different persons at least (RET-06)"
    if policy.proposed_by and one_form(policy.proposed_by) in people:
        yield ("proposed_by",), "who proposes a schedule does not approve it (R-022)"
    for key, category in policy.categories.items():
        if category.approvers is None:
            continue
        people = {one_form(name) for name in category.approvers}
        if len(people) < 2:
            yield ("categories", key, "approvers"), "a row is approved by two different persons at least (RET-06)"
        if policy.proposed_by and one_form(policy.proposed_by) in people:
            yield ("categories", key, "approvers"), "who proposes a schedule does not approve one of its rows (R-022)"


def _named(policy: PolicyFile) -> Iterator[Finding]:
    """Yield guards that name a category which is not in the schedule: a limit on a misspelt row would guard
    nothing (RET-24)."""
    for key in policy.limits.categories:
        if key not in policy.categories:
            yield ("limits", "categories", key), f"there is no row {key} in categories"
    if policy.quarantine is not None and policy.quarantine.categories != "all":
        for index, key in enumerate(policy.quarantine.categories):
            if key not in policy.categories:
                yield ("quarantine", "categories", index), f"there is no row {key} in categories"
    seen: set[tuple[str, str]] = set()
    for index, canary in enumerate(policy.canaries):
        if (canary.table, canary.id) in seen:
            yield ("canaries", index, "id"), "this canary is named twice"
        seen.add((canary.table, canary.id))


def _recording(policy: PolicyFile) -> Iterator[Finding]:
    """Yield what breaks RET-03: the term of recordings always exists, since it applies to every recording."""
    if not any(category.enabled for category in policy.categories.values()):
        yield ("categories",), "no row is enabled: an empty schedule would keep everything for ever"
    if RECORDING not in policy.categories:
        yield ("categories",), f"the row {RECORDING} is missing: recordings have a term of their own (RET-03)"
        return
    recording = policy.categories[RECORDING]
    here = ("categories", RECORDING)
    if not recording.enabled:
        yield (*here, "enabled"), f"the row {RECORDING} cannot be switched off (RET-03)"
    if recording.unit != RECORDING:
        yield (*here, "unit"), f"the unit of the row {RECORDING} is recording (RET-03)"
    if recording.disposition is not Disposition.DELETE:
        yield (*here, "disposition"), "a recording is deleted: voice and verbatim text cannot be anonymised (2.2)"


def _category(key: str, category: CategoryBase) -> Iterator[Finding]:
    yield from _unit(key, category)
    yield from _disposition(category)
    if isinstance(category, UntilAge) and category.unit != "dossier":
        yield ("type",), f"the unit {category.unit} has no age: until_age is for dossiers"
    yield from _anchors(category)
    yield from _twice(category.bypass)
    if category.bypass and isinstance(category, NoTerm):
        yield ("bypass",), "a row without a term disposes of nothing, so nothing can be bypassed"
    elif category.bypass and category.unit == "contact":
        yield ("bypass",), "a row for contacts decides over no contact: say so under contacts.bypass"
    if not category.leads_to_child and category.unit != "dossier":
        yield ("leads_to_child",), f"the unit {category.unit} is not a file of a child: only a row for dossiers says so (RGT-09)"
    if not category.open_blocks and not isinstance(category, MonthsAfter):
        yield ("open_blocks",), "only a category of months may disregard that a dossier is open (RET-13)"


def _unit(key: str, category: CategoryBase) -> Iterator[Finding]:
    if key.startswith(TOTAL_PREFIX):
        yield (), f"keys that begin with {TOTAL_PREFIX} are those of totals (5.4)"
    if category.unit == RECORDING and key != RECORDING:
        yield ("unit",), f"recordings go by the row {RECORDING} alone (RET-03)"
    if category.kinds is not None and category.unit not in WITH_KINDS:
        yield ("kinds",), f"the unit {category.unit} has no kinds; {' and '.join(WITH_KINDS)} have"
    elif category.kinds is not None and not category.kinds:
        yield ("kinds",), "this is empty: name a kind, or leave the key out for all kinds"


def _disposition(category: CategoryBase) -> Iterator[Finding]:
    no_term = isinstance(category, NoTerm)
    if category.unit in RELATIONS and category.disposition is Disposition.ANONYMISE:
        yield ("disposition",), f"a row for the unit {category.unit} says delete: nothing of it is kept without its person"
    if category.unit == OWN_TABLE and category.disposition is Disposition.ANONYMISE:
        yield ("disposition",), "a row for tables of the organisation's own says delete: what is emptied stands under masked in the mapping"
    if no_term and category.disposition is not Disposition.KEEP:
        yield ("disposition",), "a row without a term says retain (RET-15)"
    if not no_term and category.disposition is Disposition.KEEP:
        yield ("disposition",), "only a row of the type no_term says retain; here it is delete or anonymise"


def _anchors(category: CategoryBase) -> Iterator[Finding]:
    fitting = ANCHORS_OF_UNIT[category.unit]
    field = "event" if category.anchors and not hasattr(category, "anchor") else "anchor"
    for anchor in category.anchors:
        if anchor not in fitting:
            yield (field,), f"{anchor} does not fit the unit {category.unit}; it has {', '.join(fitting)}"
    if len(set(category.anchors)) < len(category.anchors):
        yield (field,), "an anchor stands here twice"


def _twice(bypass: Bypasses) -> Iterator[Finding]:
    if len(set(bypass)) < len(bypass):
        yield ("bypass",), "a word stands here twice"


def _in_force(policy: PolicyFile, category: CategoryBase) -> Iterator[Finding]:
    """Yield errors of rows in force: each has itself been decided upon, and for each unit it is plain whether
    it decides (RET-06)."""
    for field in ("basis", "source"):
        if str(getattr(category, field)).casefold().lstrip().startswith(UNDECIDED):
            yield (field,), f"the controller has not decided yet: write the {field} before the row is enabled (RET-06)"
    if category.unit == "contact":
        yield from _relation_of_contact(category)
    if category.unit in RELATIONS and category.kinds is None:
        off = [other for other, row in policy.categories.items() if row.unit == category.unit and not row.enabled]
        if off:
            yield (
                ("kinds",),
                f"without kinds the row is for every {category.unit}, also for those of {', '.join(off)}, which is off: give it its kinds, "
                f"enable the other row too, or take that out",
            )


def _relation_of_contact(category: CategoryBase) -> Iterator[Finding]:
    """Yield errors of contact rows. A contact ends with its last unit and relation; a row can say when being
    a donor ends, and that consent lasts (RET-20)."""
    if isinstance(category, NoTerm):
        return
    if category.anchors != (Anchor.BOOKED_ON,):
        yield (
            ("anchor",),
            "the end of a partnership is recorded nowhere in the CRM, so nobody could tell when the period begins: set enabled: false, "
            "and end the relation by hand (a contact without a parent account is not a partner)",
        )
    elif category.disposition is not Disposition.DELETE:
        yield ("disposition",), "a contact whose last relation has ended is deleted (RET-20)"


def _target(policy: PolicyFile, line: Derivation) -> Iterator[str]:
    if line.key not in policy.categories:
        yield f"there is no category {line.key}"
    elif policy.categories[line.key].unit != "dossier":
        yield f"{line.key} is not a category of dossiers"


def _outcomes(lines: tuple[Derivation, ...]) -> Iterator[Finding]:
    """Yield what breaks RET-12: each outcome, the empty one included, has exactly one line."""
    for outcome in (*OUTCOMES, None):
        matching = [index for index, line in enumerate(lines) if line.matches(outcome)]
        word = outcome or "the empty outcome"
        if not matching:
            yield (), f"no line is for {word} (RET-12)"
        elif len(matching) > 1:
            yield (matching[1],), f"{word} has two lines (RET-12)"
    for index, line in enumerate(lines):
        if line.outcomes and len(set(line.outcomes)) < len(line.outcomes):
            yield (index, "outcomes"), "an outcome stands here twice"


def _unreachable(policy: PolicyFile, crm_categories: Collection[str] | None) -> Iterator[Finding]:
    remedy = "name under derive the category of the CRM that goes by this row"
    for key in unreached(policy, policy.categories.keys() if crm_categories is None else crm_categories):
        lacking = "" if key in policy.derive else f", and the mapping has no category {key}"
        yield ("categories", key), f"no line of derive leads here{lacking}: {remedy}"


def unreached(policy: PolicyFile, crm_categories: Collection[str]) -> Iterator[str]:
    """Yield the rows in force for dossiers by which no category goes: no line of `derive` leads to them, and
    the category of their own name is led elsewhere or is none of the CRM's (RET-12)."""
    for key, category in policy.categories.items():
        answers_for_itself = key in crm_categories and key not in policy.derive
        if category.enabled and category.unit == "dossier" and key not in policy.led_to and not answers_for_itself:
            yield key
