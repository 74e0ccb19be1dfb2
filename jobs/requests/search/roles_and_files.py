"""What rights are decided by, taken from what was found: who has which role in which file, and which files
are about what."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import cast

from jobs.requests.search.material import Material
from rules.model.file_roles import FileRole
from rules.model.kinds import ACTIVITIES, FILES
from rules.model.records import REGARDING, tied_to
from rules.rights.facts import FileFacts, RoleInFile, UnitKey

Values = Mapping[str, object]


def roles_of(material: Material) -> list[RoleInFile]:
    """Return every role of every contact in the files that were found, each as it stands on its row, in a
    fixed order.

    A role on a fiche of a dossier counts for the dossier. A role that is in the recycle bin or in long-term
    retention counts where its file is there too; that of a suspect counts always, so that nothing is
    revealed because somebody has deleted it (SUS-05). So does a suspect's role without a contact that names
    one of the people asked for. A role that the CRM leaves empty is ""."""
    found = {
        RoleInFile(
            unit,
            str(row["contact"]),
            str(row["role"] or ""),
            cast("date | None", row["suspect_until"]),
            bool(str(row["authority_evidence"] or "").strip()),
            cast("date | None", row["authority_valid_until"]),
        )
        for row, unit in Files(material).roles()
    }
    return sorted(found, key=repr)


def files_of(material: Material) -> dict[UnitKey, FileFacts]:
    """Return the facts of every file that was found, with or without a role of the person. The categories of
    a dossier are its own and those of its fiches: what one of them protects, the file does (RGT-09)."""
    files = Files(material)
    categories: defaultdict[UnitKey, set[str]] = defaultdict(set)
    for kind, row, values in files.rows(*FILES):
        for unit in files.units_of(kind, row):
            categories[unit].update(cast("tuple[str, ...]", values["categories"]))
    children: defaultdict[UnitKey, set[str]] = defaultdict(set)
    for values, unit in files.roles():
        children[unit] |= {str(values["contact"])} if values["role"] == FileRole.CHILD else set()
    return {
        unit: FileFacts(tuple(sorted(categories[unit])), frozenset(children[unit])) for unit in sorted(categories.keys() | children.keys())
    }


class Files:
    """The files of what was found, and which row belongs to which of them; live rows and those that lie
    elsewhere alike."""

    def __init__(self, material: Material) -> None:
        self._live = {(kind, row): record for kind in material.kinds for row, record in material.rows(kind).items()}
        self._binned_or_retained = {(each.kind, each.id): each.values for each in material.elsewhere}
        self._named: defaultdict[str, set[str]] = defaultdict(set)  # by role: who is named there
        for mention in material.mentions:
            if mention.kind == "party":
                self._named[mention.id].update(mention.people)

    def units_of(self, kind: str, row: str) -> frozenset[UnitKey]:
        """Return every dossier and lone fiche to which a row belongs: a role may be on two. A contact belongs
        to none."""
        return frozenset(self._units(kind, row, set()))

    def rows(self, *kinds: str) -> Iterator[tuple[str, str, Values]]:
        """Return the rows of some kinds, with their fields."""
        for kind, row in dict.fromkeys((*self._live, *self._binned_or_retained)):
            if kind in kinds:
                yield kind, row, self._values(kind, row)

    def roles(self) -> Iterator[tuple[Values, UnitKey]]:
        """Return each role of a contact that counts, with its file; twice where it is on two."""
        for kind, row, values in self.rows("party"):
            is_suspect = values["role"] == FileRole.SUSPECT
            contacts = [values["contact"]] if values["contact"] is not None else sorted(self._named[row]) if is_suspect else []
            for unit in sorted(self.units_of(kind, row)):
                if (kind, row) in self._live or is_suspect or unit in self._binned_or_retained:
                    for contact in contacts:
                        yield {**values, "contact": contact}, unit

    def _units(self, kind: str, row: str, seen: set[tuple[str, str]]) -> Iterator[UnitKey]:
        if (kind, row) in seen:  # rows that depend on each other lead in a circle
            return
        seen.add((kind, row))
        values = self._values(kind, row)
        if kind == "dossier" or (kind == "fiche" and values.get("dossier") is None):
            yield (kind, row)
            return
        above = [(name, values.get(name)) for name in FILES]
        above += [("dossier", other) for other in cast("tuple[str, ...]", values.get("also_in", ()))]
        above += [(str(values.get(f"{name}_kind")), values.get(name)) for name in REGARDING]
        above += tied_to(cast("tuple[str, ...]", values.get("tied") or ()), cast("str | None", values.get("regarding_kind")))
        above += [(name, values.get("activity")) for name in ACTIVITIES]
        above += cast("tuple[tuple[str, str], ...]", values.get("shared_with", ()))
        for name, identity in above:
            if identity is not None and (name in FILES or self._values(name, str(identity))):
                yield from self._units(name, str(identity), seen)

    def _values(self, kind: str, row: str) -> Values:
        """Return the fields of a row; nothing where it was not found."""
        live = self._live.get((kind, row))
        if live is not None:
            return {name: getattr(live, name) for name in live.__struct_fields__}
        return self._binned_or_retained.get((kind, row), {})
