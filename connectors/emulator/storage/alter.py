"""A schema changed while it is in use: the tables of SQLite follow in the same transaction, and the state
file remembers."""

from typing import Any

from connectors.emulator.schema.alterations import (
    AddColumns,
    AddKey,
    AddManyToMany,
    AddTable,
    Alteration,
    DropColumns,
    DropKey,
    DropManyToMany,
    DropTable,
    alter,
    in_view,
    read,
    written,
)
from connectors.emulator.schema.environment import POINTER, Column, Environment, Table
from connectors.emulator.schema.many_to_many import ManyToMany
from connectors.emulator.schema.privileges import rows_of
from connectors.emulator.storage import sql
from connectors.emulator.storage.declarations import declaration, lookup_indexes, statements_of, table_statements, view_statement
from connectors.emulator.storage.load import load_rows
from connectors.emulator.storage.pairs import indexes
from connectors.emulator.storage.sources import BIN, RETAINED, source_of
from connectors.emulator.storage.tables import Tables


class Altering:
    """Makes alterations, and brings those of earlier back."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._first: Environment | None = None  # as the file describes it; kept only where something has been altered

    @property
    def _execute(self) -> Any:
        return self.tables.connection.execute

    @property
    def is_altered(self) -> bool:
        """Whether the tables are others than those of the environment file."""
        return self._first is not None

    def make(self, alteration: Alteration) -> None:
        """Make one alteration, or none of it."""
        with self.tables.transaction():
            self._execute("INSERT INTO _alterations (alteration) VALUES (?)", (written(alteration),))
            self._before(alteration)
            self._alter(alteration)
            self._after(alteration)

    def replay(self) -> None:
        """Apply earlier alterations to the environment's tables."""
        for (text,) in self._execute("SELECT alteration FROM _alterations ORDER BY number").fetchall():
            self._alter(read(text))

    def reread(self) -> None:
        """Restore the environment after a rollback to its state before what was rolled back."""
        self._restore()
        self.replay()

    def forget(self) -> None:
        """Return to the tables of the environment file, which are left empty."""
        if self._first is None:
            return
        for table in self.tables.environment.tables.values():
            if table.view:
                self._execute(f"DROP VIEW IF EXISTS {sql.name(table.name)}")
        books = self._books()
        for table in self.tables.environment.tables.values():
            if not table.view:
                self._drop(table, books)
        self._execute("DELETE FROM _alterations")
        self._restore()
        for statement in table_statements(self.tables.environment):
            self._execute(statement)

    def _restore(self) -> None:
        """Restore the environment as the file describes it; from here on nothing counts as altered, so that a
        later reset has no tables to make."""
        if self._first is not None:
            environment, first = self.tables.environment, self._first
            generation, self._first = environment.generation, None
            vars(environment).update(vars(first))
            environment.generation = generation + 1
            self.tables.forget_statements()

    def _alter(self, alteration: Alteration) -> None:
        if self._first is None:
            self._first = self.tables.environment.copy()
        alter(self.tables.environment, alteration)
        self.tables.forget_statements()

    # -- what SQLite is told ---------------------------------------------------------------------------------

    def _before(self, alteration: Alteration) -> None:
        environment = self.tables.environment
        match alteration:
            case DropTable():
                for relation in environment.many_to_many:
                    if alteration.name in (relation.one.table, relation.two.table):
                        self._drop(environment.tables[relation.intersect])
                self._drop_rows_about(environment.tables[alteration.name])
            case DropColumns():
                self._drop_columns(environment.tables[alteration.table], alteration.names)
            case DropManyToMany():
                relation = next(r for r in environment.many_to_many if r.name == alteration.name)
                self._drop(environment.tables[relation.intersect])
            case DropKey():
                self._execute(f"DROP INDEX IF EXISTS {sql.name(key_index(alteration.table, alteration.name))}")
                self._execute(f"DROP INDEX IF EXISTS {sql.name('ak_' + alteration.name)}")

    def _after(self, alteration: Alteration) -> None:
        environment = self.tables.environment
        match alteration:
            case AddTable():
                table = environment.tables[alteration.name]
                for statement in statements_of(self.tables.environment, table):
                    self._execute(statement)
                load_rows(self.tables, rows_of(table))
            case AddColumns():
                self._add_columns(environment.tables[alteration.table], alteration.columns)
            case AddManyToMany():
                self._add_pairs(environment.tables[alteration.relation.intersect], alteration.relation)
            case AddKey() if alteration.active:
                columns = ", ".join(map(sql.name, alteration.columns))
                index = sql.name(key_index(alteration.table, alteration.name))
                self._execute(f"CREATE INDEX {index} ON {sql.name(alteration.table)} ({columns})")
            case DropColumns() if POINTER in environment.tables:
                self._drop_view()
                self._execute(view_statement(environment, environment.tables[POINTER]))

    def _drop_rows_about(self, table: Table) -> None:
        """Drop the table, its files, and the notes and activities about its rows."""
        environment = self.tables.environment
        for relation in table.children:
            child = environment.tables[relation.child]
            column = child.columns[relation.column]
            if column.polymorphic and not child.view and child.name != table.name:
                where = f"{sql.name(column.type_column)} = {sql.text(table.name)}"
                if relation.on_delete == "cascade":
                    self._execute(sql.delete(child.name, [where]))
                else:
                    self._execute(sql.update(child.name, [column.name, column.type_column], [where]), (None, None))
        for kind, values in rows_of(table):
            if kind == "privilege":
                self._execute(sql.delete("roleprivileges", ["privilegeid = ?"]), (values["privilegeid"],))
                self._execute(sql.delete("privilege", ["privilegeid = ?"]), (values["privilegeid"],))
        self._drop(table)

    def _drop(self, table: Table, books: list[str] | None = None) -> None:
        for book in self._books() if books is None else books:
            self._execute(sql.delete(book, ["tab = ?"]), (table.name,))
        for source in (None, BIN, RETAINED):
            self._execute(f"DROP TABLE {sql.name(source_of(table, source))}")

    def _books(self) -> list[str]:
        """Return what is kept about rows of any table besides the rows: their files, that they are deleted,
        how many they were."""
        query = (
            "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'tab' "
            "WHERE m.type = 'table' AND substr(m.name, 1, 1) = '_'"
        )
        return [row[0] for row in self._execute(query).fetchall()]

    def _drop_view(self) -> None:
        self._execute(f"DROP VIEW IF EXISTS {sql.name(POINTER)}")

    def _add_columns(self, table: Table, columns: tuple[Column, ...]) -> None:
        for source in (None, BIN, RETAINED):
            start = f"ALTER TABLE {sql.name(source_of(table, source))} ADD COLUMN "
            for column in columns:
                self._execute(start + declaration(column))
                if column.polymorphic:
                    self._execute(start + f"{sql.name(column.type_column)} TEXT")
        for column in columns:
            for statement in lookup_indexes(table, [column]):
                self._execute(statement)

    def _drop_columns(self, table: Table, names: tuple[str, ...]) -> None:
        if in_view(self.tables.environment, table.name, names):
            self._drop_view()
        columns = [table.columns[name] for name in names]
        for column in columns:
            self._execute(f"DROP INDEX IF EXISTS {sql.name(f'ix_{table.name}_{column.name}')}")
            self._execute("DELETE FROM _files WHERE tab = ? AND col = ?", (table.name, column.name))
        stored = [*names, *(column.type_column for column in columns if column.polymorphic)]
        for source in (None, BIN, RETAINED):
            for name in stored:
                self._execute(f"ALTER TABLE {sql.name(source_of(table, source))} DROP COLUMN {sql.name(name)}")

    def _add_pairs(self, intersect: Table, relation: ManyToMany) -> None:
        for statement in [*statements_of(self.tables.environment, intersect), *indexes([relation])]:
            self._execute(statement)


def key_index(table: str, key: str) -> str:
    """Return a key's index name; two tables may have a key of the same name."""
    return f"ak_{table}.{key}"
