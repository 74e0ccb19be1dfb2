"""Rows in the recycle bin, found and removed from it by the real client (ERA-12)."""

from urllib.parse import quote

import pytest

from connectors.interface.remains import Reach, ResidualKind
from tests.connectors.dynamics.residual.residual_crm import Crm, call_about, gone_fiche

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes


def in_bin(crm: Crm, table_set: str, table: str, key: str) -> list[str]:
    text = f'<fetch datasource="bin"><entity name="{table}"><attribute name="{key}"/></entity></fetch>'
    return [row[key] for row in crm.rows(f"{table_set}?fetchXml={quote(text)}")]


def test_a_bin_that_is_off_holds_nothing(crm: Crm) -> None:
    found = crm.connector.residual_data(ResidualKind.BIN, [gone_fiche(crm)])
    assert (found.reach, found.left, found.kept_of) == (Reach.READ, {}, frozenset())


def test_rows_and_what_went_along_are_found_in_the_bin_and_removed_from_it(crm: Crm) -> None:
    """Parties of an activity keep name and address there; so does the reference (reference, section 11.4)."""
    crm.switch(recycle_bin_days=30)
    fiche = crm.fiche()
    call = call_about(crm, fiche)
    other = gone_fiche(crm)
    crm.remove("phonecalls", call)
    crm.remove("cf_fiches", fiche)
    rows = [("cf_fiche", fiche), ("phonecall", call)]
    found = crm.connector.residual_data(ResidualKind.BIN, rows)
    assert {key: left.count for key, left in found.left.items()} == {("cf_fiche", fiche): 1, ("phonecall", call): 2}
    assert crm.connector.purge(ResidualKind.BIN, rows) == frozenset()
    assert crm.counts(ResidualKind.BIN, rows) == {}
    assert in_bin(crm, "activityparties", "activityparty", "activitypartyid") == []
    assert in_bin(crm, "cf_fiches", "cf_fiche", "cf_ficheid") == [other[1]]
    assert [row["_deletedobject_value"] for row in crm.rows("deleteditemreferences")] == [other[1]]
    assert crm.job_rows == 0


@pytest.mark.parametrize(("purges", "is_left"), [(True, False), (False, True)])
def test_without_a_job_the_references_are_deleted_and_what_is_still_restorable_is_found(crm: Crm, purges: bool, is_left: bool) -> None:
    """R-088: what deleting a reference does to the row is not the same everywhere, so the row is looked for
    itself."""
    crm.switch(recycle_bin_days=30, reference_delete_purges=purges)
    row = gone_fiche(crm)
    crm.may("prvBulkDelete")
    assert crm.connector.purge(ResidualKind.BIN, [row]) == {row}
    assert crm.rows("deleteditemreferences") == []
    assert (row in crm.connector.residual_data(ResidualKind.BIN, [row]).left) is is_left


def test_a_participant_whose_copy_stays_in_the_bin_is_found_although_nothing_refers_to_it(crm: Crm) -> None:
    crm.switch(recycle_bin_days=30, reference_delete_purges=False)
    call = call_about(crm, crm.fiche())
    row = ("phonecall", call)
    crm.remove("phonecalls", call)
    crm.connector.purge(ResidualKind.BIN, [row])
    assert crm.rows("deleteditemreferences") == []
    assert crm.counts(ResidualKind.BIN, [row]) == {row: 1}


def test_who_may_see_no_references_still_finds_rows_in_the_bin(crm: Crm) -> None:
    crm.switch(recycle_bin_days=30)
    row = gone_fiche(crm)
    crm.may("prvReadDeletedItemReference", "prvDeleteDeletedItemReference", "prvBulkDelete")
    assert crm.counts(ResidualKind.BIN, [row]) == {row: 1}
    assert crm.connector.purge(ResidualKind.BIN, [row]) == {row}
    assert crm.counts(ResidualKind.BIN, [row]) == {row: 1}


def test_a_crm_that_knows_no_bin_is_not_asked_on(crm: Crm) -> None:
    crm.control("PUT", "faults", [{"match": {"path": "datasource"}, "do": "status", "status": 400}])
    found = crm.connector.residual_data(ResidualKind.BIN, [gone_fiche(crm)])
    assert found.reach is Reach.NOT_REACHABLE
    assert "the recycle bin cannot be looked into" in crm.connector.warnings[0]
