"""Documents in SharePoint go before the rows that say where they are, never alone, never another's (ERA-12,
lines 4 and 8; ERA-15, R-053)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.emulator.graph.drives import Drives
from connectors.emulator.serving.server import running
from connectors.storage.local import LocalFolder
from jobs.model.plan import Kind
from jobs.model.run import ActionState, Run, RunState
from jobs.plans.make import make_plan
from jobs.residual.recording_content import OBJECT_LEFT
from jobs.runs.apply import apply_plan
from jobs.runs.verify import verify_run
from jobs.writing.document_folders import BINNED, ELSEWHERE, MISSING, SHARED
from jobs.writing.send import WriteOutcome
from rules.model.requests import Right
from rules.model.residual_data import ResidualPlace
from tests.drivers.deciding import ask, granted
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN, set_faults
from tests.drivers.side_by_side import APPLIED, Case, SideBySide, certificate_of
from tests.integration.documents import LOCATION, LONG_AGO, Documents, documents, emulator, environment_with_sharepoint

__all__ = ["documents", "emulator"]  # fixtures

Killed = KeyboardInterrupt
TECHNICAL = (ActionState.SKIPPED, "SKIPPED_TECHNICAL")
STAYS = {"van niemand/blijft.txt"}


def faults(documents: Documents, *rules: dict[str, Any]) -> None:
    set_faults(documents.night.emulator, *rules)


def test_a_dossier_goes_with_its_documents_past_the_bin(documents: Documents) -> None:
    """The certificate counts them; nothing of them is left anywhere, nor of the row that said where they
    lay."""
    dossier = documents.dossier_with("brief.txt", "verslagen/verslag.txt", folder="D-1 Lotte Peeters (fictief)")
    seen: list[bool] = []
    night = documents.night
    real = documents.stores[0].remove

    def remove(folder: str) -> None:
        seen.append(night.get("cf_dossiers", dossier) is not None)
        real(folder)

    documents.stores[0].remove = remove  # type: ignore[method-assign]
    run = documents.apply()
    assert seen == [True], "the object before the row"
    assert documents.outcome(run, dossier) == (ActionState.DONE, "")
    assert (documents.library.files, documents.library.binned) == (STAYS, [])
    assert (night.get("cf_dossiers", dossier), documents.locations(dossier)) == (None, 0)
    (certificate,) = [issued.certificate for issued in night.store.certificates.of_run(run.id)]
    assert certificate.objects["documents"] == 2
    assert certificate.method[ResidualPlace.FILES.value] == "done"
    assert run.counts["documents"] == 2
    assert verify_run(documents.context, run.id)["still_there"] == []


def test_documents_that_are_there_again_are_told(documents: Documents) -> None:
    """Read back by the store's own id of the folder, although no address was kept."""
    dossier = documents.dossier_with("brief.txt")
    run = documents.apply()
    (gone,) = documents.action(run, dossier).documents
    documents.stores[0].is_there = lambda folder: folder == gone.folder  # type: ignore[method-assign]
    assert verify_run(documents.context, run.id)["still_there"] == [{"table": LOCATION, "id": gone.location[1]}]


def test_a_throttled_sharepoint_is_waited_for(documents: Documents) -> None:
    dossier = documents.dossier_with("brief.txt")
    plan = documents.plan()
    documents.night.approved(plan)
    faults(documents, {"match": {"path": "permanentDelete"}, "times": 1, "do": "status", "status": 429, "retry_after": 9})
    assert documents.outcome(documents.apply(plan), dossier) == (ActionState.DONE, "")
    assert 9.0 in documents.library.naps
    assert documents.library.files == STAYS


def test_a_run_that_was_killed_between_documents_and_rows_goes_on(documents: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    dossier = documents.dossier_with("brief.txt", "verslag.txt")
    plan = documents.plan()

    def killed(*args: object, **more: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("jobs.runs.journal.send_and_reconcile", killed)
        with pytest.raises(Killed):
            documents.apply(plan)
    assert documents.library.files == STAYS
    assert documents.night.get("cf_dossiers", dossier) is not None
    run = documents.apply(plan)
    assert documents.outcome(run, dossier) == (ActionState.DONE, "")
    (certificate,) = [issued.certificate for issued in documents.night.store.certificates.of_run(run.id)]
    assert certificate.objects["documents"] == 2, "what went before the run was cut off"


def test_documents_that_had_begun_to_go_are_told_where_the_plan_has_expired_since(documents: Documents) -> None:
    """The rows are all there, so that nothing but the journal tells of it; the next plan finishes it, and its
    certificate counts what went before."""
    dossier = documents.dossier_with("brief.txt", "verslag.txt")
    plan, real = documents.plan(), documents.stores[0].remove

    def killed(folder: str) -> None:
        real(folder)
        raise Killed

    documents.stores[0].remove = killed  # type: ignore[method-assign]
    with pytest.raises(Killed):
        documents.apply(plan)
    documents.stores[0].remove = real  # type: ignore[method-assign]
    documents.night.clock.now = plan.valid_until
    run = documents.apply(plan)
    assert documents.outcome(run, dossier) == (ActionState.PARTIAL, "PLAN_EXPIRED")
    assert run.state.value == "done_with_failures"
    last = documents.apply()
    assert documents.outcome(last, dossier) == (ActionState.DONE, "")
    (certificate,) = [issued.certificate for issued in documents.night.store.certificates.of_run(last.id)]
    assert (certificate.objects["documents"], last.counts["flags"]) == (2, {})


def test_a_unit_that_stays_after_all_keeps_the_folder_that_another_names(documents: Documents) -> None:
    """Both were to go; a hold came over one of them right before (HLD-07)."""
    kept, other = documents.dossier_with("brief.txt"), documents.dossier_with()
    plan = documents.plan()
    real = documents.stores[0].binned

    def held(addresses: Collection[str]) -> set[str]:
        documents.night.patch("cf_dossiers", kept, cf_summary="Gewijzigd.")
        return real(addresses)

    documents.stores[0].binned = held  # type: ignore[method-assign]
    run = documents.apply(plan)
    assert [documents.outcome(run, dossier)[0] for dossier in (kept, other)] == [ActionState.SKIPPED, ActionState.SKIPPED]
    assert documents.library.files == {*STAYS, "D-1/brief.txt"}


def test_a_folder_that_stays_keeps_the_recordings_of_its_unit_whole(documents: Documents, tmp_path: Path) -> None:
    """Nothing outside the CRM is touched before all of it was looked at: somebody else's documents came into
    the folder meanwhile (RET-17, ERA-15)."""
    night, stored = documents.night, tmp_path / "objects" / "call.wav"
    dossier = documents.dossier_with("brief.txt")
    living = night.dossier("social_card", spoken=date(2026, 11, 1), closed=False)
    elsewhere = documents.location(("cf_dossier", living), "D-2")
    stored.parent.mkdir()
    stored.write_bytes(b"RIFF")
    (fiche,) = night.fiches_of(dossier)
    night.recording(LONG_AGO, fiche=fiche, cf_storageuri=stored.as_uri())
    reaching = replace(documents.context, objects=(LocalFolder(stored.parent),))
    plan = make_plan(reaching, Kind.RETENTION)
    real = documents.stores[0].binned

    def moved(addresses: Collection[str]) -> set[str]:
        night.patch("sharepointdocumentlocations", elsewhere, relativeurl="D-1")
        return real(addresses)

    documents.stores[0].binned = moved  # type: ignore[method-assign]
    run = apply_plan(reaching, night.approved(plan).id)
    assert documents.outcome(run, dossier) == (ActionState.SKIPPED, "CHANGED")
    assert (stored.exists(), documents.library.files) == (True, {*STAYS, "D-1/brief.txt"})


def test_what_lies_in_the_bin_after_a_removal_keeps_the_rows(documents: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that moves to the bin what should have gone past it."""
    dossier = documents.dossier_with("brief.txt")
    real = Drives.delete
    monkeypatch.setattr(Drives, "delete", lambda self, item, *, permanently: real(self, item, permanently=False))
    run = documents.apply()
    assert (documents.outcome(run, dossier), run.state) == ((ActionState.PARTIAL, OBJECT_LEFT), RunState.DONE_WITH_FAILURES)
    assert documents.night.get("cf_dossiers", dossier) is not None


def test_a_hold_that_came_meanwhile_keeps_the_documents(documents: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    """HLD-07: what may not be written must not cost a document."""
    dossier = documents.dossier_with("brief.txt")
    plan = documents.plan()
    real = documents.stores[0].folder

    def held(address: str) -> str | None:
        documents.night.patch("cf_dossiers", dossier, cf_legalhold=True)
        return real(address)

    documents.stores[0].folder = held  # type: ignore[method-assign]
    run = documents.apply(plan)
    assert documents.outcome(run, dossier)[0] is ActionState.SKIPPED
    assert documents.library.files == {*STAYS, "D-1/brief.txt"}


def test_a_row_that_the_crm_keeps_after_its_documents_went_is_half_done(documents: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    dossier = documents.dossier_with("brief.txt")
    plan = documents.plan()

    def refused(connector: object, writes: dict[str, object], *rest: object, **more: object) -> dict[str, WriteOutcome]:
        return dict.fromkeys(writes, WriteOutcome(ActionState.SKIPPED, "SKIPPED_TECHNICAL"))

    with monkeypatch.context() as patched:
        patched.setattr("jobs.runs.journal.send_and_reconcile", refused)
        run = documents.apply(plan)
    assert documents.outcome(run, dossier) == (ActionState.PARTIAL, "SKIPPED_TECHNICAL")
    again = documents.apply()
    assert documents.outcome(again, dossier) == (ActionState.DONE, "")
    (certificate,) = [issued.certificate for issued in documents.night.store.certificates.of_run(again.id)]
    assert certificate.objects["documents"] == 1


def test_an_erasure_on_request_takes_the_documents_along(documents: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    """6.2: the file of a child goes whole, long before its end."""
    monkeypatch.setattr("tests.drivers.deciding.context_of", lambda night: documents.context)
    night = documents.night
    child = night.contact(birthdate="2010-05-05")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    documents.location(("cf_dossier", dossier), "D-1")
    documents.library.put("D-1/brief.txt")
    run = granted(night, ask(night, Right.ERASURE, child))
    assert run is not None
    assert run.counts["documents"] == 1
    assert (night.get("cf_dossiers", dossier), documents.library.files) == (None, STAYS)


def test_without_the_setting_such_a_unit_waits_as_ever(night: Night) -> None:
    documents = Documents(night, configured=False)
    dossier = documents.dossier_with("brief.txt")
    run = documents.apply()
    assert documents.outcome(run, dossier) == TECHNICAL
    assert (run.counts["unaccounted"], "documents" in run.counts) == ({LOCATION: 1}, False)
    (warning,) = night.connector.warnings
    assert warning == (
        "documents in SharePoint depend on rows of cf_dossier that are to go, and nobody removes them: "
        "name their sites in the setting sharepoint_sites"
    )
    assert documents.library.files == {*STAYS, "D-1/brief.txt"}


def test_a_location_that_does_not_go_with_its_row_keeps_it(tmp_path: Path, make_night: Callable[..., Night]) -> None:
    """Where the CRM only empties the link, the row that has the folder's name would stay behind."""
    with running(environment=environment_with_sharepoint(tmp_path, "remove_link"), token=TOKEN) as emulator:
        night = make_night()
        night.emulator = emulator
        night.__post_init__()
        documents = Documents(night)
        dossier = documents.dossier_with("brief.txt")
        assert documents.outcome(documents.apply(), dossier) == TECHNICAL
        assert documents.library.files == {*STAYS, "D-1/brief.txt"}
        (warning,) = night.connector.warnings
        assert warning.endswith(
            f"and {LOCATION}.regardingobjectid is only emptied then: let the relationship cascade on delete, as the platform makes it"
        )
        (place,) = [each for each in documents.context.connector.data_map().tables if each.table == LOCATION]
        assert place.why == "regardingobjectid is only emptied when cf_dossier goes", "the sites are named: that is not what lacks"
        documents.close()


def test_no_name_of_a_folder_or_document_stands_in_the_store(documents: Documents, tmp_path: Path) -> None:
    """ACC-05."""
    documents.dossier_with("Sander Janssens (fictief).txt", folder="Lotte Peeters (fictief)")
    documents.library.lock("Lotte Peeters (fictief)/Sander Janssens (fictief).txt", "label")
    seen: list[bytes] = []

    def look(run: Run) -> None:
        seen.extend(file.read_bytes() for file in tmp_path.glob("state.db*"))
        assert [text for text in documents.night.connector.warnings if "Janssens" in text or "Peeters" in text] == []
        assert run.id

    look(documents.apply())
    documents.library.lock("Lotte Peeters (fictief)/Sander Janssens (fictief).txt", "")
    look(documents.apply())
    assert any(b"documents" in content for content in seen)
    assert [word for word in (b"Peeters", b"Janssens", b"sharepoint.com") for content in seen if word in content] == []


def test_a_bin_that_has_forgotten_lets_a_unit_go_in_the_end(documents: Documents) -> None:
    dossier = documents.dossier_with("brief.txt")
    documents.library.delete_by_hand("D-1/brief.txt")
    documents.night.emulator.emulator.tables.connection.execute("UPDATE _graph_bin SET at = '2020-01-01T00:00:00Z'")
    assert documents.outcome(documents.apply(), dossier) == (ActionState.DONE, "")


# -- side by side in one night -------------------------------------------------------------------------------

in_one_night = SideBySide[Documents]()


def test_a_night_with_all_of_these(documents: Documents, subtests: pytest.Subtests) -> None:
    in_one_night.play(documents, subtests)


def left_in(documents: Documents, folder: str) -> set[str]:
    """The paths of what is in a folder; what is nobody's lies where it lay."""
    files = documents.library.files
    assert files >= STAYS
    return {path for path in files if path.startswith(f"{folder}/")}


def locked(lock: str, says: str) -> Callable[[Documents], Case]:
    def a_document_that_may_not_go_keeps_its_unit(documents: Documents) -> Case:
        folder = f"D-{lock}"
        dossier = documents.dossier_with("brief.txt", "Lotte (fictief).txt", folder=folder)
        documents.library.lock(f"{folder}/Lotte (fictief).txt", lock)
        run = yield APPLIED
        assert documents.outcome(run, dossier) == (ActionState.PARTIAL, OBJECT_LEFT)
        assert run.state.value == "done_with_failures"
        assert documents.night.get("cf_dossiers", dossier) is not None
        assert documents.locations(dossier) == 1
        (warning,) = [text for text in documents.night.connector.warnings if says in text]
        assert "Lotte" not in warning
        documents.library.lock(f"{folder}/Lotte (fictief).txt", "")
        again = yield APPLIED
        assert documents.outcome(again, dossier) == (ActionState.DONE, "")
        assert left_in(documents, folder) == set()

    return a_document_that_may_not_go_keeps_its_unit


for lock, says in (("checked_out", "checked out"), ("label", "retention label"), ("hold", "hold")):
    in_one_night[f"a_document_that_may_not_go_keeps_its_unit: {lock}"] = locked(lock, says)


@in_one_night
def a_folder_that_a_living_unit_names_too_stays_with_it(documents: Documents) -> Case:
    """Never too early: the documents go with the last unit that names their folder, however it is spelled."""
    due = documents.dossier_with("brief.txt", folder="D-living")
    living = documents.night.dossier("social_card", spoken=date(2026, 11, 1), closed=False)
    documents.location(("cf_dossier", living), "d-living")
    run = yield APPLIED
    assert documents.outcome(run, due) == (ActionState.DONE, "")
    assert left_in(documents, "D-living") == {"D-living/brief.txt"}
    assert (documents.locations(due), documents.locations(living)) == (0, 1)
    assert "documents" not in certificate_of(documents.night, run, "cf_dossier", due).objects


@in_one_night
def two_units_that_go_together_take_their_folder_along(documents: Documents) -> Case:
    dossiers = [documents.dossier_with("brief.txt", folder="D-two"), documents.dossier_with(folder="D-two")]
    run = yield APPLIED
    assert [documents.outcome(run, dossier)[0] for dossier in dossiers] == [ActionState.DONE, ActionState.DONE]
    assert left_in(documents, "D-two") == set()


@in_one_night
def two_locations_of_one_unit_name_one_folder(documents: Documents) -> Case:
    """By its pieces and by its whole address: its documents are counted once."""
    dossier = documents.dossier_with("brief.txt", folder="D#1")
    address = f"{documents.library.site}/{documents.library.name.upper()}/d%231"
    documents._row(LOCATION, name="Documenten", absoluteurl=address, regardingobjectid=("cf_dossier", dossier))
    run = yield APPLIED
    assert documents.outcome(run, dossier) == (ActionState.DONE, "")
    assert [folder.files for folder in documents.action(run, dossier).documents if folder.files] == [1]
    assert certificate_of(documents.night, run, "cf_dossier", dossier).objects["documents"] == 1
    assert left_in(documents, "D#1") == set()


@in_one_night
def a_folder_with_a_living_units_folder_in_it_waits(documents: Documents) -> Case:
    due = documents.dossier_with("brief.txt", folder="D-around")
    living = documents.night.contact()
    documents.location(("contact", living), "D-around/persoon")
    run = yield APPLIED
    assert documents.outcome(run, due) == TECHNICAL
    assert left_in(documents, "D-around") == {"D-around/brief.txt"}
    assert SHARED in documents.night.connector.warnings


@in_one_night
def a_fiches_folder_inside_its_dossiers_goes_with_it(documents: Documents) -> Case:
    dossier = documents.night.dossier("social_card", spoken=LONG_AGO)
    (fiche,) = documents.night.fiches_of(dossier)
    above = documents.location(("cf_dossier", dossier), "D-above")
    documents.location(("cf_fiche", fiche), "F-1", below=(LOCATION, above))
    for path in ("D-above/brief.txt", "D-above/F-1/verslag.txt"):
        documents.library.put(path)
    run = yield APPLIED
    assert documents.outcome(run, dossier) == (ActionState.DONE, "")
    assert left_in(documents, "D-above") == set()


@in_one_night
def a_location_below_that_of_a_row_that_goes_keeps_it(documents: Documents) -> Case:
    """Somebody else's location depends on it: without it nobody would know where those documents are."""
    dossier = documents.night.dossier("social_card", spoken=LONG_AGO)
    above = documents.location(("cf_dossier", dossier), "D-below")
    documents.location(("contact", documents.night.contact()), "P-below", below=(LOCATION, above))
    run = yield APPLIED
    assert documents.outcome(run, dossier) == TECHNICAL


@in_one_night
def what_was_deleted_by_hand_keeps_its_unit_while_it_can_be_put_back(documents: Documents) -> Case:
    """ERA-12, line 8: certify only then. Graph cannot empty the bin of a site."""
    drives, dossiers = documents.library.graph.drives, {}
    site = drives.add_site(documents.library.site)
    for stage in (2, 1):
        dossiers[stage] = documents.dossier_with("brief.txt", "verslag.txt", folder=f"D-stage-{stage}")
        documents.library.delete_by_hand(f"D-stage-{stage}/verslag.txt")
        if stage == 2:
            drives.empty_bin(site, 1)
    run = yield APPLIED
    assert {stage: documents.outcome(run, dossier) for stage, dossier in dossiers.items()} == {1: TECHNICAL, 2: TECHNICAL}
    assert BINNED in documents.night.connector.warnings
    for stage in dossiers:
        assert left_in(documents, f"D-stage-{stage}") == {f"D-stage-{stage}/brief.txt"}, "nothing has gone yet"
    drives.empty_bin(site, 1)
    drives.empty_bin(site, 2)
    again = yield APPLIED
    assert [documents.outcome(again, dossier) for dossier in dossiers.values()] == [(ActionState.DONE, "")] * 2


@in_one_night
def a_unit_that_waits_keeps_the_folder_that_another_names_and_the_other_goes(documents: Documents) -> Case:
    """One of them has documents out of reach besides; the other goes without the shared folder."""
    waits, goes = documents.dossier_with("brief.txt", folder="D-waits"), documents.dossier_with(folder="D-waits")
    other = documents._row("sharepointsite", name="Andere", absoluteurl="https://fictief.sharepoint.com/sites/Elders")
    documents.location(("cf_dossier", waits), "x/D-1", below=("sharepointsite", other))
    run = yield APPLIED
    assert (documents.outcome(run, waits), documents.outcome(run, goes)) == (TECHNICAL, (ActionState.DONE, ""))
    assert left_in(documents, "D-waits") == {"D-waits/brief.txt"}


@in_one_night
def a_folder_that_was_never_made_is_no_obstacle_and_told(documents: Documents) -> Case:
    """It may as well have been renamed by hand: the certificate says nothing of it, and somebody looks."""
    dossier = documents.dossier_with(folder="nooit gemaakt")
    documents.library.put("hernoemd/brief.txt")
    run = yield APPLIED
    assert documents.outcome(run, dossier) == (ActionState.DONE, "")
    found = certificate_of(documents.night, run, "cf_dossier", dossier)
    assert ("documents" in found.objects, found.method["files"]) == (False, "not_applicable")
    assert MISSING in documents.night.connector.warnings
    assert left_in(documents, "hernoemd") == {"hernoemd/brief.txt"}


@in_one_night
def documents_outside_the_sites_of_the_settings_keep_their_unit(documents: Documents) -> Case:
    """Nothing outside is ever touched; the reason is told without the address."""
    dossier = documents.night.dossier("social_card", spoken=LONG_AGO)
    other = documents._row("sharepointsite", name="Andere", absoluteurl="https://fictief.sharepoint.com/sites/Elders")
    documents.location(("cf_dossier", dossier), "cf_dossier/D-1", below=("sharepointsite", other))
    run = yield APPLIED
    assert documents.outcome(run, dossier) == TECHNICAL
    warnings = documents.night.connector.warnings
    assert ELSEWHERE in warnings
    assert [warning for warning in warnings if "fictief.sharepoint.com" in warning or "Elders" in warning] == []


@in_one_night
def a_location_that_leads_to_no_site_keeps_its_unit(documents: Documents) -> Case:
    dossiers = [documents.night.dossier("social_card", spoken=LONG_AGO) for _ in range(2)]
    for dossier, where in zip(dossiers, ({}, {"parentsiteorlocation": (LOCATION, dossiers[1])}), strict=True):
        documents._row(LOCATION, name="Documenten", relativeurl="D-1", regardingobjectid=("cf_dossier", dossier), **where)
    run = yield APPLIED
    assert {what: documents.outcome(run, row) for what, row in zip(("nothing", "unknown"), dossiers, strict=True)} == {
        "nothing": TECHNICAL,
        "unknown": TECHNICAL,
    }


@in_one_night
def a_notebook_and_a_shortcut_go_with_their_folder(documents: Documents) -> Case:
    dossier = documents.dossier_with("brief.txt", folder="D-book")
    documents.library.put("D-book/notities", kind="package")
    documents.library.put("D-book/elders", kind="shortcut")
    run = yield APPLIED
    assert documents.outcome(run, dossier) == (ActionState.DONE, "")
    assert left_in(documents, "D-book") == set()


@in_one_night
def a_contact_goes_with_its_documents(documents: Documents) -> Case:
    dossier = documents.dossier_with("brief.txt", folder="D-reporter")
    person = documents.night.contact()
    documents.night.party(person, "reporter", dossier=dossier)
    documents.location(("contact", person), "P-reporter")
    documents.library.put("P-reporter/kaart.txt")
    run = yield APPLIED
    assert documents.outcome(run, person) == (ActionState.DONE, "")
    assert (left_in(documents, "D-reporter"), left_in(documents, "P-reporter")) == (set(), set())


def test_a_sharepoint_that_cannot_be_looked_at_keeps_the_unit(documents: Documents, subtests: pytest.Subtests) -> None:
    """A read that fails is never an empty folder."""
    dossiers = {status: documents.dossier_with("brief.txt", folder=f"D-{status}") for status in (401, 403, 404, 500, 503)}
    plan = documents.plan()
    faults(
        documents,
        *({"match": {"path": f"/v1.0/drives/*/root:/D-{status}"}, "do": "status", "status": status, "html": True} for status in dossiers),
    )
    run = documents.apply(plan)
    faults(documents)
    for status, dossier in dossiers.items():
        with subtests.test(str(status)):
            assert documents.outcome(run, dossier) == TECHNICAL
            assert documents.night.get("cf_dossiers", dossier) is not None
            assert left_in(documents, f"D-{status}") == {f"D-{status}/brief.txt"}
