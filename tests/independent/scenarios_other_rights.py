"""Rights other than access: rectification, erasure, restriction, objection, portability, withdrawal (6.2;
R-099 to R-105)."""

import json
import time
from typing import Any

from tests.independent.asking import DPO, Asking, Package, Person
from tests.independent.case import Case
from tests.independent.scenarios import scenario


def granted(case: Case, asking: Asking, request: str, *items: str) -> Package:
    """Granted, approved and released."""
    case.ask("requests", "decide", request, "--grant", *items, *DPO)
    asking.approve(request)
    return asking.release(request)


def refused(case: Case, asking: Asking, request: str, code: str) -> Package:
    case.ask("requests", "decide", request, "--refuse", code, *DPO)
    asking.approve(request)
    package = asking.release(request)
    asking.whole(package, {"letter.pdf", "manifest.json"})
    return package


def text(package: Package) -> str:
    return " ".join(package.letter.split())


@scenario("R-099 RF-04: portability of a mission dossier is refused with its reason, in time")
def no_portability(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03")
    dossier = case.dossier("runaway", child=child.row)
    for language, core in (
        ("nl", "Dit recht geldt niet voor deze gegevens"),
        ("fr", "Ce droit ne s'applique pas à ces données"),
        ("en", "This right does not apply to these data"),
    ):
        request = asking.open(child.given(), right="portability", requester_kind="former_child", language=language)
        asking.identify(request)
        asking.confirm(request, [child.row])
        asking.compile(request)
        package = refused(case, asking, request, "RF-04")
        letter = text(package).replace("\u2019", "'").replace("\u00a0", " ")
        case.expect(core in letter, f"{language}: the letter has no RF-04")
        case.expect("apd-gba" in letter.lower() or "GBA" in letter, "the letter does not tell of the complaint (art. 12(4))")
        asking.silent(package, asking.words_of(dossier), "the dossier")
        shown = asking.show(request)
        case.expect("REFUSED" in str(shown.get("outcome")) and "RF-04" in str(shown), f"no REFUSED with RF-04: {shown}")
        case.same("due", shown.get("due_on"), "2026-12-28")


@scenario("R-101 RGT-11 DDL-13: an objection to direct marketing stops it at once and leaves a suppression entry")
def direct_marketing(case: Case) -> None:
    asking = Asking(case)
    person = asking.person(cf_newsletter=True, cf_newsletterconsenton="2025-01-01", donotbulkemail=False)
    gift = case.add("cf_donation", cf_name="gift", cf_bookedon="2026-02-02T10:00:00Z", cf_ContactId__bind=f"/contacts({person.row})")
    request = asking.ready(person.given(), [person.row], right="objection", requester_kind="donor")
    case.ask("requests", "decide", request, "--grant", *DPO)
    row = case.row("contact", person.row) or {}
    case.same("newsletter, no bulk e-mail", (row.get("cf_newsletter"), row.get("donotbulkemail")), (False, True))
    asking.approve(request)
    asking.release(request)
    row = case.row("contact", person.row) or {}
    case.same("afterwards", (row.get("cf_newsletter"), row.get("donotbulkemail"), row.get("emailaddress1")), (False, True, person.email))
    case.same("the gift", case.there("cf_donation", gift), [True])
    case.same("outcome", asking.outcome(request), "DONE")


@scenario("R-102: a corrected birth date is written, and the next evaluation counts from it")
def birth_date(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("2008-05-10")
    dossier = case.dossier("grooming", "2024-02-02", child=child.row)
    case.plan(approve=False)
    case.same("end before", case.lines()[dossier]["retention_end"], "2026-05-10")
    request = asking.ready(child.given(birthdate="2009-05-10"), [child.row], right="rectification", requester_kind="child")
    items = asking.items(request)
    birth = [i for i in items if "birth" in json.dumps(i).lower()]
    case.expect(birth, f"no item proposes the birth date: {[(i['kind'], i['status']) for i in items]}")
    granted(case, asking, request, *(i["item"] for i in birth))
    row = case.row("contact", child.row) or {}
    case.same("birth date", row.get("birthdate"), "2009-05-10")
    case.ask("requests", "close", request, "--outcome", "DONE", *DPO)
    case.plan(approve=False)
    case.same("end after", case.lines()[dossier]["retention_end"], "2027-05-10")


@scenario("R-103: a contested statement stays as it is, with a dated note beside it")
def contested(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03")
    dossier = case.dossier("runaway", None, child=child.row)
    fiche = case.fiche("runaway", "2026-01-10", dossier)
    before = (case.everything()["cf_fiche"], case.everything()["annotation"])
    words = "De betrokkene betwist dit: het was op een andere dag. (fictief)"
    request = asking.ready(child.given(), [child.row], right="rectification", requester_kind="former_child", details={"statement": words})
    items = asking.items(request)
    notes = [
        i for i in items if "note" in json.dumps(i).lower() or "fiche" in json.dumps(i).lower() or "statement" in json.dumps(i).lower()
    ]
    if not case.expect(notes, f"no item offers a note on a statement: {[(i['kind'], i['status']) for i in items]}"):
        return
    granted(case, asking, request, notes[0]["item"])
    now = case.everything()
    old = next(f for f in before[0] if f["cf_ficheid"] == fiche)
    new = next(f for f in now["cf_fiche"] if f["cf_ficheid"] == fiche)
    case.same("the statement", new["cf_summary"], old["cf_summary"])
    added = [a for a in now["annotation"] if a["annotationid"] not in {b["annotationid"] for b in before[1]}]
    if case.same("notes added", len(added), 1):
        told = f"{added[0]['subject']} {added[0]['notetext']}"
        case.expect(words in told, "the note does not have the words of the person")
        case.expect("2026" in told, f"the note is not dated: {told!r}")
        case.expect(added[0]["_objectid_value"] in (fiche, dossier), "the note depends on something else")


def with_donor_payment(case: Case) -> None:
    """The shipped schedule with the row of payments of donors decided and on."""
    path = case.policy(name="payments.yaml")
    ready = path.read_text()
    start = ready.index("\n  donor_payment:\n")
    place = ready.index("enabled: false", start)
    ready = (
        ready[:place] + "enabled: true\n    approvers: [Fictieve Voorzitter, Fictieve Secretaris]" + ready[place + len("enabled: false") :]
    )
    path.write_text(ready.replace('version: "1.0"', 'version: "1.1"'))
    case.settings["POLICY"] = str(path)


@scenario("R-104 6.2: a donor's erasure takes the profile and keeps the payment for its fiscal term")
def donor(case: Case) -> None:
    with_donor_payment(case)
    asking = Asking(case)
    person, other = asking.person("1980-05-05", cf_newsletter=True), asking.person("1981-05-05")
    gift = case.add(
        "cf_donation", cf_name="gift", cf_bookedon="2026-02-02T10:00:00Z", cf_amount=25.0, cf_ContactId__bind=f"/contacts({person.row})"
    )
    case.add(
        "cf_donation", cf_name="gift", cf_bookedon="2026-02-02T10:00:00Z", cf_amount=25.0, cf_ContactId__bind=f"/contacts({other.row})"
    )
    before = case.everything()
    request = asking.ready(person.given(), [person.row], right="erasure", requester_kind="donor")
    package = granted(case, asking, request)
    case.same("the gift", case.there("cf_donation", gift), [True])
    row = case.row("contact", person.row)
    kept = json.dumps(row or {})
    left = [w for w in asking.words_of(person.row) if w in kept and w not in (person.firstname, person.lastname)]
    case.same("words of the profile that are left", left, [])
    case.unchanged(before, ("contact", "cf_donation"), but=[person.row, gift])
    told = text(package).lower()
    case.expect(
        any(word in told for word in ("2036", "gift", "betaling")), "the answer does not tell that the payment is kept (art. 12(4))"
    )
    case.same("outcome", asking.outcome(request)[:4], "DONE")


@scenario("6.2 DAT-10: an agreement that has ended can be erased; one whose end is a filler runs on")
def agreement(case: Case) -> None:
    asking = Asking(case)
    for ended, erasable in (("2020-05-05", True), ("1900-01-01", False), (None, False)):
        person = asking.person("1980-05-05")
        kept = case.add("cf_engagement", cf_name="afspraak", cf_endedon=ended, cf_ContactId__bind=f"/contacts({person.row})")
        request = asking.ready(person.given(), [person.row], right="erasure", requester_kind="volunteer")
        granted(case, asking, request)
        case.same(f"the agreement that ended {ended}", case.there("cf_engagement", kept), [not erasable])


@scenario("6.2 RF-02 R-105: a refused erasure has its reason, the way to complain, no extension, and everything stays")
def erasure_refused(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03")
    dossier = case.dossier("grooming", "2026-02-02", child=child.row)
    before = case.everything()
    request = asking.ready(child.given(), [child.row], right="erasure", requester_kind="former_child")
    package = refused(case, asking, request, "RF-02")
    case.expect("artikel 17, lid 3" in text(package).replace("\u00a0", " "), "the letter has no RF-02")
    case.expect(
        "rechtbank" in text(package).lower() and "Gegevensbeschermingsautoriteit" in text(package), "complaint and court are missing"
    )
    asking.silent(package, asking.words_of(dossier), "the dossier")
    case.unchanged(before)
    case.expect("REFUSED" in asking.outcome(request) and "RF-02" in str(asking.show(request)), f"outcome {asking.outcome(request)}")


@scenario("6.2 HLD-12: a granted erasure of a former child disposes of the dossier with its own reason, and of nobody else's")
def erasure_granted(case: Case) -> None:
    case.policy()
    asking = Asking(case)
    child, other = asking.person("1995-03-03"), asking.person("1996-03-03")
    dossier = case.dossier("grooming", "2024-02-02", child=child.row)
    kept = case.dossier("grooming", "2024-02-02", child=other.row)
    case.note("cf_dossier", dossier)
    request = asking.ready(child.given(), [child.row], right="erasure", requester_kind="former_child")
    granted(case, asking, request)
    done = case.row("cf_dossier", dossier)
    if done is not None and not done.get("cf_anonymisedon"):
        spoken = case.type("run", "requests", "--json")
        case.expect(spoken.code in (0, 5, 6), f"run requests exits {spoken.code}: {spoken.err[-300:]}")
        done = case.row("cf_dossier", dossier)
    case.expect(done is None or done.get("cf_anonymisedon"), "the dossier is there as it was")
    case.same("the other dossier", case.there("cf_dossier", kept), [True])
    case.same("the other child", (case.row("contact", other.row) or {}).get("lastname"), other.lastname)
    words = asking.words_of(dossier)
    left = {w: p for w, p in case.marks_in_crm().items() if w in words}
    case.same("words of the dossier in the CRM", left, {})
    run = case.ask("history", "list")[0]["run"]
    case.same("reasons in the certificates", {c["reason"] for c in case.certificates(run)}, {"ERASURE_REQUEST"})


@scenario("HLD-01 4.2: a legal hold, a judicial hold and the flag of the CRM stand against a granted erasure")
def erasure_held(case: Case) -> None:
    case.policy()
    asking = Asking(case)
    for kind in ("legal", "judicial", "flag"):
        child = asking.person("1995-03-03")
        dossier = case.dossier("grooming", "2024-02-02", child=child.row, cf_legalhold=kind == "flag" or None)
        if kind != "flag":
            case.hold("cf_dossier", dossier, kind=kind)
        request = asking.open(child.given(), right="erasure", requester_kind="former_child")
        asking.identify(request)
        asking.confirm(request, [child.row])
        asking.compile(request)
        spoken = case.type("requests", "decide", request, "--grant", *DPO, "--json")
        if spoken.code == 0:
            case.type("requests", "approve", request, *DPO, "--json")
            case.type(*asking.release_args(request), "--json")
            case.type("run", "requests", "--json")
        row = case.row("cf_dossier", dossier)
        case.expect(row is not None and not row.get("cf_anonymisedon"), f"{kind}: the dossier is gone under a hold")
        case.expect(
            (case.row("contact", child.row) or {}).get("lastname") == child.lastname, f"{kind}: the child of a held dossier is changed"
        )


@scenario("HLD-12: with an own access request that waits, the erasure waits until that is answered")
def access_first(case: Case) -> None:
    case.policy()
    asking = Asking(case)
    child = asking.person("1995-03-03")
    dossier = case.dossier("grooming", "2024-02-02", child=child.row)
    asking.ready(child.given(), [child.row], requester_kind="former_child")
    request = asking.open(child.given(), right="erasure", requester_kind="former_child")
    asking.identify(request)
    asking.confirm(request, [child.row])
    asking.compile(request)
    spoken = case.type("requests", "decide", request, "--grant", *DPO, "--json")
    if spoken.code == 0 and case.type("requests", "approve", request, *DPO, "--json").code == 0:
        case.type(*asking.release_args(request), "--json")
        case.type("run", "requests", "--json")
    row = case.row("cf_dossier", dossier)
    case.expect(row is not None and not row.get("cf_anonymisedon"), "the dossier went before the access request was answered")


@scenario("6.2 RGT-01: a witness may be taken out of a dossier while the information stays")
def witness_erased(case: Case) -> None:
    case.policy()
    asking = Asking(case)
    witness, child = asking.person(), asking.person("2012-02-02")
    dossier = case.dossier("runaway", "2026-02-02", child=child.row)
    party = case.party(witness.row, "witness", dossier=dossier)
    before = case.everything()
    request = asking.ready(witness.given(), [witness.row], right="erasure", requester_kind="witness")
    granted(case, asking, request)
    case.type("run", "requests", "--json")
    case.same("dossier, child", (case.there("cf_dossier", dossier), case.there("contact", child.row)), ([True], [True]))
    case.unchanged(before, ("cf_dossier", "cf_fiche"))
    after = case.row("cf_party", party)
    words = [w for w in asking.words_of(party) if w in json.dumps(after or {})]
    case.same("words of the party row", words, [])
    left = [w for w in asking.words_of(witness.row) if w in json.dumps(case.everything()["contact"])]
    case.same("words of the witness", left, [])


@scenario("R-074 HLD-09 6.2: a granted restriction keeps the data from disposal at once, and is no erasure")
def restriction(case: Case) -> None:
    case.policy()
    asking = Asking(case)
    child = asking.person("1995-03-03")
    dossier = case.dossier("social_card", child=child.row)
    before = case.everything()
    request = asking.ready(child.given(), [child.row], right="restriction", requester_kind="former_child")
    case.ask("requests", "decide", request, "--grant", *DPO)
    case.plan(approve=False)
    outcome, reasons = case.fate(dossier)
    case.expect(outcome == "retain" and "HOLD_RESTRICTION" in reasons, f"fate {outcome} {reasons}")
    asking.approve(request)
    asking.release(request)
    case.ask("requests", "close", request, "--outcome", "DONE", *DPO)
    case.clock("2027-02-01T11:00:00Z")
    case.plan(approve=False)
    case.same("long after closing", case.fate(dossier), ("retain", ["HOLD_RESTRICTION"]))
    case.unchanged(before, ("cf_dossier", "cf_fiche"))


@scenario("HLD-10 RGT-11: an objection against mission data holds them while it is assessed, and RF-05 ends it")
def objection(case: Case) -> None:
    case.policy()
    asking = Asking(case)
    witness = asking.person()
    dossier = case.dossier("social_card", child=case.child())
    case.party(witness.row, "witness", dossier=dossier)
    request = asking.ready(witness.given(), [witness.row], right="objection", requester_kind="witness")
    case.plan(approve=False)
    outcome, reasons = case.fate(dossier)
    case.expect(outcome == "retain" and "HOLD_OBJECTION" in reasons, f"while it is assessed: {outcome} {reasons}")
    package = refused(case, asking, request, "RF-05")
    case.expect("dwingende redenen" in text(package).lower(), "the letter has no RF-05")
    case.same("the dossier", case.there("cf_dossier", dossier), [True])


@scenario("RGT-12 RF-06: consent that was never asked cannot be withdrawn; a newsletter can, for the future")
def consent(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03")
    case.dossier("runaway", child=child.row)
    request = asking.open(child.given(), right="consent_withdrawal", requester_kind="former_child")
    asking.identify(request)
    asking.confirm(request, [child.row])
    asking.compile(request)
    package = refused(case, asking, request, "RF-06")
    case.expect("niet op uw toestemming" in text(package), "the letter has no RF-06")
    reader = asking.person(cf_newsletter=True, cf_newsletterconsenton="2024-04-04")
    request = asking.ready(reader.given(), [reader.row], right="consent_withdrawal", requester_kind="donor")
    granted(case, asking, request)
    case.same("newsletter", (case.row("contact", reader.row) or {}).get("cf_newsletter", False), False)


@scenario("contract 3.6: a decision is not made on a request for access, nor twice, nor with a code that does not belong to the right")
def wrong_decisions(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03")
    dossier = case.dossier("grooming", "2026-02-02", child=child.row)
    access = asking.ready(child.given(), [child.row], requester_kind="former_child")
    case.refused("requests", "decide", access, "--grant", *DPO, code=(2, 5))
    request = asking.ready(child.given(), [child.row], right="erasure", requester_kind="former_child")
    for args in (
        ("--refuse", "RF-99"),
        ("--refuse", "RF-00"),
        ("--refuse", ""),
        (),
        ("--grant", "--refuse", "RF-02"),
        ("--grant", "no-such-item"),
    ):
        case.refused("requests", "decide", request, *args, *DPO, code=(2, 5))
    for role in ("crm_admin", "auditor", "approver"):
        case.refused("requests", "decide", request, "--grant", "--as", "anna", "--role", role, code=5)
    case.same("the dossier", case.there("cf_dossier", dossier), [True])
    asking.held_back(request)


@scenario("R-142: other rights leave no word of anybody in store, ledger, logs or messages")
def canaries(case: Case) -> None:
    case.policy()
    asking = Asking(case)
    for right in ("rectification", "erasure", "restriction", "objection", "portability", "consent_withdrawal"):
        person: Person = asking.person(cf_newsletter=True)
        case.party(person.row, "witness", dossier=case.dossier("runaway", "2026-02-02", child=case.child()))
        request = asking.open(person.given(), right=right)
        asking.identify(request)
        asking.confirm(request, [person.row])
        asking.compile(request)
        steps: list[tuple[Any, ...]] = [("decide", "--grant", *DPO), ("approve", *DPO)]
        for name, *rest in steps:
            case.type("requests", name, request, *rest, "--json")
        case.type(*asking.release_args(request), "--json")
        case.type("run", "requests", "--json")
    case.ask("history", "export", "--output", "ledger.jsonl")
    case.same("ledger", case.ask("ledger", "verify").get("ok"), True)


@scenario("DDL-12: a granted erasure that is killed on its way is carried out whole, by the next night at the latest")
def killed(case: Case) -> None:
    case.policy()
    asking = Asking(case)
    for wait in (0.6, 1.2, 1.8, 2.6):
        child = asking.person("1995-03-03")
        dossier = case.dossier("grooming", "2024-02-02", child=child.row)
        case.note("cf_dossier", dossier)
        request = asking.ready(child.given(), [child.row], right="erasure", requester_kind="former_child")
        case.ask("requests", "decide", request, "--grant", *DPO)
        asking.approve(request)
        process = case.begin(*asking.release_args(request))
        time.sleep(wait)
        process.kill()
        process.wait()
        if asking.show(request)["state"] == "approved":
            asking.release(request)
        case.round()
        row = case.row("cf_dossier", dossier)
        case.expect(row is None or row.get("cf_anonymisedon"), f"killed after {wait} s: the dossier is there as it was")
        case.nothing_left([dossier])
    case.same("ledger", case.ask("ledger", "verify").get("ok"), True)


@scenario("6.2: a granted erasure leaves alone what somebody else needs: another child of the dossier, another dossier of a witness")
def shared(case: Case) -> None:
    case.policy()
    asking = Asking(case)
    one, two, witness = asking.person("1995-03-03"), asking.person("2015-04-04"), asking.person()
    both = case.dossier("grooming", "2024-02-02", child=one.row)
    case.party(two.row, "child", dossier=both)
    other = case.dossier("runaway", "2026-02-02", child=two.row)
    for dossier in (both, other):
        case.party(witness.row, "witness", dossier=dossier)
    case.load()
    request = asking.ready(one.given(), [one.row], right="erasure", requester_kind="former_child")
    case.type("requests", "decide", request, "--grant", *DPO, "--json")
    case.type("requests", "approve", request, *DPO, "--json")
    case.type(*asking.release_args(request), "--json")
    case.type("run", "requests", "--json")
    case.same("the dossiers of another child", case.there("cf_dossier", both, other), [True, True])
    case.same("who is in that of both", case.roles_in(both), {(two.row, "child"), (witness.row, "witness")})
    case.same("who was erased", case.row("contact", one.row), None)
    case.plan(approve=False)
    case.same("the end of that of both", case.lines()[both]["retention_end"], "2033-04-04")
    for who in (two, witness):
        case.same("somebody else", (case.row("contact", who.row) or {}).get("lastname"), who.lastname)


@scenario("6.2 RGT-01 RGT-11: somebody of whom there is a contact and nothing else can have it erased, or object to it")
def contact_alone(case: Case) -> None:
    case.policy()
    asking = Asking(case)
    other = asking.person()
    for right in ("erasure", "objection"):
        person = asking.person()
        granted(case, asking, asking.ready(person.given(), [person.row], right=right))
        case.same(f"{right}: the contact, and that of somebody else", case.there("contact", person.row, other.row), [False, True])


@scenario("contract 3.6: an answer to any right goes through the same commands, the review of what waits among them")
def same_commands(case: Case) -> None:
    asking = Asking(case)
    for right in ("rectification", "erasure", "restriction", "objection", "portability", "consent_withdrawal"):
        person = asking.person(cf_newsletter=True)
        case.add("cf_donation", cf_name="gift", cf_bookedon="2026-02-02T10:00:00Z", cf_ContactId__bind=f"/contacts({person.row})")
        request = asking.ready(person.given(), [person.row], right=right, requester_kind="donor")
        waiting = [i["item"] for i in asking.reviewable(request) if i["status"] == "PENDING_REVIEW"]
        if waiting:
            path = asking.path(".jsonl")
            path.write_text("".join(json.dumps({"item": item, "status": "APPROVED"}) + "\n" for item in waiting))
            spoken = case.type("requests", "review", request, "--decisions", path, *DPO, "--json")
            case.expect(spoken.code == 0, f"{right}: {len(waiting)} items wait for a review and cannot be reviewed: {spoken.err[:200]}")
