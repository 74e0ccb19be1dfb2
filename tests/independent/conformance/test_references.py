"""Section 4.6: references to one row and to those of a collection."""

import pytest

from tests.web_api import WebApi, new_id

pytestmark = pytest.mark.row(35, 36)


@pytest.mark.parametrize("name", ["cf_DossierId", "_cf_dossierid_value", "cf_dossierid"])
def test_deleting_a_navigation_without_ref_is_refused(crm: WebApi, name: str) -> None:
    """4.6: 'DELETE …/nav without /$ref is not "clear the lookup"'; nor does it delete the row there."""
    dossier = crm.create("cf_dossiers", cf_name="D")
    row = crm.create("cf_fiches", cf_name="F", **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    before = crm.get(f"cf_fiches({row})").headers["ETag"]
    assert crm.delete(f"cf_fiches({row})/{name}").status_code in {404, 405}
    assert crm.put(f"cf_fiches({row})/{name}", {"value": None}).status_code in {404, 405}
    assert crm.exists(f"cf_dossiers({dossier})")
    after = crm.get(f"cf_fiches({row})")
    assert (after.json()["_cf_dossierid_value"], after.headers["ETag"]) == (dossier, before)


def test_references_to_a_collection(crm: WebApi) -> None:
    """4.6: add with POST …/$ref, remove with …(D1)/$ref or …/$ref?$id=…; 204."""
    dossier = crm.create("cf_dossiers", cf_name="D")
    row = crm.create("cf_fiches", cf_name="F")
    nav = f"cf_dossiers({dossier})/cf_dossier_fiches"
    for target, remove in (
        (f"{crm.url}cf_fiches({row})", f"{nav}({row})/$ref"),
        (f"cf_fiches({row})", f"{nav}/$ref?$id={crm.url}cf_fiches({row})"),
    ):
        assert crm.post(f"{nav}/$ref", {"@odata.id": target}).status_code == 204
        assert crm.row(f"cf_fiches({row})")["_cf_dossierid_value"] == dossier
        assert crm.delete(remove).status_code == 204
        assert crm.row(f"cf_fiches({row})")["_cf_dossierid_value"] is None


def test_a_reference_that_another_row_holds_is_not_removed(crm: WebApi) -> None:
    """4.6: what is removed belongs to the collection of the row that is named; the child of another stays
    whose it is, also where that other has the same id in another table."""
    dossier, other = (crm.create("cf_dossiers", cf_name="D") for _ in range(2))
    row = crm.create("cf_fiches", cf_name="F", **{"cf_DossierId@odata.bind": f"/cf_dossiers({other})"})
    before = crm.row(f"cf_fiches({row})")
    for remove in (f"cf_dossier_fiches({row})/$ref", f"cf_dossier_fiches/$ref?$id=cf_fiches({row})"):
        crm.delete(f"cf_dossiers({dossier})/{remove}")
        assert crm.row(f"cf_fiches({row})") == before
    same = new_id()
    crm.create("accounts", accountid=same, name="B (fictief)")
    crm.create("contacts", contactid=same, lastname="Persoon (fictief)")
    held = crm.create("contacts", lastname="Ander (fictief)", **{"parentcustomerid_contact@odata.bind": f"/contacts({same})"})
    crm.delete(f"accounts({same})/contact_customer_accounts({held})/$ref")
    assert crm.row(f"contacts({held})")["_parentcustomerid_value"] == same
    crm.delete(f"contacts({same})/contact_customer_contacts({held})/$ref")
    assert crm.row(f"contacts({held})")["_parentcustomerid_value"] is None


def test_references_to_a_single_row(crm: WebApi) -> None:
    """4.6: 'PUT cf_dossiers(D1)/cf_FicheId/$ref (relative accepted)', 'DELETE …/$ref'."""
    dossier = crm.create("cf_dossiers", cf_name="D")
    row = crm.create("cf_fiches", cf_name="F")
    for target in (f"{crm.url}cf_dossiers({dossier})", f"cf_dossiers({dossier})"):
        assert crm.put(f"cf_fiches({row})/cf_DossierId/$ref", {"@odata.id": target}).status_code == 204
        assert crm.row(f"cf_fiches({row})")["_cf_dossierid_value"] == dossier
        assert crm.delete(f"cf_fiches({row})/cf_DossierId/$ref").status_code == 204
        assert crm.row(f"cf_fiches({row})")["_cf_dossierid_value"] is None
