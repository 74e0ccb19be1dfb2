"""The data map: kept from its last making, made again on request, and what nothing accounts for first."""

import re
from collections.abc import Callable

from connectors.emulator.serving.server import RunningEmulator
from crm_compliance.console.frame.services import Services
from crm_compliance.console.pages.datamap import SUBJECT
from crm_compliance.reports.data_map import COUNTED
from crm_compliance.store.files.data_map_file import KeptMap, keep_map, keep_tables, kept_map
from rules.model.data_map import DataMap, Fate, MapPlace
from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.typist import Typist, people_and_cases


def queries(crm: RunningEmulator) -> int:
    """How many requests the CRM has had."""
    import requests

    return int(requests.get(f"{crm.root}/_emulator/stats", timeout=10).json()["requests"])


def map_in(typist: Typist) -> KeptMap:
    found = kept_map(typist.settings.make_data_dir(), typist.settings.crm_url or "")
    assert found is not None
    return found


def test_the_map_is_made_on_request_and_then_shown_without_the_crm(
    org: Night, crm: RunningEmulator, services: Services, signed_in: Callable[..., Browser]
) -> None:
    people_and_cases(org)
    admin, auditor = signed_in(Role.CRM_ADMIN), signed_in(Role.AUDITOR)
    assert "No map has been made yet" in text_of(auditor.page("/datamap"))
    assert "Make the map" not in auditor.page("/datamap")
    assert admin.post("/datamap").status_code == 303
    assert (work := services.background.of(SUBJECT)) is not None
    assert work.wait(60)
    before = queries(crm)
    page = auditor.page("/datamap")
    assert (text_of(page).count("Made 25 Nov 2026"), "Show it" in page) == (1, False), "it is here"
    assert "cf_dossier" in page
    assert "<svg role=" in page
    assert "cf_summary" in text_of(auditor.page("/datamap?table=cf_fiche"))
    assert '?table=cf_dossier"' not in auditor.page("/datamap?fate=platform")
    assert queries(crm) == before
    assert auditor.get("/datamap?fate=nothing").status_code == 400


def test_what_the_command_made_is_shown(typist: Typist, org: Night, signed_in: Callable[..., Browser]) -> None:
    people_and_cases(org)
    said = typist.type("datamap", "--json")
    mapped = {row["table"] for row in said.document if row["column"] is None and row["fate"] == "mapped"}
    page = signed_in(Role.DPO, "nl").page("/datamap?fate=mapped")
    assert mapped <= set(re.findall(r'href="/datamap\?table=([a-z_]+)"', page))
    assert "In de mapping" in text_of(page)
    assert "cf_party Rol in een dossier" in text_of(page)


def test_the_approver_has_no_map(signed_in: Callable[..., Browser]) -> None:
    assert signed_in(Role.APPROVER).get("/datamap").status_code == 403


def test_what_nothing_accounts_for_stands_first_and_what_is_new_is_marked(
    typist: Typist, org: Night, signed_in: Callable[..., Browser]
) -> None:
    dossier = MapPlace("cf_dossier", None, "cf_dossier", 60, Fate.MAPPED, "tables.dossier")
    caption = MapPlace("cf_zz_caption", None, "cf_zz_caption.cf_dossierid > cf_dossier", COUNTED, Fate.UNACCOUNTED, "nothing says")
    text = MapPlace("cf_zz_caption", "cf_text", "cf_zz_caption", None, Fate.UNACCOUNTED, "nothing says")
    folder, crm = typist.settings.make_data_dir(), typist.settings.crm_url or ""
    assert keep_map(folder, crm, DataMap((dossier,)), NOW) == frozenset(), "there was no time before"
    assert keep_map(folder, crm, DataMap((dossier, caption, text)), NOW) == {"cf_zz_caption", "cf_zz_caption.cf_text"}
    assert kept_map(folder, "https://another.example.org/") is None
    auditor = signed_in(Role.AUDITOR)
    page = auditor.page("/datamap")
    assert re.findall(r'href="/datamap\?table=([a-z_]+)"', page) == ["cf_zz_caption", "cf_dossier"]
    for words in ("1 place with rows that nothing accounts for", "5,000 or more", "New since the map before"):
        assert words in text_of(page)
    assert "cf_zz_caption.cf_text" in text_of(auditor.page("/datamap?fate=new"))
    assert "not known" in text_of(auditor.page("/datamap?table=cf_zz_caption"))
    assert "Nothing is like that" in text_of(auditor.page("/datamap?q=nowhere"))


def test_each_plan_brings_the_tables_of_the_map_up_to_what_it_saw(org: Night, typist: Typist, signed_in: Callable[..., Browser]) -> None:
    typist.ask("plan")
    assert kept_map(typist.settings.make_data_dir(), typist.settings.crm_url or "") is None, "a plan makes no map"
    typist.ask("datamap")
    made = map_in(typist)
    assert made.map is not None
    people_and_cases(org)
    typist.ask("plan")
    kept = map_in(typist)
    assert kept.map is not None
    assert (kept.made_at, kept.new) == (made.made_at, ())
    assert kept.tables_at is not None
    rows = {place.table: (was.rows, place.rows) for was, place in zip(made.map.tables, kept.map.tables, strict=True)}
    assert len(rows) > 10
    assert all(now is not None for was, now in rows.values() if was is not None), "what a plan does not count keeps its count"
    assert [place for place in kept.map.places if place.column] == [place for place in made.map.places if place.column]
    assert "The tables and their rows are as the plan of" in text_of(signed_in(Role.AUDITOR).page("/datamap"))


def test_a_table_that_a_plan_sees_first_is_new_and_one_that_has_gone_leaves_the_map(typist: Typist) -> None:
    dossier = MapPlace("cf_dossier", None, "cf_dossier", 60, Fate.MAPPED, "tables.dossier")
    caption = MapPlace("cf_zz_caption", None, "cf_zz_caption.cf_dossierid > cf_dossier", 3, Fate.UNACCOUNTED, "nothing says")
    old, text = (
        MapPlace("cf_old", column, "cf_old.cf_dossierid > cf_dossier", 1, Fate.GOES_ALONG, "cascade") for column in (None, "cf_text")
    )
    folder, crm = typist.settings.make_data_dir(), typist.settings.crm_url or ""
    keep_map(folder, crm, DataMap((dossier, old, text)), NOW)
    keep_tables(folder, crm, DataMap((dossier, caption)), NOW)
    kept = map_in(typist)
    assert kept.map is not None
    assert kept.map.places == (dossier, caption)
    assert kept.new == ("cf_zz_caption",)
    keep_tables(folder, crm, DataMap((dossier, caption)), NOW)
    assert map_in(typist).new == ("cf_zz_caption",), "new until the map is made again"
