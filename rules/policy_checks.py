"""What makes a retention schedule usable, beyond its form: two approvers, derivations that lead somewhere, anchors that exist.

Each check yields the field it is about and a sentence; `rules.loader` adds the line.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TypeAlias

from rules.disposition import Disposition
from rules.policy import ANCHORS_OF_UNIT, CRM_CATEGORIES, OUTCOMES, CategoryBase, Derivation, MonthsAfter, NoTerm, PolicyFile, UntilAge
from rules.yaml_lines import Path

Finding: TypeAlias = tuple[Path, str]

RECORDING = "recording"
TOTAL_PREFIX = "total_"  # rows of totals carry such a key in the column of the category (5.4)


def check_policy(policy: PolicyFile) -> Iterator[Finding]:
    """Everything that is wrong with a schedule whose form is right."""
    yield from _approvers(policy)
    yield from _recording(policy)
    for key, category in policy.categories.items():
        yield from ((("categories", key, *path), text) for path, text in _category(key, category))
    for crm_category, lines in policy.derive.items():
        for index, line in enumerate(lines):
            yield from ((("derive", crm_category, index, "key"), text) for text in _target(policy, line))
        yield from ((("derive", crm_category, *path), text) for path, text in _outcomes(lines))
    yield from _unreachable(policy)


def _approvers(policy: PolicyFile) -> Iterator[Finding]:
    """RET-06, R-022: two different persons approve, and the one who proposed is neither of them."""
    people = [_person(name) for name in policy.approvers]
    if len(set(people)) < 2:
        yield ("approvers",), "a schedule is approved by two different persons at least (RET-06)"
    if policy.proposed_by and _person(policy.proposed_by) in people:
        yield ("proposed_by",), "who proposes a schedule does not approve it (R-022)"


def _person(name: str) -> str:
    return " ".join(name.casefold().split())


def _recording(policy: PolicyFile) -> Iterator[Finding]:
    """RET-03: the term of recordings is always there, since every recording goes by it."""
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
    if key.startswith(TOTAL_PREFIX):
        yield (), f"keys that begin with {TOTAL_PREFIX} are those of totals (5.4)"
    if category.unit == RECORDING and key != RECORDING:
        yield ("unit",), f"recordings go by the row {RECORDING} alone (RET-03)"
    if category.enabled and category.unit not in ("dossier", RECORDING):
        yield ("unit",), f"a row for the unit {category.unit} is not supported by this version: set enabled: false"
    no_term = isinstance(category, NoTerm)
    if no_term and category.disposition is not Disposition.KEEP:
        yield ("disposition",), "a row without a term says retain (RET-15)"
    if not no_term and category.disposition is Disposition.KEEP:
        yield ("disposition",), "only a row of the type no_term says retain; here it is delete or anonymise"
    if isinstance(category, UntilAge) and category.unit != "dossier":
        yield ("type",), f"the unit {category.unit} has no age: until_age is for dossiers"
    fitting = ANCHORS_OF_UNIT[category.unit]
    field = "event" if category.anchors and not hasattr(category, "anchor") else "anchor"
    for anchor in category.anchors:
        if anchor not in fitting:
            yield (field,), f"{anchor} does not fit the unit {category.unit}; it has {', '.join(fitting)}"
    if len(set(category.anchors)) < len(category.anchors):
        yield (field,), "an anchor stands here twice"
    if not category.open_blocks and not isinstance(category, MonthsAfter):
        yield ("open_blocks",), "only a category of months may disregard that a dossier is open (RET-13)"


def _target(policy: PolicyFile, line: Derivation) -> Iterator[str]:
    if line.key not in policy.categories:
        yield f"there is no category {line.key}"
    elif policy.categories[line.key].unit != "dossier":
        yield f"{line.key} is no category of dossiers"


def _outcomes(lines: tuple[Derivation, ...]) -> Iterator[Finding]:
    """RET-12: each outcome, the empty one included, has exactly one line."""
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


def _unreachable(policy: PolicyFile) -> Iterator[Finding]:
    reached = {line.key for line in chain.from_iterable(policy.derive.values())} | (CRM_CATEGORIES - policy.derive.keys())
    for key, category in policy.categories.items():
        if category.enabled and category.unit == "dossier" and key not in reached:
            yield ("categories", key), "no line of derive leads here, and it is no category of the CRM: the row would never decide"
