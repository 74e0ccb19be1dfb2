"""Section 9: change tracking."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from tests.independent.conformance.served import Crm, Row, error, message, new_id

pytestmark = pytest.mark.row(32)
Control = Callable[[Any], Any]
TRACK = {"Prefer": "odata.track-changes"}


def follow(crm: Crm, path: str, headers: Row | None = None) -> tuple[list[Row], str]:
    rows: list[Row] = []
    while True:
        page = crm.one(path, headers)
        rows += page["value"]
        if link := page.get("@odata.deltaLink"):
            assert "@odata.nextLink" not in page
            return rows, str(link)
        path = page["@odata.nextLink"]


def test_the_first_answer_has_all_rows_and_a_link(crm: Crm) -> None:
    """9: 'Preference-Applied: odata.track-changes', '@odata.deltaLink …
    $deltatoken=919042%2108%2f22%2f2017…'."""
    row = crm.create("cf_fiches", cf_name="a")
    answer = crm.get("cf_fiches?$select=cf_name,statecode", TRACK)
    body = answer.json()
    assert answer.headers["Preference-Applied"] == "odata.track-changes"
    assert body["@odata.context"] == crm.root + "$metadata#cf_fiches(cf_name,statecode)"
    assert row in {r["cf_ficheid"] for r in body["value"]}
    token = unquote(body["@odata.deltaLink"].partition("$deltatoken=")[2])
    assert re.fullmatch(r"\d+!\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", token), token


def test_changes_come_by_version_and_deletions_last(crm: Crm) -> None:
    """9: 'Order: new/updated rows by version, then deletions. Deleted entry = only id + reason'."""
    old, doomed = crm.create("cf_fiches", cf_name="old"), crm.create("cf_fiches", cf_name="doomed")
    _, link = follow(crm, "cf_fiches?$select=cf_name", TRACK)
    crm.delete(f"cf_fiches({doomed})")
    fresh = crm.create("cf_fiches", cf_name="new")
    crm.patch(f"cf_fiches({old})", {"cf_name": "changed"})
    body = crm.one(link)
    assert body["@odata.context"] == crm.root + "$metadata#cf_fiches(cf_name)/$delta"
    *changed, gone = body["value"]
    assert [(r["cf_ficheid"], r["cf_name"]) for r in changed] == [(fresh, "new"), (old, "changed")]
    assert all(r["@odata.etag"] for r in changed)
    assert gone == {"@odata.context": crm.root + "$metadata#cf_fiches/$deletedEntity", "id": doomed, "reason": "deleted"}


def test_a_row_that_came_and_went_is_reported(crm: Crm) -> None:
    """9: 'A row created and deleted between two calls is still reported as deleted'."""
    _, link = follow(crm, "cf_fiches?$select=cf_name", TRACK)
    row = crm.create("cf_fiches", cf_name="kort")
    crm.delete(f"cf_fiches({row})")
    told, _ = follow(crm, link)
    assert [(r.get("id"), r.get("reason")) for r in told] == [(row, "deleted")]


def test_nothing_happened_is_an_empty_list(crm: Crm) -> None:
    """9: a delta link without changes."""
    _, link = follow(crm, "cf_fiches?$select=cf_name", TRACK)
    told, again = follow(crm, link)
    assert told == []
    assert "$deltatoken=" in again


def test_links_chain(crm: Crm) -> None:
    """9: each answer has a link for the next time."""
    _, link = follow(crm, "cf_fiches?$select=cf_name", TRACK)
    for name in ("een", "twee"):
        crm.create("cf_fiches", cf_name=name)
        told, link = follow(crm, link)
        assert [r["cf_name"] for r in told] == [name]


def test_the_link_is_on_the_last_page_only(crm: Crm) -> None:
    """9: 'More than 5,000 changes → ordinary @odata.nextLink paging; the deltaLink is on the last page
    only'."""
    _, link = follow(crm, "cf_recordings?$select=cf_name", TRACK)
    crm.load("cf_recording", [{"cf_name": f"R{number}"} for number in range(5002)], "cf_recordings")
    first = crm.one(link)
    assert len(first["value"]) == 5000
    assert "@odata.deltaLink" not in first
    second = crm.one(first["@odata.nextLink"])
    assert len(second["value"]) == 2
    assert "@odata.deltaLink" in second


def test_a_first_read_in_pages(crm: Crm) -> None:
    """9: 'ordinary @odata.nextLink paging' for the first read too."""
    for number in range(3):
        crm.create("cf_parties", cf_name=f"p{number}")
    rows, link = follow(crm, "cf_parties?$select=cf_name", {"Prefer": "odata.track-changes,odata.maxpagesize=2"})
    assert sorted(r["cf_name"] for r in rows) == ["p0", "p1", "p2"]
    assert follow(crm, link)[0] == []


def test_changes_can_be_counted(crm: Crm) -> None:
    """9: 'cf_fiches/$count?$deltatoken=… returns the number of changes'."""
    _, link = follow(crm, "cf_fiches?$select=cf_name", TRACK)
    crm.create("cf_fiches", cf_name="a")
    row = crm.create("cf_fiches", cf_name="b")
    crm.delete(f"cf_fiches({row})")
    answer = crm.get("cf_fiches/$count?$deltatoken=" + link.partition("$deltatoken=")[2])
    assert answer.content.decode("utf-8-sig") == "2"


@pytest.mark.parametrize(
    ("option", "name"),
    [("$filter=statecode eq 0", "filter"), ("$orderby=cf_name", "orderby"), ("$top=1", "top"), ("$expand=ownerid", "expand")],
)
def test_other_options_are_refused(crm: Crm, option: str, name: str) -> None:
    """9: 'The "${filter|orderby|expand|top}" query parameter isn't supported when Change Tracking is
    enabled.'"""
    answer = crm.get("cf_fiches?" + option, TRACK)
    assert error(answer)[0] == 400
    assert message(answer) == f'The "${name}" query parameter isn\'t supported when Change Tracking is enabled.'


def test_an_untracked_table_is_refused(crm: Crm) -> None:
    """9: 'Precondition ChangeTrackingEnabled=true on the table'; row 32: 'not enabled → error'."""
    assert error(crm.get("cf_donations?$select=cf_name", TRACK))[0] == 400


@pytest.mark.parametrize("status", [400, 410])
def test_an_expired_link_is_an_error_by_default(crm: Crm, clock: Control, switches: Control, status: int) -> None:
    """9: '7 days since June 2023, and an exception instead of a full read … configurable 400/410'."""
    switches({"expired_delta_status": status})
    _, link = follow(crm, "cf_fiches?$select=cf_name", TRACK)
    clock({"advance_s": 6 * 86400})
    assert crm.get(link).status_code == 200
    clock({"advance_s": 2 * 86400})
    assert error(crm.get(link))[0] == status


def test_an_expired_link_may_silently_give_all_rows(crm: Crm, clock: Control, switches: Control) -> None:
    """9: 'until Aug 2022, token too old → all rows returned as new, silently'."""
    switches({"expired_delta_full": True})
    row = crm.create("cf_fiches", cf_name="a")
    _, link = follow(crm, "cf_fiches?$select=cf_name", TRACK)
    clock({"advance_s": 8 * 86400})
    assert row in {r.get("cf_ficheid") for r in follow(crm, link)[0]}


def test_a_rubbish_link_is_refused(crm: Crm) -> None:
    """9: tokens are the server's."""
    assert error(crm.get("cf_fiches?$select=cf_name&$deltatoken=rubbish"))[0] == 400


def test_cascaded_deletions_and_cleared_links_are_changes(crm: Crm) -> None:
    """9 with 15 row 21: RemoveLink bumps the child, Cascade deletes it."""
    dossier = crm.create("cf_dossiers", cf_name="D")
    fiche = crm.create("cf_fiches", cf_name="F", **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    party = crm.create("cf_parties", cf_name="p", **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    links = {name: follow(crm, f"{name}?$select=cf_name", TRACK)[1] for name in ("cf_fiches", "cf_parties")}
    crm.delete(f"cf_dossiers({dossier})")
    assert fiche in {r.get("cf_ficheid") for r in follow(crm, links["cf_fiches"])[0]}
    assert party in {r.get("id") for r in follow(crm, links["cf_parties"])[0]}


def test_a_rolled_back_write_is_no_change(crm: Crm) -> None:
    """6.1 with 9: all or nothing."""
    _, link = follow(crm, "cf_fiches?$select=cf_name", TRACK)
    targets = [{"@odata.type": "Microsoft.Dynamics.CRM.cf_fiche", "cf_ficheid": new_id(), "cf_name": name} for name in ("x", "y" * 200)]
    assert crm.post("cf_fiches/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": targets}).status_code == 400
    assert follow(crm, link)[0] == []
