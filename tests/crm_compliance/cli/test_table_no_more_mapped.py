"""A table that the mapping loses while rows of it are under way, or after they went: what nobody can read any
more is not called gone."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors.dynamics.http.transport import Transport
from connectors.emulator.serving.server import RunningEmulator, running
from crm_compliance.wiring.mapping import mapping_text
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN, set_faults
from tests.drivers.typist import LONG_AGO, Typist
from tests.integration.documents import REFERENCE
from tests.known_definitions import KNOWN
from tests.yaml_files import read_yaml, yaml_text


@pytest.fixture(scope="module")
def crm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """The reference organisation with a second table for recordings, of the same form."""
    environment = read_yaml(REFERENCE)
    tables, path = environment["tables"], tmp_path_factory.mktemp("environment") / "environment.yaml"
    columns = {name.replace("cf_recordingid", "cf_newrecordingid"): column for name, column in tables["cf_recording"]["columns"].items()}
    tables["cf_newrecording"] = {"columns": columns}
    path.write_text(yaml_text(environment), encoding="utf-8")
    with running(environment=path, token=TOKEN) as started, KNOWN.of(started, TOKEN):
        yield started


def without_recordings(typist: Typist) -> None:
    """Put a mapping in force that does not name the table of recordings."""
    with_mapping(typist, r"(?ms)^  recording:\n    table.*?(?=^  \w+:\n    table)", "")


def with_other_recordings(typist: Typist) -> None:
    """Put a mapping in force that has another table for them, as after a move of the CRM's."""
    with_mapping(typist, "table: cf_recording\n", "table: cf_newrecording\n")


def with_mapping(typist: Typist, pattern: str, instead: str) -> None:
    text, found = re.subn(pattern, instead, mapping_text(typist.settings)[0])
    assert found == 1
    path = typist.folder / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    typist.set(MAPPING=str(path))


def with_further_recordings(typist: Typist) -> None:
    """Put a mapping in force that has a second table for them too."""
    text = mapping_text(typist.settings)[0]
    entry = re.search(r"(?ms)^  recording:\n(    table.*?)(?=^  \w+:\n    table)", text)
    assert entry
    item = entry[1].replace("    ", "      ").replace("      table", "    - table", 1)
    two = item + item.replace("cf_recording\n", "cf_newrecording\n").replace("cf_recordingid", "cf_newrecordingid")
    path = typist.folder / "mapping.yaml"
    path.write_text(text.replace(entry[1], two), encoding="utf-8")
    typist.set(MAPPING=str(path))


def cut_off(typist: Typist, plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a run killed at its first write."""

    def killed(transport: Transport, method: str, *given: Any, **more: Any) -> Any:
        if method in ("DELETE", "POST"):
            raise KeyboardInterrupt
        return send(transport, method, *given, **more)

    send = Transport._send_once
    with monkeypatch.context() as cut:
        cut.setattr(Transport, "_send_once", killed)
        assert typist.type("apply", plan).code == 130


changed = pytest.mark.parametrize("change", [without_recordings, with_other_recordings])
Change = Callable[[Typist], None]


@changed
def test_a_run_that_was_cut_off_goes_on_with_the_mapping_of_before(
    typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    recording = org.recording(LONG_AGO)
    plan = typist.approve_first(typist.ask("plan")["plan"])
    cut_off(typist, plan, monkeypatch)
    change(typist)
    error = typist.refused("apply", plan, code=3)
    assert (error["code"], error["where"]) == ("mapping", "cf_recording")
    assert "mapping of before" in error["hint"]
    assert org.get("cf_recordings", recording) is not None
    typist.unset("MAPPING")
    assert typist.ask("apply", plan)["deleted"] == 1


@changed
def test_a_recording_whose_deletion_failed_is_not_called_gone(typist: Typist, org: Night, change: Change) -> None:
    """The next night does not see it any more, and says nothing of it; with the mapping of before it goes."""
    recording = org.recording(LONG_AGO)
    org.dossier("grooming", closed=False)
    set_faults(org.emulator, {"match": {"method": "DELETE", "path": "cf_recordings"}, "times": 500, "do": "status", "status": 500})
    assert typist.ask("apply", typist.ask("plan")["plan"], code=6)["failed"] == 1
    set_faults(org.emulator)
    change(typist)
    night = typist.ask("apply", typist.ask("plan")["plan"])
    assert (night["deleted"], night["verified"]["gone"]) == (0, 0)
    assert org.get("cf_recordings", recording) is not None
    typist.unset("MAPPING")
    assert typist.ask("apply", typist.ask("plan")["plan"])["deleted"] == 1


@changed
def test_what_cannot_be_read_back_any_more_is_told(typist: Typist, org: Night, change: Change) -> None:
    org.recording(LONG_AGO)
    org.dossier("social_card", spoken=LONG_AGO)
    run = typist.ask("apply", typist.ask("plan")["plan"])["run"]
    before = typist.ask("verify", run)
    change(typist)
    after = typist.ask("verify", run)
    assert (before["checked"], after["checked"]) == (3, 2)
    assert after["not_checkable"] == [*before["not_checkable"], "cf_recording"]


def test_what_went_is_read_back_where_its_kind_has_a_further_table_by_then(typist: Typist, org: Night) -> None:
    org.recording(LONG_AGO)
    run = typist.ask("apply", typist.ask("plan")["plan"])["run"]
    before = typist.ask("verify", run)
    with_further_recordings(typist)
    assert typist.ask("verify", run) == before


@changed
def test_what_is_left_of_a_file_is_not_called_gone(typist: Typist, org: Night, change: Change) -> None:
    """The CRM has kept a recording of it; with the mapping of before that goes."""
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    recording = org.recording(LONG_AGO, fiche=org.fiches_of(dossier)[0])
    set_faults(org.emulator, {"match": {"method": "DELETE", "path": "cf_recordings"}, "times": 500, "do": "keep_row"})
    assert typist.ask("apply", typist.ask("plan", "--kind", "retention")["plan"], code=6)["partial"] == 1
    set_faults(org.emulator)
    change(typist)
    night = typist.ask("apply", typist.ask("plan", "--kind", "retention")["plan"], code=6)
    assert [alarm["code"] for alarm in night["alarms"]] == ["LEFT_OVER"]
    assert (night["deleted"], org.get("cf_dossiers", dossier)) == (0, None)
    assert org.get("cf_recordings", recording) is not None
    typist.unset("MAPPING")
    assert typist.ask("apply", typist.ask("plan", "--kind", "retention")["plan"])["deleted"] == 1
    assert org.get("cf_recordings", recording) is None


@changed
def test_a_file_is_not_called_gone_by_what_is_gone_of_it(
    typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    """A run was cut off before it wrote; somebody takes the file, and not its recording."""
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    [fiche] = org.fiches_of(dossier)
    recording = org.recording(LONG_AGO, fiche=fiche)
    plan = typist.approve_first(typist.ask("plan", "--kind", "retention")["plan"])
    cut_off(typist, plan, monkeypatch)
    for row in (f"cf_fiches({fiche})", f"cf_dossiers({dossier})"):
        org.http.delete(org.emulator.url + row).raise_for_status()
    change(typist)
    night = typist.ask("apply", plan)
    assert (night["deleted"], night["skipped"]) == (0, {"POLICY_CHANGED": 1})
    assert org.get("cf_recordings", recording) is not None
