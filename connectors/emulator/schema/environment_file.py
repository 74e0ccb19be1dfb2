"""An environment file read into an `Environment`. What a maker of an organisation decides stands in the file;
what the platform adds stands in `platform.yaml`."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from connectors.emulator.schema.environment import POINTER, Environment, Labels, Relationship, Table, link, metadata_id
from connectors.emulator.schema.many_to_many import ManyToMany, peers_of, read_relation
from connectors.emulator.schema.table_specs import ANY_TABLE, intersect_of, labels_of, pointer_of, table_of
from connectors.emulator.schema.words import unknown_words

HERE = Path(__file__).parent
DEFAULT_ENVIRONMENT = HERE / "environment.yaml"
PLATFORM = HERE / "platform.yaml"
MOST_COLUMNS = 1_950  # of a table; SQLite takes 2,000, among them some of our own


class EnvironmentProblem(Exception):
    """The environment file describes no organisation that can be served."""


def load_environment(path: Path | None = None) -> Environment:
    """Read an environment file, or the shipped one, and add the platform's tables. Raises EnvironmentProblem:
    with the file and what is wrong in it."""
    source = path or DEFAULT_ENVIRONMENT
    platform, text = _text(PLATFORM), _text(source)
    try:
        if path is not None and (unknown := _unknown_word(text)):
            raise EnvironmentProblem(f"{source}:{unknown[0]}: {unknown[1]}")
        return _environment(text, platform).copy()
    except MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise EnvironmentProblem(f"{source}:{line}: {str(problem.problem).splitlines()[0]}") from problem
    except YAMLError as problem:
        line = text.count("\n", 0, getattr(problem, "position", 0)) + 1  # where a character stands that YAML forbids
        raise EnvironmentProblem(f"{source}:{line}: {str(problem).splitlines()[0]}") from problem
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as problem:
        raise EnvironmentProblem(f"{source}: {_told(problem)}") from problem


@lru_cache(maxsize=4)  # as `_environment`
def _unknown_word(text: str) -> tuple[int, str] | None:
    """Return the line of the first word that is none of such a file, and what to say of it."""
    _mapping(text)  # what is no YAML is told first
    return next(unknown_words(YAML(typ="safe").compose(text)), None)


def _told(problem: Exception) -> str:
    """Return what is wrong in words of the file."""
    if isinstance(problem, KeyError):
        return f"{problem.args[0]} is missing"
    return str(problem) if isinstance(problem, ValueError) else f"a value is not written as it has to be ({problem})"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as problem:
        line = problem.object.count(b"\n", 0, problem.start) + 1
        raise EnvironmentProblem(f"{path}:{line}: this is not UTF-8") from problem
    except OSError as problem:
        raise EnvironmentProblem(f"{path}: {problem.strerror}") from problem


@lru_cache(maxsize=4)  # a process that starts many emulators gives them the same organisation
def _environment(text: str, platform: str) -> Environment:
    """Return the environment of these texts, to be copied, not altered."""
    environment = _build(_mapping(text), _mapping(platform))
    environment.origin = " ".join(sha256(each.encode()).hexdigest() for each in (platform, text))
    return environment


@lru_cache(maxsize=4)  # the platform's is the same for all
def _mapping(text: str) -> Mapping[str, Any]:
    """Return the content of a file, to be read only."""
    document = YAML(typ="safe").load(text)
    if not isinstance(document, dict):
        raise YAMLError("no mapping at the top")
    return document


def _build(document: Mapping[str, Any], platform: Mapping[str, Any]) -> Environment:
    prefix = str(document.get("publisher_prefix", "new"))
    choices = {
        name: {int(value): labels_of(option) for value, option in options.items()}
        for name, options in {**(platform.get("choices") or {}), **(document.get("choices") or {})}.items()
    }
    tables = _tables(document, platform, choices)
    activities = [table for table in tables.values() if table.activity]
    if activities and POINTER not in tables:
        tables[POINTER] = pointer_of(activities, prefix)
    _resolve_targets(tables)
    relationships = [
        Relationship(r["name"], r["parent"], r["child"], r["column"], r["on_delete"]) for r in document.get("relationships") or []
    ]
    relationships += platform_relationships(platform.get("relationships") or [], tables)
    check_relationships(relationships, tables)
    relationships += implied(tables, relationships)
    many_to_many: list[ManyToMany] = []
    for spec in [*(platform.get("many_to_many") or []), *(document.get("many_to_many") or [])]:
        relation = read_relation(spec, lambda name: tables[name].key)
        intersect = intersect_of(relation, spec, choices, number=len(tables))
        if tables.setdefault(intersect.name, intersect) is not intersect:
            raise ValueError(f"relationship {relation.name}: there already is a table {intersect.name}")
        many_to_many.append(relation)
    for table in tables.values():
        link(table, relationships)
        table.peers = peers_of(table.name, many_to_many)
    languages = {str(key): int(value) for key, value in (document.get("languages") or {"en": 1033}).items()}
    by_set = {table.set_name: table for table in tables.values()}
    if len(by_set) != len(tables):
        raise ValueError("two tables have the same set name")
    rows = {name: list(given) for name, given in platform["rows"].items()}
    rows["savedquery"] = [*rows.get("savedquery", []), *_views(tables, next(iter(languages)))]
    rows["organization"] = [{**each, "languagecode": next(iter(languages.values()))} for each in rows["organization"]]
    return Environment(tables, by_set, choices, relationships, languages, prefix, rows, many_to_many)


def _tables(document: Mapping[str, Any], platform: Mapping[str, Any], choices: Mapping[str, Any]) -> dict[str, Table]:
    """Return the tables of the platform that the document does not describe itself, then its own."""
    specs: dict[str, Any] = {name: spec for name, spec in platform["tables"].items() if name not in document["tables"]}
    platform_names = set(specs)
    specs |= document["tables"]
    tables: dict[str, Table] = {}
    for name, spec in specs.items():
        try:
            table = table_of(name, spec, choices, number=len(tables))
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError(f"table {name}: {_told(problem)}") from problem
        if len(table.columns) > MOST_COLUMNS:
            raise ValueError(f"table {name} has {len(table.columns)} columns, and SQLite keeps no more than {MOST_COLUMNS} here")
        table.platform = name in platform_names
        table.ownership = str(spec.get("ownership", "OrganizationOwned" if table.platform else "UserOwned"))
        tables[name] = table
    return tables


def _resolve_targets(tables: Mapping[str, Table]) -> None:
    """Let lookups that lead to any table name them all; refuse one that leads to none."""
    for table in tables.values():
        for column in table.columns.values():
            if column.targets == ANY_TABLE:
                every = tuple(name for name, target in tables.items() if not target.view and name != table.name)
                table.columns[column.name] = column = replace(column, targets=every, any_table=True)
            for target in column.targets:
                if target not in tables:
                    raise ValueError(f"{table.name}.{column.name} looks up {target}, which is not a table")


def holds(environment: Environment, other: Environment) -> bool:
    """Return whether an environment has every table and column that another one has."""
    return all(
        name in environment.tables and table.columns.keys() <= environment.tables[name].columns.keys()
        for name, table in other.tables.items()
    )


_ACTIVE_ROWS: Labels = {"nl": "Actieve", "fr": "Actifs :", "de": "Aktive", "en": "Active"}


def _views(tables: Mapping[str, Table], language: str) -> list[dict[str, Any]]:
    """Return the view that the platform makes with each new table: its active rows by name."""
    found: list[dict[str, Any]] = []
    for table in tables.values():
        if table.platform or table.intersect or "statecode" not in table.columns:
            continue
        columns = dict.fromkeys([table.key, table.primary_name, "createdon"])
        chosen = "".join(f'<attribute name="{name}" />' for name in columns)
        fetch = (
            f'<fetch version="1.0" mapping="logical"><entity name="{table.name}">{chosen}<order attribute="{table.primary_name}" '
            'descending="false" /><filter type="and"><condition attribute="statecode" operator="eq" value="0" /></filter></entity></fetch>'
        )
        found.append(
            {
                "savedqueryid": metadata_id("savedquery", table.name),
                "name": f"{_ACTIVE_ROWS.get(language, _ACTIVE_ROWS['en'])} {table.set_name}",
                "returnedtypecode": table.name,
                "fetchxml": fetch,
                "querytype": 0,
                "isdefault": True,
            }
        )
    return found


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
        if relation.parent not in tables[relation.child].columns[relation.column].targets:
            raise ValueError(f"relationship {relation.name}: {relation.child}.{relation.column} does not look up {relation.parent}")


def implied(tables: Mapping[str, Table], declared: list[Relationship]) -> list[Relationship]:
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
                if table.name == "activityparty":
                    name = f"{target}_activity_parties"  # as the platform has it, by which messages are made with who takes part
                if name in names:
                    name += "implied"
                names.add(name)
                dangling = column.system or table.platform or (table.name == "activityparty" and column.name == "partyid")
                # The halves of a connection go together, and participants with their activity.
                goes_along = column.name == "relatedconnectionid" or (table.name == "activityparty" and column.name == "activityid")
                on_delete = "cascade" if goes_along else "no_cascade" if dangling else "remove_link"
                found.append(Relationship(name, target, table.name, column.name, on_delete, implied=True))
    return found
