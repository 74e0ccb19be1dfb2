"""How an organisation wants its rows anonymised in place: which column gets what, which stay, and whose the
row is afterwards.

Read from the section `anonymise` of a dossier or fiche in the mapping; nothing here asks the CRM
(`schema/masks_check.py` does).

Source: section 5.3, ERA-06.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.dynamics.mapping.mapping_file import Node, Problems
from rules.anonymisation.techniques import TECHNIQUES

MASKED_KINDS = frozenset({"dossier", "fiche"})
COLUMN_TECHNIQUES = tuple(name for name, technique in TECHNIQUES.items() if technique.fits)

_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,127}")
_TECHNIQUE = re.compile("|".join(COLUMN_TECHNIQUES))
_OPTION = re.compile(r"\d{1,10}")


@dataclass(frozen=True, slots=True)
class MaskedColumn:
    """One column, by its logical name, and the technique that overwrites it."""

    name: str
    technique: str
    where: str


@dataclass(frozen=True, slots=True)
class Masks:
    """The section of one table. `keeps` are columns that stay, each with its place in the file; `owner` is
    the id or the name of a team; `state` and `status` are the values of statecode and statuscode that take
    the row out of the views of those who work on cases."""

    where: str
    columns: dict[str, MaskedColumn]
    keeps: dict[str, str]
    owner: str
    owner_where: str
    state: int
    status: int | None
    state_where: str


def parse_masks(node: Node, own: str, problems: Problems) -> Masks:
    """The section `anonymise`. `own` is the column that says since when a row is anonymised, which no
    technique may touch (ERA-07)."""
    parts = node.mapping({"owner", "state", "status", "columns", "keeps"}, {"owner", "state", "columns"})
    columns: dict[str, MaskedColumn] = {}
    for name, entry in (parts["columns"].mapping(None, set()) if "columns" in parts else {}).items():
        if not _COLUMN.fullmatch(name):
            problems.add(entry, "a column's logical name is in lower case")
        # YAML's own null is what people write for it; an empty value is a mistake.
        technique = "null" if entry.raw == "null" else entry.text(_TECHNIQUE, f"one of {', '.join(COLUMN_TECHNIQUES)}")
        columns[name] = MaskedColumn(name, technique, entry.where)
    keeps: dict[str, str] = {}
    for entry in parts["keeps"].items() if "keeps" in parts else ():
        name = entry.text(_COLUMN, "a column's logical name, in lower case")
        if name in columns or name in keeps:
            problems.add(entry, f"{name} stands here twice: it is overwritten or it stays")
        keeps[name] = entry.where
    if not own:
        problems.add(node, "anonymise needs a column for anonymised_on: without it a row would be written again every night (ERA-07)")
    elif own in columns or own in keeps:
        problems.add_at(columns[own].where if own in columns else keeps[own], f"{own} tells since when the row is anonymised")
    state, status = parts.get("state"), parts.get("status")
    return Masks(
        node.where,
        columns,
        keeps,
        parts["owner"].text() if "owner" in parts else "",
        parts["owner"].where if "owner" in parts else node.where,
        _option(state),
        _option(status) if status is not None else None,
        state.where if state is not None else node.where,
    )


def _option(node: Node | None) -> int:
    text = node.text(_OPTION, "an option value, a whole number") if node is not None else ""
    return int(text) if text else 0
