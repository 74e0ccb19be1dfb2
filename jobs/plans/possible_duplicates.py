"""Dossiers that seem to be about the same child, for the flag POSSIBLE_DUPLICATE of a plan. Source: A-25."""

from __future__ import annotations

from datetime import date

import polars as pl

from jobs.reading.tables.row_numbers import BASE
from jobs.reading.tables.whole_tables import WholeTables
from rules.model.number_schemes import BELGIAN
from rules.model.records import UnitKind
from rules.people.national_numbers import parse

_FICHE = BASE[UnitKind.FICHE]


def possible_duplicates(found: WholeTables, *, as_of: date, scheme: str) -> set[int]:
    """Find dossiers that seem to be about the same child: a shared contact, or the same valid register number
    of a child. They are evaluated separately and only reported; merging personal files is for a case manager.
    `as_of` is the day on which a number has to be valid, by `scheme`. Source: A-25, R-040, IDN-07."""
    pairs = found.children.filter((pl.col("row") < _FICHE) & pl.col("contact").is_not_null())
    rows = set(pairs.filter(pl.col("contact").is_duplicated())["row"])  # each is once in a file
    if not pairs.height:
        return rows
    texts = pairs.with_columns(found.particulars.register_numbers_of(pairs["contact"]).alias("text")).filter(pl.col("text") != "")
    if scheme == BELGIAN:  # numbers that are equal in the end have ten digits in common; what is not plain is looked at
        digits = pl.col("text").str.replace_all(r"[^0-9]", "").str.tail(10)
        is_plain = ~pl.col("text").str.contains(r"[^\x00-\x7F]")
        odd = texts.filter(~is_plain)
        if odd.is_empty():
            texts = texts.with_columns(digits=digits).filter(pl.col("row").n_unique().over("digits") > 1)
    of: dict[str, set[int]] = {}
    known: dict[str, str] = {}
    for row, text in texts.select("row", "text").iter_rows():
        if text not in known:
            number = parse(text, today=as_of, scheme=scheme)
            known[text] = number.digits if number is not None else ""
        if known[text]:
            of.setdefault(known[text], set()).add(row)
    return rows.union(*(each for each in of.values() if len(each) > 1))
