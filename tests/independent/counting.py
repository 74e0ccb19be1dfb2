"""The statistics that a run must leave behind (5.3, 5.4), computed from the rows that it disposed of."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from tests.independent.civil import day_of_instant
from tests.independent.evaluation import CHILD, OUTCOMES, Evaluation, Row, Verdict, World, latest_birth

Cell = tuple[int | None, str, str, str, str, str]  # year, category, province, age band, sex, outcome
PROVINCES = (
    (1000, 1299, "Brussels-Capital"),
    (1300, 1499, "Walloon Brabant"),
    (1500, 1999, "Flemish Brabant"),
    (2000, 2999, "Antwerp"),
    (3000, 3499, "Flemish Brabant"),
    (3500, 3999, "Limburg"),
    (4000, 4999, "Liège"),
    (5000, 5999, "Namur"),
    (6000, 6599, "Hainaut"),
    (6600, 6999, "Luxembourg"),
    (7000, 7999, "Hainaut"),
    (8000, 8999, "West Flanders"),
    (9000, 9999, "East Flanders"),
)
REGIONS = {
    "Brussels-Capital": "Brussels",
    "Walloon Brabant": "Wallonia",
    "Liège": "Wallonia",
    "Namur": "Wallonia",
    "Hainaut": "Wallonia",
    "Luxembourg": "Wallonia",
    "Flemish Brabant": "Flanders",
    "Antwerp": "Flanders",
    "Limburg": "Flanders",
    "West Flanders": "Flanders",
    "East Flanders": "Flanders",
}
WIDE_AGES = {"0-5": "0-11", "6-11": "0-11", "12-14": "12-17", "15-17": "12-17", "18-24": "18+", "25+": "18+"}
SEXES = {1: "m", 2: "f", 3: "x"}
DURATIONS = {"same_day", "2d", "7d", "31d", "1y", "longer"}
FICHES = {"1", "2-5", "6+"}


@dataclass
class Counted:
    """One disposed dossier or lone fiche, as statistics see it."""

    verdict: Verdict
    year: int | None
    missions: set[str]
    cell: Cell | None
    sure: bool


def mission(key: str) -> str:
    if key.startswith("missing_"):
        return "total_disappearance"
    return "total_exploitation" if key.startswith("exploitation_") else "total_other"


def needed(category: str) -> int:
    return 10 if category.startswith("exploitation_") else 5


def province_of(postcode: str | None) -> str:
    if postcode and len(postcode) == 4 and postcode.isdigit():
        for low, high, name in PROVINCES:
            if low <= int(postcode) <= high:
                return name
    return "BE"


def age_band(born: date | None, opened: date) -> str:
    if born is None:
        return "unknown"
    years = opened.year - born.year - ((opened.month, opened.day) < (born.month, born.day))
    for last, band in ((5, "0-5"), (11, "6-11"), (14, "12-14"), (17, "15-17"), (24, "18-24")):
        if years <= last:
            return band
    return "25+"


def counted(world: World, evaluation: Evaluation, disposed: set[tuple[str, str]]) -> list[Counted]:
    """All disposed dossiers and lone fiches with the cell that each starts from. Several children or a
    guessed birth make a cell unsure."""
    found: list[Counted] = []
    for unit, verdict in evaluation.units.items():
        if unit not in disposed or unit[0] not in ("cf_dossier", "cf_fiche"):
            continue
        table, row_id = unit
        row: Row = world.dossiers[row_id] if table == "cf_dossier" else world.fiches[row_id]
        fiches = world.fiches_of[row_id] if table == "cf_dossier" else [row]
        spoken = [d for d in (day_of_instant(f["cf_communicatedon"]) or day_of_instant(f["createdon"]) for f in fiches) if d]
        opened = (day_of_instant(row["cf_openedon"]) if table == "cf_dossier" else None) or min(spoken, default=None)
        # "Deleted dossiers and lone fiches add 1 to a total": whether a lone fiche that is anonymised may
        # become a row is open
        sure = table == "cf_dossier" and bool(row["cf_openedon"])
        keys = (verdict.decided_by or "").split("|")
        cell: Cell | None = None
        if verdict.disposition == "anonymise" and opened:
            children = {p["_cf_contactid_value"] for p in world.parties_of[unit] if p["cf_role"] == CHILD}
            sure = sure and len(children) == 1 and None not in children
            child = world.contacts.get(next(iter(children)) or "") if len(children) == 1 else None
            born, line = None, ""
            if child:
                born, _, _, line = latest_birth(child, None, evaluation.day)
            sure = sure and line.startswith("line 1") and len(keys) == 1
            outcome = OUTCOMES.get((row["cf_outcome"] or 0) - 100_000_000, "unknown") if table == "cf_dossier" else "unknown"
            country = (child or {}).get("address1_country")
            sure = sure and country == "België"
            sex = SEXES.get((child or {}).get("gendercode") or 0, "unknown")
            place = province_of((child or {}).get("address1_postalcode"))
            cell = (opened.year, keys[0], place, age_band(born, opened), sex, outcome)
        found.append(Counted(verdict, opened.year if opened else None, {mission(k) for k in keys}, cell, sure))
    return found


def generalised(cells: list[Cell]) -> tuple[Counter[Cell], Counter[tuple[str, int | None]]]:
    """ERA-09: the rows to write, and what is only added to a total. The statistics table was empty."""
    steps: tuple[Callable[[Cell], Cell], ...] = (
        lambda c: c,
        lambda c: (c[0], c[1], REGIONS.get(c[2], c[2]), *c[3:]),
        lambda c: (*c[:3], WIDE_AGES.get(c[3], c[3]), *c[4:]),
        lambda c: (*c[:4], "unknown", c[5]),
        lambda c: (*c[:2], "BE" if c[2] in ("Brussels", "Flanders", "Wallonia") else c[2], *c[3:]),
        lambda c: (*c[:5], "unknown"),
    )
    current = list(cells)
    for step in steps:
        before = Counter(current)
        current = [cell if before[cell] >= needed(cell[1]) else step(cell) for cell in current]
    final = Counter(current)
    rows: Counter[Cell] = Counter()
    totals: Counter[tuple[str, int | None]] = Counter()
    for cell, number in final.items():
        if number >= needed(cell[1]):
            rows[cell] = number
        else:
            totals[mission(cell[1]), cell[0]] += number
    return rows, totals
