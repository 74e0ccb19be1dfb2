"""Haven Zuid: roles are connections, and what a dossier or a fiche is about stands in a table of its own."""

from collections.abc import Iterator
from uuid import NAMESPACE_URL, uuid5

from tests.forms.form import REFERENCE, Form, Renamed, narrowed, renamed
from tests.forms.form_renamed import first
from tests.forms.rows import Row
from tests.independent.organisation import BASE

KINDS = {
    0: "SOC00",
    1: "E_S01",
    2: "CIV02",
    10: "CHI10",
    11: "CHI11",
    12: "SEX12",
    20: "SOC20",
    21: "GRO21",
    22: "SEX22",
    23: "SEX23",
    30: "RUN30",
    31: "INT31",
    32: "THI32",
    33: "UNE33",
    40: "UNA40",
    41: "NAT41",
    42: "LOS42",
    43: "UND43",
    44: "PRE44",
    50: "CSA50",
    51: "SEX51",
}
ROLES = ("Kind", "Ouder", "Voogd", "Melder", "Getuige", "Verdachte", "Hulpverlener", "Andere")
MADE_ON = "2018-01-01T00:00:00Z"  # the lists
KIND, ROLE, CONNECTION = "ha_soort", "connectionrole", "connection"


def _same(table: str) -> Renamed:
    columns = {column: column.replace("cf_", "ha_") for column in REFERENCE.columns(table)}
    return Renamed(table.replace("cf_", "ha_"), columns)


TABLES = {table: _same(table) for table in REFERENCE.tables if table != "cf_party"}
RECORDED = {"cf_contactid": "", "cf_dossierid": "", "cf_ficheid": "", "cf_role": "", "cf_notes": ""}  # of a role


def translate(rows: list[Row]) -> list[Row]:
    """Rows of the reference environment as this organisation has them."""
    lists = [Row(KIND, listed(code), {"ha_naam": code.lower(), "ha_code": code}, created=MADE_ON) for code in KINDS.values()]
    lists += [Row(ROLE, listed(role), {"name": role}, created=MADE_ON) for role in ROLES]
    made = [_about(row) for row in renamed((row for row in rows if row.table in TABLES), TABLES)]
    return [*lists, *made, *(each for row in rows if row.table == "cf_party" for each in _connections(row))]


def listed(word: str) -> str:
    """The id of a row in a table of words."""
    return str(uuid5(NAMESPACE_URL, word))


def _about(row: Row) -> Row:
    if "ha_categories" not in row.values:
        return row
    values = dict(row.values)
    kind = listed(KINDS[int(values.pop("ha_categories")) - BASE])
    return row.where(values=values, links=row.links | {KIND: (KIND, kind)})


def _connections(row: Row) -> Iterator[Row]:
    """A connection for the dossier, and one for the fiche, in which somebody has a role."""
    values = {"description": row.values["cf_notes"]} if "cf_notes" in row.values else {}
    for column, own in (("cf_dossierid", row.id), ("cf_ficheid", listed(f"{row.id} on a fiche"))):
        if column in row.links:
            table, unit = row.links[column]
            role = (ROLE, listed(ROLES[row.values["cf_role"] - BASE]))
            links = {"record1id": (table.replace("cf_", "ha_"), unit), "record2id": row.links["cf_contactid"], "record2roleid": role}
            yield Row(CONNECTION, own, values, links, created=row.created, state=row.state)


def narrow(rows: list[Row]) -> list[Row]:
    """Without names on roles, roles of nobody, and all categories but the first."""
    rows = [row for row in rows if row.table != "cf_party" or "cf_contactid" in row.links]
    return narrowed(rows, TABLES | {"cf_party": Renamed(CONNECTION, RECORDED)}, {"cf_categories": first})


FORM = Form("connected", translate, narrow, beside=frozenset({CONNECTION}))
