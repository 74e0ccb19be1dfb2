"""Change tracking: first reads, delta links, deletions, and what makes a delta link useless."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from connectors.emulator.serving.server import running
from tests.connectors.emulator.client import Client
from tests.web_api import change_set, error_of, new_id, request_part

pytestmark = pytest.mark.row(32)
TRACK = {"Prefer": "odata.track-changes"}


def begin(crm: Client, path: str = "cf_fiches?$select=cf_name", **headers: str) -> dict[str, Any]:
    return crm.row(path, {**TRACK, **headers})


def follow(crm: Client, link: str, **headers: str) -> dict[str, Any]:
    return crm.row(link, headers)


def changes(document: dict[str, Any], key: str = "cf_ficheid") -> tuple[list[str], list[str]]:
    """Ids of changed rows and of deleted ones; every deletion must stand behind every change."""
    deleted = [row["id"] for row in document["value"] if row.get("reason") == "deleted"]
    changed = [row[key] for row in document["value"] if key in row]
    assert [row.get("reason") for row in document["value"]] == [None] * len(changed) + ["deleted"] * len(deleted)
    return changed, deleted


def test_a_first_read_gives_the_rows_and_a_delta_link(crm: Client) -> None:
    fiche = crm.fiche(cf_name="F-1")
    crm.control("PUT", "clock", {"now": "2026-08-22T08:10:44Z"})
    answer = crm.get("cf_fiches?$select=cf_name", TRACK)
    document = answer.json()
    assert answer.headers["Preference-Applied"] == "odata.track-changes"
    assert document["@odata.context"] == f"{crm.url}$metadata#cf_fiches(cf_name)"
    assert [(row["cf_ficheid"], row["cf_name"]) for row in document["value"]] == [(fiche, "F-1")]
    link = document["@odata.deltaLink"]
    assert re.fullmatch(re.escape(f"{crm.url}cf_fiches?$select=cf_name&$deltatoken=") + r"\d+%2108%2f22%2f2026%2008%3a10%3a\d\d", link)
    version, _, time = unquote(link).partition("$deltatoken=")[2].partition("!")
    assert f'W/"{version}"' >= document["value"][0]["@odata.etag"]
    assert time.startswith("08/22/2026 08:10:4")


def test_a_delta_gives_changed_rows_by_version_and_then_deletions(crm: Client) -> None:
    first, second, third, untouched = (crm.fiche(cf_name=f"F-{n}") for n in range(4))
    link = begin(crm)["@odata.deltaLink"]
    crm.send("PATCH", f"cf_fiches({second})", {"cf_name": "F-1a"})
    crm.send("DELETE", f"cf_fiches({third})")
    crm.send("PATCH", f"cf_fiches({first})", {"cf_name": "F-0a"})
    fresh = crm.fiche(cf_name="F-9")
    document = follow(crm, link)
    assert document["@odata.context"] == f"{crm.url}$metadata#cf_fiches(cf_name)/$delta"
    assert changes(document) == ([second, first, fresh], [third])
    assert document["value"][0]["cf_name"] == "F-1a"
    assert document["value"][-1] == {"@odata.context": f"{crm.url}$metadata#cf_fiches/$deletedEntity", "id": third, "reason": "deleted"}
    assert untouched not in str(document)
    assert changes(follow(crm, document["@odata.deltaLink"])) == ([], [])
    assert document["@odata.deltaLink"].startswith(f"{crm.url}cf_fiches?$select=cf_name&$deltatoken=")


def test_a_delta_link_can_be_followed_twice(crm: Client) -> None:
    link = begin(crm)["@odata.deltaLink"]
    fiche = crm.fiche()
    assert changes(follow(crm, link)) == changes(follow(crm, link)) == ([fiche], [])
    answer = crm.get(link)
    assert "Preference-Applied" not in answer.headers
    assert crm.get(link, TRACK).headers["Preference-Applied"] == "odata.track-changes"


def test_a_row_created_and_deleted_in_between_is_told_as_deleted(crm: Client) -> None:
    link = begin(crm)["@odata.deltaLink"]
    fiche = crm.fiche()
    crm.send("DELETE", f"cf_fiches({fiche})")
    assert changes(follow(crm, link)) == ([], [fiche])


def test_a_row_that_lives_again_under_its_id_is_a_change_and_no_deletion(crm: Client) -> None:
    """Deletions come last: told as both, the living row would be taken for gone."""
    row = new_id()
    crm.fiche(cf_ficheid=row)
    link = begin(crm)["@odata.deltaLink"]
    crm.send("DELETE", f"cf_fiches({row})")
    between = follow(crm, link)
    assert changes(between) == ([], [row])
    crm.fiche(cf_ficheid=row, cf_name="again")
    assert changes(follow(crm, link)) == ([row], [])
    assert changes(follow(crm, between["@odata.deltaLink"])) == ([row], [])
    crm.send("DELETE", f"cf_fiches({row})")
    assert changes(follow(crm, link)) == ([], [row])
    assert changes(follow(crm, between["@odata.deltaLink"])) == ([], [row])


def test_the_delta_link_stands_on_the_last_page_only(crm: Client) -> None:
    ids = {crm.fiche(cf_name=f"F-{n}") for n in range(5)}
    page = begin(crm, Prefer="odata.track-changes, odata.maxpagesize=2")
    seen, links = [row["cf_ficheid"] for row in page["value"]], 0
    while "@odata.nextLink" in page:
        assert "@odata.deltaLink" not in page
        assert "$skiptoken=" in page["@odata.nextLink"]
        page = follow(crm, page["@odata.nextLink"], Prefer="odata.maxpagesize=2")
        seen += [row["cf_ficheid"] for row in page["value"]]
        links += 1
    assert (links, len(seen), set(seen)) == (2, 5, ids)
    assert changes(follow(crm, page["@odata.deltaLink"])) == ([], [])


def test_a_row_changed_or_deleted_while_the_first_read_is_paged_is_not_lost(crm: Client) -> None:
    ids = [crm.fiche(cf_name=f"F-{n}") for n in range(4)]
    page = begin(crm, Prefer="odata.track-changes,odata.maxpagesize=2")
    seen = [row["cf_ficheid"] for row in page["value"]]
    unseen = [row for row in ids if row not in seen]
    crm.send("PATCH", f"cf_fiches({seen[0]})", {"cf_name": "changed behind the reader"})
    crm.send("DELETE", f"cf_fiches({seen[1]})")
    crm.send("DELETE", f"cf_fiches({unseen[0]})")
    low = crm.fiche(cf_ficheid="00000000-0000-4000-8000-000000000001")
    last = follow(crm, page["@odata.nextLink"])
    assert [row["cf_ficheid"] for row in last["value"]] == [unseen[1]]
    assert changes(follow(crm, last["@odata.deltaLink"])) == ([seen[0], low], [seen[1], unseen[0]])


def test_many_changes_are_paged_with_deletions_at_the_end(crm: Client) -> None:
    ids = [crm.fiche(cf_name=f"F-{n}") for n in range(6)]
    link = begin(crm)["@odata.deltaLink"]
    for row in ids[:3]:
        crm.send("DELETE", f"cf_fiches({row})")
    for row in ids[3:]:
        crm.send("PATCH", f"cf_fiches({row})", {"cf_name": "x"})
    pages = [follow(crm, link, Prefer="odata.maxpagesize=2")]
    while next_link := pages[-1].get("@odata.nextLink"):
        assert "@odata.deltaLink" not in pages[-1]
        assert "$skiptoken=" in next_link
        pages.append(follow(crm, next_link, Prefer="odata.maxpagesize=2"))
    assert [changes(page) for page in pages] == [(ids[3:5], []), (ids[5:], ids[:1]), ([], ids[1:3])]
    assert changes(follow(crm, pages[-1]["@odata.deltaLink"])) == ([], [])


def test_a_change_while_a_delta_is_paged_comes_with_the_next_delta(crm: Client) -> None:
    ids = [crm.fiche(cf_name=f"F-{n}") for n in range(4)]
    link = begin(crm)["@odata.deltaLink"]
    for row in ids:
        crm.send("PATCH", f"cf_fiches({row})", {"cf_name": "x"})
    page = follow(crm, link, Prefer="odata.maxpagesize=2")
    crm.send("PATCH", f"cf_fiches({ids[2]})", {"cf_name": "y"})
    crm.send("DELETE", f"cf_fiches({ids[3]})")
    last = follow(crm, page["@odata.nextLink"])
    assert changes(last) == ([], [])
    assert changes(follow(crm, last["@odata.deltaLink"])) == ([ids[2]], [ids[3]])


def test_more_than_five_thousand_changes_make_a_next_link(crm: Client) -> None:
    link = begin(crm)["@odata.deltaLink"]
    crm.emulator.load([("cf_fiche", {"cf_name": f"F-{n}"}) for n in range(5_001)])
    first = follow(crm, link)
    assert (len(first["value"]), "@odata.deltaLink" in first) == (5_000, False)
    second = follow(crm, first["@odata.nextLink"])
    assert (len(second["value"]), "@odata.deltaLink" in second) == (1, True)
    counted = crm.get(link.replace("cf_fiches?$select=cf_name&", "cf_fiches/$count?"))
    assert counted.content.decode("utf-8-sig") == "5001"


def test_the_number_of_changes_counts_deletions_too(crm: Client) -> None:
    kept, gone = crm.fiche(), crm.fiche()
    link = begin(crm)["@odata.deltaLink"].replace("cf_fiches?$select=cf_name&", "cf_fiches/$count?")
    assert crm.get(link).content == b"\xef\xbb\xbf0"
    crm.send("PATCH", f"cf_fiches({kept})", {"cf_name": "x"})
    crm.send("DELETE", f"cf_fiches({gone})")
    answer = crm.get(link)
    assert (answer.content, answer.headers["Content-Type"]) == (b"\xef\xbb\xbf2", "text/plain")


@pytest.mark.parametrize("option", ["$filter=statecode eq 0", "$orderby=cf_name", "$expand=cf_DossierId", "$top=3"])
def test_options_that_would_leave_out_changes_are_refused(crm: Client, option: str) -> None:
    answer = crm.get(f"cf_fiches?{option}", TRACK)
    name = option.partition("=")[0]
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.'
    link = begin(crm)["@odata.deltaLink"]
    assert crm.get(f"{link}&{option}").status_code == 400


def test_a_table_without_change_tracking_is_refused(crm: Client) -> None:
    assert crm.get("cf_donations", TRACK).status_code == 400
    assert crm.get("activitypointers", TRACK).status_code == 400
    crm.control("PUT", "switches", {"untracked_status": 501})
    assert crm.get("cf_donations", TRACK).status_code == 501


def test_a_token_that_was_not_given_out_for_this_table_is_refused(crm: Client) -> None:
    link = begin(crm)["@odata.deltaLink"]
    token = link.partition("$deltatoken=")[2]
    version = re.match(r"\d+", token)
    assert version is not None
    tampered = token.replace(version.group(), str(int(version.group()) - 1))
    for other in (
        f"cf_dossiers?$deltatoken={token}",
        f"cf_fiches?$deltatoken={tampered}",
        "cf_fiches?$deltatoken=x",
        "cf_fiches?$select=cf_name&$deltatoken=rubbish",
        "cf_fiches?$deltatoken=",
    ):
        assert error_of(crm.get(other)) == (400, "0x80040203"), other
    assert crm.get(f"cf_fiches/$count?$deltatoken={tampered}").status_code == 400
    assert crm.get(f"cf_fiches?$deltatoken={token}").status_code == 200


def test_a_cookie_that_was_altered_is_refused(crm: Client) -> None:
    for n in range(3):
        crm.fiche(cf_name=f"F-{n}")
    link = begin(crm, Prefer="odata.track-changes, odata.maxpagesize=1")["@odata.nextLink"]
    assert crm.get(link).status_code == 200
    assert error_of(crm.get(link.replace("pagenumber=%222", "pagenumber=%223"))) == (400, "0x80040203")
    assert error_of(crm.get(link.replace("cf_fiches?$select=cf_name", "cf_dossiers?$select=cf_name"))) == (400, "0x80040203")


def test_a_delta_link_expires(crm: Client) -> None:
    fiche = crm.fiche()
    link = begin(crm)["@odata.deltaLink"]
    crm.control("PUT", "clock", {"advance_s": 6.9 * 86_400})
    assert crm.get(link).status_code == 200
    crm.control("PUT", "clock", {"advance_s": 0.2 * 86_400})
    assert crm.get(link).status_code == 400
    crm.control("PUT", "switches", {"expired_delta_status": 410})
    assert crm.get(link).status_code == 410
    crm.control("PUT", "switches", {"expired_delta_full": True})
    document = follow(crm, link)
    assert changes(document) == ([fiche], [])
    assert changes(follow(crm, document["@odata.deltaLink"])) == ([], [])


def test_the_organisation_says_how_long_a_delta_link_is_good_unless_the_switch_does(crm: Client) -> None:
    organisation = crm.rows("organizations?$select=expirechangetrackingindays")[0]
    assert organisation["expirechangetrackingindays"] == 7
    crm.send("PATCH", f"organizations({organisation['organizationid']})", {"expirechangetrackingindays": 30})
    link = begin(crm)["@odata.deltaLink"]
    crm.control("PUT", "clock", {"advance_s": 20 * 86_400})
    assert crm.get(link).status_code == 200
    crm.control("PUT", "switches", {"change_tracking_days": 3})
    assert crm.get(link).status_code == 400


def tombstones(crm: Client) -> int:
    found = crm.emulator.emulator.tables.connection.execute("SELECT count(*) FROM _tombstones").fetchone()
    return int(found[0])


def test_tombstones_hold_the_id_alone_and_go_after_the_last_link_that_needs_them(crm: Client) -> None:
    crm.send("DELETE", f"cf_fiches({crm.fiche()})")
    assert tombstones(crm) == 1
    crm.control("PUT", "clock", {"advance_s": 8 * 86_400})
    later = crm.fiche()
    crm.send("DELETE", f"cf_fiches({later})")
    assert tombstones(crm) == 1
    link = begin(crm)["@odata.deltaLink"]
    crm.control("PUT", "clock", {"advance_s": 6 * 86_400})
    crm.get(link)
    assert tombstones(crm) == 1
    crm.control("PUT", "clock", {"advance_s": 2 * 86_400})
    crm.get(link)
    assert tombstones(crm) == 0


def test_a_reset_makes_delta_links_and_tombstones_void(crm: Client) -> None:
    link = begin(crm)["@odata.deltaLink"]
    crm.send("DELETE", f"cf_fiches({crm.fiche()})")
    crm.control("POST", "reset", {"empty": True})
    assert tombstones(crm) == 0
    assert crm.get(link).status_code == 400


def test_a_refused_delete_leaves_no_tombstone(crm: Client) -> None:
    contact = crm.contact()
    crm.create("cf_donations", **{"cf_name": "G", "cf_ContactId@odata.bind": f"/contacts({contact})"})
    link = begin(crm, "contacts?$select=lastname")["@odata.deltaLink"]
    assert crm.send("DELETE", f"contacts({contact})").status_code == 405
    assert changes(follow(crm, link), "contactid") == ([], [])
    assert tombstones(crm) == 0


def test_cascaded_children_are_deletions_and_cleared_links_are_changes(crm: Client) -> None:
    dossier = crm.dossier()
    fiche = crm.fiche(dossier)
    party = crm.create("cf_parties", **{"cf_name": "P", "cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    links = {name: begin(crm, f"{name}?$select=createdon")["@odata.deltaLink"] for name in ("cf_dossiers", "cf_fiches", "cf_parties")}
    crm.send("DELETE", f"cf_dossiers({dossier})")
    assert changes(follow(crm, links["cf_dossiers"]), "cf_dossierid") == ([], [dossier])
    assert changes(follow(crm, links["cf_parties"]), "cf_partyid") == ([], [party])
    assert changes(follow(crm, links["cf_fiches"])) == ([fiche], [])


def test_a_cleared_link_is_no_change_where_it_gives_no_version(crm: Client) -> None:
    crm.control("PUT", "switches", {"remove_link_bumps_etag": False})
    dossier = crm.dossier()
    fiche = crm.fiche(dossier)
    link = begin(crm)["@odata.deltaLink"]
    crm.send("DELETE", f"cf_dossiers({dossier})")
    assert crm.row(f"cf_fiches({fiche})")["_cf_dossierid_value"] is None
    assert changes(follow(crm, link)) == ([], [])


def test_rows_that_were_loaded_are_changes(crm: Client) -> None:
    link = begin(crm)["@odata.deltaLink"]
    row = new_id()
    crm.emulator.load([("cf_fiche", {"cf_ficheid": row, "cf_name": "F-1"})])
    assert changes(follow(crm, link)) == ([row], [])


def test_an_ordinary_read_pages_as_before(crm: Client) -> None:
    crm.fiche()
    plain = crm.get("cf_fiches").json()
    assert not plain.keys() & {"@odata.deltaLink", "@odata.nextLink"}


def test_a_count_may_come_with_the_changes(crm: Client) -> None:
    crm.fiche()
    first = begin(crm, "cf_fiches?$select=cf_name&$count=true")
    assert first["@odata.count"] == 1
    crm.send("DELETE", f"cf_fiches({first['value'][0]['cf_ficheid']})")
    assert follow(crm, first["@odata.deltaLink"])["@odata.count"] == 1


def test_deletions_outlive_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with running(state=state) as emulator:
        crm = Client(emulator)
        fiche = crm.fiche()
        link = begin(crm)["@odata.deltaLink"]
        crm.send("DELETE", f"cf_fiches({fiche})")
        crm.http.close()
    with running(state=state) as emulator:
        crm = Client(emulator)
        token = link.partition("?")[2]
        assert changes(crm.row(f"cf_fiches?{token}")) == ([], [fiche])
        crm.http.close()


def test_what_is_rolled_back_is_no_change(crm: Client) -> None:
    fiche = crm.fiche()
    link = begin(crm)["@odata.deltaLink"]
    answer: requests.Response = crm.batch(
        change_set(
            request_part("DELETE", f"/api/data/v9.2/cf_fiches({fiche})", content_id="1"),
            request_part("DELETE", f"/api/data/v9.2/cf_fiches({new_id()})", content_id="2"),
        )
    )
    assert answer.status_code == 400
    targets = [{"@odata.type": "Microsoft.Dynamics.CRM.cf_fiche", "cf_ficheid": new_id(), "cf_name": name} for name in ("x", "y" * 200)]
    assert crm.send("POST", "cf_fiches/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": targets}).status_code == 400
    assert changes(follow(crm, link)) == ([], [])


def test_changes_are_for_who_reads_the_whole_table(crm: Client) -> None:
    crm.fiche()
    reader = crm.application("proef", {"prvReadcf_fiche": "Global"})
    link = begin(reader)["@odata.deltaLink"]
    assert error_of(reader.get("cf_dossiers", TRACK)) == (403, "0x80040220")
    crm.control("PUT", "privileges", {"user": "proef", "set": {"prvReadcf_fiche": "Deep"}})
    assert reader.get("cf_fiches").status_code == 200
    for refused in (reader.get("cf_fiches", TRACK), reader.get(link)):
        assert error_of(refused) == (403, "0x80040220")
        assert "prvReadcf_fiche" in refused.json()["error"]["message"]
    reader.http.close()


def test_a_row_taken_back_from_the_recycle_bin_is_a_change(crm: Client) -> None:
    fiche = crm.fiche()
    crm.control("PUT", "switches", {"recycle_bin_days": 30})
    first = begin(crm)["@odata.deltaLink"]
    crm.send("DELETE", f"cf_fiches({fiche})")
    second = follow(crm, first)
    assert changes(second) == ([], [fiche])
    target = {"@odata.type": "Microsoft.Dynamics.CRM.cf_fiche", "cf_ficheid": fiche}
    assert crm.send("POST", "Restore", {"Target": target}).status_code == 200
    crm.control("PUT", "switches", {"recycle_bin_days": 0})
    assert changes(follow(crm, second["@odata.deltaLink"])) == changes(follow(crm, first)) == ([fiche], [])


@pytest.mark.row(49)
def test_the_annotated_csdl_names_the_tracked_sets(crm: Client) -> None:
    term = "Org.OData.Capabilities.V1.ChangeTracking"
    sets = re.findall(r'<EntitySet Name="(\w+)".*?</EntitySet>', crm.get("$metadata?annotations=true").text)
    tracked = re.findall(rf'<EntitySet Name="(\w+)"[^\n]*?{re.escape(term)}', crm.get("$metadata?annotations=true").text)
    assert {"contacts", "cf_fiches"} <= set(tracked) < set(sets)
    assert "cf_donations" not in tracked
    assert term not in crm.get("$metadata").text
