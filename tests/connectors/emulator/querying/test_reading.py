"""Reading rows: any text comes back, but not in an address, and an order has a place for nulls."""

from tests.connectors.emulator.client import Client
from tests.web_api import ANNOTATED


def test_values_survive_quotes_backslashes_and_other_scripts(crm: Client) -> None:
    text = 'Zoë zei: "100% zeker" \\ c\'est ça %s %d\n\tпривет 🙂 </script>'
    fiche = crm.fiche(cf_summary=text)
    assert crm.row(f"cf_fiches({fiche})?$select=cf_summary")["cf_summary"] == text
    assert crm.rows("cf_fiches?$select=cf_summary", ANNOTATED)[0]["cf_summary"] == text
    dossier = crm.dossier(cf_name="100% 'x' \"y\"")
    row = crm.rows(
        f"cf_dossiers?$select=cf_name&$expand=cf_dossier_fiches($select=cf_summary)&$filter=cf_dossierid eq {dossier}", ANNOTATED
    )[0]
    assert row["cf_name"] == "100% 'x' \"y\""


def test_characters_that_the_front_end_refuses_in_a_key_are_refused(crm: Client) -> None:
    crm.contact(cf_nationalnumber="a&b")
    assert crm.get("contacts(cf_nationalnumber='a%26b')").status_code == 400
    assert len(crm.rows("contacts?$filter=cf_nationalnumber eq 'a%26b'")) == 1


def test_rows_are_ordered_and_cut_as_asked(crm: Client) -> None:
    for name in ("b", "A", "c"):
        crm.dossier(cf_name=name, cf_outcome=100000001 if name == "c" else None)
    assert [row["cf_name"] for row in crm.rows("cf_dossiers?$select=cf_name&$orderby=cf_name")] == ["A", "b", "c"]
    assert [row["cf_name"] for row in crm.rows("cf_dossiers?$select=cf_name&$orderby=cf_name desc&$top=2")] == ["c", "b"]
    assert [row["cf_name"] for row in crm.rows("cf_dossiers?$select=cf_name&$orderby=cf_outcome desc,cf_name asc")] == ["c", "A", "b"]
    assert crm.rows("cf_dossiers?$top=0") == []
