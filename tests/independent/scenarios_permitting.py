"""Who may do what with a request, and when: order of steps, people, roles, and what makes an approval void
(6.1, 6.5, 9)."""

from __future__ import annotations

import json
from pathlib import Path

from tests.independent.asking import APPROVER, DPO, Asking
from tests.independent.case import Case
from tests.independent.scenarios import scenario


def approved(case: Case, asking: Asking) -> str:
    """A request of a witness that only waits for its release."""
    person = asking.person()
    case.party(person.row, "witness", dossier=case.dossier("runaway", child=case.child()))
    request = asking.ready(person.given(), [person.row])
    asking.review(request)
    asking.approve(request)
    return request


@scenario("R-126 EXP-18: who approved the content does not release it, in whatever spelling or role")
def same_person(case: Case) -> None:
    asking = Asking(case)
    request = approved(case, asking)
    for who in ("dora", "Dora", "DORA", " dora "):
        args = asking.release_args(request, ("--as", who, "--role", "approver"))
        case.refused(*args, code=(2, 5))
        case.expect(not Path(str(args[-3])).exists(), f"{who!r} got a package")
    asking.release(request)


@scenario("R-127 R-145 ACC-09 ACC-10: a CRM admin, an auditor and the wrong role start, see and release nothing, and it is logged")
def wrong_role(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    request = asking.open(person.given())
    nobody = ("crm_admin", "auditor", "approver")
    for role in nobody:
        case.refused("requests", "identify", request, "--method", "eid", "--as", "anna", "--role", role, code=5)
    asking.identify(request)
    candidate = asking.match(request)[0]["candidate"]
    for role in nobody:
        case.refused("requests", "confirm", request, candidate, "--as", "anna", "--role", role, code=5)
    asking.confirm(request, [person.row])
    for role in nobody:
        case.refused("requests", "compile", request, "--as", "anna", "--role", role, code=5)
        folder = asking.beside / role
        case.refused("requests", "compile", request, "--plain-folder", folder, "--as", "anna", "--role", role, code=5)
        case.expect(not folder.exists(), f"{role} got a working copy")
    asking.compile(request)
    asking.review(request)
    for role in nobody:
        case.refused("requests", "approve", request, "--as", "anna", "--role", role, code=5)
    asking.approve(request)
    for role in ("crm_admin", "auditor", "dpo"):
        case.refused(*asking.release_args(request, ("--as", "anna", "--role", role)), code=5)
    denied = [e for e in case.ledger() if e["kind"] == "denied"]
    case.expect(len(denied) >= 15, f"only {len(denied)} denied attempts are in the ledger")
    case.expect(person.row not in json.dumps(denied), "a denied attempt names the row of the person")
    asking.release(request)


@scenario("EXP-18 contract 3.6: no step before its time")
def order(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    case.party(person.row, "witness", dossier=case.dossier("runaway", child=case.child()))
    request = asking.open(person.given())

    def not_yet(*steps: str) -> None:
        for step in steps:
            if step == "release":
                asking.held_back(request)
            else:
                case.refused("requests", step, request, *DPO, code=(2, 5))

    not_yet("compile", "approve", "release")
    case.refused("requests", "confirm", request, "--none", *DPO, code=(2, 5))
    asking.identify(request)
    not_yet("compile", "approve", "release")
    asking.match(request)
    not_yet("compile", "approve", "release")
    asking.confirm(request, [person.row])
    not_yet("approve", "release")
    asking.compile(request)
    not_yet("release")
    case.refused("requests", "decide", request, "--refuse", "RF-08", *APPROVER, code=(2, 5))
    asking.review(request)
    not_yet("release")
    asking.approve(request)
    asking.release(request)
    case.same("state", asking.show(request)["state"], "released")


@scenario("R-117 EXP-07: with an item that waits nothing is approved or released, and there is no all at once")
def pending(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    dossier = case.dossier("runaway", child=person.row)
    case.fiche("runaway", "2026-01-01", dossier)
    request = asking.ready(person.given(), [person.row])
    items = [i for i in asking.items(request) if i["status"] == "PENDING_REVIEW"]
    case.expect(len(items) >= 2, f"only {len(items)} items of free text wait")
    case.same(
        "keys of an item",
        {tuple(sorted({"item", "kind", "status", "proposal"} & set(i))) for i in items},
        {("item", "kind", "proposal", "status")},
    )
    case.refused("requests", "approve", request, *DPO, code=5)
    asking.decide(request, [{"item": i["item"], "status": "APPROVED"} for i in items[1:]])
    case.refused("requests", "approve", request, *DPO, code=5)
    asking.held_back(request)
    for bad in (
        {"item": "*", "status": "APPROVED"},
        {"item": "all", "status": "APPROVED"},
        {"item": items[0]["item"], "status": "PENDING_REVIEW"},
        {"item": items[0]["item"], "status": "OK"},
        {"item": items[0]["item"]},
        {"status": "APPROVED"},
        {"item": items[0]["item"], "status": "APPROVED_REDACTED"},
        {"item": items[0]["item"], "status": "WITHHELD"},
        {"item": "no-such-item", "status": "APPROVED"},
    ):
        asking.decide(request, [bad], code=(2))
    asking.held_back(request)
    asking.decide(request, [{"item": items[0]["item"], "status": "APPROVED"}])
    asking.approve(request)
    asking.release(request)


@scenario("EXP-07 EXP-18: what changes after the approval makes it void")
def void(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    case.fiche("runaway", "2026-01-01", case.dossier("runaway", child=person.row))
    request = asking.ready(person.given(), [person.row])
    asking.review(request)
    asking.approve(request)
    spoken = case.type("requests", "compile", request, *DPO, "--json")
    if case.expect(spoken.code in (0, 2, 5), f"compiling again exits {spoken.code}") and spoken.code == 0:
        asking.held_back(request)
        asking.review(request)
        asking.approve(request)
    item = asking.items(request)[-1]["item"]
    path = asking.path(".jsonl")
    path.write_text(json.dumps({"item": item, "status": "WITHHELD", "code": "RF-03"}) + "\n")
    spoken = case.type("requests", "review", request, "--decisions", path, *DPO, "--json")
    if spoken.code == 0:
        asking.held_back(request)
        asking.approve(request)
    asking.release(request)


@scenario("SUS-08: somebody who becomes suspect after the approval does not get the dossier any more")
def suspect_since(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    dossier = case.dossier("runaway", child=case.child())
    case.party(person.row, "witness", dossier=dossier)
    request = asking.ready(person.given(), [person.row])
    asking.review(request)
    asking.approve(request)
    case.party(person.row, "suspect", dossier=dossier)
    error = asking.held_back(request)
    case.expect("suspect" not in json.dumps(error).lower(), f"the refusal tells why: {error}")


@scenario("HLD-08 R-072: what the person asked about is kept until thirty days after closing, though it is expired")
def preserved(case: Case) -> None:
    case.policy()
    asking = Asking(case)
    person, stranger = asking.person("1995-03-03"), asking.person("1996-04-04")
    dossier, other = case.dossier("social_card", child=person.row), case.dossier("social_card", child=stranger.row)
    request = asking.open(person.given())
    case.plan(approve=False)
    case.same("while it waits", (case.fate(dossier), case.fate(other)[0]), (("retain", ["HOLD_REQUEST"]), "dispose"))
    asking.identify(request)
    asking.confirm(request, [person.row])
    asking.compile(request)
    asking.review(request)
    asking.approve(request)
    package = asking.release(request)
    asking.told(package, asking.words_of(person.row)[:2], "the person")
    case.ask("requests", "close", request, "--outcome", "DELIVERED", *DPO)
    for day, fate in (("2026-12-25", "retain"), ("2026-12-26", "dispose")):
        case.clock(f"{day}T11:00:00Z")
        case.plan(approve=False)
        case.same(f"on {day}", case.fate(dossier)[0], fate)
