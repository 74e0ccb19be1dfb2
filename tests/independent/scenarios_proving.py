"""Proof that stands without us: certificates, ledger, keys, evidence, and who meddles with them (section 9;
R-140 to R-144)."""

import base64
import hashlib
import json
import re
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.independent.case import Case
from tests.independent.reading import found_in
from tests.independent.scenarios import scenario

FIELDS = {
    *("certificate_id", "run_id", "software_version", "schedule_version", "unit_type", "unit_ref", "category_keys", "rule_id", "reason"),
    *("retention_end", "disposition", "objects", "disposed_at", "verified_at", "method", "actor", "prev_hash", "hash"),
}
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def disposed(case: Case) -> dict[str, Any]:
    """A run that disposes of one unit of each kind; its document."""
    case.policy()
    case.dossier("social_card", child=case.child())
    case.note("cf_fiche", case.fiche("social_card"))
    case.recording("2025-01-10")
    return case.apply()


def offline(case: Case) -> dict[str, str]:
    return {
        "CRM_COMPLIANCE_CRM_URL": "http://127.0.0.1:9/",
        "CRM_COMPLIANCE_DATA_DIR": str(case.folder / "elsewhere"),
        "CRM_COMPLIANCE_CRM_TOKEN": "",
    }


def verifies(case: Case, text: str, *, code: int, what: str) -> None:
    path = case.folder / "tried.json"
    path.write_text(text)
    done = case.type("certificate", "verify", path, "--keys", "keys.pem", "--json", env=offline(case))
    case.expect(done.code == code, f"{what}: `certificate verify` exits {done.code}, not {code}: {(done.out + done.err)[-300:]}")
    case.expect(not (case.folder / "elsewhere").exists(), "`certificate verify` made a data folder")


@scenario("R-140 9.2: a certificate has the fields of 9.2, the month of the end, no id and no name")
def fields(case: Case) -> None:
    run = disposed(case)
    certificates = case.certificates(run["run"])
    case.same("unit types", sorted(c["unit_type"] for c in certificates), ["contact", "dossier", "fiche", "recording"])
    for c in certificates:
        case.same("fields", set(c) ^ FIELDS, set())
        if c["unit_type"] != "contact":
            case.expect(re.fullmatch(r"\d{4}-\d{2}", str(c["retention_end"])), f"retention_end of {c['unit_type']} is {c['retention_end']}")
        case.same("reason, disposition", (c["reason"], c["disposition"]), ("EXPIRED", "DELETED"))
        case.expect(re.fullmatch(r"[0-9a-f]{64}", c["unit_ref"]), f"unit_ref {c['unit_ref']}")
        case.expect(c["disposed_at"] <= c["verified_at"], f"verified before it was disposed of: {c}")
        case.same("run", c["run_id"], run["run"])
    text = (case.folder / "certificates.json").read_text()
    case.same("ids in the file", GUID.findall(text), [])
    dossier = next(c for c in certificates if c["unit_type"] == "dossier")
    case.same("objects of the dossier", dossier["objects"].get("fiches"), 1)
    case.expect("audit_entries" in dossier["objects"] or "audit entries" in dossier["objects"], f"objects: {dossier['objects']}")
    chain = {c["hash"] for c in certificates}
    case.same("certificates that follow one of the run", sum(c["prev_hash"] in chain for c in certificates), len(certificates) - 1)
    case.ask("keys", "show", "--output", "keys.pem")
    verifies(case, text, code=0, what="untouched")


@scenario("R-141 ACC-06: whatever is changed in a file of certificates is found, offline, with nothing but the public keys")
def altered_certificates(case: Case) -> None:
    run = disposed(case)
    case.certificates(run["run"])
    text = (case.folder / "certificates.json").read_text()
    case.ask("keys", "show", "--output", "keys.pem")
    document = json.loads(text)
    for field in sorted(FIELDS):
        for what, value in (("nulled", None), ("changed", "x")):
            other = json.loads(text)
            found_in(other, "certificate_id")[1][field] = value
            if what == "nulled" or field in ("unit_ref", "disposition"):
                verifies(case, json.dumps(other), code=7, what=f"{field} {what}")
    holder = lists_of(document)
    case.expect(holder, "no list of certificates in the file")
    for what, change in ALTERATIONS.items():
        other = json.loads(text)
        for certificates in lists_of(other):
            change(certificates)
        verifies(case, json.dumps(other), code=7, what=what)
    verifies(case, text[:-40], code=7, what="truncated")
    middle = text.index('"DELETED"') + 2
    verifies(case, text[:middle] + chr(ord(text[middle]) ^ 1) + text[middle + 1 :], code=7, what="a flipped bit")
    case.refused("certificate", "verify", "nowhere.json", "--keys", "keys.pem", code=2)
    error = case.folder / "other.pem"
    case.settings["DATA_DIR"] = str(case.folder / "other")
    case.ask("keys", "show", "--output", error)
    done = case.type("certificate", "verify", "certificates.json", "--keys", error, env=offline(case))
    case.same("with the keys of somebody else", done.code, 7)


def lists_of(document: Any) -> list[list[Any]]:
    """Lists whose members are, or hold, certificates."""
    if isinstance(document, list):
        return [document] if document and found_in(document[0], "certificate_id") else [x for v in document for x in lists_of(v)]
    return [x for value in document.values() for x in lists_of(value)] if isinstance(document, dict) else []


ALTERATIONS: dict[str, Callable[[list[Any]], object]] = {
    "the first left out": lambda certificates: certificates.pop(0),
    "the last left out": lambda certificates: certificates.pop(),
    "two swapped": lambda certificates: certificates.reverse(),
    "one twice": lambda certificates: certificates.append(certificates[0]),
    "none left": lambda certificates: certificates.clear(),
}


@scenario("R-141 ACC-06: an altered ledger file is told, with the first place that does not hold")
def altered_ledger_file(case: Case) -> None:
    disposed(case)
    case.ask("history", "export", "--output", "ledger.jsonl")
    case.ask("keys", "show", "--output", "keys.pem")
    shutil.copy(case.data / "anchor.jsonl", case.folder / "anchor.jsonl")
    text = (case.folder / "ledger.jsonl").read_text()
    lines = text.splitlines()
    third = json.loads(lines[2])
    tries: list[tuple[str, str, int | None]] = [
        ("a changed instant", "\n".join([*lines[:2], lines[2].replace(third["at"], third["at"].replace("2026", "2025")), *lines[3:]]), 3),
        ("a line left out", "\n".join(lines[:2] + lines[3:]), None),
        ("two lines swapped", "\n".join([*lines[:2], lines[3], lines[2], *lines[4:]]), None),
        ("a field nulled", "\n".join([*lines[:2], json.dumps(third | {"data": None}), *lines[3:]]), 3),
        ("a number for a text", "\n".join([*lines[:2], json.dumps(third | {"at": 5}), *lines[3:]]), 3),
        ("a field too many", "\n".join([*lines[:2], json.dumps(third | {"more": 1}), *lines[3:]]), 3),
        ("a line that is no JSON", "\n".join([*lines[:2], "{", *lines[3:]]), None),
        ("the end cut off", "\n".join(lines[:-1]), None),
        ("all but the first cut off", lines[0], None),
        ("an empty file", "", None),
    ]
    for what, altered, place in tries:
        (case.folder / "tried.jsonl").write_text(altered + ("\n" if altered else ""))
        done = case.type("ledger", "verify", "tried.jsonl", "--anchor", "anchor.jsonl", "--keys", "keys.pem", "--json", env=offline(case))
        case.expect(done.code == 7, f"{what}: exits {done.code}: {(done.out + done.err)[-300:]}")
        if place is not None:
            told = done.document().get("first_broken") or re.findall(r"\d+", str(done.error()))
            case.expect(told == place or str(place) in str(told), f"{what}: names {told}, not {place}")
    (case.folder / "tried.jsonl").write_text(text)
    done = case.type("ledger", "verify", "tried.jsonl", "--anchor", "anchor.jsonl", "--keys", "keys.pem", "--json", env=offline(case))
    case.same("untouched", done.code, 0)
    rechained = rewritten([json.loads(line) for line in lines[:-1]])
    (case.folder / "tried.jsonl").write_text(rechained)
    done = case.type("ledger", "verify", "tried.jsonl", "--anchor", "anchor.jsonl", "--keys", "keys.pem", "--json", env=offline(case))
    case.same("written again with hashes that fit", done.code, 7)


def rewritten(entries: list[dict[str, Any]]) -> str:
    """A forger's ledger: its hashes fit."""
    entries[1]["at"] = entries[1]["at"].replace("2026", "2025")
    previous, lines = "0" * 64, []
    for entry in entries:
        body = {name: value for name, value in entry.items() if name != "hash"} | {"prev_hash": previous}
        previous = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
        lines.append(json.dumps(body | {"hash": previous}) + "\n")
    return "".join(lines)


@scenario("R-141 ACC-06: an administrator of the database who drops the triggers is found out")
def altered_store(case: Case) -> None:
    run = disposed(case)
    case.ask("keys", "show", "--output", "keys.pem")
    for what, statements in STORE.items():
        copy = case.folder / re.sub(r"\W+", "-", what)
        shutil.copytree(case.data, copy)
        with closing(sqlite3.connect(copy / "state.db")) as database, database:
            for (name,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
                database.execute(f"drop trigger {name}")
            for statement in statements:
                database.execute(statement)
        env = {"CRM_COMPLIANCE_DATA_DIR": str(copy)}
        done = case.type("ledger", "verify", "--json", env=env)
        written = case.type("certificate", run["run"], "--output", "forged.json", "--json", env=env)
        if written.code == 0:
            written = case.type("certificate", "verify", "forged.json", "--keys", "keys.pem", "--json", env=env)
        case.expect(7 in (done.code, written.code), f"{what}: ledger verify exits {done.code}, the certificates {written.code}")


STORE = {
    "an entry changed": ["update ledger set at = replace(at, '2026', '2025') where seq = 3"],
    "an entry deleted": ["delete from ledger where seq = 3"],
    "the last entries deleted": ["delete from ledger where seq > 3"],
    "the last entry and checkpoints deleted": ["delete from ledger where seq = (select max(seq) from ledger)", "delete from checkpoints"],
    "all deleted": ["delete from ledger", "delete from checkpoints"],
    "a certificate deleted": ["delete from certificates where position = (select min(position) from certificates)"],
    "the last certificate deleted": ["delete from certificates where position = (select max(position) from certificates)"],
    "a certificate changed": [
        "update certificates set doc = replace(doc, 'DELETED', 'ANONYMISED') where position = (select min(position) from certificates)"
    ],
    "a certificate emptied": ["update certificates set doc = '{}' where position = (select min(position) from certificates)"],
    "checkpoints emptied": ["update checkpoints set doc = '{}'"],
}


@scenario("9.2 contract 3.5: keys are replaced and destroyed without breaking what they proved")
def keys(case: Case) -> None:
    run = disposed(case)
    before = case.ask("keys", "show", "--output", "keys.pem")
    old = next(k for k in re.findall(r"r-[0-9a-z-]+", json.dumps(before)))
    me = ("--as", "dora", "--role", "dpo")
    case.refused("keys", "destroy", old, *me, code=5)
    case.ask("keys", "rotate")
    case.refused("keys", "destroy", old, *me, code=5)
    case.refused("keys", "destroy", "r-2020-01-00000000", *me, code=2)
    case.refused("keys", "destroy", old, "--as", "carl", "--role", "crm_admin", code=5)
    case.dossier("social_card")
    second = case.apply()
    case.same("ledger after rotation", case.ask("ledger", "verify").get("ok"), True)
    case.ask("keys", "show", "--output", "both.pem")
    for one in (run, second):
        case.certificates(one["run"])
        done = case.type("certificate", "verify", "certificates.json", "--keys", "both.pem", env=offline(case))
        case.same(f"certificates of {one['run']}", done.code, 0)
    case.clock("2037-06-01T10:00:00Z")
    case.ask("keys", "destroy", old, *me)
    case.same("ledger after destruction", case.ask("ledger", "verify").get("ok"), True)
    done = case.type("certificate", "verify", "certificates.json", "--keys", "both.pem", env=offline(case))
    case.same("an old file of certificates after destruction", done.code, 0)
    case.certificates(run["run"])
    case.ask("keys", "show", "--output", "all.pem")
    done = case.type("certificate", "verify", "certificates.json", "--keys", "all.pem", env=offline(case))
    case.same("a new file after destruction", (done.code, done.err), (0, ""))
    case.expect(not [p for p in (case.data / "keys").glob(f"{old}*") if p.stat().st_size > 80], "the file of the destroyed key is there")
    case.expect(any(e["kind"] == "key_destroyed" for e in case.ledger()), "the ledger does not tell of it")


@scenario("9.2: a signing key that was exchanged does not sign unseen")
def exchanged_key(case: Case) -> None:
    run = disposed(case)
    case.ask("keys", "show", "--output", "keys.pem")
    other = case.folder / "other"
    case.ask("keys", "show", env={"CRM_COMPLIANCE_DATA_DIR": str(other)})
    mine, theirs = next((case.data / "keys").glob("s-*")), next((other / "keys").glob("s-*"))
    if not case.expect(theirs.exists(), "no signing key"):
        return
    mine.write_bytes(theirs.read_bytes())
    done = case.type("ledger", "verify", "--json")
    case.expect(done.code in (2, 7), f"ledger verify with an exchanged key exits {done.code}: {(done.out + done.err)[-300:]}")
    case.dossier("social_card")
    done = case.type("plan", "--json")
    if done.code == 0 and (again := case.type("apply", done.document()["plan"], "--json")).code == 0:
        written = case.type("certificate", again.document()["run"], "--output", "c.json", "--json")
        if written.code == 0:
            checked = case.type("certificate", "verify", "c.json", "--keys", "keys.pem", env=offline(case))
            case.same("a certificate signed with it, by the keys given before", checked.code, 7)
    case.expect(run["run"], "no run")


@scenario("ACC-01 ACC-02 R-142: the evidence is whole, names nobody, and proves itself with its files alone")
def evidence(case: Case) -> None:
    run = disposed(case)
    case.hold("cf_dossier", case.dossier("social_card"), who="dora.canary")  # with a dot: signatures hold any four letters
    case.plan(approve=False)
    case.ask("evidence", "--output", "evidence.zip")
    with zipfile.ZipFile(case.folder / "evidence.zip") as archive:
        inside = {name: archive.read(name).decode(errors="replace") for name in archive.namelist() if not name.endswith("/")}
    for name in ("VERIFY.md", "runs.json", "plans.json", "holds.json", "exceptions.json"):
        case.expect(name in inside, f"no {name} in {sorted(inside)}")
    case.expect(any(name.startswith("policies/") for name in inside), f"no schedules in {sorted(inside)}")
    for name, text in inside.items():
        case.same(f"ids of the CRM in {name}", GUID.findall(text), [])
        case.expect("dora.canary" not in text and "PRIVATE" not in text, f"{name} names a person or holds a private key")
    case.expect(run["run"] in inside.get("runs.json", ""), "runs.json lacks the run")
    place = case.folder / "auditor"
    with zipfile.ZipFile(case.folder / "evidence.zip") as archive:
        archive.extractall(place)
    ledger = next(place.rglob("ledger*.jsonl"))
    keys = next(place.rglob("*.pem"))
    anchors = [p for p in place.rglob("*.jsonl") if "checkpoint" in p.name or "anchor" in p.name]
    args = ("ledger", "verify", ledger, "--keys", keys, *(("--anchor", anchors[0]) if anchors else ()))
    case.same("ledger of the evidence", case.type(*args, env=offline(case)).code, 0)
    previous = "0" * 64
    for line in ledger.read_text().splitlines():
        entry = json.loads(line)
        body = {name: value for name, value in entry.items() if name != "hash"}
        found = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
        case.expect(entry["prev_hash"] == previous and entry["hash"] == found, f"entry {entry['seq']} does not recompute")
        previous = entry["hash"]


@scenario("9.2: unit_ref is the HMAC of table and id with the register key, and of nothing that another can compute")
def references(case: Case) -> None:
    case.policy()
    fiche = case.fiche("social_card")
    run = case.apply()
    ref = case.certificates(run["run"])[0]["unit_ref"]
    guesses = {hashlib.sha256(text.encode()).hexdigest() for text in (fiche, f"cf_fiche/{fiche}", f"cf_fiche{fiche}", f"cf_fiche:{fiche}")}
    case.expect(ref not in guesses, "unit_ref is a hash without a key (ERA-05)")
    stored = base64.b64encode(b"").decode().join(path.read_text(errors="ignore") for path in (case.data / "keys").glob("r-*"))
    case.expect(fiche not in stored, "the register key file holds an id")
    one = case.ask("certificate", run["run"], "--output", "one.json", "--unit", "cf_fiche", fiche)
    case.expect(one, "no certificate of one unit")
    case.same("certificates in it", len(found_in(json.loads((case.folder / "one.json").read_text()), "certificate_id")), 1)
    case.refused("certificate", run["run"], "--output", "none.json", "--unit", "cf_fiche", "00000000-0000-0000-0000-00000000c0de", code=2)
    case.expect(not (case.folder / "none.json").exists(), "a file was written for an unknown unit")
    case.expect(datetime.fromisoformat(case.ask("history", "list")[0]["started_at"]), "history list gives no instant")


@scenario("ACC-07 ACC-04: files with personal ties are private to the account, and nothing of a run lies about")
def modes(case: Case) -> None:
    disposed(case)
    case.same("mode of the data folder", oct(case.data.stat().st_mode & 0o777), "0o700")
    open_files = [str(p) for p in case.data.rglob("*") if p.is_file() and p.stat().st_mode & 0o077 and not public(p)]
    case.same("files that others may read", open_files, [])


def public(path: Path) -> bool:
    return path.name in ("told", "anchor.jsonl")
