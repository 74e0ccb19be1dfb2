"""What can be changed in a schema while it is in use, each change as a value that can be kept and done again.
An organisation's schema is that of its environment file and then, in order, its alterations."""

from dataclasses import replace
from typing import Any

import msgspec

from connectors.emulator.schema.environment import POINTER, Column, Described, Environment, Labels, Relationship, Table, relink
from connectors.emulator.schema.many_to_many import ManyToMany
from connectors.emulator.schema.standard import ACTIVE
from connectors.emulator.schema.table_specs import new_intersect

Choice = dict[int, Labels]
Descriptions = dict[str, Described | None]  # place -> what is said about it from now on


class Alteration(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """One change of a schema; `describe` may accompany any of them."""

    describe: Descriptions = msgspec.field(default_factory=dict)
    choices: dict[str, Choice | None] = msgspec.field(default_factory=dict)

    def alter(self, environment: Environment) -> None:
        """Change the tables; what they lead to follows from that."""


class AddTable(Alteration, frozen=True, tag=True):
    name: str
    schema_name: str
    set_name: str
    columns: tuple[Column, ...]
    type_code: int
    ownership: str
    audited: bool = False
    change_tracking: bool = False
    looked_up_by: tuple[tuple[str, str], ...] = ()  # lookups that may point to the new table too: table and column

    def alter(self, environment: Environment) -> None:
        columns = {column.name: column for column in self.columns}
        table = Table(
            name=self.name,
            set_name=self.set_name,
            schema_name=self.schema_name,
            columns=columns,
            key=next(column.name for column in self.columns if column.key),
            primary_name=next(column.name for column in self.columns if column.primary_name),
            type_code=self.type_code,
            audited=self.audited,
            change_tracking=self.change_tracking,
            ownership=self.ownership,
            states=ACTIVE,
        )
        environment.tables[self.name] = table
        for column in self.columns:
            _imply(environment, table, column)
        for child, column_name in self.looked_up_by:
            _widen(environment, environment.tables[child], column_name, table)


class DropTable(Alteration, frozen=True, tag=True):
    name: str

    def alter(self, environment: Environment) -> None:
        del environment.tables[self.name]
        environment.relationships[:] = [r for r in environment.relationships if self.name not in (r.parent, r.child)]
        for relation in [r for r in environment.many_to_many if self.name in (r.one.table, r.two.table)]:
            environment.tables.pop(relation.intersect, None)
            environment.many_to_many.remove(relation)
        for table in environment.tables.values():
            for column in list(table.columns.values()):
                if self.name in column.targets:
                    table.columns[column.name] = replace(column, targets=tuple(t for t in column.targets if t != self.name))
        for place in [place for place in environment.described if place.partition(".")[0] == self.name]:
            del environment.described[place]


class SetTable(Alteration, frozen=True, tag=True):
    name: str
    audited: bool
    change_tracking: bool

    def alter(self, environment: Environment) -> None:
        table = environment.tables[self.name]
        table.audited, table.change_tracking = self.audited, self.change_tracking


class AddColumns(Alteration, frozen=True, tag=True):
    """A column with those that come with it."""

    table: str
    columns: tuple[Column, ...]
    relationship: Relationship | None = None

    def alter(self, environment: Environment) -> None:
        table = environment.tables[self.table]
        if self.relationship is not None:
            environment.relationships.append(self.relationship)
        for column in self.columns:
            table.columns[column.name] = column
            _imply(environment, table, column)


class SetColumn(Alteration, frozen=True, tag=True):
    table: str
    column: Column

    def alter(self, environment: Environment) -> None:
        environment.tables[self.table].columns[self.column.name] = self.column


class DropColumns(Alteration, frozen=True, tag=True):
    table: str
    names: tuple[str, ...]

    def alter(self, environment: Environment) -> None:
        for owner in (self.table, POINTER) if in_view(environment, self.table, self.names) else (self.table,):
            for name in self.names:
                environment.tables[owner].columns.pop(name, None)
                environment.described.pop(f"{owner}.{name}", None)
            environment.relationships[:] = [r for r in environment.relationships if r.child != owner or r.column not in self.names]


class SetRelationship(Alteration, frozen=True, tag=True):
    relationship: Relationship

    def alter(self, environment: Environment) -> None:
        environment.relationships[:] = [self.relationship if r.name == self.relationship.name else r for r in environment.relationships]


class AddManyToMany(Alteration, frozen=True, tag=True):
    relation: ManyToMany
    set_name: str
    schema_name: str
    type_code: int

    def alter(self, environment: Environment) -> None:
        intersect = new_intersect(self.relation, self.set_name, self.schema_name, self.type_code)
        environment.tables[intersect.name] = intersect
        environment.many_to_many.append(self.relation)


class DropManyToMany(Alteration, frozen=True, tag=True):
    name: str

    def alter(self, environment: Environment) -> None:
        relation = next(r for r in environment.many_to_many if r.name == self.name)
        environment.many_to_many.remove(relation)
        del environment.tables[relation.intersect]
        environment.described.pop(self.name, None)


class AddKey(Alteration, frozen=True, tag=True):
    table: str
    name: str
    columns: tuple[str, ...]
    active: bool = True  # otherwise its index could not be made

    def alter(self, environment: Environment) -> None:
        table = environment.tables[self.table]
        (table.added_keys if self.active else table.failed_keys)[self.name] = self.columns


class DropKey(Alteration, frozen=True, tag=True):
    table: str
    name: str

    def alter(self, environment: Environment) -> None:
        table = environment.tables[self.table]
        table.added_keys.pop(self.name, None)
        table.failed_keys.pop(self.name, None)
        for column in list(table.columns.values()):
            if column.alternate_key == self.name:
                table.columns[column.name] = replace(column, alternate_key="")


class SetChoice(Alteration, frozen=True, tag=True):
    """Creates, redefines or removes a choice that belongs to no column, by what every alteration carries."""


AnyAlteration = (
    AddTable
    | DropTable
    | SetTable
    | AddColumns
    | SetColumn
    | DropColumns
    | SetRelationship
    | AddManyToMany
    | DropManyToMany
    | AddKey
    | DropKey
    | SetChoice
)
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnyAlteration)


def written(alteration: Alteration) -> bytes:
    return msgspec.json.encode(alteration)


def read(text: bytes) -> Alteration:
    alteration: Alteration = _decoder.decode(text)
    return alteration


def alter(environment: Environment, alteration: Alteration) -> None:
    """Do one alteration to an environment, in place."""
    for name, choice in alteration.choices.items():
        if choice is None:
            environment.choices.pop(name, None)
        else:
            environment.choices[name] = choice
    alteration.alter(environment)
    for place, described in alteration.describe.items():
        if described is None:
            environment.described.pop(place, None)
        else:
            environment.described[place] = described
    relink(environment)
    environment.generation += 1


def in_view(environment: Environment, table: str, names: tuple[str, ...]) -> bool:
    """Return whether one of these columns is shown by the view over all activities too."""
    pointer = environment.tables.get(POINTER)
    return pointer is not None and environment.tables[table].activity and any(name in pointer.columns for name in names)


def _imply(environment: Environment, table: Table, column: Column) -> None:
    """Add the relationship that a lookup implies, also where nobody has posted one."""
    declared = {(r.parent, r.child, r.column) for r in environment.relationships}
    for target in column.targets if column.related else ():
        if (target, table.name, column.name) not in declared:
            prefix = "lk" if target == "systemuser" else target
            name = f"{prefix}_{table.name}_{column.name}"
            on_delete = "no_cascade" if column.system else "remove_link"
            environment.relationships.append(Relationship(name, target, table.name, column.name, on_delete, implied=True))


def _widen(environment: Environment, child: Table, column_name: str, target: Table) -> None:
    """Add one more table to a lookup, related like those that it already leads to."""
    column = child.columns[column_name]
    child.columns[column_name] = replace(column, targets=(*column.targets, target.name))
    like = next((r for r in environment.relationships if (r.child, r.column) == (child.name, column_name)), None)
    if like is not None:
        name = f"{target.schema_name}_{child.schema_name}s"
        name = name if name not in {r.name for r in environment.relationships} else f"{name}_{column_name}"
        environment.relationships.append(Relationship(name, target.name, child.name, column_name, like.on_delete, implied=like.implied))
