"""What may be counted of those who are gone: small cells, provinces, age bands, what is published (5.4; R-084
to R-093)."""

import csv
import json
from collections import Counter

from tests.independent.case import Case
from tests.independent.scenarios import scenario


def runaways(
    case: Case, count: int, postcode: str | None, born: str = "1999-03-01", opened: str = "2016-05-05", category: str = "runaway"
) -> None:
    for _ in range(count):
        child = case.child(born, address1_postalcode=postcode, gendercode=2)
        case.dossier(category, opened, child=child, outcome="returned", cf_closedon=f"{opened[:4]}-12-05T10:00:00Z")


def cells(case: Case, *columns: str) -> Counter[tuple[object, ...]]:
    found: Counter[tuple[object, ...]] = Counter()
    for row in case.everything()["cf_statistic"]:
        found[tuple(row[c] for c in columns)] += row["cf_count"]
    return found


@scenario("R-084 ERA-09: three and three in two provinces become one region")
def three_and_three(case: Case) -> None:
    case.policy()
    runaways(case, 3, "2000")
    runaways(case, 3, "3500")
    case.apply()
    found = cells(case, "cf_categorykey", "cf_year", "cf_province", "cf_ageband", "cf_sex", "cf_outcomekey")
    case.same("cells", found, {("missing_runaway", 2016, "Flanders", "15-17", "f", "returned"): 6})


@scenario("R-084 R-085 ERA-09: five stay a province, the sixth elsewhere is only a total")
def five_and_one(case: Case) -> None:
    case.policy()
    runaways(case, 5, "2000")
    runaways(case, 1, "3500")
    case.apply()
    found = cells(case, "cf_categorykey", "cf_year", "cf_province", "cf_ageband")
    case.same("cells", found, {("missing_runaway", 2016, "Antwerp", "15-17"): 5, ("total_disappearance", 2016, None, None): 1})


@scenario("R-086 ERA-08: exploitation asks for ten that are alike")
def ten(case: Case) -> None:
    case.policy()
    for count, right in ((9, {("total_exploitation", None): 9}), (10, {("exploitation_ict", "Antwerp"): 10})):
        case.api.control("POST", "reset", {"empty": True})
        case.settings["DATA_DIR"] = str(case.folder / f"data{count}")
        runaways(case, count, "2000", category="sexting")
        case.apply()
        case.same(f"{count} rows", cells(case, "cf_categorykey", "cf_province"), right)


@scenario("R-092 5.3: postcodes and their provinces")
def provinces(case: Case) -> None:
    case.policy()
    codes = {"1300": "Walloon Brabant", "1500": "Flemish Brabant", "2999": "Antwerp", "3000": "Flemish Brabant", "3500": "Limburg"}
    codes |= {"6599": "Hainaut", "6600": "Luxembourg", "7000": "Hainaut", "8000": "West Flanders", "9999": "East Flanders"}
    codes |= {"0999": "BE", "10000": "BE"}
    for code in codes:
        runaways(case, 5, code)
    case.apply()
    right = Counter({(province,): 5 * list(codes.values()).count(province) for province in codes.values()})
    case.same("provinces", cells(case, "cf_province"), right)


@scenario("R-093 5.3: an age band is of completed years on the opening date")
def bands(case: Case) -> None:
    case.clock("2036-04-01T10:00:00Z")
    case.policy()
    for opened in ("2023-02-28", "2023-03-01"):
        runaways(case, 5, "2000", born="2011-03-01", opened=opened)
    case.apply()
    case.same("bands", cells(case, "cf_ageband"), {("6-11",): 5, ("12-14",): 5})


@scenario("ERA-10 ERA-11: no count below five can be read or computed in what is published")
def published(case: Case) -> None:
    case.policy()
    runaways(case, 7, "2000")
    runaways(case, 6, "3500")
    runaways(case, 5, "8000", born="2001-05-05")
    runaways(case, 2, "9000", opened="2017-05-05")
    case.apply()
    stored = [row["cf_count"] for row in case.everything()["cf_statistic"]]
    for kind in ("json", "csv", "xlsx"):
        case.ask("statistics", "export", "--output", f"statistics.{kind}")
    text = (case.folder / "statistics.json").read_text()
    small = [n for n in numbers(json.loads(text)) if 0 < n < 5]
    case.same("counts below five in the file", small, [])
    case.expect(sum(stored) == 20, f"the statistics of the CRM must count 20: {stored}")
    with (case.folder / "statistics.csv").open(newline="") as file:
        counts = [value for row in csv.DictReader(file) for name, value in row.items() if name and "count" in name.lower()]
    case.same("counts below five in the table", [c for c in counts if c.strip().isdigit() and 0 < int(c) < 5], [])


def numbers(document: object, key: str = "") -> list[int]:
    """Every number under a key that mentions a count."""
    if isinstance(document, dict):
        return [n for name, value in document.items() for n in numbers(value, str(name))]
    if isinstance(document, list):
        return [n for value in document for n in numbers(value, key)]
    counted = any(word in key.lower() for word in ("count", "total", "cell"))
    return [document] if counted and isinstance(document, int) and not isinstance(document, bool) else []
