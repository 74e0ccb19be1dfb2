"""Rows in the recycle bin and in long-term retention are found too (EXP-03)."""

import re
from collections import Counter
from datetime import date
from typing import Any

import pytest

from connectors.dynamics.http.answers import Answer
from connectors.dynamics.http.transport import Transport
from connectors.interface.rows import NOBODY
from jobs.requests.search.roles_and_files import files_of, roles_of
from tests.drivers.night import Night
from tests.jobs.requests.search.searching import person, remove, retain, search, switch


def test_deleted_rows_are_found_in_the_recycle_bin(night: Night) -> None:
    """EXP-03: a dossier that was deleted with all that depends on it, and single rows of a file that
    stays."""
    switch(night, recycle_bin_days=30)
    child, parent = person(night), night.contact(firstname="Ouder")
    gone = night.dossier("runaway", fiches=1, cf_summary="Verwijderd dossier.")
    (gone_fiche,) = night.fiches_of(gone)
    role = night.party(child, "child", dossier=gone)
    note = night.note("cf_dossier", gone)
    stays = night.dossier("sexting", fiches=2)
    night.party(child, "child", dossier=stays)
    deleted, _ = night.fiches_of(stays)
    recording = night.recording(date(2025, 1, 1), fiche=deleted)
    call = night.call("contact", child, [child, parent])
    for table_set, row in (("cf_dossiers", gone), ("cf_fiches", gone_fiche), ("cf_recordings", recording), ("cf_fiches", deleted)):
        if night.get(table_set, row) is not None:
            remove(night, table_set, row)
    if night.get("cf_parties", role) is not None:
        remove(night, "cf_parties", role)
    remove(night, "phonecalls", call)
    found = search(night, child)
    elsewhere = {(each.kind, each.id): each for each in found.elsewhere}
    assert {each.place for each in found.elsewhere} == {"bin"}
    assert elsewhere.keys() >= {("note", note), ("party", role), ("fiche", deleted), ("call", call), ("dossier", gone)}
    assert ("recording", recording) in elsewhere
    assert elsewhere["dossier", gone].values["summary"] == "Verwijderd dossier."
    assert elsewhere["dossier", gone].values["categories"] == ("runaway",)
    assert elsewhere["party", role].values["role"] == "child"
    assert {each.values["party"] for each in found.elsewhere if each.kind == "activity_party"} == {child, parent}
    assert parent in found.contacts
    assert ("dossier", stays) in files_of(found)
    assert not ({row for _, row in elsewhere} & set(found.fiches) | {row for _, row in elsewhere} & set(found.dossiers))


def test_a_deleted_role_counts_with_its_file_or_where_it_is_a_suspicion(night: Night) -> None:
    """SUS-05: nobody learns of a dossier because a role was deleted there; other roles that were deleted are
    none any more."""
    switch(night, recycle_bin_days=30)
    witness = person(night)
    doubtful, cleared = night.dossier("runaway"), night.dossier("sexting")
    suspicion = night.party(witness, "suspect", dossier=doubtful)
    night.party(witness, "reporter", dossier=doubtful)
    mistake = night.party(witness, "child", dossier=cleared)
    remove(night, "cf_parties", suspicion)
    remove(night, "cf_parties", mistake)
    found = search(night, witness)
    assert {(role.unit[1], role.role) for role in roles_of(found)} == {(doubtful, "suspect"), (doubtful, "reporter")}
    assert files_of(found)["dossier", cleared].children == frozenset()


def test_each_search_asks_once_whether_a_table_has_anything_there(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """SUS-07: the same for somebody and for nobody; the next search asks again, since a row may have gone
    there."""
    switch(night, recycle_bin_days=30)
    get, asked = Transport.get, list[str]()

    def noting(self: Transport, address: str, **more: Any) -> Answer:
        asked.extend(re.findall(r"^(\w+)\?fetchXml=%3Cfetch%20datasource", address))
        return get(self, address, **more)

    monkeypatch.setattr(Transport, "get", noting)
    someone = person(night)
    note = night.note("contact", someone)
    questions = []
    for people in ((someone,), (NOBODY,)):
        asked.clear()
        search(night, *people)
        questions.append(sorted(asked))
    assert questions[0] == questions[1]
    assert max(Counter(questions[0]).values()) == 2, "one question of the bin, one of long-term retention"
    remove(night, "annotations", note)
    assert [each.id for each in search(night, someone).elsewhere] == [note]


def test_retained_rows_are_found(night: Night) -> None:
    child = person(night)
    fiche = night.fiche("sexting", cf_summary="Bewaard op lange termijn.")
    night.party(child, "child", fiche=fiche)
    recording = night.recording(date(2025, 1, 1), fiche=fiche)
    retain(night, "cf_recording", recording)
    found = search(night, child)
    assert {(each.place, each.kind, each.id) for each in found.elsewhere} == {("retained", "recording", recording)}
