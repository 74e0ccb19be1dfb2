"""The `sql` option, as the vendor's Python client uses it: what it documents works, what it names as
unsupported is refused."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.connectors.emulator.client import Client


def selected(crm: Client, text: str, table_set: str = "cf_dossiers") -> list[dict[str, Any]]:
    rows = crm.rows(f"{table_set}?sql={quote(text, safe='')}")
    return [{key: value for key, value in row.items() if not key.startswith("@")} for row in rows]


@pytest.fixture
def family(crm: Client) -> Client:
    """Dossier A with fiches A1 and A2, dossier B without any, and a lone fiche."""
    first = crm.dossier(cf_name="A", cf_courtreference="O'Neill", cf_outcome=100000001, cf_openedon="2020-01-01T00:00:00Z")
    crm.dossier(cf_name="B", cf_legalhold=True)
    crm.fiche(first, cf_name="A1", cf_channel=100000000)
    crm.fiche(first, cf_name="A2", cf_channel=100000001)
    crm.fiche(cf_name="lone", cf_channel=100000001)
    return crm


def test_rows_have_their_key_and_their_nulls(family: Client) -> None:
    rows = selected(family, "SELECT cf_name, cf_courtreference AS ref FROM cf_dossier ORDER BY cf_name DESC")
    assert [(row["cf_name"], row["ref"]) for row in rows] == [("B", None), ("A", "O'Neill")]
    assert all(len(row["cf_dossierid"]) == 36 for row in rows)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("cf_name = 'a'", ["A"]),
        ("cf_courtreference = 'O''Neill'", ["A"]),
        ("cf_name != 'A'", ["B"]),
        ("[cf_outcome] >= 100000001", ["A"]),
        ("cf_outcome IS NULL", ["B"]),
        ("cf_outcome is not null", ["A"]),
        ("cf_name LIKE 'b%'", ["B"]),
        ("cf_name NOT LIKE 'b%'", ["A"]),
        ("cf_name IN ('A', 'C')", ["A"]),
        ("cf_name NOT IN ('A', 'C')", ["B"]),
        ("cf_openedon BETWEEN '2019-12-31' AND '2020-01-02'", ["A"]),
        ("cf_legalhold = 1", ["B"]),
        ("cf_name = 'A' OR (cf_name = 'B' AND cf_legalhold = 1)", ["A", "B"]),
        ("d.cf_name = d.cf_name /* a comment */", ["A", "B"]),
    ],
)
def test_a_where_finds_its_rows(family: Client, where: str, expected: list[str]) -> None:
    assert [row["cf_name"] for row in selected(family, f"SELECT cf_name FROM cf_dossier d WHERE {where} ORDER BY cf_name")] == expected


def test_tables_are_joined(family: Client) -> None:
    select = "SELECT f.cf_name, d.cf_name AS dossier FROM cf_fiche f {} JOIN cf_dossier AS d ON d.cf_dossierid = f.cf_dossierid "
    select += "ORDER BY f.cf_name"
    inner = selected(family, select.format(""), "cf_fiches")
    assert [(row["cf_name"], row["dossier"]) for row in inner] == [("A1", "A"), ("A2", "A")]
    outer = selected(family, select.format("LEFT OUTER"), "cf_fiches")
    assert [(row["cf_name"], row["dossier"]) for row in outer] == [("A1", "A"), ("A2", "A"), ("lone", None)]


def test_groups_are_counted(family: Client) -> None:
    text = "SELECT d.cf_name, COUNT(f.cf_ficheid) AS cnt, MAX(f.cf_channel) AS high FROM cf_dossier d "
    text += "LEFT JOIN cf_fiche f ON f.cf_dossierid = d.cf_dossierid GROUP BY d.cf_name ORDER BY cnt DESC"
    rows = selected(family, text)
    assert rows == [{"cf_name": "A", "cnt": 2, "high": 100000001}, {"cf_name": "B", "cnt": 0}]
    assert selected(family, "SELECT COUNT(*) FROM cf_dossier") == [{"count": 2}]
    assert selected(family, "SELECT COUNT(DISTINCT [cf_channel])\nAS n FROM cf_fiche WHERE cf_channel > -1", "cf_fiches") == [{"n": 2}]


def test_distinct_top_and_offset_limit_the_rows(family: Client) -> None:
    assert selected(family, "SELECT DISTINCT cf_channel FROM cf_fiche ORDER BY cf_channel", "cf_fiches") == [
        {"cf_channel": 100000000},
        {"cf_channel": 100000001},
    ]
    assert [row["cf_name"] for row in selected(family, "SELECT TOP 1 cf_name FROM cf_dossier ORDER BY cf_name")] == ["A"]
    offset = "SELECT cf_name FROM cf_fiche ORDER BY cf_name OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY"
    assert [row["cf_name"] for row in selected(family, offset, "cf_fiches")] == ["A2"]


@pytest.mark.parametrize("order", ["", " ORDER BY cf_courtreference DESC"])
def test_pages_of_five_thousand_follow_each_other(crm: Client, order: str) -> None:
    crm.emulator.load(("cf_dossier", {"cf_name": f"D-{n}", "cf_courtreference": f"{n % 3}"}) for n in range(5003))
    first = crm.row(f"cf_dossiers?sql={quote(f'SELECT cf_name FROM cf_dossier{order}', safe='')}")
    second = crm.row(first["@odata.nextLink"])
    assert (len(first["value"]), len(second["value"])) == (5000, 3)
    assert "@odata.nextLink" not in second
    assert len({row["cf_name"] for row in first["value"] + second["value"]}) == 5003


def test_pages_of_joined_rows_follow_each_other(crm: Client) -> None:
    dossier = crm.dossier()
    for number in range(5):
        crm.fiche(dossier, cf_name=f"F-{number}")
    text = "SELECT f.cf_name FROM cf_dossier d JOIN cf_fiche f ON f.cf_dossierid = d.cf_dossierid ORDER BY f.cf_name"
    link, seen = f"cf_dossiers?sql={quote(text, safe='')}", []
    while link:
        document = crm.row(link, {"Prefer": "odata.maxpagesize=2"})
        seen += [row["cf_name"] for row in document["value"]]
        link = document.get("@odata.nextLink", "")
    assert seen == [f"F-{number}" for number in range(5)]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM cf_dossier",
        "SELECT TOP 5001 cf_name FROM cf_dossier",
        "SELECT cf_name FROM cf_dossier UNION SELECT cf_name FROM cf_fiche",
        "SELECT cf_name, COUNT(*) FROM cf_dossier GROUP BY cf_name HAVING COUNT(*) > 1",
        "WITH x AS (SELECT cf_name FROM cf_dossier) SELECT cf_name FROM x",
        "SELECT cf_name FROM cf_dossier WHERE cf_name IN (SELECT cf_name FROM cf_fiche)",
        "SELECT d.cf_name FROM cf_dossier d RIGHT JOIN cf_fiche f ON f.cf_dossierid = d.cf_dossierid",
        "SELECT d.cf_name FROM cf_dossier d FULL JOIN cf_fiche f ON f.cf_dossierid = d.cf_dossierid",
        "SELECT d.cf_name FROM cf_dossier d CROSS JOIN cf_fiche f",
        "SELECT CASE WHEN 1 = 1 THEN 1 END FROM cf_dossier",
        "SELECT UPPER(cf_name) FROM cf_dossier",
        "DELETE FROM cf_dossier",
        "SELECT cf_name FROM cf_dossier; DROP TABLE cf_dossier",
        "SELECT cf_nothing FROM cf_dossier",
        "SELECT cf_name FROM cf_nothing",
        "SELECT cf_name FROM sqlite_master",
        "SELECT cf_name FROM cf_fiche",
        "SELECT cf_name, COUNT(*) AS n FROM cf_dossier",
        "SELECT cf_name FROM cf_dossier d JOIN cf_fiche f ON f.cf_dossierid = d.cf_dossierid",
        "SELECT cf_name FROM cf_dossier WHERE cf_outcome = 'x'",
        "SELECT cf_name FROM cf_dossier WHERE cf_name =",
        "SELECT cf_name FROM cf_dossier OFFSET 5 ROWS",
        "SELECT cf_name cf_summary FROM cf_dossier",
        "SELECT cf_name FROM cf_dossier WHERE NOT (cf_name = 'A')",
        f"SELECT cf_name FROM cf_dossier WHERE {'(' * 500}cf_name = 'A'{')' * 500}",
        "SELECT cf_name FROM cf_dossier WHERE cf_name = 'unterminated",
        "",
    ],
)
def test_what_the_client_names_as_unsupported_is_refused(crm: Client, text: str) -> None:
    assert crm.get(f"cf_dossiers?sql={quote(text, safe='')}").status_code == 400
