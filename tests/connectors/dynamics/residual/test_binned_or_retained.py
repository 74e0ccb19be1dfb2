"""Rows in the recycle bin and in long-term retention are read as records, to the end, or it is said that they
cannot be (EXP-03)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from connectors.dynamics.schema import unmapped_tables
from connectors.emulator.serving.server import running
from connectors.interface.errors import ConnectorError
from connectors.interface.remains import BinnedOrRetained, Reach, ResidualKind
from connectors.interface.rows import Among
from rules.model.personal_records import FULL, FullActivityParty, FullDossier, FullFiche, FullNote
from rules.model.records import KINDS
from tests.connectors.dynamics.connected import Connected, connected
from tests.connectors.dynamics.fake_crm import row_id
from tests.connectors.dynamics.reading.forms import FORMS
from tests.connectors.dynamics.reading.forms import connected as connected_to

FIELDS = ("dossier", "categories", "communicated_on", "communicated_at", "summary", "caller_number")


class Crm(Connected):
    def gone(self, dossier: str, **columns: Any) -> str:
        fiche = self.fiche(dossier, cf_categories="100000030", cf_communicatedon="2025-01-10T11:00:00Z", **columns)
        self.remove("cf_fiches", fiche)
        return fiche

    def remove(self, table_set: str, row: str) -> None:
        assert self.send("DELETE", f"{table_set}({row})").status_code == 204

    def fiches(self, *ids: str, field: str = "dossier", residual: ResidualKind = ResidualKind.BIN) -> BinnedOrRetained:
        return self.connector.binned_or_retained(residual, FullFiche, FIELDS, Among(field, ids))


@pytest.fixture
def crm() -> Iterator[Crm]:
    with connected(Crm) as client:
        client.switch(recycle_bin_days=30)
        yield client


def test_a_deleted_row_comes_as_a_record_with_its_days_choices_and_texts(crm: Crm) -> None:
    dossier = crm.dossier()
    fiche = crm.gone(dossier, cf_summary="Verwijderd.")
    found = crm.fiches(dossier)
    (row,) = found.rows
    assert isinstance(row, FullFiche)
    assert (found.reach, row.id, row.dossier, row.categories, row.summary) == (Reach.READ, fiche, dossier, ("runaway",), "Verwijderd.")
    assert (row.communicated_on, row.communicated_at is not None, row.caller_number) == (date(2025, 1, 10), True, None)


def test_rows_of_others_and_rows_that_are_there_do_not_come(crm: Crm) -> None:
    dossier, other = crm.dossier(), crm.dossier()
    crm.gone(other)
    crm.fiche(dossier)
    assert crm.fiches(dossier) == BinnedOrRetained(Reach.READ)
    assert crm.fiches() == BinnedOrRetained(Reach.READ)


def test_rows_are_found_by_their_id_too(crm: Crm) -> None:
    fiche = crm.gone(crm.dossier())
    assert [row.id for row in crm.fiches(fiche, row_id(9), field="id").rows] == [fiche]


def test_more_rows_than_a_page_holds_are_read_to_the_end(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unmapped_tables, "PAGE", 3)
    dossier = crm.dossier()
    gone = {crm.gone(dossier) for _ in range(7)}
    found = [row.id for row in crm.fiches(dossier).rows]
    assert (len(found), set(found)) == (7, gone)


def test_more_ids_than_an_address_holds_are_all_looked_for(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unmapped_tables, "IDS_OF_A_FETCH", 2)
    dossiers = [crm.dossier() for _ in range(5)]
    gone = {crm.gone(dossier) for dossier in dossiers}
    assert {row.id for row in crm.fiches(*dossiers).rows} == gone


def test_a_note_and_participants_are_found_by_lookups_of_many_tables(crm: Crm) -> None:
    contact, fiche = crm.contact(), crm.fiche()
    note = crm.create("annotations", subject="x", **{"objectid_cf_fiche@odata.bind": f"/cf_fiches({fiche})"})
    parties = [{"partyid_contact@odata.bind": f"/contacts({contact})", "participationtypemask": 1, "addressused": "a@b.example"}]
    call = crm.create("phonecalls", subject="x", phonecall_activity_parties=parties)
    crm.remove("annotations", note)
    crm.remove("phonecalls", call)
    binned_or_retained = crm.connector.binned_or_retained
    (found,) = binned_or_retained(ResidualKind.BIN, FullNote, ["regarding", "regarding_kind", "text"], Among("regarding", [fiche])).rows
    assert isinstance(found, FullNote)
    assert (found.id, found.regarding) == (note, fiche)
    (taking,) = binned_or_retained(ResidualKind.BIN, FullActivityParty, ["activity", "party", "address"], Among("party", [contact])).rows
    assert isinstance(taking, FullActivityParty)
    assert (taking.activity, taking.address) == (call, "a@b.example")


def test_retained_rows_are_no_rows_of_the_bin(crm: Crm) -> None:
    dossier = crm.dossier(cf_summary="Bewaard.")
    target = {"Target": {"@odata.type": "Microsoft.Dynamics.CRM.cf_dossier", "cf_dossierid": dossier}}
    assert crm.send("POST", "Retain", target).status_code == 200
    among = Among("id", [dossier])
    (row,) = crm.connector.binned_or_retained(ResidualKind.RETAINED, FullDossier, ["summary"], among).rows
    assert isinstance(row, FullDossier)
    assert row.summary == "Bewaard."
    assert crm.connector.binned_or_retained(ResidualKind.BIN, FullDossier, ["summary"], among) == BinnedOrRetained(Reach.READ)


def test_a_place_that_may_not_be_looked_into_is_not_reachable_with_a_warning(crm: Crm) -> None:
    dossier = crm.dossier()
    crm.gone(dossier)
    crm.faults({"match": {"path": '*datasource="bin"*'}, "do": "status", "status": 403})
    assert crm.fiches(dossier) == BinnedOrRetained(Reach.NOT_REACHABLE)
    assert any("recycle bin" in warning for warning in crm.connector.warnings)


def test_of_several_tables_of_a_kind_one_that_may_not_be_looked_into_is_told_whatever_the_others_have() -> None:
    with running(environment=FORMS / "scattered" / "environment.yaml") as emulator:
        client = Connected(emulator)
        client.switch(recycle_bin_days=30)
        assert client.send("DELETE", f"phonecalls({client.create('phonecalls', subject='x')})").status_code == 204
        with connected_to(emulator, FORMS / "scattered" / "mapping.yaml") as connector:
            assert (connector.look_into(ResidualKind.BIN, FullFiche), connector.tables(FullFiche)[0]) == (Reach.READ, "phonecall")
            client.faults({"match": {"path": '*datasource="bin"*sc_blad*'}, "do": "status", "status": 403})
            assert connector.look_into(ResidualKind.BIN, FullFiche) is Reach.NOT_REACHABLE
        client.http.close()


@pytest.mark.parametrize("ids", [1, 151])
def test_a_place_that_is_empty_is_as_reachable_for_many_ids_as_for_few(crm: Crm, ids: int) -> None:
    """SUS-04: the list of what could not be searched does not say in how many files somebody stands."""
    crm.faults({"match": {"path": "*cf_summary*"}, "do": "status", "status": 400})
    assert crm.fiches(*(row_id(each) for each in range(ids))) == BinnedOrRetained(Reach.NOT_REACHABLE)


def test_many_ids_are_looked_for_where_it_is_refused_to_say_that_there_is_nothing(crm: Crm) -> None:
    dossier = crm.dossier()
    fiche = crm.gone(dossier)
    crm.faults({"match": {"path": '*top="1"*'}, "do": "status", "status": 400})
    ids = sorted({dossier, *(row_id(each) for each in range(151))})
    assert [row.id for row in crm.fiches(*ids).rows] == [fiche]
    assert crm.fiches(*(each for each in ids if each != dossier)) == BinnedOrRetained(Reach.READ)


def test_that_nothing_is_there_is_told_by_two_requests_however_many_ids_there_are(crm: Crm) -> None:
    crm.fiches(row_id(1))  # what is asked once
    before = crm.connector.stats.requests
    assert crm.fiches(*(row_id(each) for each in range(700))) == BinnedOrRetained(Reach.READ)
    assert crm.connector.stats.requests - before == 2


def test_a_failure_is_no_answer(crm: Crm) -> None:
    dossier = crm.dossier()
    crm.gone(dossier)
    crm.faults({"match": {"path": '*datasource="bin"*'}, "do": "status", "status": 500})
    with pytest.raises(ConnectorError):
        crm.fiches(dossier)


def test_every_kind_and_every_field_can_be_read_there(crm: Crm) -> None:
    """Each kind is asked for with all its fields; the CRM knows every one of them by its name in a fetch."""
    dossier, contact = crm.dossier(), crm.contact()
    fiche = crm.fiche(dossier)
    bound = {"cf_ContactId@odata.bind": f"/contacts({contact})"}
    parties = [{"partyid_contact@odata.bind": f"/contacts({contact})", "participationtypemask": 2}]
    rows = [
        ("annotations", crm.create("annotations", subject="x")),
        ("phonecalls", crm.create("phonecalls", subject="x", phonecall_activity_parties=parties)),
        ("emails", crm.create("emails", subject="x", email_activity_parties=parties)),
        ("cf_recordings", crm.create("cf_recordings", cf_name="x")),
        ("cf_parties", crm.create("cf_parties", cf_name="x", **bound)),
        ("cf_donations", crm.create("cf_donations", cf_name="x", **bound)),
        ("cf_enrolments", crm.create("cf_enrolments", cf_name="x", **bound)),
        ("cf_engagements", crm.create("cf_engagements", cf_name="x", **bound)),
        ("cf_fiches", fiche),
        ("cf_dossiers", dossier),
        ("contacts", contact),
    ]
    for table_set, row in rows:
        crm.remove(table_set, row)
    ids = [row for _, row in rows]
    for kind in set(KINDS) - {"statistic", "activity_party"}:
        fields = crm.connector.fields(FULL[kind]) - {"picture", "body", "media", "image"}
        found = crm.connector.binned_or_retained(ResidualKind.BIN, FULL[kind], fields, Among("id", ids))
        assert (found.reach, len(found.rows)) == (Reach.READ, 1), kind
    fields = crm.connector.fields(FullActivityParty)
    assert len(crm.connector.binned_or_retained(ResidualKind.BIN, FullActivityParty, fields, Among("party", [contact])).rows) == 2
