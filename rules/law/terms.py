"""Which rows of the schedule apply to each unit: derived once for each combination of categories and outcome.
Source: RET-12, RET-14, section 2.3."""

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, Final

import msgspec
import polars as pl

from rules.law.bits import bits
from rules.law.codes import CODES, TEXT, surely, text, together
from rules.law.facts import SEPARATOR
from rules.law.row_numbers import beside
from rules.model.decisions import Disposition, End, Flag, Reason
from rules.model.records import OF_ITS_DOSSIER, UnitKind
from rules.retention.classify import Classification, Facts
from rules.retention.clocks import RECORDING, Clock, Kind
from rules.retention.compiled_schedule import Schedule
from rules.retention.relations import clocks_of

FILES: Final = (UnitKind.DOSSIER.value, UnitKind.FICHE.value)
RECORDINGS: Final = (UnitKind.RECORDING.value, UnitKind.ATTACHMENT.value)
_KEY: Final = ["kind", "categories", "others", "is_missing", "outcome", "sort"]  # what units have in common to which the same rows apply
_FIXED: Final[Mapping[str, Any]] = {
    "term_reasons": CODES,
    "term_flags": CODES,
    "has_clock": pl.Boolean,
    "needs_birth": pl.Boolean,
    "needs_activity": pl.Boolean,
    "is_six_month": pl.Boolean,
    "review_months": pl.UInt32,
}
_KNOWN: Final = 4096  # combinations whose terms are remembered: the same few come in every part of a plan
IS_FILE: Final = together(*(pl.col("kind") == kind for kind in FILES))
# RET-14: a fiche without a category is missing one, and so is what has none of its own where it has no fiche,
# or one that goes by it.
_HAS_NONE: Final = pl.col("categories").fill_null("") == ""
IS_MISSING: Final = surely(IS_FILE & (pl.coalesce("has_uncategorised", _HAS_NONE) | (surely(pl.col("goes_by_dossier")) & _HAS_NONE)))
_ASKED: Final = (IS_MISSING.alias("is_missing"), text(None).alias("others"))
_IS_OTHER: Final = (  # of a fiche, beside the dossier's own
    ~pl.col("categories").is_in(["", OF_ITS_DOSSIER]) & pl.col("categories").ne_missing(pl.col("own"))
)


class Basis(Enum):
    """Whose days the clocks of a unit count from: those of a file, or the one day of a row."""

    FILE = "file"
    OWN_DAY = "own day"


class Terms(msgspec.Struct, frozen=True):
    """What the schedule says of every unit with the same categories: the clocks that count for it, the
    reasons that it is kept for whatever its days are, and the ends that are none.

    `crm_keys` are, by clock, the CRM's categories that it covers; `review_months` is 0 where nothing is to be
    reviewed; `classification` is that of a file."""

    basis: Basis
    clocks: tuple[Clock, ...] = ()
    reasons: tuple[Reason, ...] = ()
    flags: tuple[Flag, ...] = ()
    categories: tuple[str, ...] = ()
    fixed_ends: tuple[End, ...] = ()
    crm_keys: tuple[tuple[str, ...], ...] = ()
    is_six_month: bool = False
    review_months: int = 0
    classification: Classification | None = None

    @property
    def needs_birth(self) -> bool:
        return self.basis is Basis.FILE and any(clock.kind is Kind.AGE for clock in self.clocks)


def with_terms(units: pl.DataFrame, fiches: pl.DataFrame, schedule: Schedule) -> tuple[pl.DataFrame, list[Terms]]:
    """Add `terms` to each unit: the number of what the schedule says of it, in the list that is returned too;
    with what is fixed by it: `term_reasons`, `term_flags`, `has_clock`, `needs_birth`, `needs_activity`,
    `is_six_month`, `review_months`.

    A dossier's categories are its own and those of all its fiches; a fiche without one is missing one even
    where the dossier has some (RET-14), unless its table records none."""
    asked = units.with_columns_seq(_ASKED)
    others = fiches[["row", "categories"]]
    if others.height:
        others = others.with_columns_seq(own=units["categories"][fiches["row"]]).filter(_IS_OTHER)
    if others.height:
        others = others.select("row", others="categories").unique()
        if (is_one_of_several := others["row"].is_duplicated()).any():
            several = others.filter(is_one_of_several).with_columns(pl.col("others").cast(pl.String)).sort("row", "others")
            joined = several.group_by("row").agg(pl.col("others").str.join(SEPARATOR).cast(TEXT))
            others = pl.concat([others.filter(~is_one_of_several), joined])
        asked = beside(asked.drop("others"), others)
    kinds = asked.group_by(_KEY, maintain_order=True).agg("row") if asked.height > 1 else asked
    found = [_terms_of(*each, schedule) for each in kinds[_KEY].iter_rows()]
    fixed = list(map(_fixed_by, found))
    columns = [pl.Series(name, [each[at] for each in fixed], dtype=dtype) for at, (name, dtype) in enumerate(_FIXED.items())]
    told = pl.DataFrame([kinds["row"], *columns, pl.Series("terms", range(len(found)), dtype=pl.UInt32)])
    return beside(units, told.explode("row") if kinds is not asked else told), found


@lru_cache(maxsize=_KNOWN)
def _fixed_by(terms: Terms) -> tuple[int, int, bool, bool, bool, bool, int]:
    """Return what is fixed for a unit by its terms, in the order of `_FIXED`."""
    return (
        bits(terms.reasons),
        bits(terms.flags),
        bool(terms.clocks),
        terms.needs_birth,
        any(clock.uses_activity for clock in terms.clocks),
        terms.is_six_month,
        terms.review_months,
    )


@lru_cache(maxsize=_KNOWN)
def _terms_of(
    kind: str, categories: str | None, others: str | None, is_missing: bool, outcome: str | None, sort: str | None, schedule: Schedule
) -> Terms:
    if kind in FILES:
        crm_keys = f"{categories or ''}{SEPARATOR}{others or ''}".split(SEPARATOR)
        return _of_file(tuple(dict.fromkeys(filter(None, crm_keys))), is_missing, outcome, UnitKind(kind), schedule)
    if kind in RECORDINGS:
        return _of_recordings(schedule)
    if kind == UnitKind.EMAIL.value:  # a lone fiche without a category (RET-05, RET-14)
        return Terms(Basis.OWN_DAY, reasons=(Reason.UNCONFIGURED,), flags=(Flag.ORPHAN_FICHE,))
    return _of_relation(clocks_of(UnitKind(kind), sort, schedule), sort)


def _of_file(crm_keys: tuple[str, ...], is_missing: bool, outcome: str | None, kind: UnitKind, schedule: Schedule) -> Terms:
    profile = schedule.compiled(Facts(crm_keys, is_missing, outcome, kind is UnitKind.FICHE))
    return Terms(
        Basis.FILE,
        profile.clocks,
        profile.reasons,
        profile.flags,
        profile.categories,
        profile.fixed_ends,
        tuple(profile.crm_keys_of(clock.key) for clock in profile.clocks),
        profile.is_six_month,
        profile.review_months,
        profile.classification,
    )


def _of_recordings(schedule: Schedule) -> Terms:
    clock = schedule.recording
    if clock is None:
        return Terms(Basis.OWN_DAY, reasons=(Reason.UNCONFIGURED,), categories=(RECORDING,))
    if clock.kind is Kind.NO_TERM:
        return Terms(Basis.OWN_DAY, reasons=(Reason.NO_TERM,), categories=(RECORDING,))
    return Terms(Basis.OWN_DAY, (msgspec.structs.replace(clock, key=RECORDING, disposition=Disposition.DELETE),), categories=(RECORDING,))


def _of_relation(clocks: Sequence[Clock], sort: str | None) -> Terms:
    """Return the terms of a gift, course, agreement or row of a dependent table. One that no row in force is
    for, because its sort is unknown or undecided, is UNCONFIGURED (2.3)."""
    if not clocks:
        return Terms(Basis.OWN_DAY, reasons=(Reason.UNCONFIGURED,), categories=() if sort is None else (sort,))
    endless = any(clock.kind is Kind.NO_TERM for clock in clocks)
    return Terms(Basis.OWN_DAY, tuple(clocks), (Reason.NO_TERM,) if endless else (), categories=tuple(clock.key for clock in clocks))
