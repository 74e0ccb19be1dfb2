"""The other half of a connection. The platform keeps each connection twice, once from either side, so that it
is found from both records: making, changing or deleting one half does the same to the other (Microsoft Learn,
"Connection entities", "Describe a relationship between records with connection entities"). Which columns the
halves share is inferred from the table's own description."""

from typing import Any

from connectors.emulator.schema.environment import Table

NAME, PARTNER, MASTER = "connection", "relatedconnectionid", "ismaster"
_SIDES = ("1", "2")
_OF_ONE_HALF = frozenset({"createdon", "modifiedon", "versionnumber", PARTNER, MASTER})


def has_two_halves(table: Table) -> bool:
    return table.name == NAME and PARTNER in table.columns


def other_half(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a half as the other has them: what is said of record 1 is of record 2."""
    return {_swapped(name): value for name, value in values.items() if name != table.key and name not in _OF_ONE_HALF}


def _swapped(name: str) -> str:
    for one, two in (_SIDES, _SIDES[::-1]):
        if name.startswith(f"record{one}"):
            return f"record{two}{name.removeprefix(f'record{one}')}"
    return name
