"""The keys that a mapping may give the options of a choice, where the rules read them.

A key that no rule knows would be a value without meaning: `suspct` would close no file to a suspect (SUS-02),
`kind` would leave a child without a birth date (RET-05). An option that none of these fits is left out of the
mapping: it is then shown as a number, kept and reported. Keys that are the organisation's own (categories,
kinds of agreements and courses) are compared with the schedule instead."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rules.anonymisation.bands import AGE_BANDS, DURATION_BANDS, FICHES_BANDS, SEXES
from rules.model.file_roles import FILE_ROLES
from rules.model.languages import LANGUAGES
from rules.policy.categories import OUTCOMES

CHANNELS: Final = ("phone", "chat", "email", "letter", "fax", "form", "visit", "other")
REPORTER_KINDS: Final = ("child", "parent", "professional", "other")  # 5.2
SPOKEN: Final = (*LANGUAGES, "other")

CHOICE_KEYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "role": FILE_ROLES,
        "outcome": tuple(str(outcome) for outcome in OUTCOMES),
        "channel": CHANNELS,
        "reporter_kind": REPORTER_KINDS,
        "gender": SEXES,
        "sex": SEXES,
        "language": SPOKEN,
        "age_band": AGE_BANDS,
        "duration_band": DURATION_BANDS,
        "fiches_band": FICHES_BANDS,
    }
)
STATISTIC_OUTCOMES: Final = (*CHOICE_KEYS["outcome"], "unknown")
