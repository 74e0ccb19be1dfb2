"""datamap, as it is typed, and what follows from a table that nothing accounts for (R-158)."""

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest

from connectors.emulator.serving.server import running
from tests.connectors.dynamics.datamap.own_tables import environment
from tests.connectors.storage.sharepoint import SITE
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN
from tests.drivers.typist import LONG_AGO, Typist, organisation_of
from tests.integration.documents import environment_with_sharepoint

KEYS = ("table", "column", "path", "rows", "fate", "why", "new")


@pytest.fixture
def org(typist_at: Callable[..., Typist], tmp_path: Path) -> Iterator[tuple[Typist, Night]]:
    """An organisation with tables that no mapping names."""
    with running(environment=environment(tmp_path), token=TOKEN) as emulator:
        typist = typist_at(emulator.url)
        night = organisation_of(emulator, typist)
        yield typist, night
        night.close()
        night.store.close()


def with_caption(night: Night, dossier: str) -> None:
    visit = night.create("cf_visits", "cf_visitid", cf_name="v", **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    photo = night.create("cf_photos", "cf_photoid", cf_name="p", **{"cf_VisitId@odata.bind": f"/cf_visits({visit})"})
    night.create("cf_captions", "cf_captionid", cf_name="c", **{"cf_PhotoId@odata.bind": f"/cf_photos({photo})"})


def test_what_nothing_accounts_for_is_told_once_and_ends_with_6(org: tuple[Typist, Night], tmp_path: Path) -> None:
    typist, night = org
    assert typist.type("datamap").code == 0
    with_caption(night, night.dossier("social_card", spoken=LONG_AGO))
    said = typist.type("datamap", "--json")
    assert said.code == 6
    assert [tuple(row) for row in said.document] == [KEYS] * len(said.document)
    told = {(row["table"], row["column"]): row for row in said.document}
    caption = told["cf_caption", None]
    assert (caption["fate"], caption["rows"], caption["new"]) == ("unaccounted", 1, True)
    assert told["cf_visit", "cf_report"]["fate"] == "goes_along"
    assert told["cf_dossier", "cf_summary"]["fate"] == "mapped"
    assert not any(row["new"] for row in typist.type("datamap", "--json").document)
    for name in ("map.html", "map.xlsx", "map.json"):
        assert typist.type("datamap", "--output", tmp_path / name).code == 6
    assert json.loads((tmp_path / "map.json").read_text("utf-8")) == [row | {"new": False} for row in said.document]
    page = (tmp_path / "map.html").read_text("utf-8")
    assert "3 places" not in page
    assert "1 place with rows that nothing accounts for" in page
    sheet = openpyxl.load_workbook(tmp_path / "map.xlsx").active
    assert sheet is not None
    assert tuple(cell.value for cell in sheet[1]) == KEYS
    assert sheet.max_row == len(said.document) + 1


def test_an_unknown_ending_costs_no_question(typist: Typist, tmp_path: Path) -> None:
    said = typist.type("datamap", "--output", tmp_path / "map.pdf", "--json")
    assert (said.code, said.error["code"]) == (2, "usage")


def test_a_unit_with_such_rows_stays_and_is_told_by_the_table(org: tuple[Typist, Night]) -> None:
    """A night goes on without it, with an alarm that waits for a person."""
    typist, night = org
    kept, _ = (night.dossier("social_card", spoken=LONG_AGO) for _ in range(2))
    with_caption(night, kept)
    plan = typist.ask("plan")
    assert [alarm["code"] for alarm in plan["alarms"]] == ["UNACCOUNTED"]
    assert "cf_caption" in plan["alarms"][0]["message"]
    for who, role in (("an", "crm_admin"), ("bea", "dpo")):
        typist.ask("plans", "approve", plan["plan"], "--as", who, "--role", role)
    said = typist.type("apply", plan["plan"], "--json")
    done = said.document
    assert (said.code, done["deleted"], done["skipped"], done["unaccounted"]) == (6, 1, {"SKIPPED_TECHNICAL": 1}, {"cf_caption": 1})
    assert [row["cf_dossierid"] for row in night.rows("cf_dossiers")] == [kept]
    told = " ".join(typist.type("history", "show", done["run"]).out.split())
    assert "rows of cf_caption that would stay behind, or go along although they stay" in told
    assert done["technical"] == {"ROWS_UNACCOUNTED": 1}
    assert "would stay behind" in told, "the cause that is known, and no other"
    assert "The CRM refused" not in told
    (check,) = [check for check in typist.ask("doctor")["checks"] if check["name"] == "datamap"]
    assert "UNACCOUNTED: cf_caption" in check["message"]


def test_a_fiche_that_a_second_dossier_needs_by_a_pair_stays(org: tuple[Typist, Night]) -> None:
    """Nothing reads the pair, and unknown is never deletable: the dossier that its column names stays too."""
    typist, night = org
    kept, _ = (night.dossier("social_card", spoken=LONG_AGO) for _ in range(2))
    still_open = night.dossier("sexting", spoken=LONG_AGO, closed=False)
    (fiche,) = night.fiches_of(kept)
    link = {"@odata.id": f"{night.emulator.url}cf_fiches({fiche})"}
    assert night.http.post(f"{night.emulator.url}cf_dossiers({still_open})/cf_dossier_also/$ref", json=link).status_code == 204
    plan = typist.ask("plan")
    assert "cf_dossier_also" in next(alarm["message"] for alarm in plan["alarms"] if alarm["code"] == "UNACCOUNTED")
    for who, role in (("an", "crm_admin"), ("bea", "dpo")):
        typist.ask("plans", "approve", plan["plan"], "--as", who, "--role", role)
    done = typist.type("apply", plan["plan"], "--json").document
    assert (done["skipped"], done["unaccounted"]) == ({"SKIPPED_TECHNICAL": 1}, {"cf_dossier_also": 1})
    assert {row["cf_dossierid"] for row in night.rows("cf_dossiers")} == {kept, still_open}
    assert night.fiches_of(kept) == [fiche]


def test_a_request_names_what_was_not_searched(org: tuple[Typist, Night]) -> None:
    """EXP-03: nothing is called searched that was not looked at."""
    _, night = org
    dossier = night.dossier("sexting", spoken=LONG_AGO, cf_hobby="h")
    with_caption(night, dossier)
    from jobs.requests.search.gaps import places_not_searched

    places = places_not_searched(night.context)
    assert {"table:cf_caption", "table:cf_photo", "table:cf_visit", "column:dossier.cf_hobby"} <= set(places)


def test_documents_are_accounted_for_where_the_settings_name_their_site(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """Else they would stay where the CRM does not tell any more whose they are."""
    with running(environment=environment_with_sharepoint(tmp_path), token=TOKEN) as emulator:
        typist = typist_at(emulator.url)
        night = organisation_of(emulator, typist)
        emulator.load(
            [
                (
                    "sharepointdocumentlocation",
                    {
                        "sharepointdocumentlocationid": str(uuid.uuid4()),
                        "name": "Documenten",
                        "relativeurl": "D-1",
                        "regardingobjectid": ("cf_dossier", night.dossier("sexting", closed=False)),
                    },
                )
            ]
        )
        fates = []
        for sites in ({}, {"SHAREPOINT_SITES": SITE, "GRAPH_URL": f"{emulator.root}/v1.0/"}):
            typist.set(**sites)
            said = typist.type("datamap", "--json")
            told = {(row["table"], row["column"]): row["fate"] for row in said.document}
            fates.append((said.code, told["sharepointdocumentlocation", None]))
        assert fates == [(6, "unaccounted"), (0, "goes_along")]
        night.close()
        night.store.close()
