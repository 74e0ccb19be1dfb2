"""Rows for an organisation of any schema, in the words of its own file: every column filled by its type,
every lookup to a row that is there. Who and what is in them is invented."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from connectors.emulator.schema.environment import Column, Environment, Table
from connectors.emulator.seeding import numbers, texts
from connectors.emulator.seeding.draw import Draw
from connectors.emulator.seeding.names import FICTITIOUS, FIRST_NAMES, STREETS, SURNAMES, TOWNS
from connectors.emulator.storage.connections import PARTNER, has_two_halves, other_half

_YEARS = 12  # how far back its rows go
_REFERENCE_ROWS = 4  # of a table that looks like a list of values
_OF_REFERENCE = 3  # columns: a key, a name, a code
_EMPTY = 0.15  # of the columns that need no value
_NEVER_EMPTY = {("activityparty", "activityid")}  # nobody takes part in nothing
_STATES = 0.6  # of the rows are in a state other than the first

_LEFT_OUT = frozenset({"isdocument", "filename", "mimetype", "documentbody"})  # notes without a file
_ADDRESSES = frozenset({"sender", "torecipients", "addressused"})


class _Rows:
    """One organisation while it is made."""

    def __init__(self, environment: Environment, draw: Draw, as_of: date) -> None:
        self._environment, self._draw, self._as_of = environment, draw, as_of
        self._ids: dict[str, list[str]] = {}
        self._lists: set[str] = set()  # tables that look like a list of values
        self._serial = 0

    def make(self, cases: int) -> Iterator[tuple[str, dict[str, Any]]]:
        own = [table for table in self._environment.tables.values() if not (table.platform or table.view or table.intersect)]
        own_names = {table.name for table in own}
        self._lists = {table.name for table in own if _is_reference(table, own_names)}
        for table in sorted(own, key=lambda table: _depth(table, own_names, self._environment, ())):
            for _ in range(_REFERENCE_ROWS if table.name in self._lists else max(1, cases)):
                yield from ((table.name, row) for row in self._rows(table))
        for relation in self._environment.many_to_many:
            one, two = self._ids.get(relation.one.table, []), self._ids.get(relation.two.table, [])
            if relation.one.table in own_names and relation.two.table in own_names:
                for row in dict.fromkeys((self._draw.pick(one), self._draw.pick(two)) for _ in range(min(cases, len(one)))):
                    yield relation.intersect, {relation.one.attribute: row[0], relation.two.attribute: row[1]}

    def _rows(self, table: Table) -> Iterator[dict[str, Any]]:
        """Yield a row, of a connection both halves."""
        row = self._row(table)
        if has_two_halves(table):
            half = {**other_half(table, row), table.key: self._draw.id(), "createdon": row["createdon"], PARTNER: row[table.key]}
            row[PARTNER] = half[table.key]
            yield half
        yield row

    def _row(self, table: Table) -> dict[str, Any]:
        made = self._draw.day(self._as_of - timedelta(days=365 * _YEARS), self._as_of)
        row: dict[str, Any] = {table.key: self._draw.id(), "createdon": self._draw.moment(made)}
        person = self._person()
        for column in table.columns.values():
            is_word = column.primary_name and table.name in self._lists
            is_needed = is_word or column.required or (table.name, column.name) in _NEVER_EMPTY
            if column.system or column.key or not column.writable or (not is_needed and self._draw.chance(_EMPTY)):
                continue
            value = self._word_of(table, column) if is_word else self._value(column, made, person)
            if value is not None:
                row[column.name] = value
        if len(table.states) > 1 and self._draw.chance(_STATES):
            row["statecode"] = self._draw.pick(list(table.states)[1:])
            row["statuscode"] = table.default_status(row["statecode"])
        self._ids.setdefault(table.name, []).append(row[table.key])
        return row

    def _word_of(self, table: Table, column: Column) -> str:
        """Return what a row of a list of values is called: by the list, never by a person."""
        called = next(iter(table.labels.values()), table.name)
        return f"{called} {len(self._ids.get(table.name, ())) + 1}"[: column.length or None]

    def _value(self, column: Column, made: date, person: dict[str, str]) -> Any:
        draw, kind = self._draw, column.kind
        if column.name in _LEFT_OUT:
            return None
        if column.name == "participationtypemask":
            return draw.pick((1, 2, 3))  # sender, addressee, copy
        if kind == "lookup":
            return self._lookup(column)
        if kind in ("choice", "choices"):
            options = list(self._environment.choices[column.choice])
            return str(draw.pick(options)) if kind == "choices" else draw.pick(options)
        if kind == "bool":
            return draw.chance(0.3)
        if kind in ("date", "datetime", "datetime_tzi"):
            day = made + timedelta(days=draw.waiting_days(200))
            if "birth" in column.name or "geboorte" in column.name:
                day = made - timedelta(days=draw.number(8 * 365, 45 * 365))
            return min(day, self._as_of).isoformat() if kind == "date" else draw.moment(min(day, self._as_of))
        if kind in ("int", "bigint"):
            return draw.number(int(column.minimum or 0), int(min(column.maximum or 99, 99)))
        if kind in ("decimal", "double", "money"):
            return float(draw.number(5, 500))
        return self._text(column, person) if kind in ("string", "memo") else None

    def _lookup(self, column: Column) -> Any:
        filled = [target for target in column.targets if self._ids.get(target)]
        if not filled:
            return None
        target = self._draw.pick(filled)
        row = self._draw.pick(self._ids[target])
        return (target, row) if column.polymorphic else row

    def _person(self) -> dict[str, str]:
        spoken = self._draw.pick(("nl", "fr"))
        town, postcode = self._draw.pick(TOWNS[spoken])
        first, last = self._draw.pick(FIRST_NAMES[spoken][self._draw.pick(("f", "m"))]), self._draw.pick(SURNAMES[spoken])
        street = f"{self._draw.pick(STREETS[spoken])} {self._draw.number(1, 99)}"
        return {"first": first, "last": f"{last} {FICTITIOUS}", "town": town, "postcode": postcode, "street": street, "spoken": spoken}

    def _text(self, column: Column, person: dict[str, str]) -> str | None:
        """Return a text that a column of this name and length could hold; a name that tells nothing gets a
        short one."""
        self._serial += 1
        name, who = column.name, f"{person['first']} {person['last']}"
        known = {
            "firstname": person["first"],
            "lastname": person["last"],
            "address1_line1": person["street"],
            "address1_city": person["town"],
            "address1_postalcode": person["postcode"],
            "address1_country": "BE",
        }
        if name in known:
            text = known[name]
        elif column.text_format == "Email" or "mail" in name or name in _ADDRESSES:
            text = f"p{self._serial}@example.org"
        elif "phone" in name or "telefoon" in name or "nummerbeller" in name:
            text = numbers.mobile(self._draw)
        elif column.alternate_key or "number" in name or "nummer" in name or "code" in name:
            text = f"{self._serial:06}"
        elif column.kind == "memo":
            text = texts.conversation(self._draw, "nl" if person["spoken"] == "nl" else "fr", [who, person["first"]], person["town"])
        elif column.pii and column.primary_name:
            text = who
        else:
            text = texts.subject(self._draw, "nl" if person["spoken"] == "nl" else "fr", person["first"])
        return text[: column.length] if column.length else text


def _is_reference(table: Table, own: set[str]) -> bool:
    """Return whether a table looks like a list of values: it points to nothing; a name and a code at most."""
    columns = [column for column in table.columns.values() if not column.system]
    return len(columns) <= _OF_REFERENCE and not any(set(column.targets) & own or column.pii for column in columns)


def _depth(table: Table, own: set[str], environment: Environment, above: tuple[str, ...]) -> int:
    """Return how many tables have to be filled before this one; a ring is cut where it closes."""
    targets = {target for column in table.columns.values() if not column.system for target in column.targets} & own
    below = targets - {*above, table.name}
    return 1 + max((_depth(environment.tables[name], own, environment, (*above, table.name)) for name in below), default=0)


def rows_of(environment: Environment, *, cases: int, seed: int, as_of: date) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of an organisation of this schema, as (table, row), `cases` of each table;
    the same for the same seed. A lookup points to a row that came before, or to none."""
    yield from _Rows(environment, Draw(seed), as_of).make(cases)
