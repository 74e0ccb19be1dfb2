"""The self-checks: each one well, each one failing, and the exit code of the first that fails."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from connectors.dynamics.http.answers import Answer
from connectors.dynamics.http.server_clock import ServerClock
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import RunningEmulator
from connectors.interface.errors import Unreachable
from crm_compliance.configuration.settings import Settings, environment_of, load_settings
from crm_compliance.connections import worker_pool
from crm_compliance.doctor import anchor, crm, ending, machine
from crm_compliance.doctor.store import read_along
from crm_compliance.host.files import DiskProblem
from crm_compliance.service.health import credentials_not_well
from crm_compliance.store.sql import database
from crm_compliance.wiring.crm import LONG_WAIT
from crm_compliance.wiring.mapping import mapping_text
from rules.errors import UsageError
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN, set_faults
from tests.drivers.typist import Typist, people_and_cases

STORED = ["packages", "policy", "organisation", "store", "keys", "anchor", "nights", "disk", "storage"]
NAMES = [*STORED, "crm", "mapping", "overlooked", "datamap", "privileges", "capabilities", "visibility", "restored", "clock"]


def failed(typist: Typist, code: int) -> dict[str, dict[str, str]]:
    """The failed checks by name, after a doctor that ends with `code`."""
    said = typist.type("doctor", "--json")
    assert said.code == code, said
    document = said.document
    assert document["ok"] is False
    assert all(check.keys() == {"name", "ok", "message", "hint"} for check in document["checks"])
    return {check["name"]: check for check in document["checks"] if not check["ok"]}


def test_a_cluster_of_which_nobody_answers_is_told(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "_PATIENCE", 0.2)
    with socket.socket() as taken:  # bound, and listening to nobody
        taken.bind(("127.0.0.1", 0))
        typist.set(WORKERS=f"tcp://127.0.0.1:{taken.getsockname()[1]}")
        assert "Nobody answers" in failed(typist, 4)["workers"]["message"]


def without_crm(typist: Typist) -> None:
    """From here on no CRM is named: what is no matter of it is looked into all the same."""
    typist.unset("CRM_URL", "CRM_TOKEN", "CLOCK")


@pytest.mark.parametrize(
    ("setting", "value", "code", "name"),
    [("DATABASE_URL", "sqlite:////nowhere/state.db", 2, "store"), ("POLICY", "POLICY", 3, "policy"), ("CRM_TOKEN", "wrong", 4, "crm")],
    ids=["usage", "policy", "crm"],
)
def test_a_person_is_told_what_fails_and_the_exit_code_is_that_of_the_document(
    typist: Typist, org: Night, tmp_path: Path, setting: str, value: str, code: int, name: str
) -> None:
    (tmp_path / "POLICY").write_text("schema: retention-schedule/1\n", encoding="utf-8")
    typist.set(**{setting: str(tmp_path / value) if value == "POLICY" else value})
    assert name in failed(typist, code)
    said = typist.type("doctor")
    assert said.code == code
    assert re.search(rf"^ *{name} +FAILED", said.out, re.MULTILINE)


@pytest.mark.usefixtures("real_definitions")
def test_everything_is_well(typist: Typist, org: Night) -> None:
    people_and_cases(org)
    before = org.writes()
    document = typist.ask("doctor")
    assert document["ok"] is True
    assert [check["name"] for check in document["checks"]] == NAMES
    assert all(check["ok"] and check["message"] for check in document["checks"])
    typist.unset("CLOCK")
    assert typist.ask("doctor")["ok"] is True
    assert org.writes() == before
    said = typist.type("doctor")
    assert (said.code, "FAILED" in said.out) == (0, False)


def test_every_check_is_made_although_one_fails(typist: Typist, org: Night) -> None:
    typist.set(POLICY="nowhere.yaml", CRM_TOKEN="wrong")
    assert set(failed(typist, 2)) == {"policy", "crm"}


def test_no_crm_is_named(typist: Typist, org: Night) -> None:
    without_crm(typist)
    assert "CRM_COMPLIANCE_CRM_URL" in failed(typist, 2)["crm"]["message"]


def test_no_credentials(typist: Typist, org: Night) -> None:
    typist.unset("CRM_TOKEN")
    assert "credentials" in failed(typist, 2)["crm"]["message"]


@pytest.mark.parametrize(
    ("setting", "value"), [("CRM_TOKEN", "wrong"), ("CRM_URL", "http://127.0.0.1:9/api/data/v9.2/")], ids=["token", "address"]
)
def test_a_crm_that_cannot_be_asked(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch, setting: str, value: str) -> None:
    monkeypatch.setattr("connectors.dynamics.pace.backoff.BACKOFF_CAP_S", 0.0)
    typist.set(**{setting: value})
    assert list(failed(typist, 4)) == ["crm"]


def test_a_policy_with_an_error(typist: Typist, org: Night, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("schema: retention-schedule/1\n", encoding="utf-8")
    typist.set(POLICY=str(path))
    found = failed(typist, 3)
    assert str(path) in found.pop("policy")["message"]
    assert {(check["message"], check["hint"]) for check in found.values()} == {("cannot be looked at before policy is in order", "")}


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda text: text.replace("cf_communicatedon", "cf_communicatedat"), "cf_communicatedat"),
        (lambda text: "tables: [", "mapping.yaml"),
        (lambda text: text.replace("table: cf_fiche\n", "table: cf_none\n"), "cf_none"),
    ],
    ids=["column", "no YAML", "table"],
)
def test_a_mapping_with_an_error(typist: Typist, org: Night, tmp_path: Path, change: Callable[[str], str], part: str) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(change(mapping_text(typist.settings)[0]), encoding="utf-8")
    typist.set(MAPPING=str(path))
    found = failed(typist, 3)
    assert part in found.pop("mapping")["message"]
    assert "crm" not in found
    assert {check["message"] for check in found.values()} <= {"cannot be looked at before mapping is in order"}


@pytest.mark.parametrize(("meant", "slip", "what"), [("grooming", "groming", "category"), ("volunteer", "volunter", "kind of engagement")])
def test_a_key_that_is_misspelt_is_told_with_what_was_meant(
    typist: Typist, org: Night, tmp_path: Path, meant: str, slip: str, what: str
) -> None:
    """By `doctor` and by every command that reads the CRM; its units would be kept for ever (R-161)."""
    path = tmp_path / "mapping.yaml"
    path.write_text(mapping_text(typist.settings)[0].replace(f": {meant}", f": {slip}"), encoding="utf-8")
    typist.set(MAPPING=str(path))
    found = next(check["message"] for check in typist.ask("doctor")["checks"] if check["name"] == "mapping")
    told = re.search(rf"mapping\.yaml:\d+: the schedule knows no {what} {slip}, .*did you mean {meant}\?", found)
    assert told is not None
    assert told[0] in typist.type("plan").err
    assert found.count(slip) == 1


def test_a_database_that_another_program_holds_is_told(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be looked at, and no night could write."""
    monkeypatch.setattr(database, "BUSY_S", 0)
    file = org.store.database.file
    assert file is not None
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "busy" in failed(typist, 2)["store"]["message"]


def test_a_table_that_may_not_be_read(typist: Typist, org: Night, crm: RunningEmulator) -> None:
    set_faults(crm, {"match": {"method": "GET", "path": "*/cf_donations*"}, "do": "status", "status": 403})
    assert "cf_donation" in failed(typist, 4)["privileges"]["message"]


def test_a_crm_that_has_gone_meanwhile_is_not_waited_for_by_each_check(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would wait for a minute; one thing at which it fails alone does not hide the others."""
    real, refused = Transport.get, list[str]()
    is_gone = False

    def get(self: Transport, address: str, **more: Any) -> Answer:
        if "cf_donations" in address or (is_gone and refused):
            refused.append(address)
            raise Unreachable("The CRM did not answer in time.")
        return real(self, address, **more)

    monkeypatch.setattr(Transport, "get", get)
    assert failed(typist, 4).keys() <= {"overlooked", "privileges", "visibility"}
    refused.clear()
    is_gone = True
    found = failed(typist, 4)
    assert refused.index("WhoAmI") == len(refused) - 1, "whether anything is answered, after what was asked at the same time"
    assert found["overlooked"]["message"] == "The CRM did not answer in time."
    later = {found[name]["message"] for name in ("datamap", "privileges", "capabilities", "visibility", "clock")}
    assert later == {"cannot be looked at while the CRM does not answer"}


def test_a_clock_that_is_off(typist: Typist, org: Night, crm: RunningEmulator) -> None:
    typist.unset("CLOCK")
    set_faults(crm, {"match": {"method": "GET"}, "do": "skew", "s": 3600})
    assert list(failed(typist, 2)) == ["clock"]


def test_one_answer_with_another_hour_is_no_clock(typist: Typist, org: Night, crm: RunningEmulator) -> None:
    typist.unset("CLOCK")
    set_faults(crm, {"match": {"method": "GET", "path": "*WhoAmI*"}, "do": "skew", "s": 7200, "times": 1})
    assert next(check["ok"] for check in typist.ask("doctor")["checks"] if check["name"] == "clock")


@pytest.mark.parametrize("told", [None, "", "yesterday", "Wed, 99 Nov 2026 02:30:00 GMT"])
def test_a_crm_whose_clock_cannot_be_read(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch, told: str | None) -> None:
    hear = ServerClock.hear
    monkeypatch.setattr("connectors.dynamics.http.server_clock.ServerClock.hear", lambda self, _: hear(self, told))
    assert next(check["message"] for check in typist.ask("doctor")["checks"] if check["name"] == "clock") == "the CRM tells no time"


def test_a_database_that_is_not_there(typist: Typist, org: Night) -> None:
    typist.set(DATABASE_URL="sqlite:////nowhere/state.db")
    assert list(failed(typist, 2)) == ["store"]


def test_a_key_that_others_may_read(typist: Typist, org: Night) -> None:
    typist.ask("doctor")
    folder = typist.folder / "data" / "keys"
    keys = {name: next(folder.glob(f"{name}*.key")) for name in ("r-", "s-", "memory")}
    keys["r-"].chmod(0o644)
    assert list(failed(typist, 2)) == ["keys"]
    keys["r-"].chmod(0o600)
    without_crm(typist)
    for key in keys.values():
        key.chmod(0o644)
        assert set(failed(typist, 2)) == {"keys", "crm"}
        key.chmod(0o600)
    keys["memory"].chmod(0o644)
    typist.set(INCREMENTAL_READS="false")  # it still seals where tables are cut, and the lines of plans
    assert set(failed(typist, 2)) == {"keys", "crm"}


def test_a_stranger_among_the_packages(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyPI has a `rules` and a `connectors` of others."""
    monkeypatch.setattr(machine, "strangers", lambda: ["the distribution rules-3.5 has a package of this name"])
    found = failed(typist, 2)
    assert list(found) == ["packages"]
    assert "rules" in found["packages"]["message"]
    monkeypatch.setattr(machine, "strangers", list)
    assert typist.type("doctor").code == 0


# -- reading one set -----------------------------------------------------------------------------------------


def test_a_set_is_read_to_its_end_and_hashed(typist: Typist, org: Night, crm: RunningEmulator) -> None:
    """`ids_sha256` is that of the sorted lower-case ids, one a line; anybody can compute it again."""
    cases = people_and_cases(org)
    assert cases
    fiches = sorted(row["cf_ficheid"].lower() for row in org.rows("cf_fiches?$select=cf_ficheid"))
    document = typist.ask("doctor", "--read", "cf_fiches")
    assert document.keys() == {"set", "rows", "ids_sha256", "pages", "requests", "retries", "throttled"}
    assert (document["set"], document["rows"], document["retries"]) == ("cf_fiches", len(fiches), 0)
    candidates = {hashlib.sha256(text.encode()).hexdigest() for text in ("\n".join(fiches), "".join(f"{row}\n" for row in fiches))}
    assert document["ids_sha256"] in candidates
    said = typist.type("doctor", "--read", "cf_fiches")
    assert document["ids_sha256"] in said.out
    assert typist.ask("doctor", "--read", "cf_donations")["rows"] == 0


def test_a_set_that_cannot_be_read_whole_is_no_answer(typist: Typist, org: Night, crm: RunningEmulator) -> None:
    people_and_cases(org)
    set_faults(crm, {"match": {"method": "GET", "path": "*/cf_fiches*"}, "do": "status", "status": 403})
    assert typist.refused("doctor", "--read", "cf_fiches", code=4)["message"]


def test_the_installed_command_examines_itself(typist: Typist, org: Night) -> None:
    """Once as a process of its own, with real time."""
    settings = {"CRM_URL": org.emulator.url, "CRM_TOKEN": TOKEN, "DATA_DIR": str(typist.folder / "other")}
    command = [sys.executable, "-m", "crm_compliance", "doctor", "--json"]
    done = subprocess.run(command, env=environment_of(settings), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["ok"] is True
    assert datetime.now(UTC) - datetime.fromtimestamp((typist.folder / "other").stat().st_mtime, UTC) < timedelta(minutes=5)


def test_what_the_controller_has_to_fill_in_is_named() -> None:
    """Section 7.1: a purpose without a legal basis and a processor without a name."""
    from crm_compliance.configuration.settings import Settings
    from crm_compliance.doctor.organisation import about_organisation

    told = about_organisation(Settings())
    assert "purposes.fundraising.basis" in told
    assert "processors[0].name" in told
    assert "purposes.newsletter" not in told


def test_a_schedule_of_ones_own_with_the_shipped_organisation_is_warned_of() -> None:
    """Its answers would go out in the name of somebody else."""
    from crm_compliance.configuration.settings import Settings
    from crm_compliance.doctor.organisation import about_organisation

    data = Path(__file__).parents[1] / "data"
    assert "warning: the CRM is not that of" in about_organisation(Settings(mapping=data / "second-mapping.yaml"))
    assert "warning" not in about_organisation(Settings(mapping=REFERENCE))
    own, both = Settings(policy=data / "second-policy.yaml"), {"organisation": data / "second-organisation.yaml"}
    assert "warning: the schedule is not that of" in about_organisation(own)
    assert "warning" not in about_organisation(own.model_copy(update=both))
    assert "warning" not in about_organisation(Settings())


@pytest.mark.parametrize(("country", "told"), [("BE", False), ("NL", False), ("DE", False), ("PT", True)])
def test_what_is_not_known_of_a_country_is_said(country: str, told: bool) -> None:
    """EXP-06: how plates, numbers and postcodes are written there is not guessed."""
    from crm_compliance.configuration.settings import Settings
    from crm_compliance.doctor.schedule import about_schedule
    from crm_compliance.wiring.schedule import policy_of

    shipped = policy_of(Settings())
    here = shipped.model_copy(update={"defaults": shipped.defaults.model_copy(update={"country": country})})
    assert (f"of {country} it is not known how number plates" in about_schedule(here)) is told


@pytest.mark.parametrize(("setting", "name"), [("ANCHOR_FILE", "anchor.jsonl"), ("ERASURES_FILE", "erasures.jsonl")])
def test_a_copy_of_the_history_that_others_may_write_is_warned_of(
    typist: Typist, org: Night, tmp_path: Path, setting: str, name: str
) -> None:
    """Its storage may know no modes, so it is not refused; beside the data folder nothing else keeps others
    out."""
    file = tmp_path / name
    typist.set(**{setting: str(file)})
    file.touch(mode=0o600)

    def said() -> str:
        return next(str(check["message"]) for check in typist.type("doctor", "--json").document["checks"] if check["name"] == "anchor")

    assert typist.ask("doctor")["ok"] is True
    without_crm(typist)
    assert "others may write" not in said()
    for mode in (0o666, 0o620, 0o602):
        file.chmod(mode)
        assert f"warning: others may write {file}: chmod go-w {file}" in said()


def test_a_time_stamp_authority_that_gives_none_is_warned_of(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    """As without the extra, or with an address where nobody answers: a night only warns, after its work."""
    settings = Settings(data_dir=typist.folder / "data", timestamp_url="http://127.0.0.1:9/")
    assert "warning: no time stamp on checkpoints: the authority gave no time stamp (ConnectionError); look at" in anchor.about_anchor(
        settings
    )
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    assert "-r requirements-timestamp.lock" in anchor.about_anchor(settings)
    monkeypatch.setattr("crm_compliance.keys.timestamps.fetch", lambda *_: "a stamp")
    assert anchor.about_anchor(settings).endswith("the time-stamp authority answers")


def a_certificate(folder: Path, ends_at: datetime) -> Path:
    """A fictitious application's key and certificate in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client.example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    certificate = builder.not_valid_before(ends_at - timedelta(days=365)).not_valid_after(ends_at).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / f"{ends_at:%Y-%m-%d}.pem"
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return path


def test_what_ends_soon_is_warned_of_and_what_has_ended_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that nobody renews stops every night at once."""
    monkeypatch.setattr(ending, "clock_of", lambda _: lambda: NOW)
    before, soon, later = (a_certificate(tmp_path, NOW + timedelta(days=days)) for days in (-1, 59, 61))
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(later.read_bytes() + before.read_bytes())
    extra = [{"client_id": "b", "client_certificate": str(later)}]
    storage = f"https://fictief.blob.core.windows.net/?sv=2024-11-04&se={NOW + timedelta(days=9):%Y-%m-%dT%H:%M:%SZ}&sig=x"
    settings = Settings(
        crm_client_id="a",
        crm_client_certificate=soon,
        crm_extra_clients=extra,
        crm_ca_file=trusted,
        azure_storage=storage,
        azure_container="c",
    )
    told = ending.about_endings(settings).splitlines()
    assert [line.startswith("warning: ") for line in told] == [True, False, True, True]
    assert f"{soon} ends on {NOW + timedelta(days=59):%Y-%m-%d}, in 59 days: register the next one" in told[0]
    assert "CN=client.example" in told[2]
    assert ("ended on" in told[2], "in 9 days" in told[3], "sv=" in told[3]) == (True, True, False)
    assert ending.about_endings(Settings(crm_ca_file=later)).startswith("the trusted CN=client.example of ")
    with pytest.raises(UsageError, match="ended on"):
        ending.about_endings(Settings(crm_client_id="a", crm_client_certificate=before))
    assert ending.about_endings(Settings(crm_url="https://org.crm4.dynamics.com/api/data/v9.2/", crm_client_secret="s")) == ""


def test_the_health_of_the_service_tells_of_what_ends_within_two_weeks(tmp_path: Path) -> None:
    """Whether anybody calls doctor nobody knows."""
    soon, later = (a_certificate(tmp_path, NOW + timedelta(days=days)) for days in (13, 15))
    for path, told in ((soon, ("CREDENTIAL_ENDS",)), (later, ()), (tmp_path / "none.pem", ())):
        assert credentials_not_well(Settings(crm_client_id="a", crm_client_certificate=path), NOW) == told
    assert credentials_not_well(Settings(crm_ca_file=soon), NOW) == ()  # other certificates of the file may do


def test_a_disk_that_is_nearly_full_is_told_whichever_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The register of erasures may have a disk of its own, without which nothing is erased."""
    settings = Settings(data_dir=tmp_path / "data", erasures_file=tmp_path / "other" / "erasures.jsonl")
    room = {tmp_path / "data": 5 * 10**9, tmp_path / "other" / "erasures.jsonl": 10**8}
    less_and_less = iter(range(9 * 10**9, 0, -(10**9)))
    monkeypatch.setattr(machine, "free_bytes", lambda _: next(less_and_less))
    assert machine.about_disks(settings) == f"9.0 GB are free at {tmp_path / 'data'}", "a disk is told once, however it fills meanwhile"
    monkeypatch.setattr(machine, "disk_of", lambda place: room.get(place, 5 * 10**9))
    monkeypatch.setattr(machine, "free_bytes", lambda place: room.get(place, 5 * 10**9))
    assert machine.about_disks(settings).splitlines() == [
        f"5.0 GB are free at {tmp_path / 'data'}",
        f"warning: little room: 0.1 GB are free at {tmp_path / 'other' / 'erasures.jsonl'}",
    ]
    room[tmp_path / "other" / "erasures.jsonl"] = 10**7
    with pytest.raises(DiskProblem, match="10 MB left"):
        machine.about_disks(settings)


@pytest.mark.parametrize(
    ("address", "is_told"),
    [
        ("postgresql://user@db.example.org/x", True),
        ("postgresql://user@db.example.org/x?sslmode=require", True),
        ("postgresql://user@db.example.org/x?sslmode=verify-full&sslrootcert=system", False),
        ("postgresql://user@localhost/x", False),
        ("postgresql://user@[::1]:5432/x", False),
        ("postgresql://user@/x?host=/run/postgresql", False),
        ("postgresql://user@/x?host=db.example.org", True),
        ("sqlite:////nowhere/state.db", False),
    ],
)
def test_a_database_elsewhere_is_asked_who_it_is(address: str, is_told: bool) -> None:
    """Its client would go on without TLS, and tell its password to whoever answers."""
    assert ("warning: whoever is between" in read_along(database.parse(address))) is is_told


def test_who_may_write_what_decides_or_read_a_secret_is_told(tmp_path: Path) -> None:
    """Whoever writes the schedule has rows erased; whoever reads the secret is this application."""
    schedule, file = tmp_path / "schedule.yaml", tmp_path / "settings.toml"
    schedule.touch(mode=0o644)
    file.write_text(f'crm_url = "https://org.crm4.dynamics.com/api/data/v9.2/"\npolicy = "{schedule}"\n')
    file.chmod(0o644)
    assert machine.about_files(load_settings(file, {})) == ""
    with file.open("a") as more:
        more.write('crm_client_secret = "x"\n')
    schedule.chmod(0o666)
    written, read = machine.about_files(load_settings(file, {})).splitlines()
    assert written == f"warning: anybody here may write {schedule}, and so decide what goes: chmod go-w {schedule}"
    assert read == f"warning: anybody here may read the secret in {file}: chmod 600 {file}, and renew it"
    file.chmod(0o640)
    schedule.chmod(0o664)
    assert machine.about_files(load_settings(file, {})) == "", "a group is somebody's choice"
    tmp_path.chmod(0o777)
    assert (
        machine.about_files(load_settings(file, {}))
        == f"warning: anybody here may write {tmp_path}, and so decide what goes: chmod go-w {tmp_path}"
    )
    tmp_path.chmod(0o1777)
    assert machine.about_files(load_settings(file, {})) == "", "nobody but its owner takes a file away there"
    (version := tmp_path / "versions" / "2027.yaml").parent.mkdir(mode=0o755)
    version.touch()
    version.chmod(0o666)
    assert str(version) in machine.about_files(load_settings(file, {"CRM_COMPLIANCE_POLICY": str(version.parent)}))
    (further := tmp_path / "further.pem").touch(mode=0o644)
    clients = json.dumps([{"client_id": "b", "client_certificate": str(further)}])
    told = machine.about_files(load_settings(file, {"CRM_COMPLIANCE_CRM_CLIENT_ID": "a", "CRM_COMPLIANCE_CRM_EXTRA_CLIENTS": clients}))
    assert told.startswith(f"warning: anybody here may read the secret in {further}")


def test_what_no_night_could_write_is_no_good_place(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database can be looked at all the same, so that nothing else would tell; and a folder may be
    forbidden anywhere on the way to a file."""
    typist.unset("CRM_URL", "CRM_TOKEN", "CLOCK")
    (typist.folder / "erasures").mkdir()
    typist.set(ERASURES_FILE=str(typist.folder / "erasures"))
    assert "is a folder" in failed(typist, 2)["anchor"]["message"]
    typist.unset("ERASURES_FILE")
    with monkeypatch.context() as patch:
        patch.setattr("os.access", lambda path, mode: Path(path).suffix != ".db")
        assert "may not be written" in failed(typist, 2)["store"]["message"]

    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/root/anchor.jsonl")

    monkeypatch.setattr(anchor, "writable_by_others", forbidden)
    assert failed(typist, 2)["anchor"]["message"] == "/root/anchor.jsonl cannot be used: Permission denied"


@pytest.mark.parametrize(("check", "opened", "name"), [("_lake", "connector_of", "warn"), ("_restored", "desk", "on_wait")])
def test_a_check_with_a_connection_of_its_own_tells_of_long_waits(
    typist: Typist, monkeypatch: pytest.MonkeyPatch, check: str, opened: str, name: str
) -> None:
    told: list[str] = []

    def away(_: Settings, **given: Any) -> NoReturn:
        given[name](LONG_WAIT.format(30))
        raise Unreachable("nobody answers")

    monkeypatch.setattr(crm, opened, away)
    monkeypatch.setattr(crm, "lake_of", lambda *_: None)
    with pytest.raises(Unreachable):
        getattr(crm, check)(load_settings(), told.append)
    assert told == [LONG_WAIT.format(30)]
