"""The relationships of an environment file read, and those that follow from lookups alone."""

from collections.abc import Mapping

from connectors.emulator.schema.environment import Relationship, Table

DELETE_BEHAVIOURS = ("cascade", "remove_link", "restrict", "no_cascade")


def platform_relationships(specs: list[dict[str, str]], tables: Mapping[str, Table]) -> list[Relationship]:
    """Return the platform's relationships. The parent `*` stands for every table that the column looks up,
    and in the name for the parent's schema name."""
    found: list[Relationship] = []
    for spec in specs:
        child = tables[spec["child"]]
        targets = child.columns[spec["column"]].targets if child.platform else ()  # an environment may have a table of its own by this name
        for parent in targets if spec["parent"] == "*" else [spec["parent"]]:
            if parent in targets:
                name = spec["name"].replace("*", tables[parent].schema_name)
                found.append(Relationship(name, parent, child.name, spec["column"], spec["on_delete"]))
    return found


def check_relationships(relationships: list[Relationship], tables: Mapping[str, Table]) -> None:
    for relation in relationships:
        if relation.on_delete not in DELETE_BEHAVIOURS:
            raise ValueError(f"relationship {relation.name} has on_delete {relation.on_delete!r}")
        column = tables[relation.child].columns[relation.column]
        if relation.parent not in column.targets:
            raise ValueError(f"relationship {relation.name}: {relation.child}.{relation.column} does not look up {relation.parent}")


def implied(tables: Mapping[str, Table], declared: list[Relationship], prefix: str) -> list[Relationship]:
    """Return the implied relationships. Every lookup is one; if the file does not declare it, it gets the
    platform's default for new custom lookups, RemoveLink."""
    known = {(r.parent, r.child, r.column) for r in declared}
    names = {r.name for r in declared}
    found: list[Relationship] = []
    for table in tables.values():
        for column in table.columns.values():
            for target in column.targets:
                if not column.related or (target, table.name, column.name) in known:
                    continue
                name = f"lk_{table.name}_{column.name}" if target == "systemuser" else f"{target}_{table.name}_{column.name}"
                if name in names:
                    name += "implied"
                names.add(name)
                dangling = column.system or table.platform or (table.name == "activityparty" and column.name == "partyid")
                found.append(Relationship(name, target, table.name, column.name, "no_cascade" if dangling else "remove_link", implied=True))
    return found
