"""A place that was not searched is named, and a search that was not whole fails (EXP-03)."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connectors.interface.errors import ConnectorError, ReadIncomplete
from connectors.storage.local import LocalFolder
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring import mapping
from jobs.requests.search.gaps import places_not_searched
from jobs.requests.search.search import search_everywhere
from rules.model.kinds import ROW_KINDS, Kind
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.jobs.requests.search.searching import person, switch


def test_places_that_are_not_searched_are_named(night: Night) -> None:
    assert places_not_searched(night.context) == (
        "backups",
        "recordings_audio",
        "external_storage",
        "attachments_content",
        "audit_history",
    )


def test_storage_that_is_reached_is_no_gap_and_copies_that_nobody_told_of_are_one(night: Night, tmp_path: Any) -> None:
    context = replace(night.context, objects=(LocalFolder(tmp_path),))
    assert "external_storage" not in places_not_searched(context)
    for copies, told in ((None, ("copies",)), (("search_index", "lake"), ("search_index", "lake"))):
        night.connector.mapping = replace(night.connector.mapping, copies=copies)
        assert places_not_searched(context)[1 : 1 + len(told)] == told


def test_kinds_and_columns_that_are_not_mapped_are_named(make_night: Callable[..., Night], monkeypatch: pytest.MonkeyPatch) -> None:
    text, source = mapping.mapping_text(Settings())
    lean = re.sub(r"\n  donation:\n.*?(?=\n  enrolment:)", "", text, flags=re.DOTALL)
    lean = lean.replace("      transcript: cf_transcript\n", "").replace("      body: documentbody\n", "")
    monkeypatch.setattr(mapping, "mapping_text", lambda settings: (lean, source))
    places = places_not_searched(make_night().context)
    assert {"kind:donation", "column:recording.transcript", "column:note.body"} <= set(places)


def test_a_bin_that_may_not_be_looked_into_is_named(night: Night) -> None:
    switch(night, recycle_bin_days=30)
    rule = {"match": {"path": '*datasource="bin"*'}, "do": "status", "status": 403}
    context, child = night.context, person(night)
    set_faults(night.emulator, rule)
    found = search_everywhere(context, [child])
    assert "bin" in found.not_searched
    assert "retained" not in found.not_searched


@pytest.mark.parametrize("kind", ROW_KINDS.values(), ids=ROW_KINDS)
def test_a_bin_that_may_not_be_looked_into_for_rows_of_one_kind_is_named(night: Night, kind: Kind) -> None:
    switch(night, recycle_bin_days=30)
    context, child = night.context, person(night)
    (table,) = night.connector.tables(kind.full)
    set_faults(night.emulator, {"match": {"path": f'*datasource="bin"*name="{table}"*'}, "do": "status", "status": 403})
    assert search_everywhere(context, [child]).not_searched == places_not_searched(context)
    assert "bin" in places_not_searched(context)


@pytest.mark.parametrize(
    "path",
    ["cf_parties?*_cf_contactid_value eq*", "annotations?*_objectid_value eq*", "cf_fiches?*cf_summary*", "activityparties?*partyid*"],
)
def test_a_page_that_fails_fails_the_search(night: Night, path: str) -> None:
    """A partial answer is none."""
    child = person(night)
    night.party(child, "child", dossier=night.dossier("runaway", fiches=3))
    context = night.context
    set_faults(night.emulator, {"match": {"path": path}, "do": "status", "status": 403})
    with pytest.raises(ConnectorError):
        search_everywhere(context, [child])


def test_a_row_that_is_lost_on_the_way_fails_the_search(night: Night) -> None:
    child = person(night)
    night.party(child, "child", dossier=night.dossier("runaway", fiches=3))
    context = night.context
    set_faults(night.emulator, {"match": {"path": "cf_fiches?*_cf_dossierid_value eq*"}, "do": "lose_row"})
    with pytest.raises(ReadIncomplete):
        search_everywhere(context, [child])
