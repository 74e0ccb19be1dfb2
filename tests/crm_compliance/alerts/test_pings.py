"""A dead-man's switch around the jobs, as `run` and the scheduler do them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

from crm_compliance.service.scheduler import run_job
from tests.connectors.channels.receiver import Receiver, receiving
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.typed import Said
from tests.drivers.typist import Typist

START, GOOD, BAD = "/ping/uuid/start", "/ping/uuid", "/ping/uuid/fail"


@pytest.fixture
def switch(typist: Typist) -> Iterator[Receiver]:
    with receiving() as receiver:
        file = typist.folder / "alerts.yaml"
        file.write_text(f"channels:\n  switch: {{type: ping, url: '{receiver.url}/ping/uuid', jobs: [housekeeping, requests]}}\n")
        typist.set(ALERTS=str(file))
        yield receiver


def paths(receiver: Receiver) -> list[str]:
    found = [sent.path for sent in receiver.sent]
    receiver.sent.clear()
    return found


def logged(said: Said) -> list[tuple[str, str]]:
    """What stands on stderr: each event, and the code of its error."""
    lines = [json.loads(line) for line in said.err.splitlines()]
    return [(line["event"], line["code"]) for line in lines]


def test_it_hears_of_each_job_whoever_starts_it(org: Night, typist: Typist, switch: Receiver) -> None:
    assert typist.type("run", "housekeeping").code == 0
    assert paths(switch) == [START, GOOD]
    run_job(typist.settings, "requests", threading.Event())
    assert paths(switch) == [START, GOOD]
    assert typist.type("run", "recordings").code == 0
    assert paths(switch) == [], "it is not for this job"


def test_a_job_that_fails_is_heard_and_one_that_is_stopped_is_not_over(org: Night, typist: Typist, switch: Receiver) -> None:
    set_faults(org.emulator, {"match": {}, "times": 1000, "do": "status", "status": 403})
    assert typist.type("run", "housekeeping").code == 4
    assert paths(switch) == [START, BAD]
    set_faults(org.emulator)
    stop = threading.Event()
    stop.set()
    run_job(typist.settings, "housekeeping", stop)
    assert paths(switch)[0] == START


def test_a_switch_that_fails_keeps_no_night_from_running(org: Night, typist: Typist, switch: Receiver) -> None:
    """What is logged of it goes to stderr in the product's own form; stdout has the one document."""
    switch.answers = [404, 404]
    said = typist.type("run", "housekeeping", "--json")
    assert (said.code, type(said.document)) == (0, dict)
    assert logged(said) == [("an alert channel failed", "channel_refused")] * 2
    state = org.store.told.channels()["switch"]
    assert (state.failed, state.code) == (2, "channel_refused")
    typist.set(ALERTS="/nowhere/alerts.yaml")
    said = typist.type("run", "housekeeping", "--json")
    assert (said.code, type(said.document)) == (0, dict)
    assert logged(said) == [("no dead-man's switch is told", "usage")]


def test_a_bug_with_a_switch_keeps_no_night_from_running(
    org: Night, typist: Typist, switch: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("https://hc.example.org/secret")

    monkeypatch.setattr("connectors.channels.post.Post.send", broken)
    said = typist.type("run", "housekeeping", "--json")
    assert (said.code, type(said.document)) == (0, dict)
    assert logged(said) == [("an alert channel failed, by a bug", "bug")] * 2
    assert "secret" not in said.err
    assert org.store.told.channels()["switch"].code == "bug"
