"""Which concrete things the settings pick."""

import os
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
import responses

from connectors.dynamics.connector import DynamicsConnector
from connectors.emulator.serving.server import RunningEmulator
from crm_compliance.configuration.settings import Settings
from crm_compliance.hints import in_words
from crm_compliance.host.files import text_of
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.crm import LONG_WAIT, Patience, connector_of, memory_of
from crm_compliance.wiring.desk import desk
from crm_compliance.wiring.fits_this_crm import checked
from crm_compliance.wiring.frame_threads import VARIABLE, limit_frame_threads
from crm_compliance.wiring.mapping import mapping_text
from crm_compliance.wiring.schedule import policy_of, policy_text
from crm_compliance.wiring.software import new_id, software_version
from crm_compliance.wiring.store import store_of
from rules.errors import MappingError, UsageError
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.typist import Typist

ROOT = "https://org.example/api/data/v9.2/"
HERE = "http://127.0.0.1:9/api/data/v9.2/"


def test_a_set_clock_starts_at_its_instant_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([100.0, 100.0, 107.5])
    monkeypatch.setattr("crm_compliance.wiring.clock.time.monotonic", lambda: next(ticks))
    clock = clock_of(Settings.model_validate({"crm_url": "http://127.0.0.1:1/api/data/v9.2/", "clock": "2026-03-29T03:30:00+02:00"}))
    assert clock() == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert clock() == datetime(2026, 3, 29, 1, 30, 7, 500_000, tzinfo=UTC)


def test_without_a_set_clock_time_is_real() -> None:
    assert abs(clock_of(Settings())() - datetime.now(UTC)) < timedelta(seconds=5)
    assert clock_of(Settings())().tzinfo is UTC


def test_the_shipped_files_are_the_defaults(tmp_path: Path) -> None:
    assert policy_of(Settings()).name == "childfocus"
    assert [part[1] for part in (policy_text(Settings()), mapping_text(Settings()))] == [
        "childfocus.yaml (shipped)",
        "reference.yaml (shipped)",
    ]
    own = tmp_path / "own.yaml"
    own.write_text("text", encoding="utf-8")
    settings = Settings(policy=own, mapping=own)
    assert policy_text(settings) == mapping_text(settings) == ("text", str(own))


@pytest.mark.parametrize(
    ("given", "threads"),
    [
        ({}, "1"),
        ({"workers": "processes", "worker_count": 3}, "1"),
        ({"workers": "threads", "worker_count": 3}, "3"),
        ({"crm_lake": "/mnt/lake"}, None),
    ],
)
def test_frames_get_as_many_threads_as_work_at_once(given: dict[str, object], threads: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    limit_frame_threads(Settings.model_validate(given))
    assert os.environ.get(VARIABLE) == threads
    monkeypatch.setenv(VARIABLE, "7")  # somebody else's word
    limit_frame_threads(Settings.model_validate(given))
    assert os.environ[VARIABLE] == "7"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"a\r\nb\n\xe9")
    endless = Path("/dev/zero")
    for path, why in (
        (tmp_path / "none", "No such file"),
        (tmp_path, "directory"),
        (tmp_path / "latin", "line 3 is not UTF-8"),
        (endless, "large"),
    ):
        with pytest.raises(UsageError, match=why) as refused:
            text_of(path, "policy")
        assert (refused.value.where, "CRM_COMPLIANCE_POLICY" in in_words(refused.value.hint)) == (str(path), True)


def test_ids_are_opaque_and_differ() -> None:
    ids = {new_id("plan") for _ in range(100)}
    assert len(ids) == 100
    assert all(each.startswith("plan-") and " " not in each for each in ids)


def test_a_desk_has_all_that_a_job_needs(typist: Typist, org: Night, crm: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.delenv(VARIABLE)
    with desk(typist.settings, warn=warnings.append) as opened:
        assert os.environ[VARIABLE] == "1"
        context = opened.context
        assert context.crm == crm.url
        assert len(context.mapping_digest) == 64
        assert context.clock() - NOW < timedelta(minutes=1)
        assert context.reference("cf_dossier", "1") == org.key.reference("cf_dossier", "1")
        assert tuple(warnings) == opened.warnings
    with desk(typist.settings) as again:
        assert again.context.mapping_digest == context.mapping_digest


def test_a_mapping_that_does_not_fit_tells_every_mismatch(typist: Typist, org: Night, tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    text = mapping_text(typist.settings)[0]
    path.write_text(text.replace("cf_communicatedon", "cf_none").replace("cf_openedon", "cf_nothing"), encoding="utf-8")
    typist.set(MAPPING=str(path))
    with connector_of(typist.settings) as connector, pytest.raises(MappingError) as refused:
        checked(connector, policy_of(typist.settings))
    assert all(part in str(refused.value) for part in ("cf_none", "cf_nothing"))
    assert refused.value.where.startswith(f"{path}:")
    assert in_words(refused.value.hint) == "correct the mapping, or the CRM"


def test_where_the_shipped_mapping_does_not_fit_a_draft_is_named(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever begins has none yet, and the shipped one is not theirs to correct."""
    shipped, name = mapping_text(typist.settings)
    monkeypatch.setattr("crm_compliance.wiring.crm.mapping_text", lambda _: (shipped.replace("cf_communicatedon", "cf_none"), name))
    with connector_of(typist.settings) as connector, pytest.raises(MappingError) as refused:
        checked(connector, policy_of(typist.settings))
    assert "crm-compliance mapping draft" in in_words(refused.value.hint)


def test_a_warning_about_the_mapping_reaches_the_person(typist: Typist, org: Night, tmp_path: Path) -> None:
    """An option that the mapping lacks: its units are kept, and the command says so on stderr."""
    text = mapping_text(typist.settings)[0]
    lines = text.splitlines(keepends=True)
    left_out = next(line for line in lines if "100000050" in line and "csam" in line)
    path = tmp_path / "mapping.yaml"
    path.write_text("".join(line for line in lines if line is not left_out), encoding="utf-8")
    typist.set(MAPPING=str(path))
    said = typist.type("plan", "--json")
    assert said.code == 0
    assert "warning: " in said.err
    assert "100000050" in said.err
    assert said.document["units"] == 0
    assert software_version()


def memory_folder(typist: Typist) -> Path:
    return typist.folder / "data" / "memory"


def test_where_nothing_is_to_be_remembered_nothing_stays(typist: Typist, org: Night) -> None:
    org.contact()
    typist.ask("plan")
    assert list(memory_folder(typist).glob("*/*.rows"))
    typist.set(INCREMENTAL_READS="false")
    typist.ask("plan")
    assert not list(memory_folder(typist).glob("*/*"))


def test_what_another_mapping_has_left_is_removed_in_time(typist: Typist, org: Night) -> None:
    typist.unset("CLOCK")
    old = memory_folder(typist) / "another" / "contact-0123456789abcdef.rows"
    old.parent.mkdir(parents=True)
    for days, is_there in ((6, True), (8, False)):
        old.write_bytes(b"x")
        moment = (datetime.now(UTC) - timedelta(days=days)).timestamp()
        os.utime(old, (moment, moment))
        memory_of(typist.settings, clock_of(typist.settings))
        assert old.exists() is is_there


def test_each_crm_and_each_application_user_has_a_memory_of_its_own(tmp_path: Path) -> None:
    """Another user may see other columns of the same rows."""
    other, clock = "https://other.example/api/data/v9.2/", clock_of(Settings())
    folders = set()
    for url, client in ((ROOT, "one"), (ROOT, "two"), (other, "one")):
        memory = memory_of(Settings.model_validate({"crm_url": url, "crm_client_id": client, "data_dir": tmp_path}), clock)
        assert memory is not None
        folders.add(memory.folder)
    assert len(folders) == 3


@responses.activate
def test_who_waits_for_the_crm_is_told_so_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off a terminal nothing else shows that a command which says nothing for half an hour is at work."""
    busy = {"status": 429, "headers": {"Retry-After": "30"}, "json": {"error": {"code": "0x80072322", "message": ""}}}
    responses.get(f"{HERE}WhoAmI", **busy)
    responses.get(
        f"{HERE}WhoAmI", json={"UserId": str(UUID(int=1)), "BusinessUnitId": str(UUID(int=2)), "OrganizationId": str(UUID(int=3))}
    )
    told: list[str] = []
    monkeypatch.setattr("connectors.dynamics.connector.DynamicsConnector", partial(DynamicsConnector, sleep=lambda _: None))
    given = {"crm_url": HERE, "crm_token": "t", "data_dir": tmp_path}
    with connector_of(Settings.model_validate(given), warn=told.append) as connector:
        connector.whoami()
    assert told == ["waiting 30 seconds before the CRM is asked again: it is busy, or does not answer"]


@responses.activate
@pytest.mark.parametrize(
    "line",
    [
        *("doctor", "doctor --read contacts", "doctor --role role.md", "datamap", "mapping check", "mapping draft --output mapping.yaml"),
        *(f"mapping explain contact {UUID(int=4)}", "mapping statistics-table --create", f"why contact {UUID(int=4)}"),
    ],
)
def test_each_command_that_asks_the_crm_tells_of_a_long_wait(line: str, typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    for method in (responses.GET, responses.POST):
        responses.add(method, re.compile(".*"), status=429, headers={"Retry-After": "30"})
    monkeypatch.setattr("connectors.dynamics.connector.DynamicsConnector", partial(DynamicsConnector, sleep=lambda _: None))
    monkeypatch.chdir(typist.folder)
    typist.set(CRM_URL=HERE, CRM_PATIENCE_S="45")
    said = typist.type(*line.split())
    assert (said.code, f"warning: {LONG_WAIT.format(30)}" in said.err) == (4, True), said


@pytest.mark.parametrize(
    ("patience", "setting", "seconds", "is_known"),
    [
        (Patience.OF_A_PERSON, 1_800, 60, False),
        (Patience.OF_A_PERSON, 5, 5, False),
        (Patience.OF_A_CALL, 1_800, 60, False),
        (Patience.OF_A_RUN, 1_800, 1_800, False),
        (Patience.OF_A_SERVICE, 900, 900, True),
    ],
)
def test_a_run_waits_for_the_crm_longer_than_a_person(
    tmp_path: Path, patience: Patience, setting: int, seconds: int, *, is_known: bool
) -> None:
    given = {"crm_url": "http://127.0.0.1:9/api/data/v9.2/", "crm_token": "t", "data_dir": tmp_path, "crm_patience_s": setting}
    settings = Settings.model_validate(given)
    with connector_of(settings, patience=patience) as connector:
        assert (connector.environment.patience_s, connector.environment.is_known) == (seconds, is_known)
        longest_s = max(connector.environment.read_timeout_s, connector.environment.answer_s, connector.environment.max_wait_s)
        assert (longest_s <= 60) is (patience is Patience.OF_A_CALL)


def test_files_with_lines_of_plans_that_an_older_version_left_go_when_the_store_is_opened(tmp_path: Path) -> None:
    """Nothing else would remove them once their lines have expired (ACC-07); what is not ours stays."""
    folder = tmp_path / "lines"
    folder.mkdir()
    for name in ("plan-1.lines", "notes.txt"):
        (folder / name).write_bytes(b"sealed")
    settings = Settings.model_validate({"data_dir": tmp_path})
    with store_of(settings, clock_of(settings)):
        assert [each.name for each in folder.iterdir()] == ["notes.txt"]
    (folder / "notes.txt").unlink()
    with store_of(settings, clock_of(settings)):
        assert not folder.exists()
