"""A table that the mapping loses while rows of it are under way, or after they went: what nobody can read any
more is not called gone."""

import re
from typing import Any

import pytest

from connectors.dynamics.http.transport import Transport
from crm_compliance.wiring.mapping import mapping_text
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.typist import LONG_AGO, Typist


def without_recordings(typist: Typist) -> None:
    """Put a mapping in force that does not name the table of recordings."""
    text, found = re.subn(r"(?ms)^  recording:\n    table.*?(?=^  \w+:\n    table)", "", mapping_text(typist.settings)[0])
    assert found == 1
    path = typist.folder / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    typist.set(MAPPING=str(path))


def test_a_run_that_was_cut_off_goes_on_with_the_mapping_of_before(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = org.recording(LONG_AGO)
    plan = typist.approve_first(typist.ask("plan")["plan"])

    def killed(transport: Transport, method: str, *given: Any, **more: Any) -> Any:
        if method in ("DELETE", "POST"):
            raise KeyboardInterrupt
        return send(transport, method, *given, **more)

    send = Transport._send_once
    with monkeypatch.context() as cut:
        cut.setattr(Transport, "_send_once", killed)
        assert typist.type("apply", plan).code == 130
    without_recordings(typist)
    error = typist.refused("apply", plan, code=3)
    assert (error["code"], error["where"]) == ("mapping", "cf_recording")
    assert "mapping of before" in error["hint"]
    assert org.get("cf_recordings", recording) is not None
    typist.unset("MAPPING")
    assert typist.ask("apply", plan)["deleted"] == 1


def test_a_recording_whose_deletion_failed_is_not_called_gone(typist: Typist, org: Night) -> None:
    """The next night does not see it any more, and says nothing of it; with the mapping of before it goes."""
    recording = org.recording(LONG_AGO)
    org.dossier("grooming", closed=False)
    set_faults(org.emulator, {"match": {"method": "DELETE", "path": "cf_recordings"}, "times": 500, "do": "status", "status": 500})
    assert typist.ask("apply", typist.ask("plan")["plan"], code=6)["failed"] == 1
    set_faults(org.emulator)
    without_recordings(typist)
    night = typist.ask("apply", typist.ask("plan")["plan"])
    assert (night["deleted"], night["verified"]["gone"]) == (0, 0)
    assert org.get("cf_recordings", recording) is not None
    typist.unset("MAPPING")
    assert typist.ask("apply", typist.ask("plan")["plan"])["deleted"] == 1


def test_what_cannot_be_read_back_any_more_is_told(typist: Typist, org: Night) -> None:
    org.recording(LONG_AGO)
    org.dossier("social_card", spoken=LONG_AGO)
    run = typist.ask("apply", typist.ask("plan")["plan"])["run"]
    before = typist.ask("verify", run)
    without_recordings(typist)
    after = typist.ask("verify", run)
    assert (before["checked"], after["checked"]) == (3, 2)
    assert after["not_checkable"] == [*before["not_checkable"], "recording"]
