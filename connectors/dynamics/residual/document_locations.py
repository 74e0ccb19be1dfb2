"""Where the documents of rows are in SharePoint, as the CRM's own rows say it: a location is a folder below
another location or below a site; each has a piece of the address, or all of it (Microsoft Learn,
"SharePointDocumentLocation table"). A piece stands there as people named the folder; a whole address is
percent-encoded."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from connectors.dynamics.residual.unmapped_children import DOCUMENTS
from connectors.dynamics.schema.unmapped_tables import Directory, KnownTable, NotOffered
from connectors.interface.errors import Forbidden
from connectors.interface.remains import DocumentLocation, RowKey

SITES = "sharepointsite"
_PARENT = "_parentsiteorlocation_value"
_PARENT_SITE = "_parentsite_value"
_WHOLE = "absoluteurl"
_OWNER = "_regardingobjectid_value"
_KIND = "@Microsoft.Dynamics.CRM.lookuplogicalname"
_DEEPEST = 32  # locations above one another; a ring would have no end

Rows = dict[str, dict[str, Any]]


class DocumentLocations:
    """The document locations of one CRM."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def read(self, rows: Collection[RowKey] | None) -> list[DocumentLocation]:
        """Return those among these rows, or all. Raises ConnectorError."""
        wanted = None if rows is None else {row for table, row in rows if table == DOCUMENTS}
        if wanted is not None and not wanted:
            return []
        try:
            return self._read(wanted)
        except NotOffered as refusal:
            hint = "Give the application user read access to document locations and SharePoint sites, in the whole organisation."
            raise Forbidden(f"Where documents lie in SharePoint cannot be read: {refusal.reason}.", hint=hint, where=DOCUMENTS) from None

    def _read(self, wanted: set[str] | None) -> list[DocumentLocation]:
        known = self._directory.known((DOCUMENTS, SITES))
        table = known.get(DOCUMENTS)
        if table is None:
            return []
        found = self._rows(table, wanted)
        above = dict(found)
        for _ in range(_DEEPEST):
            missing = {str(row[_PARENT]).lower() for row in above.values() if row.get(_PARENT) and _leads_to(row) != SITES} - above.keys()
            if not missing:
                break
            fetched = self._rows(table, missing)
            above |= {key: fetched.get(key, {}) for key in missing}
        sites = self._sites(known.get(SITES))
        return [DocumentLocation((table.name, key), _owner(row), _address(row, above, sites)) for key, row in found.items()]

    def _rows(self, table: KnownTable, ids: Collection[str] | None) -> Rows:
        select = f"relativeurl,{_WHOLE},{_PARENT},{_OWNER}"
        rows = self._directory.all(table, select) if ids is None else self._directory.rows(table, table.primary_id, ids, select)
        return _by_id(rows, table)

    def _sites(self, table: KnownTable | None) -> Mapping[str, str]:
        if table is None:
            return {}
        rows = _by_id(self._directory.all(table, f"relativeurl,{_WHOLE},{_PARENT_SITE}"), table)
        return {key: _site(row, rows) for key, row in rows.items()}


def _by_id(rows: Iterable[dict[str, Any]], table: KnownTable) -> Rows:
    return {str(row[table.primary_id]).lower(): row for row in rows}


def _leads_to(row: Mapping[str, Any]) -> str:
    return str(row.get(f"{_PARENT}{_KIND}") or "")


def _owner(row: Mapping[str, Any]) -> RowKey | None:
    owner, kind = row.get(_OWNER), row.get(f"{_OWNER}{_KIND}")
    return (str(kind), str(owner).lower()) if owner and kind else None


def _address(row: Mapping[str, Any], above: Rows, sites: Mapping[str, str]) -> str:
    """Return the whole address of a location; empty where what it is below is not known."""

    def next_above(row: Mapping[str, Any]) -> Mapping[str, Any]:
        parent = str(row.get(_PARENT) or "").lower()
        return {_WHOLE: sites.get(parent)} if _leads_to(row) == SITES else above.get(parent, {})

    return _followed(row, next_above)


def _site(row: Mapping[str, Any], sites: Rows) -> str:
    return _followed(row, lambda row: sites.get(str(row.get(_PARENT_SITE) or "").lower(), {}))


def _followed(row: Mapping[str, Any], next_above: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> str:
    """Return the whole address that stands somewhere above, and the pieces on the way down from there."""
    pieces: list[str] = []
    for _ in range(_DEEPEST + 1):  # a site may be above them
        if whole := str(row.get(_WHOLE) or ""):
            return "/".join([whole.rstrip("/"), *pieces])
        pieces[:0] = [quote(name, safe="") for name in str(row.get("relativeurl") or "").split("/") if name]
        row = next_above(row)
    return ""
