"""On what legal basis data are kept, purpose by purpose, and who processes them: as the organisation says it,
or the row of its schedule. Source: GDPR art. 6, 9, 15(1)(a) and (c), 28; section 7.1."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from jobs.model.answer import Basis, Ground, ProcessedBy
from rules.model.languages import LANGUAGES
from rules.organisation.organisation import Organisation, Processor
from rules.organisation.words import Words
from rules.policy.categories import Category, Labels

_POINT_E_OR_F: Final = re.compile(r"(?i)\b6\W{0,2}1\W{0,2}[ef]\b")  # of Article 6, as the English words of a basis cite it


def grounds_of(
    organisation: Organisation, purposes: Sequence[str], category: Category | None, fallback: Basis, *, is_special: bool
) -> tuple[Ground, ...]:
    """Return the basis of each purpose. Where the organisation has none for any of them, return that of its
    row, or the code `fallback`. Purposes on the same basis are stated together. A purpose without a basis of
    its own is left out beside one that has it: `doctor` names it."""
    found: list[Ground] = []
    said = {str(key): each for key, each in organisation.purposes.items()}
    for purpose in purposes:
        known = said.get(purpose)
        if known is None or known.basis is None:
            continue
        made = Ground((purpose,), "", in_languages(known.basis), in_languages(known.special) if is_special else {})
        same = next((at for at, each in enumerate(found) if (each.labels, each.special) == (made.labels, made.special)), None)
        if same is None:
            found.append(made)
        else:
            found[same] = Ground((*found[same].purposes, purpose), "", made.labels, made.special)
    if found:
        return tuple(found)
    if category is not None and category.enabled:
        return (Ground(tuple(purposes), "", in_languages(category.basis_labels) or dict.fromkeys(LANGUAGES, category.basis)),)
    return (Ground(tuple(purposes), fallback),)


def may_be_objected_to(grounds: Iterable[Ground]) -> bool:
    """Return whether any ground is the public interest or a legitimate interest. Objection exists against
    these alone (RGT-11)."""
    return any(_POINT_E_OR_F.search(ground.labels.get("en", "")) for ground in grounds)


def processors_of(organisation: Organisation, purposes: Sequence[str]) -> tuple[ProcessedBy, ...]:
    """Return the processors for any of these purposes. Processors for every purpose are always included."""
    found = [each for each in organisation.processors if not each.purposes or set(each.purposes) & set(purposes)]
    return tuple(_told(each) for each in found)


def in_languages(labels: Labels | Words | None) -> dict[str, str]:
    """Return a text of the organisation, or of its schedule, by language."""
    return {language: str(text) for language in LANGUAGES if (text := getattr(labels, language, None))}


def _told(processor: Processor) -> ProcessedBy:
    return ProcessedBy(processor.name.strip(), in_languages(processor.task), processor.country, in_languages(processor.safeguard))
