"""What goes wrong in a night ends in words, in the documented exit code, and without a write: nothing
deleted, nothing stored."""

from __future__ import annotations

import os
import re
import resource
import stat
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any
from urllib.request import Request, urlopen

import pytest
import responses

from connectors.emulator.serving.server import RunningEmulator
from crm_compliance.configuration.settings import environment_of
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN, set_faults
from tests.drivers.typist import Typist, organisation_of, people_and_cases, without_first_look

GET = {"method": "GET"}
ENTRA = re.compile(r"https://login\.microsoftonline\.com/.*")
FICHES = {"method": "GET", "path": "*/cf_fiches*"}

pytestmark = pytest.mark.usefixtures("naps", "real_definitions")  # each of them may be refused


@pytest.fixture
def typist(emulator: RunningEmulator, typist_at: Callable[..., Typist]) -> Typist:
    return typist_at(emulator.url)


@pytest.fixture
def org(emulator: RunningEmulator, typist: Typist) -> Iterator[Night]:
    night = organisation_of(emulator, typist)
    people_and_cases(night)
    yield night
    night.close()
    night.store.close()


def nothing_happens(org: Night, typist: Typist, code: int, *arguments: str) -> dict[str, str]:
    """The error of a command that writes nothing to the CRM and stores no plan and no run."""
    before = org.emulator.stats()["operations"]
    plans, runs, entries = len(org.store.plans.all()), len(org.store.runs.all()), told(org)
    error = typist.refused(*arguments, code=code)
    after = org.emulator.stats()["operations"]
    assert [after[kind] - before[kind] for kind in ("create", "update", "delete")] == [0, 0, 0]
    assert (len(org.store.plans.all()), len(org.store.runs.all()), told(org)) == (plans, runs, entries)
    return error


def told(org: Night) -> int:
    """Entries of the ledger but those about keys and the CRM, which are made by whatever command is the
    first."""
    return sum(entry.kind not in ("key_made", "crm_seen") for entry in org.store.ledger.entries())


# -- the CRM -------------------------------------------------------------------------------------------------


def test_a_crm_that_is_not_there(typist: Typist, org: Night) -> None:
    typist.set(CRM_URL="http://127.0.0.1:9/api/data/v9.2/")
    for arguments in (["plan"], ["run", "retention"], ["doctor", "--read", "cf_fiches"]):
        error = nothing_happens(org, typist, 4, *arguments)
        assert "cannot be connected" in error["message"]
        assert error["hint"]


@pytest.mark.parametrize("command", ["plan", "run retention", "why cf_dossier 00000000-0000-0000-0000-000000000001"])
def test_a_wrong_token(typist: Typist, org: Night, command: str) -> None:
    typist.set(CRM_TOKEN="wrong")
    error = nothing_happens(org, typist, 4, *command.split())
    assert error["code"] == "crm_unauthorised"
    assert "wrong" not in str(error)


@pytest.mark.parametrize("nth", [1, 5, 12])
def test_a_static_token_that_lapses_cannot_be_renewed(typist: Typist, org: Night, emulator: RunningEmulator, nth: int) -> None:
    set_faults(emulator, {"match": {"path": "/api/data/", "nth": nth}, "do": "expire_token"})
    assert nothing_happens(org, typist, 4, "plan")["code"] == "crm_unauthorised"


def test_a_token_of_entra_id_that_lapses_in_the_middle_of_a_night_is_renewed(typist: Typist, org: Night, emulator: RunningEmulator) -> None:
    """Sign-in through MSAL at the emulator's own token endpoint, in the place of Entra ID's; each request may
    find the token lapsed."""
    typist.unset("CRM_TOKEN")
    typist.set(CRM_TENANT_ID="tenant", CRM_CLIENT_ID="00000000-1111-2222-3333-444444444444", CRM_CLIENT_SECRET="secret")
    asked: list[str] = []

    def forwarded(request: Any) -> tuple[int, dict[str, str], bytes]:
        path = request.url.split("login.microsoftonline.com", 1)[1]
        asked.append(path)
        body = request.body.encode() if isinstance(request.body, str) else request.body
        with urlopen(Request(emulator.root + path, data=body, method=request.method), timeout=10) as answer:
            return (
                answer.status,
                {"Content-Type": "application/json"},
                answer.read().replace(emulator.root.encode(), b"https://login.microsoftonline.com"),
            )

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_passthru(emulator.root)
        for method in ("GET", "POST"):
            mock.add_callback(method, url=ENTRA, callback=forwarded)
        plan = typist.ask("plan")["plan"]
        set_faults(emulator, *({"match": {"path": "/api/data/", "nth": nth}, "do": "expire_token"} for nth in (2, 40)))
        tokens = len(asked)
        done = typist.ask("apply", plan)
    assert (done["state"], done["deleted"], done["anonymised"]) == ("done", 4, 1)
    assert len(asked) > tokens


@pytest.mark.parametrize(
    ("fault", "part"),
    [
        ({"match": FICHES, "do": "status", "status": 403}, "refuses access"),
        ({"match": FICHES, "do": "status", "status": 404}, "404"),
        ({"match": FICHES, "do": "status", "status": 500}, "500"),
        ({"match": FICHES, "do": "status", "status": 503, "html": True}, "503"),
        ({"match": FICHES, "do": "truncate"}, "broke off"),
        ({"match": FICHES, "do": "lose_row"}, "rows"),
        ({"match": FICHES, "do": "duplicate_row"}, "twice"),
        ({"match": FICHES, "do": "cut_after"}, "broke off"),
        ({"match": {"method": "GET", "path": "*EntityDefinitions*"}, "do": "status", "status": 403}, "refuses access"),
    ],
    ids=["403", "404", "500", "503", "truncate", "lose_row", "duplicate_row", "cut_after", "metadata 403"],
)
def test_a_table_that_cannot_be_read_whole(typist: Typist, org: Night, emulator: RunningEmulator, fault: dict[str, Any], part: str) -> None:
    """A read that failed is never taken for "nothing there"."""
    set_faults(emulator, fault)
    error = nothing_happens(org, typist, 4, "plan")
    assert part in error["message"]
    assert error["where"] == "cf_fiche" or fault["match"] != FICHES
    assert nothing_happens(org, typist, 4, "run", "retention")["message"]
    set_faults(emulator)
    without_first_look(typist)
    assert typist.ask("run", "retention")["deleted"] == 3


@pytest.mark.parametrize("do", ["lose_row", "duplicate_row", "truncate", "cut_after", "cut_before"])
def test_trouble_that_passes_is_read_over(typist: Typist, org: Night, emulator: RunningEmulator, do: str) -> None:
    expected = lines_of_a_plan(typist)
    set_faults(emulator, {"match": FICHES, "times": 1, "do": do})
    assert lines_of_a_plan(typist) == expected


def lines_of_a_plan(typist: Typist) -> str:
    file = typist.folder / "plan.jsonl"
    typist.ask("plan", "--output", file)
    return file.read_text(encoding="utf-8")


def test_a_crm_that_is_busy_is_waited_for(typist: Typist, org: Night, emulator: RunningEmulator, naps: list[float]) -> None:
    set_faults(emulator, {"match": {"path": "/api/data/", "every": 4}, "times": 6, "do": "status", "status": 429, "retry_after": 7})
    plan = typist.ask("plan")
    assert plan["dispose"] == {"delete": 4, "anonymise": 1}
    assert 7.0 in naps
    assert typist.ask("apply", plan["plan"])["state"] == "done"


def test_a_crm_that_stays_busy_ends_the_night(typist: Typist, org: Night, emulator: RunningEmulator, naps: list[float]) -> None:
    set_faults(emulator, {"match": FICHES, "do": "status", "status": 429, "retry_after": 100_000})
    assert nothing_happens(org, typist, 4, "plan")["code"] == "crm_throttled"
    assert sum(naps) <= 1800


def test_rows_that_a_missing_privilege_hides(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account without organisation-wide read sees empty tables and gets no error; the CRM's own count
    tells."""
    from connectors.dynamics.reading.reader import Reader

    before = Reader.pages

    def blind(self: Reader[Any], condition: str = "") -> Iterator[Any]:
        yield from (page for page in before(self, condition) if self._table != "cf_dossier")

    monkeypatch.setattr(Reader, "pages", blind)
    error = nothing_happens(org, typist, 4, "plan")
    assert "read access" in error["hint"]
    checks = typist.type("doctor", "--json")
    assert (checks.code, [check["name"] for check in checks.document["checks"] if not check["ok"]]) == (4, ["visibility"])


def test_a_crm_that_dies_in_the_middle_of_applying_leaves_a_run_to_go_on_with(
    typist: Typist, org: Night, emulator: RunningEmulator
) -> None:
    plan = typist.ask("plan")["plan"]
    set_faults(emulator, {"match": {"method": "GET", "path": "*/contacts*"}, "do": "status", "status": 403})
    assert typist.refused("apply", plan, code=4)["message"]
    (unfinished,) = typist.ask("history", "list")
    assert (unfinished["state"], unfinished["ended_at"]) == ("interrupted", None)
    set_faults(emulator)
    done = typist.ask("apply", plan)
    assert (done["run"], done["state"], done["deleted"], done["anonymised"]) == (unfinished["run"], "done", 4, 1)


# -- policy and mapping --------------------------------------------------------------------------------------


def policy_file(typist: Typist, change: Callable[[str], str]) -> Path:
    return _changed(typist, "POLICY", (files("rules") / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8"), change)


def mapping_file(typist: Typist, change: Callable[[str], str]) -> Path:
    text = (files("connectors.dynamics") / "mapping" / "reference.yaml").read_text(encoding="utf-8")
    return _changed(typist, "MAPPING", text, change)


def _changed(typist: Typist, setting: str, text: str, change: Callable[[str], str]) -> Path:
    path = typist.folder / f"{setting.lower()}.yaml"
    assert change(text) != text
    path.write_text(change(text), encoding="utf-8")
    typist.set(**{setting: str(path)})
    return path


def line_of(path: Path, part: str) -> int:
    return next(number for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if part in line)


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}\n", "- a list\n", "categories: {}\n", "a: [\n", "\x00"])
def test_an_empty_or_broken_policy(typist: Typist, org: Night, text: str) -> None:
    path = policy_file(typist, lambda _: text)
    for command in ("plan", "policy check", "run retention"):
        error = nothing_happens(org, typist, 3, *command.split())
        assert (error["code"], error["where"].startswith(str(path))) == ("policy", True)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("months: 6", "months: six", "months: six"),
        ("max: 200", "max: -1", "max: -1"),
        ("name: childfocus", "nam: childfocus", "nam: childfocus"),
        ("timezone: Europe/Brussels", "timezone: Europe/Brusel", "timezone: Europe/Brusel"),
    ],
)
def test_a_policy_with_an_error_names_its_line(typist: Typist, org: Night, old: str, new: str, part: str) -> None:
    path = policy_file(typist, lambda text: text.replace(old, new, 1))
    error = nothing_happens(org, typist, 3, "plan")
    assert f"{path}:{line_of(path, part)}" in error["where"] + error["message"]
    assert typist.refused("policy", "check", path, code=3) == error
    said = typist.type("policy", "check", path)
    assert f"{path}:{line_of(path, part)}" in said.err


def test_a_policy_that_is_not_in_force_yet(typist: Typist, org: Night) -> None:
    policy_file(typist, lambda text: text.replace("valid_from: 2018-05-25", "valid_from: 2030-01-01"))
    assert "2030-01-01" in nothing_happens(org, typist, 3, "plan")["message"]


def test_a_mapping_with_a_wrong_column_names_file_and_line(typist: Typist, org: Night) -> None:
    path = mapping_file(typist, lambda text: text.replace("cf_communicatedon", "cf_communicatedat"))
    error = nothing_happens(org, typist, 3, "plan")
    assert (error["code"], error["where"]) == ("mapping", f"{path}:{line_of(path, 'cf_communicatedat')}")
    assert "cf_communicatedat" in error["message"]
    assert typist.type("doctor").code == 3


def test_a_mapping_with_a_mistake_names_file_and_line(typist: Typist, org: Night) -> None:
    path = mapping_file(typist, lambda text: text.replace("communicated_on:", "communicated_at:"))
    error = nothing_happens(org, typist, 3, "plan")
    assert f"{path}:{line_of(path, 'communicated_at')}" in error["message"]


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_mapping_that_cannot_be_read(typist: Typist, org: Night, content: bytes | None) -> None:
    path = typist.folder / "mapping.yaml"
    if content is not None:
        path.write_bytes(content)
    typist.set(MAPPING=str(path))
    error = nothing_happens(org, typist, 2, "plan")
    assert ("mapping file cannot be read" in error["message"], error["where"]) == (True, str(path))


def test_a_date_column_whose_behaviour_nobody_knows(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-056, DAT-09: without it a birthday may end a day early, so the service refuses."""
    monkeypatch.setattr("connectors.dynamics.schema.metadata.DATE_BEHAVIOURS", {})
    error = nothing_happens(org, typist, 3, "plan")
    assert "behaviour" in error["message"]
    assert "DAT-09" in error["message"]


def test_files_that_are_not_there_or_not_text(typist: Typist, org: Night, tmp_path: Path) -> None:
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    for setting in ("POLICY", "MAPPING"):
        for path in (tmp_path / "none.yaml", tmp_path, binary):
            typist.set(**{setting: str(path)})
            error = nothing_happens(org, typist, 2, "plan")
            assert error["where"] == str(binary if setting == "POLICY" and path == tmp_path else path)  # a folder has versions
        typist.unset(setting)


# -- disk and store ------------------------------------------------------------------------------------------


def test_a_full_disk_stores_nothing(typist: Typist, org: Night, tmp_path: Path) -> None:
    """A process that may only write files up to some size: first the database grows past it, then the
    report."""
    ids = Random(3)
    org.emulator.load(
        (
            "cf_fiche",
            {
                "cf_ficheid": str(uuid.UUID(int=ids.getrandbits(128), version=4)),
                "cf_categories": "100000000",
                "statecode": 0,
                "statuscode": 1,
                "cf_communicatedon": "2026-11-01T11:00:00Z",
                "createdon": "2026-11-01T11:00:00Z",
            },
        )
        for _ in range(20_000)
    )
    file = tmp_path / "plan.jsonl"
    file.write_text("old\n", encoding="utf-8")
    before = org.emulator.stats()["operations"]
    database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'small.db'}", "DATA_DIR": str(tmp_path / "small")}
    settings = {"CRM_URL": org.emulator.url, "CRM_TOKEN": TOKEN, **database}

    def plan(limit: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "crm_compliance", "plan", "--output", str(file)]
        return subprocess.run(
            command,
            env=environment_of(settings),
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )

    store = plan(300_000)  # the tables fit, the plan does not
    assert (store.returncode, store.stdout) == (2, ""), store.stderr
    assert "Traceback" not in store.stderr
    typist.set(**database)
    assert typist.ask("plans", "list") == []
    report = plan(2_000_000)  # the plan fits, the file of 20,000 lines does not
    assert report.returncode == 2, report.stderr
    assert "plan.jsonl" in report.stderr
    assert len(typist.ask("plans", "list")) == 1
    assert file.read_text(encoding="utf-8") == "old\n"
    assert not list(tmp_path.glob("*.part"))
    after = org.emulator.stats()["operations"]
    assert [after[kind] - before[kind] for kind in ("create", "update", "delete")] == [0, 0, 0]


def test_a_data_folder_that_cannot_be_made(typist: Typist, org: Night, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    typist.set(DATA_DIR=str(tmp_path / "file"))
    for command in ("plan", "plans list", "history list", "ledger verify"):
        assert nothing_happens(org, typist, 2, *command.split())["code"] == "disk"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_folder_that_may_not_be_written(typist: Typist, org: Night, tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    typist.set(DATA_DIR=str(folder / "data"))
    assert nothing_happens(org, typist, 2, "plan")["code"] == "disk"


def test_a_database_that_cannot_be_used(typist: Typist, org: Night, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database" * 100)
    for url in (f"sqlite:///{broken}", "sqlite:///:memory:", "mysql://host/x", "postgresql://user:geheim@127.0.0.1:9/x", "nonsense"):
        typist.set(DATABASE_URL=url)
        error = nothing_happens(org, typist, 2, "plans", "list")
        assert "geheim" not in str(error)
        assert error["hint"]


def test_the_data_folder_is_the_owners_alone(typist: Typist, org: Night) -> None:
    typist.ask("plan")
    folder = typist.folder / "data"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.rglob("*") if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_a_ledger_that_was_edited_in_the_store_is_found(typist: Typist, org: Night) -> None:
    """The store refuses to change an entry; whoever takes its triggers away is found by the chain."""
    import sqlite3

    without_first_look(typist)
    typist.ask("run", "recordings")
    with sqlite3.connect(typist.folder / "data" / "state.db") as database:
        with pytest.raises(sqlite3.DatabaseError):
            database.execute("UPDATE ledger SET kind = 'x' WHERE seq = 2")
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE ledger SET kind = 'x' WHERE seq = 2")
    database.close()
    said = typist.type("ledger", "verify", "--json")
    assert (said.code, said.document["first_broken"]) == (7, 2)
    doctor = typist.type("doctor", "--json")
    assert doctor.code == 7
    assert [check["name"] for check in doctor.document["checks"] if not check["ok"]] == ["store"]
