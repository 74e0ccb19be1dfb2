"""In which files the rows are that were found: dossiers, lone fiches, or none. Source: RET-02, SUS-01,
SUS-05."""

from collections.abc import Iterator
from typing import Any

from jobs.requests.search.material import Material
from jobs.requests.search.roles_and_files import Files
from rules.model.kinds import Kind
from rules.model.records import Record
from rules.rights.facts import UnitKey


class Filing:
    """Finds where a row is filed. A fiche of a dossier is in the dossier, and what belongs to a row is where
    that row is."""

    def __init__(self, material: Material) -> None:
        self._of: dict[str, dict[str, Record]] = {kind: material.rows(kind) for kind in material.kinds}
        self._files = Files(material)

    def row(self, kind: str, row: str) -> Record | None:
        """Return a row that was found among the live ones."""
        return self._of.get(kind, {}).get(row)

    def rows(self, kind: str) -> Iterator[Any]:
        """Return all rows of a kind, in the order of their ids."""
        found = self._of[kind]
        return (found[row] for row in sorted(found))

    def units(self, kind: str, row: str) -> frozenset[UnitKey]:
        """Return the files in which a row is, live or not; more than one only for a role that stands on
        two."""
        return self._files.units_of(kind, row)


def record_of(kind: Kind, values: dict[str, object]) -> Record:
    """Return a row that is elsewhere as a record of its kind."""
    record: Any = kind.full
    found: Record = record(**{name: value for name, value in values.items() if name in record.__struct_fields__})
    return found
