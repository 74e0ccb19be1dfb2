"""Which units of whole tables with rows in long-term retention no run may dispose of, as
`jobs.reading.out_of_reach` finds them among a few units (P34)."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from connectors.interface.connector import Connector
from jobs.reading.tables.row_numbers import BASE, ROW
from jobs.reading.tables.whole_tables import WholeTables
from rules.model.decisions import Disposition
from rules.model.records import UnitKind
from rules.policy.policy import Policy

_RECORDING = BASE[UnitKind.RECORDING]


def retained_units(found: WholeTables) -> set[int]:
    """Return the numbers of the units of which a row is in long-term retention, or named there."""
    return _units_with(found, found.retained | found.named_there) if found.retained else set()


def unreachable(connector: Connector, found: WholeTables, decided: pl.DataFrame, policy: Policy) -> set[int]:
    """Return the numbers of the units that are due and have to stay, because of the part of them that is
    there. `decided` has `row`, `is_held` and `disposition` of all units."""
    if not found.retained:
        return set()
    recordings = found.recordings.frame.with_row_index("row", _RECORDING).with_columns(pl.col("row").cast(ROW))
    retaining = pl.Series(list(found.recordings.of(found.retained).values()), dtype=ROW)
    there = recordings[retaining.sort()].join(decided.select("row", "is_held", "disposition"), on="row", how="left")
    # It may be deleted with its fiche or dossier if its own period has ended, or it follows its dossier
    # (RET-03), and no object outside the CRM belongs to it.
    in_dossier = pl.col("fiche").is_in(found.fiches.frame["dossier"].is_not_null().arg_true().cast(ROW).implode()).fill_null(False)
    in_dossier |= pl.col("dossier").is_not_null()
    follows = pl.col("evidence").fill_null(False) & in_dossier & ~pl.col("is_held")
    may_go = ~pl.col("is_outside") & (follows | (pl.col("disposition") != Disposition.KEEP.value))
    keeping = there.filter(~may_go)
    due = decided.filter(pl.col("disposition") != Disposition.KEEP.value)
    rows = set(due["row"])
    files = {*keeping["dossier"].drop_nulls(), *_units_of(found, keeping["fiche"].drop_nulls().to_list())}
    staying = rows & ({*there.filter("is_outside")["row"]} | files)
    retained = rows & retained_units(found)
    staying |= retained & found.bound
    if policy.anonymise.is_in_place:
        masked = set(due.filter(pl.col("disposition") == Disposition.ANONYMISE.value)["row"])
        staying |= retained & masked & _units_with(found, found.retained)
    return staying | retained if retained - staying and not connector.may_purge_retained() else staying


def _units_with(found: WholeTables, ids: Collection[str]) -> set[int]:
    """Return the units whose own row, or a fiche of which, has one of these ids."""
    rows = {*found.dossiers.of(ids).values(), *_units_of(found, list(found.fiches.of(ids).values()))}
    for kind in (UnitKind.RECORDING, UnitKind.ATTACHMENT, UnitKind.EMAIL):
        rows |= {BASE[kind] + number for number in found.by_kind[kind].of(ids).values()}
    return rows | set(found.unit_numbers().filter(pl.col("id").is_in(sorted(ids)))["outside"])


def _units_of(found: WholeTables, fiches: list[int]) -> set[int]:
    """Return the dossiers of these fiches, or themselves where they are lone."""
    if not fiches:
        return set()
    return {*found.units_of(pl.Series(fiches, dtype=ROW)), *found.also.filter(pl.col("fiche").is_in(fiches))["dossier"]}
