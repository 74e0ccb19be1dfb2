"""What fits a hold by conditions, in columns: an expression for each way to compare. The same of one unit,
and which fields may be asked for, is in rules/holds/conditions.py. Doubt keeps: a day that is not known fits
every range, and so does one that only stands for an unknown day (RET-14). Source: HLD-01, HLD-07; an
addition of this product."""

from collections.abc import Collection, Sequence
from datetime import date
from functools import reduce
from operator import and_
from typing import Final

import polars as pl

from rules.holds.conditions import FIELDS, NONE, YES_NO, Comparison, Condition, Field
from rules.law.codes import surely
from rules.law.days import known
from rules.law.facts import SEPARATOR
from rules.model.records import OF_ITS_DOSSIER, UnitKind

_YES, _NO = YES_NO


def since(day: pl.Expr, values: Collection[str]) -> pl.Expr:
    """Return whether a day is the earliest of these or later (HLD-01); one that is not known fits
    (HLD-07)."""
    return (day >= min(map(date.fromisoformat, values))).fill_null(True)


def until(day: pl.Expr, values: Collection[str]) -> pl.Expr:
    """Return whether a day is the latest of these or earlier (HLD-01); one that is not known fits
    (HLD-07)."""
    return (day <= max(map(date.fromisoformat, values))).fill_null(True)


def one_of(key: pl.Expr, values: Collection[str]) -> pl.Expr:
    """Return whether the key is one of these (HLD-01); an empty column is `none`."""
    text = key.cast(pl.String)
    return pl.when(text.is_null() | (text == "")).then(pl.lit(NONE)).otherwise(text).is_in(list(values))


def any_of(keys: pl.Expr, values: Collection[str]) -> pl.Expr:
    """Return whether one of these is among the keys, which are one text (`SEPARATOR`); an empty text is
    `none` (HLD-01)."""
    text = keys.cast(pl.String).fill_null("")
    between = pl.concat_str(pl.lit(SEPARATOR), text, pl.lit(SEPARATOR))
    found = between.str.contains_any([f"{SEPARATOR}{value}{SEPARATOR}" for value in values])
    return found | (text == "") if NONE in values else found


def yes_no(told: pl.Expr, values: Collection[str]) -> pl.Expr:
    """Return whether it is said to be so, or not (HLD-01); what is not known is not so."""
    return _is_asked(surely(told), values)


def yes_unless_no(told: pl.Expr, values: Collection[str]) -> pl.Expr:
    """Return whether it is said to be so, or not (HLD-01); what is not known is so: whether a dossier is
    active (RET-13)."""
    return _is_asked(told.ne_missing(False), values)


def _is_asked(told: pl.Expr, values: Collection[str]) -> pl.Expr:
    return (told & (_YES in values)) | (~told & (_NO in values))


EXPRESSIONS: Final = {
    Comparison.SINCE: since,
    Comparison.UNTIL: until,
    Comparison.ONE_OF: one_of,
    Comparison.ANY_OF: any_of,
    Comparison.YES_NO: yes_no,
    Comparison.YES_UNLESS_NO: yes_unless_no,
}


_OF_DAYS: Final = frozenset({Comparison.SINCE, Comparison.UNTIL})


def meets(kind: str, conditions: Sequence[Condition], sentinels: frozenset[date] = frozenset()) -> pl.Expr:
    """Return whether a row of this kind of record meets all conditions; null of none. A day among the
    `sentinels` is not known."""
    asked = ((FIELDS[kind][each.field], each.values) for each in conditions)
    return reduce(and_, (EXPRESSIONS[field.comparison](_told(field, sentinels), values) for field, values in asked), pl.lit(True))


def _told(field: Field, sentinels: frozenset[date]) -> pl.Expr:
    told = known(sentinels, field.fact) if field.comparison in _OF_DAYS else pl.col(field.fact)
    # A closing date left on a dossier that is open, or open again, counts nowhere (RET-10).
    return pl.when(~pl.col("is_active")).then(told) if field.fact == "closed_on" else told


def facts_asked(kind: str, conditions: Sequence[Condition]) -> list[str]:
    """Return the facts of this kind of record that conditions ask for, each once. Whether a closing counts is
    told by the dossier's state."""
    asked = dict.fromkeys(FIELDS[kind][each.field].fact for each in conditions)
    return list(dict.fromkeys((*asked, "is_active")) if "closed_on" in asked else asked)


def that_fit(
    kind: str,
    conditions: Sequence[Condition],
    records: pl.DataFrame,
    fiches: pl.DataFrame,
    sentinels: frozenset[date],
) -> pl.Series:
    """Return the units, by `row`, whose own row or whose fiche fits a hold on this kind of record; not what
    belongs to them. `records` are the rows of this kind, `fiches` those of the files, each with its unit,
    `row`, and the facts that the conditions ask for; of fiches, whose categories may be those of their
    dossiers, `records` are these. A day among the `sentinels` is not known."""
    is_met = meets(kind, conditions, sentinels)
    if kind == UnitKind.FICHE:
        if "categories" in facts_asked(kind, conditions):
            asked = SEPARATOR.join(each.values[0] for each in conditions if each.field == "category")
            fiches = _by_their_dossiers(records, fiches, asked)
        return fiches.filter(is_met)["row"].unique()
    if kind == UnitKind.DOSSIER and "categories" in facts_asked(kind, conditions):
        records = records.with_columns(_every_category(records, fiches))
    return records.filter(is_met)["row"]


def _by_their_dossiers(dossiers: pl.DataFrame, fiches: pl.DataFrame, asked: str) -> pl.DataFrame:
    """Return the fiches with the categories by which they go: those that have none of their own with those of
    their dossier, and where that has none either with one that meets each condition, since doubt keeps
    (HLD-07)."""
    of = dossiers.select("row", of=pl.col("categories").cast(pl.String))
    own, told = pl.col("categories").cast(pl.String), pl.col("of").fill_null("")
    told = pl.when(own != OF_ITS_DOSSIER).then(own).when(told != "").then(told).otherwise(pl.lit(asked))
    return fiches.join(of, on="row", how="left").with_columns(categories=told)


def _every_category(dossiers: pl.DataFrame, fiches: pl.DataFrame) -> pl.Series:
    """Return of each dossier its categories and those of its fiches, as one text."""
    texts, is_none = pl.col("categories").cast(pl.String), pl.col("categories").is_in(["", OF_ITS_DOSSIER])
    told = pl.concat([dossiers.select("row", texts), fiches.select("row", texts)]).filter(~is_none).unique()
    of = told.group_by("row").agg(pl.col("categories").str.join(SEPARATOR))
    return dossiers.select("row").join(of, on="row", how="left", maintain_order="left")["categories"]
