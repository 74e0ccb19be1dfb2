"""Where documents of seeded rows are in SharePoint, and what is there: for an organisation whose schema has
the two tables that say so. Every third row that a location may belong to has a folder with two documents."""

import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from connectors.emulator.schema.environment import NAMESPACE, Environment

SITE, LOCATION = "sharepointsite", "sharepointdocumentlocation"
ADDRESS = "https://fictief.sharepoint.com/sites/CRM"
EVERY = 3
_COLUMNS = {"relativeurl", "parentsiteorlocation", "regardingobjectid"}
Row = tuple[str, dict[str, Any]]
Placed = tuple[str, str, str, str]  # site, library, path, text


def has_documents(environment: Environment) -> bool:
    """Return whether rows of this schema can say where their documents are."""
    tables = environment.tables
    return SITE in tables and LOCATION in tables and "absoluteurl" in tables[SITE].columns and tables[LOCATION].columns.keys() >= _COLUMNS


def with_locations(environment: Environment, rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows, and after them the locations of documents, instead of any that are among the rows."""
    owners = environment.tables[LOCATION].columns["regardingobjectid"].targets
    site, named = _id("site"), []
    count = 0
    for table, row in rows:
        if table in (SITE, LOCATION):
            continue
        yield table, row
        if table in owners:
            count += 1
            if count % EVERY == 0:
                named.append((table, row[environment.tables[table].key]))
    yield SITE, {f"{SITE}id": site, "name": "Standaard", "absoluteurl": ADDRESS}
    for table in dict.fromkeys(table for table, _ in named):
        yield LOCATION, {f"{LOCATION}id": _id(table), "name": "Bibliotheek", "relativeurl": table, "parentsiteorlocation": (SITE, site)}
    for table, row in named:
        about = {"regardingobjectid": (table, row), "parentsiteorlocation": (LOCATION, _id(table))}
        yield LOCATION, {f"{LOCATION}id": _id(row), "name": "Documenten", "relativeurl": f"Map {row}", **about}


def documents_of(environment: Environment, rows: Iterable[Row]) -> Iterator[Placed]:
    """Yield the documents that lie where these rows say."""
    for table, row in with_locations(environment, rows):
        if table == LOCATION and "regardingobjectid" in row:
            library = row["regardingobjectid"][0]
            for number, text in enumerate(("Een verzonnen brief.", "Een verzonnen verslag."), 1):
                yield ADDRESS, library, f"{row['relativeurl']}/document {number}.txt", text


def _id(name: str) -> str:
    return str(uuid.uuid5(NAMESPACE, f"documents {name}"))
