"""What goes wrong on the way: bad input, wrong order, kills and a CRM that breaks down."""

import json
import re
import subprocess
import time
from pathlib import Path

from tests.independent.asking import DPO, RECEIVED, Asking
from tests.independent.case import Case
from tests.independent.emulator import ROOT, command
from tests.independent.scenarios import scenario
from tests.independent.scenarios_asking import UNKNOWN


@scenario("contract 3.6: an unknown request, candidate or code is a usage error")
def unknown_ids(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    for args in (("show",), ("match",), ("identify", "--method", "eid", *DPO), ("compile", *DPO), ("review",), ("approve", *DPO)):
        case.refused("requests", args[0], "no-such-request", *args[1:], code=2)
    case.refused(*asking.release_args("no-such-request"), code=2)
    request, other = asking.open(person.given()), asking.open(person.given())
    case.refused("requests", "identify", request, "--method", "guess", *DPO, code=2)
    case.refused("requests", "identify", request, "--method", "eid", "--mandate", "maybe", *DPO, code=2)
    asking.identify(request)
    asking.identify(other)
    asking.match(request)
    theirs = asking.match(other)[0]["candidate"]
    case.refused("requests", "confirm", request, "c-none", *DPO, code=2)
    case.refused("requests", "confirm", request, *DPO, code=2)
    case.refused("requests", "confirm", request, theirs, "--none", *DPO, code=2)
    asking.confirm(request, [person.row])
    asking.compile(request)
    case.refused("requests", "close", request, "--outcome", "SUSPECT", *DPO, code=2)
    case.refused("requests", "override", request, "--rule", "NO-SUCH-RULE", "--reason", "X", *DPO, code=(2, 5))


@scenario("ACC-08: closing with an outcome that is not what happened is refused")
def wrong_outcome(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    case.party(person.row, "witness", dossier=case.dossier("runaway", child=case.child()))
    request = asking.ready(person.given(), [person.row])
    for outcome in ("DELIVERED", "NEUTRAL", "DONE"):
        case.refused("requests", "close", request, "--outcome", outcome, *DPO, code=(2, 5))
    neutral = asking.ready(UNKNOWN, answer="neutral")
    for outcome in ("DELIVERED", "DONE", "NOT_IDENTIFIED"):
        case.refused("requests", "close", neutral, "--outcome", outcome, *DPO, code=(2, 5))
    for role in ("crm_admin", "auditor", "approver"):
        case.refused("requests", "close", request, "--outcome", "WITHDRAWN", "--as", "anna", "--role", role, code=5)


@scenario("a compilation and a release that are killed are done again, whole and once")
def killed(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    dossier = case.dossier("runaway", child=person.row)
    for month in range(1, 10):
        case.fiche("runaway", f"2026-0{month}-03", dossier)
    request = asking.open(person.given(), requester_kind="former_child")
    asking.identify(request)
    asking.confirm(request, [person.row])
    for wait in (0.3, 0.8, 1.5):
        process = case.begin("requests", "compile", request, *DPO)
        time.sleep(wait)
        process.kill()
        process.wait()
    asking.compile(request)
    asking.review(request)
    asking.approve(request)
    for wait in (0.5, 1.0, 1.6, 2.2):
        args = asking.release_args(request)
        process = case.begin(*args)
        time.sleep(wait)
        process.kill()
        process.wait()
        zipped, secret = Path(str(args[-3])), Path(str(args[-1]))
        if zipped.exists():
            case.expect(secret.exists() and secret.read_text().strip(), "a package without its passphrase was left behind")
        if asking.show(request)["state"] == "released":
            break
    else:
        package = asking.release(request)
        asking.told(package, [person.firstname], "the package after all")
    case.same("state", asking.show(request)["state"], "released")
    case.same("ledger", case.ask("ledger", "verify").get("ok"), True)


@scenario("a CRM that breaks down in the middle leaves no half answer")
def crm_down(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    dossier = case.dossier("runaway", child=person.row)
    for month in range(1, 8):
        case.fiche("runaway", f"2026-0{month}-03", dossier)
    request = asking.open(person.given(), requester_kind="former_child")
    asking.identify(request)
    asking.confirm(request, [person.row])
    whole = asking.compile(request)
    for fault in ({"do": "truncate"}, {"do": "cut_after"}, {"do": "status", "status": 403}, {"do": "lose_row"}):
        case.api.control("PUT", "faults", [{"match": {"path": "re:cf_fiches|batch"}, **fault}])
        spoken = case.type("requests", "compile", request, *DPO, "--json")
        case.api.control("PUT", "faults", [])
        if spoken.code == 0:
            case.same(f"{fault['do']}: items", spoken.document().get("items"), whole.get("items"))
        else:
            case.expect(spoken.code == 4, f"{fault['do']}: exits {spoken.code}: {spoken.err[-300:]}")
    case.same("afterwards", asking.compile(request).get("items"), whole.get("items"))


@scenario("contract 3.6: two people opening and working at once lose nothing")
def at_once(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    case.load()
    forms = []
    for number in range(4):
        path = asking.beside / f"form{number}.json"
        path.write_text(json.dumps(asking.form(person.given(), received_at=RECEIVED)))
        forms.append(path)
    processes = [
        subprocess.Popen(
            command("requests", "open", str(path), "--json"),
            env=case.env | {"PYTHONPATH": str(ROOT)},
            cwd=case.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for path in forms
    ]
    told = [p.communicate(timeout=120) for p in processes]
    codes = [p.returncode for p in processes]
    case.same("exit codes", codes, [0] * 4)
    ids = {json.loads(out)["request"] for out, _ in told if out.strip()}
    case.same("register", {r["request"] for r in case.ask("requests", "list")}, ids)
    case.same("how many", len(ids), 4)
    case.same("ledger", case.ask("ledger", "verify").get("ok"), True)
    case.expect(not re.search("kx[a-f]{12}", "".join(err for _, err in told)), "stderr names the person")
