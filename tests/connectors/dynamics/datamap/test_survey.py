"""The data map that the real client makes of an emulator's CRM over HTTP: every table and column that leads
to a unit or a person, and its one fate (R-158, R-161, ERA-12)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.datamap.fates import of_table
from connectors.dynamics.datamap.reach import Reached
from connectors.dynamics.http.answers import Answer
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.loader import parse_mapping
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.dynamics.schema.unmapped_tables import Directory, KnownTable
from connectors.emulator.serving.server import running
from connectors.interface.errors import ConnectorError, Forbidden
from connectors.interface.remains import DependentRow
from rules.model.data_map import DataMap, Fate, MapPlace, Tie
from tests.connectors.dynamics.datamap.own_tables import environment
from tests.connectors.dynamics.residual.residual_crm import Crm, environment_with_more
from tests.yaml_files import read_yaml, yaml_text

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is read, not how it comes


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[Crm]:
    with running(environment=environment(tmp_path)) as emulator:
        made = Crm(emulator)
        yield made
        made.close()


def place(found: DataMap, name: str) -> MapPlace:
    (one,) = [each for each in found.places if each.name == name]
    return one


def visit(crm: Crm, dossier: str) -> tuple[str, str, str]:
    """A visit on a dossier, with a photo, with a caption."""
    row = crm.create("cf_visits", cf_name="v", **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    photo = crm.create("cf_photos", cf_name="p", **{"cf_VisitId@odata.bind": f"/cf_visits({row})"})
    return row, photo, crm.create("cf_captions", cf_name="c", **{"cf_PhotoId@odata.bind": f"/cf_photos({photo})"})


def pair(crm: Crm, dossier: str, fiche: str) -> None:
    answer = crm.send("POST", f"cf_dossiers({dossier})/cf_dossier_also/$ref", {"@odata.id": f"{crm.emulator.url}cf_fiches({fiche})"})
    assert answer.status_code == 204, answer.text


def test_everything_of_the_reference_environment_is_accounted_for(tmp_path: Path) -> None:
    with running() as emulator:
        crm = Crm(emulator)
        crm.dossier(cf_legalholdreason="r")
        found = crm.connector.data_map(whole=True)
        assert found.alarming == ()
        assert {each.fate for each in found.places} <= {Fate.MAPPED, Fate.GOES_ALONG, Fate.PLATFORM}
        assert crm.connector.unsearched_columns() == ()
        assert found.unsearched_tables == ()
        crm.close()


def test_a_table_at_any_depth_has_a_fate_by_what_the_crm_does_with_its_rows(crm: Crm) -> None:
    visit(crm, crm.dossier())
    found = crm.connector.data_map()
    assert place(found, "cf_visit").fate is Fate.GOES_ALONG
    photo, caption = place(found, "cf_photo"), place(found, "cf_caption")
    assert (photo.fate, photo.rows, photo.path) == (Fate.GOES_ALONG, 1, "cf_photo.cf_visitid > cf_visit.cf_dossierid > cf_dossier")
    assert (caption.fate, caption.rows) == (Fate.UNACCOUNTED, 1)
    assert "cf_photoid is only emptied" in caption.why
    assert [each.name for each in found.alarming] == ["cf_caption"]
    assert set(found.unsearched_tables) == {"cf_visit", "cf_photo", "cf_caption"}


def test_the_platforms_own_tables_are_asked_about_together_and_not_defined(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan looks at them every night."""
    asked, get = list[str](), Transport.get

    def noted(transport: Transport, address: str, **more: Any) -> Answer:
        asked.append(address)
        return get(transport, address, **more)

    monkeypatch.setattr(Transport, "get", noted)
    found = crm.connector.data_map()
    own = {"fileattachment", "asyncoperation", "duplicaterecord"}
    assert own <= {each.name for each in found.places}
    (together,) = [address for address in asked if any(f"'{name}'" in address for name in own)]
    assert all(f"'{name}'" in together for name in own)


def test_a_fate_does_not_depend_on_the_order_in_which_tables_are_found(crm: Crm) -> None:
    """An album goes with a dossier, with a visit, found after it, and with a caption, which stays."""
    dossier = crm.dossier()
    row = crm.create("cf_visits", cf_name="v", **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    of_dossier = {"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})", "cf_VisitId@odata.bind": f"/cf_visits({row})"}
    crm.create("cf_albums", cf_name="a", **of_dossier)
    assert place(crm.connector.data_map(whole=True), "cf_album").fate is Fate.GOES_ALONG
    visit(crm, dossier)
    album = place(crm.connector.data_map(whole=True), "cf_album")
    assert (album.fate, album.why) == (Fate.UNACCOUNTED, "it goes with cf_caption alone, which does not go")


def test_an_empty_table_leads_no_further_and_is_no_alarm(crm: Crm) -> None:
    found = crm.connector.data_map()
    assert (place(found, "cf_visit").rows, place(found, "cf_secret").rows) == (0, 0)
    assert not [each for each in found.places if each.table in ("cf_photo", "cf_caption")]
    assert found.alarming == ()


def test_what_a_table_of_links_ties_to_a_unit_stays_when_the_unit_goes(crm: Crm) -> None:
    dossier, group = crm.dossier(), crm.create("cf_groups", cf_name="g")
    assert place(crm.connector.data_map(), "cf_dossier_groups").rows == 0
    answer = crm.send("POST", f"cf_dossiers({dossier})/cf_dossier_groups/$ref", {"@odata.id": f"{crm.emulator.url}cf_groups({group})"})
    assert answer.status_code == 204, answer.text
    found = crm.connector.data_map(whole=True)
    assert (place(found, "cf_dossier_groups").fate, place(found, "cf_group").fate) == (Fate.GOES_ALONG, Fate.UNACCOUNTED)
    assert crm.connector.dependent_rows([("cf_dossier", dossier)]) == [
        DependentRow(("cf_group", group), ("cf_dossier", dossier), cascades=False)
    ]


def test_what_may_stay_and_keeps_the_crm_from_deleting_says_both() -> None:
    text = REFERENCE.read_text("utf-8") + "\nstay: {kt_invoice: {why: kept for seven years, by: DPO}}\n"
    table = Reached("kt_invoice", "kt_invoice > contact", [Tie("kt_invoice", "kt_payer", "contact", "Restrict")])
    told = "kept for seven years, DPO; kt_payer keeps the CRM from deleting contact"
    assert of_table(table, {}, parse_mapping(text, "m.yaml"), sees_to_documents=False, left_out=()) == (Fate.STAYS, told)


def test_of_rows_that_stay_the_map_says_which_lookup_keeps_the_id_of_what_has_gone() -> None:
    """ERA-02: where a relationship does nothing, the id still says whom a row is about."""
    ties = [Tie("kt_invoice", "kt_payer", "contact", "NoCascade"), Tie("kt_invoice", "kt_case", "cf_dossier", "RemoveLink")]
    table, text, told = Reached("kt_invoice", "", ties), REFERENCE.read_text("utf-8"), "kt_payer still has its id when contact has gone"
    judged = partial(of_table, table, {}, sees_to_documents=False, left_out=())
    assert judged(parse_mapping(text, "m.yaml")) == (Fate.UNACCOUNTED, told)
    said = parse_mapping(f"{text}\nstay: {{kt_invoice: {{why: seven years, by: DPO}}}}\n", "m.yaml")
    assert judged(said) == (Fate.STAYS, f"seven years, DPO; {told}")


def test_what_may_stay_and_goes_along_all_the_same_says_so(tmp_path: Path) -> None:
    """Somebody thinks that it stays, and no plan counts it."""
    with running(environment=environment(tmp_path)) as emulator:
        crm = Crm(emulator, stay="{cf_visit: {why: kept for seven years, by: DPO}}")
        found = place(crm.connector.data_map(), "cf_visit")
        assert (found.fate, found.why) == (
            Fate.STAYS,
            "kept for seven years, DPO; but the CRM deletes it along with cf_dossier, by cf_dossierid",
        )
        (told,) = [each for each in crm.connector.check(decisions=True) if each.code == "conflict"]
        assert not told.is_error
        assert told.message.startswith("the CRM deletes rows of cf_visit that may stay along with rows of cf_dossier, by cf_dossierid")
        crm.close()


def test_pairs_of_units_that_nothing_reads_are_unaccounted_and_keep_both_sides(crm: Crm) -> None:
    """A report may be needed by a second dossier that only a pair names."""
    dossier, other, fiche = crm.dossier(), crm.dossier(), crm.fiche()
    found = place(crm.connector.data_map(whole=True), "cf_dossier_also")
    assert (found.fate, found.rows, found.is_alarming) == (Fate.UNACCOUNTED, 0, False)
    pair(crm, dossier, fiche)
    found = place(crm.connector.data_map(whole=True), "cf_dossier_also")
    assert (found.fate, found.rows, found.is_alarming) == (Fate.UNACCOUNTED, 1, True)
    dependent_rows = crm.connector.dependent_rows([("cf_dossier", dossier), ("cf_dossier", other), ("cf_fiche", fiche)])
    assert {(each.row[0], each.on, each.cascades) for each in dependent_rows} == {
        ("cf_dossier_also", ("cf_dossier", dossier), False),
        ("cf_dossier_also", ("cf_fiche", fiche), False),
    }


def test_pairs_that_somebody_let_stay_keep_nothing(tmp_path: Path) -> None:
    with running(environment=environment(tmp_path)) as emulator:
        crm = Crm(emulator, stay="{cf_dossier_also: {why: says the same as the column, by: DPO}}")
        dossier, fiche = crm.dossier(), crm.fiche()
        pair(crm, dossier, fiche)
        assert place(crm.connector.data_map(whole=True), "cf_dossier_also").fate is Fate.STAYS
        assert crm.connector.dependent_rows([("cf_dossier", dossier), ("cf_fiche", fiche)]) == []
        crm.close()


def test_a_row_below_one_that_goes_along_keeps_the_unit_at_the_root(crm: Crm) -> None:
    """The CRM would delete the dossier, the visit and the photo, and leave the caption without an owner."""
    dossier, other = crm.dossier(), crm.dossier()
    row, photo, caption = visit(crm, dossier)
    at = ("cf_dossier", dossier)
    assert crm.connector.dependent_rows([at, ("cf_dossier", other)]) == [
        DependentRow(("cf_visit", row), at, cascades=True),
        DependentRow(("cf_photo", photo), at, cascades=True),
        DependentRow(("cf_caption", caption), at, cascades=False),
    ]


def test_a_table_is_depended_on_where_any_row_below_points_to_one(tmp_path: Path) -> None:
    with running(environment=environment_with_more(tmp_path)) as emulator:
        crm = Crm(emulator)
        dossier = crm.dossier()
        assert crm.connector.depended_on(["cf_dossier", "cf_fiche"]) == set()
        crm.create("cf_measures", cf_name="m", **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
        crm.close()
        crm = Crm(emulator)  # the first one does not look again for a while
        assert crm.connector.depended_on(["cf_dossier", "cf_fiche"]) == {"cf_dossier"}
        crm.close()


def test_a_table_with_a_table_of_links_is_depended_on(crm: Crm) -> None:
    """Only the ids tell whether one of them stands in a pair."""
    assert crm.connector.depended_on(["cf_dossier", "cf_callrecording"]) == {"cf_dossier"}


def test_a_table_that_nobody_may_look_into_is_unaccounted_unless_the_crm_says_that_it_is_empty(crm: Crm) -> None:
    fiche = crm.fiche()
    crm.may()
    assert place(crm.connector.data_map(whole=True), "cf_secret").rows == 0
    crm.emulator.load([("cf_secret", {"cf_secretid": str(uuid.uuid4()), "cf_name": "s", "cf_ficheid": fiche})])
    assert crm.connector.data_map(whole=True).unsearched_tables.count("cf_secret") == 1


@pytest.mark.parametrize("status", [400, 500])
def test_a_table_whose_rows_another_system_does_not_give_stops_nothing_and_keeps_what_may_have_some(tmp_path: Path, status: int) -> None:
    """Rows of a virtual table are elsewhere: the CRM cannot say whether any is about a dossier."""
    document = read_yaml(environment(tmp_path))
    (visits,) = [each for each in document["relationships"] if each["name"] == "cf_dossier_visits"]
    visits["on_delete"] = "no_cascade"
    (tmp_path / "environment.yaml").write_text(yaml_text(document), encoding="utf-8")
    with running(environment=tmp_path / "environment.yaml") as emulator:
        crm = Crm(emulator)
        dossier, fiche = crm.dossier(), crm.fiche()
        crm.faults(*({"match": {"path": f"/{name}"}, "do": "status", "status": status} for name in ("cf_visits", "cf_secrets", "posts")))
        found = crm.connector.data_map()
        assert (place(found, "cf_visit").rows, [each.name for each in found.alarming]) == (None, ["cf_visit"])
        assert set(found.unsearched_tables) == {"cf_visit", "cf_secret", "post"}
        assert crm.connector.depended_on(["cf_dossier", "cf_fiche"]) == {"cf_dossier", "cf_fiche"}
        assert crm.connector.dependent_rows([("cf_fiche", fiche)]) == [
            DependentRow(("cf_secret", ""), ("cf_fiche", fiche), cascades=False)  # what goes along is cleaned by its id
        ]
        assert crm.connector.dependent_rows([("cf_dossier", dossier)]) == [
            DependentRow(("cf_visit", ""), ("cf_dossier", dossier), cascades=False)
        ]
        (told,) = [each for each in crm.connector.warnings if "points to cf_dossier" in each]
        assert "its rows cannot be looked at" in told
        assert "name cf_visit.cf_dossierid under `stay`" in told
        crm.close()


FAILURES: list[dict[str, Any]] = [
    {"do": "status", "status": 503},
    {"do": "status", "status": 504, "html": True},
    {"do": "cut_before"},
    {"do": "truncate"},
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda each: f"{each['do']}-{each.get('status', '')}")
def test_a_system_that_is_down_and_has_the_rows_of_a_virtual_table_stops_nothing(tmp_path: Path, failure: dict[str, Any]) -> None:
    """One source of others, long out of order, would keep every night from its plan (R-158)."""
    document = read_yaml(environment(tmp_path))
    (visits,) = [each for each in document["relationships"] if each["name"] == "cf_dossier_visits"]
    visits["on_delete"] = "no_cascade"
    document["tables"]["cf_visit"]["system_columns"] = []
    (tmp_path / "environment.yaml").write_text(yaml_text(document), encoding="utf-8")
    with running(environment=tmp_path / "environment.yaml") as emulator:
        crm = Crm(emulator)
        dossier = crm.dossier()
        crm.faults({"match": {"path": "/cf_visits"}, **failure})
        found = crm.connector.data_map()
        assert (place(found, "cf_visit").rows, [each.name for each in found.alarming]) == (None, ["cf_visit"])
        assert crm.connector.dependent_rows([("cf_dossier", dossier)]) == [
            DependentRow(("cf_visit", ""), ("cf_dossier", dossier), cascades=False)
        ]
        assert [each for each in crm.connector.warnings if "cf_visit.cf_dossierid points to cf_dossier" in each]
        crm.close()


def test_documents_as_the_crm_shows_them_are_those_of_their_locations(tmp_path: Path) -> None:
    """An application is not let into `sharepointdocument`, which may point to any dossier."""
    document = read_yaml(environment(tmp_path))
    columns = {"sharepointdocumentid": {"type": "guid", "key": True}, "regardingobjectid": {"type": "lookup cf_dossier"}}
    columns["fullname"] = {"type": "string(100)", "primary_name": True}
    document["tables"]["sharepointdocument"] = {"set": "sharepointdocuments", "columns": columns}
    (tmp_path / "environment.yaml").write_text(yaml_text(document), encoding="utf-8")
    with running(environment=tmp_path / "environment.yaml") as emulator:
        crm = Crm(emulator)
        crm.faults({"match": {"path": "/sharepointdocuments"}, "do": "status", "status": 400})
        assert crm.connector.dependent_rows([("cf_dossier", crm.dossier())]) == []
        assert (crm.connector.data_map(whole=True).alarming, crm.connector.data_map().unsearched_tables) == ((), ())
        crm.close()


def test_posts_are_the_platforms_own_and_nobody_is_looked_for_in_them(crm: Crm) -> None:
    crm.emulator.load([("post", {"postid": str(uuid.uuid4()), "text": "bericht", "regardingobjectid": crm.dossier()})])
    found = crm.connector.data_map()
    assert (place(found, "post").fate, found.alarming) == (Fate.PLATFORM, ())
    assert found.unsearched_tables == ("post",)


def test_a_column_with_values_that_no_field_is_filled_from_is_unaccounted(crm: Crm) -> None:
    crm.dossier()
    assert crm.connector.unsearched_columns() == ()
    assert place(crm.connector.data_map(whole=True), "cf_dossier.cf_hobby").rows == 0
    crm.dossier(cf_hobby="h")
    hobby = place(crm.connector.data_map(whole=True), "cf_dossier.cf_hobby")
    assert (hobby.fate, hobby.rows, hobby.is_alarming) == (Fate.UNACCOUNTED, 1, True)
    assert crm.connector.unsearched_columns() == ("dossier.cf_hobby",)


def test_a_secured_column_that_this_account_may_not_read_is_not_taken_for_empty(tmp_path: Path) -> None:
    """It looks empty in every row: an answer would call it searched, and a map accounted for."""
    more = {"cf_secured": {"type": "string(100)", "pii": True, "secured": True}}
    with running(environment=environment(tmp_path, more)) as emulator:
        crm = Crm(emulator)
        assert crm.connector.unsearched_columns() == ()
        crm.dossier()
        assert place(crm.connector.data_map(whole=True), "cf_dossier.cf_secured").rows == 0  # System Administrator
        assert crm.connector.unsearched_columns() == ()
        crm.may()
        secured = place(crm.connector.data_map(whole=True), "cf_dossier.cf_secured")
        assert (secured.rows, secured.is_alarming) == (None, True)
        assert crm.connector.unsearched_columns() == ("dossier.cf_secured",)
        crm.close()


def test_a_secured_column_of_a_table_without_a_row_hides_nothing(tmp_path: Path) -> None:
    more = {"cf_secured": {"type": "string(100)", "pii": True, "secured": True}}
    with running(environment=environment(tmp_path, more)) as emulator:
        crm = Crm(emulator)
        crm.may()
        assert crm.connector.unsearched_columns() == ()
        assert crm.connector.data_map(whole=True).alarming == ()
        crm.close()


def test_only_an_amount_in_the_currency_of_the_organisation_is_the_platforms_own(tmp_path: Path) -> None:
    more = {"cf_amount_base": {"type": "money"}, "cf_knowledge_base": {"type": "memo(2000)", "pii": True}}
    with running(environment=environment(tmp_path, more)) as emulator:
        crm = Crm(emulator)
        crm.dossier(cf_amount_base=1, cf_knowledge_base="verzonnen")
        assert crm.connector.unsearched_columns() == ("dossier.cf_knowledge_base",)
        assert [each.name for each in crm.connector.data_map(whole=True).alarming] == ["cf_dossier.cf_knowledge_base"]
        crm.close()


@pytest.mark.parametrize("counts", ["all at once", "not so many rows", "not for this user"])
def test_a_wide_table_takes_a_few_requests_and_each_column_has_its_own_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counts: str
) -> None:
    """Each column is asked for by itself where the CRM does not count several."""
    monkeypatch.setattr("connectors.emulator.querying.fetchxml.answer.MAX_AGGREGATED", 1 if counts == "not so many rows" else 50_000)
    is_empty, get = Directory.is_empty, Transport.get

    def forbidding(self: Transport, address: str, **more: Any) -> Answer:
        if "fetchXml" in address and counts == "not for this user":
            raise Forbidden("a secured column", status=403)
        return get(self, address, **more)

    monkeypatch.setattr(Transport, "get", forbidding)

    def refusing(self: Directory, table: KnownTable, condition: str = "") -> bool:
        if "cf_wide007" in condition:  # as an image
            raise ConnectorError("it cannot be filtered by", status=400)
        return is_empty(self, table, condition)

    monkeypatch.setattr(Directory, "is_empty", refusing)
    wide = {f"cf_wide{at:03d}": {"type": "string(100)", "pii": True} for at in range(150)}
    with running(environment=environment(tmp_path, wide)) as emulator:
        crm = Crm(emulator)
        for row in range(3):
            crm.dossier(cf_hobby="h", **{name: "w" for at, name in enumerate(wide) if at % 4 > row and at < 125})
        before = crm.connector.stats.requests
        found = {each.name: each.rows for each in crm.connector.data_map(whole=True).places}
        asked = crm.connector.stats.requests - before
        assert [found[f"cf_dossier.{name}"] for name in wide] == [(3 if at == 7 else at % 4 if at < 125 else 0) for at in range(150)]
        assert found["cf_dossier.cf_hobby"] == 3
        assert asked < 200 or counts != "all at once", asked
        crm.close()


def test_what_somebody_decided_is_told_with_why_and_by_whom(tmp_path: Path) -> None:
    with running(environment=environment(tmp_path)) as emulator:
        crm = Crm(
            emulator,
            stay="{cf_caption: {why: words of the archive, by: DPO}}",
            goes_along="{cf_dossier.cf_hobby: {why: kept for the party, by: DPO}}",
        )
        visit(crm, crm.dossier(cf_hobby="h"))
        found = crm.connector.data_map(whole=True)
        assert (place(found, "cf_caption").fate, place(found, "cf_caption").why) == (Fate.STAYS, "words of the archive, DPO")
        assert (place(found, "cf_dossier.cf_hobby").fate, place(found, "cf_dossier.cf_hobby").why) == (
            Fate.GOES_ALONG,
            "kept for the party, DPO",
        )
        assert found.alarming == ()
        assert "cf_caption" in found.unsearched_tables
        assert crm.connector.unsearched_columns() == ("dossier.cf_hobby",)
        crm.close()
