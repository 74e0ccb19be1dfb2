"""One organisation through its plans, its requests and its night; and what of two organisations has to
agree."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.drivers.typist import DORA
from tests.forms.answering import package_of
from tests.forms.facts import Asker, Hold
from tests.forms.house import House
from tests.forms.rows import PARTICIPANT, Link, Row
from tests.independent.asking import pdf_text

LINE = ("outcome", "disposition", "retention_end", "reason", "reasons", "flags", "categories", "rule")
YEAR, NUMBER = ("_year", "_jaar"), ("_count", "_aantal")  # how columns of statistics end
NOTES, PLACES = ("notes", "dependent_rows"), ("notes", "child_rows", "files")
OF_THE_ANSWER = ("request_id", "reference", "generated_at")


@dataclass(frozen=True)
class Story:
    """What came of an organisation."""

    lines: dict[Link, dict[str, Any]]
    run: dict[str, Any]
    certificates: list[dict[str, Any]]
    items: dict[str, list[dict[str, Any]]]
    packages: dict[str, dict[str, Any]]
    before: list[Row]
    after: list[Row]
    left: str
    objects: set[str]


def story_of(house: House, askers: dict[str, Asker], holds: Sequence[Hold]) -> Story:
    """Place the holds, plan, answer who asks, apply, and look at what is left."""
    before = house.rows()
    house.ask("mapping", "check")
    for hold in holds:
        where = ("--person", hold.id) if hold.table == "contact" else ("--table", hold.table, "--id", hold.id)
        why = ("--reason", "KIT", "--basis", "kit", "--review-on", "2027-05-01")
        house.ask("holds", "place", *where, "--type", hold.kind, *why, *DORA)
    plan, lines = house.lines()
    for role in plan["approvals"]["needed"]:
        house.ask("plans", "approve", plan["plan"], "--as", f"kit-{role}", "--role", role)
    run = house.ask("apply", plan["plan"])
    house.ask("verify", run["run"])
    file = house.folder / "certificate.json"
    house.ask("certificate", run["run"], "--output", file)
    house.ask("certificate", "verify", file)
    certificates = json.loads(file.read_text())["certificates"]
    answers = {who: package_of(house, who, asker) for who, asker in askers.items()}
    return Story(
        lines={(line["table"], line["id"]): line for line in lines},
        run=run,
        certificates=certificates,
        items={who: [_without(item, "digest") for item in items] for who, (items, _) in answers.items()},
        packages={who: _told(files) for who, (_, files) in answers.items()},
        before=before,
        after=house.rows(),
        left=house.words(),
        objects={path.name for path in house.objects.iterdir()},
    )


def certified(certificates: Sequence[dict[str, Any]], *, told_elsewhere: bool) -> Counter[str]:
    """What certificates say beside ids; how many audit rows there were depends on the tables, and what stood
    in notes may be certified as rows that depend on others."""
    names = ("unit_type", "category_keys", "disposition", "reason", "rule_id", "retention_end")
    counts, places = (("audit_entries", *also) for also in ((NOTES, PLACES) if told_elsewhere else ((), ())))
    return Counter(
        json.dumps([*(each[name] for name in names), _without(each["objects"], *counts), _without(each["method"], *places)], sort_keys=True)
        for each in certificates
    )


def _told(files: dict[str, bytes]) -> dict[str, Any]:
    """What an answer says, without what is another for each request."""
    data = json.loads(files.get("data.json", b"{}"))
    letter = pdf_text(files["letter.pdf"])
    for name in OF_THE_ANSWER:
        if name in data:
            letter = letter.replace(str(data.pop(name)), "")
    return {"files": sorted(files), "data": data}


def _without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


def lines_under(lines: dict[Link, dict[str, Any]], place: Callable[[Link], Link]) -> dict[Link, dict[str, Any]]:
    """The lines of a plan for the rows of another organisation."""
    return {place(unit): {name: line[name] for name in LINE} for unit, line in lines.items()}


@dataclass(frozen=True)
class Fates:
    """What became of rows, by their key; and what the platform or the product made, by what stands in it."""

    own: dict[Link, Row]
    made: Counter[str]
    statistics: list[dict[str, Any]]


def fates(rows: Sequence[Row], known: set[str], beside: frozenset[str] = frozenset()) -> Fates:
    """`known` are the ids of the rows that were loaded; what is beside them in a table of `beside` is left
    out."""
    own = {row.key: row for row in rows if row.id in known and row.table != PARTICIPANT}
    others = [row for row in rows if row.key not in own and row.table not in beside]
    statistics = sorted((row.values for row in others if _count(row.values)), key=repr)
    made = (row for row in others if not _count(row.values))
    return Fates(own, Counter(repr((row.table, sorted(row.values.items()), sorted(row.links.items()))) for row in made), statistics)


def counted(statistics: Sequence[dict[str, Any]]) -> Counter[int]:
    """How many units were counted in each year."""
    found: Counter[int] = Counter()
    for values in statistics:
        found[next(value for column, value in values.items() if column.endswith(YEAR))] += _count(values)
    return found


def _count(values: dict[str, Any]) -> int:
    return next((value for column, value in values.items() if column.endswith(NUMBER)), 0)


def shared(items: Sequence[dict[str, Any]], own: frozenset[str]) -> list[dict[str, Any]]:
    """Items that are not notes and of no table of `own`, where there are any. Their order follows from ids
    that the platform gives to participants, so it is none here, and numbers are left out."""
    kept = (_without(item, "item") for item in items if not own or item.get("kind", item.get("type")) not in own | {"note"})
    return sorted(kept, key=lambda item: json.dumps(item, sort_keys=True))


def without_answers(told: Any, names: frozenset[str]) -> Any:
    """What an answer tells, without fields of these names that say no."""
    if isinstance(told, list):
        return [without_answers(each, names) for each in told]
    if isinstance(told, dict):
        return {name: without_answers(value, names) for name, value in told.items() if name not in names or value}
    return told


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two documents differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = sorted(one.keys() | other.keys(), key=str)
        return [text for name in names for text in differences(one.get(name), other.get(name), f"{path}/{name}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [text for at, (left, right) in enumerate(zip(one, other, strict=True)) for text in differences(left, right, f"{path}/{at}")]
    return [] if one == other else [f"{path}: {one!r} and {other!r}"]
