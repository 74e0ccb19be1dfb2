"""What nobody may learn: whether somebody is suspected (section 6.3; R-106 to R-116)."""

import json
import re
from contextlib import closing
from typing import Any

from tests.independent.asking import DPO, Asking, Package, Person
from tests.independent.case import Case
from tests.independent.comparing import NAME, alike, another_world, answered, asks, masked, me, nobody, worlds
from tests.independent.emulator import ROOT
from tests.independent.scenarios import scenario


def only_suspect(case: Case, asking: Asking) -> list[str]:
    person = me(asking)
    case.party(person.row, "suspect", dossier=case.dossier("grooming", child=case.child()))
    return [person.row]


def suspect_three_times(case: Case, asking: Asking) -> list[str]:
    person = me(asking)
    for category in ("grooming", "runaway"):
        case.party(person.row, "suspect", dossier=case.dossier(category, child=case.child()))
    fiche = case.fiche("social_card", "2026-10-10")
    case.party(person.row, "suspect", fiche=fiche)
    case.recording("2026-10-10", fiche)
    return [person.row]


def witness_and_suspect(case: Case, asking: Asking) -> list[str]:
    person = me(asking)
    dossier = case.dossier("grooming", child=case.child())
    for role in ("witness", "suspect"):
        case.party(person.row, role, dossier=dossier)
    return [person.row]


def suspect_on_a_fiche(case: Case, asking: Asking) -> list[str]:
    person = me(asking)
    dossier = case.dossier("grooming", child=case.child())
    case.party(person.row, "witness", dossier=dossier)
    case.party(person.row, "suspect", fiche=case.fiche("grooming", "2026-02-02", dossier))
    return [person.row]


def suspect_of_two_rows(case: Case, asking: Asking) -> list[str]:
    """Witness under one row, suspect under another, in one dossier."""
    one, two = me(asking), asking.person("1985-07-30", **NAME, emailaddress1=None)
    dossier = case.dossier("grooming", child=case.child())
    case.party(one.row, "witness", dossier=dossier)
    case.party(two.row, "suspect", dossier=dossier)
    return [one.row, two.row]


@scenario("R-106 R-111 SUS-04 SUS-07: unknown, or suspected and nothing else: answers, steps, register and ledger are the same")
def unknown_or_suspect(case: Case) -> None:
    worlds(case, only_suspect, suspect_three_times)


@scenario("R-108 SUS-06: witness and suspect in one dossier, by fiche or by another row of the same person, is answered as unknown")
def same_dossier(case: Case) -> None:
    worlds(case, witness_and_suspect, suspect_on_a_fiche, suspect_of_two_rows, language="fr")


@scenario("R-106 SUS-10: the other six rights are answered alike too, for an unknown and for a suspect")
def other_rights(case: Case) -> None:
    asking = Asking(case)
    for right in ("rectification", "erasure", "restriction", "portability", "objection", "consent_withdrawal"):
        texts = []
        for tell in (nobody, only_suspect):
            another_world(case)
            rows = tell(case, asking)
            request = asking.open(asks(asking), right=right)
            asking.identify(request)
            asking.confirm(request, rows)
            found = asking.compile(request)
            case.same(f"{right}, {tell.__name__}: answer", found.get("answer"), "neutral")
            spoken = case.type("requests", "decide", request, "--grant", *DPO, "--json")
            items = asking.reviewable(request)
            asking.approve(request)
            package = asking.release(request)
            asking.whole(package, {"letter.pdf", "manifest.json"})
            texts.append(
                (
                    masked(package.letter, request),
                    sorted(package.files),
                    len(items),
                    spoken.code,
                    masked(json.dumps(asking.show(request), sort_keys=True), request),
                    masked(json.dumps(found, sort_keys=True), request),
                )
            )
        case.same(f"{right}: unknown and suspect", texts[1], texts[0])
        article = {"rectification": "16", "erasure": "17", "restriction": "18", "portability": "20", "objection": "21"}.get(right, "7")
        case.expect(re.search(rf"artikel {article}\b", " ".join(texts[0][0].split())), f"{right}: the text has no article {article}")


@scenario("R-113 SUS-04 SUS-11: a parent suspected in any dossier of the child is answered as an unknown parent of an unknown child")
def parent_suspect(case: Case) -> None:
    asking = Asking(case)
    child_told: dict[str, Any] = {"firstname": "Kind", "lastname": "Voorbeeld (fictief)", "birthdate": "2017-05-05"}
    child_told |= {"nationalnumbers": [], "phones": [], "emails": []}
    form: dict[str, Any] = {"requester_kind": "parent_for_child", "on_behalf_of": child_told, "mandate": "shown"}
    case.dossier("runaway", child=case.child())
    first = answered(case, asking, asks(asking), [], **form)
    another_world(case)
    plain = answered(case, asking, asks(asking), [])
    case.same(
        "the letter of somebody who asks for himself",
        masked(plain.package.letter, plain.request),
        masked(first.package.letter, first.request),
    )
    for what in ("in another dossier", "in the same dossier", "in a lone fiche"):
        another_world(case)
        person = me(asking)
        child = asking.person("2017-05-05", firstname="Kind", lastname="Voorbeeld (fictief)")
        dossier = case.dossier("e_safety", child=child.row)
        case.party(person.row, "parent", dossier=dossier)
        if what == "in another dossier":
            case.party(person.row, "suspect", dossier=case.dossier("grooming", child=child.row))
        elif what == "in the same dossier":
            case.party(person.row, "suspect", dossier=dossier)
        else:
            fiche = case.fiche("grooming", "2026-06-06")
            case.party(child.row, "child", fiche=fiche)
            case.party(person.row, "suspect", fiche=fiche)
        seen = answered(case, asking, asks(asking), [person.row, child.row], **form)
        alike(case, what, first, seen)


def package_of(case: Case, asking: Asking, person: Person, **form: Any) -> Package:
    return asking.answered(person.given(), [person.row], **form)


@scenario("R-107 SUS-05: suspect in another dossier: the package is the one of somebody to whom that dossier never happened")
def witness_here_suspect_there(case: Case) -> None:
    asking = Asking(case)
    found: list[tuple[str, dict[str, str]]] = []
    rows: dict[str, str] = {}
    words: list[str] = []
    for suspected in (False, True):
        another_world(case)
        person = me(asking)
        texts = {"firstname": "Kind", "lastname": "A (fictief)", "address1_line1": None, "description": None}
        child = case.child("2012-01-01", **texts)
        dossier = case.dossier("runaway", None, child=child, cf_name="D-A", cf_summary=None, cf_courtreference=None)
        roles = [{"cf_DossierId__bind": f"/cf_dossiers({dossier})", "cf_role": 100_000_004}]
        for number in (1, 2, 3):
            fiche = case.fiche(
                *("runaway", f"2026-01-0{number}", dossier),
                cf_name=f"F-{number}",
                cf_summary=f"Vaste tekst {number} (fictief).",
                cf_callernumber=None,
                cf_calleremail=None,
                cf_ipaddress=None,
            )
            roles.append({"cf_FicheId__bind": f"/cf_fiches({fiche})", "cf_role": 100_000_003})
        for number, role in enumerate(roles):  # ids of their own, since undated rows stand in the order of their ids
            party = f"00000000-0000-4000-8000-00000000000{number}"
            case.add("cf_party", cf_partyid=party, cf_name="rol", cf_ContactId__bind=f"/contacts({person.row})", **role)
        for column in ("telephone1", "address1_line1", "address1_city", "description", "cf_birthplace", "cf_nationalnumber", "mobilephone"):
            next(b for _, _, b in case._waiting if b.get("contactid") == person.row)[column] = None
        if suspected:
            other = case.dossier("grooming", None, child=case.child())
            sent = {"cf_transmittedto": case.mark("B"), "cf_transmittedon": "2026-01-02", "cf_transmittedcountry": "US"}
            fiche = case.fiche("grooming", "2026-01-02", other, **sent)
            case.party(person.row, "suspect", dossier=other)
            case.party(person.row, "reporter", fiche=case.fiche("grooming", "2026-01-02", other))
            case.call("cf_dossier", other, person.row)
            case.recording("2026-01-02", fiche)
            case.note("cf_dossier", other)
            case.load()
            words = [w for w, row in case.secrets.items() if row not in (person.row, child, dossier)]
            rows = {"dossier": other}
        package = package_of(case, asking, person)
        request = str(package.outside["request"])
        shown = masked(json.dumps(asking.show(request), sort_keys=True), request)
        ledger = "\n".join(
            masked(json.dumps([e["kind"], e["data"]], sort_keys=True), request) for e in case.ledger() if request in json.dumps(e["data"])
        )
        texts_ = {n: masked(t, request) for n, t in package.texts.items() if n not in ("letter.pdf", "manifest.json")}
        texts_["letter"] = masked(package.letter, request)
        texts_["names"] = "\n".join(sorted(package.files))
        texts_["show"], texts_["ledger"] = shown, ledger
        found.append((request, texts_))
        numbers = [i.get("number", i.get("item", i.get("nr"))) for i in package.items]
        digits = [int(re.sub(r"\D", "", str(n))) for n in numbers if n is not None and re.sub(r"\D", "", str(n))]
        case.expect(digits == list(range(1, len(digits) + 1)) or not digits, f"item numbers {digits} have a gap (EXP-09)")
        if suspected:
            asking.silent(package, words, "the dossier of the suspicion")
            asking.silent(package, ["Grooming", "verdacht", "suspect"], "the suspicion")
            case.expect(rows["dossier"] not in json.dumps(asking.show(request)), "the register leads to the dossier of the suspicion")
    for name in found[0][1]:
        case.same(f"{name} with and without the suspicion", found[1][1].get(name), found[0][1][name])


@scenario("R-109 SUS-06: a dossier that shares a child with one in which the requester is suspected waits for the DPO")
def linked(case: Case) -> None:
    asking = Asking(case)
    person, child = asking.person(), asking.person("2012-01-01")
    here, there = case.dossier("runaway", child=child.row), case.dossier("grooming", child=child.row)
    case.party(person.row, "witness", dossier=here)
    case.party(person.row, "suspect", dossier=there)
    request = asking.ready(person.given(), [person.row], answer="dpo_review")
    asking.review(request)
    spoken = case.type("requests", "approve", request, *DPO, "--json")
    case.expect(spoken.code in (0, 5), f"approve exits {spoken.code}")
    asking.held_back(request)
    asking.override(request, "SUS-06")
    case.same("after two words", asking.compile(request).get("answer"), "package")
    asking.review(request)
    asking.approve(request)
    package = asking.release(request)
    rows = case.everything()
    fiches = [f["cf_ficheid"] for f in rows["cf_fiche"] if f["_cf_dossierid_value"] == there]
    asking.silent(package, asking.words_of(there, *fiches, child.row), "the other dossier and the child")


@scenario("R-110 SUS-08: an ended suspicion excludes no more but waits for the DPO; one that runs on is excluded still")
def ended(case: Case) -> None:
    asking = Asking(case)
    for until, answer in (("2026-11-24", "dpo_review"), ("2026-11-26", "neutral"), ("1900-01-01", "neutral"), (None, "neutral")):
        person = asking.person()
        dossier = case.dossier("grooming", child=case.child())
        case.add(
            "cf_party",
            cf_role=100_000_005,
            cf_suspectuntil=until,
            cf_ContactId__bind=f"/contacts({person.row})",
            cf_DossierId__bind=f"/cf_dossiers({dossier})",
        )
        request = asking.ready(person.given(), [person.row], answer=answer)
        if answer == "dpo_review":
            asking.review(request)
            case.type("requests", "approve", request, *DPO, "--json")
            asking.held_back(request)


@scenario("SUS-08: the day of release decides: a suspicion that ends between approval and release makes the neutral answer void")
def ended_since(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    dossier = case.dossier("grooming", child=case.child())
    case.add(
        "cf_party",
        cf_role=100_000_005,
        cf_suspectuntil="2026-11-30",
        cf_ContactId__bind=f"/contacts({person.row})",
        cf_DossierId__bind=f"/cf_dossiers({dossier})",
    )
    request = asking.ready(person.given(), [person.row], answer="neutral")
    asking.approve(request)
    case.clock("2026-12-05T11:00:00Z")
    asking.held_back(request)
    case.same("compiled again", asking.compile(request).get("answer"), "dpo_review")


@scenario("SUS-09: a minor who is suspect in one dossier and child in another gets the one in which it is the child")
def minor(case: Case) -> None:
    asking = Asking(case)
    child, peer = asking.person("2010-02-02"), asking.person("2010-03-03")
    own, other = case.dossier("e_safety", child=child.row), case.dossier("sexting", child=peer.row)
    case.party(child.row, "suspect", dossier=other)
    package = asking.answered(child.given(), [child.row], requester_kind="child")
    rows = case.everything()
    fiches = {d: [f["cf_ficheid"] for f in rows["cf_fiche"] if f["_cf_dossierid_value"] == d] for d in (own, other)}
    summary = next(f["cf_summary"] for f in rows["cf_fiche"] if f["cf_ficheid"] == fiches[own][0])
    asking.told(package, [summary], "the own dossier")
    asking.silent(package, [*asking.words_of(other, *fiches[other], peer.row), "Sexting"], "the dossier of the suspicion")


@scenario("R-114 DDL-09: no extension of a neutral answer, and none of a request that becomes one")
def no_extension(case: Case) -> None:
    asking = Asking(case)
    told = asks(asking)
    request = asking.ready(told, answer="neutral")
    for _ in range(2):
        case.refused("requests", "extend", request, "--reason", "complexity", "--notified-at", case.at, *DPO, code=5)
    case.same("due", asking.show(request).get("due_on"), "2026-12-28")
    asking.approve(request)
    case.refused("requests", "extend", request, "--reason", "complexity", "--notified-at", case.at, *DPO, code=5)


@scenario("R-116 SUS-07: two people stand behind a neutral answer, also when there was nobody at all")
def two_people(case: Case) -> None:
    asking = Asking(case)
    request = asking.ready(asks(asking), answer="neutral")
    asking.held_back(request)
    asking.approve(request)
    case.refused(*asking.release_args(request, ("--as", "dora", "--role", "approver")), code=5)
    asking.release(request)
    shown = asking.show(request)
    case.same("outcome", shown.get("outcome"), "NEUTRAL")
    people = {a["as"] for a in shown["approvals"]}
    case.same("people", people, {"dora", "erik"})


@scenario("R-115 SUS-05: a suspect who withdraws a consent is unsubscribed, and the answer tells nothing else")
def newsletter(case: Case) -> None:
    asking = Asking(case)
    letters = []
    for suspected in (False, True):
        another_world(case)
        person = asking.person(**NAME, emailaddress1="persoon@example.org", cf_newsletter=True, cf_newsletterconsenton="2025-01-01")
        dossier = case.dossier("grooming", child=case.child())
        if suspected:
            case.party(person.row, "suspect", dossier=dossier)
        request = asking.ready(person.given(), [person.row], right="consent_withdrawal")
        case.ask("requests", "decide", request, "--grant", *DPO)
        row = case.row("contact", person.row) or {}
        case.same("newsletter", row.get("cf_newsletter"), False)
        asking.approve(request)
        package = asking.release(request)
        asking.silent(package, [*asking.words_of(dossier), "verdacht", "Grooming"], "the dossier")
        letters.append(
            (masked(package.letter, request), sorted(package.files), masked(json.dumps(asking.show(request), sort_keys=True), request))
        )
        case.same("the dossier", case.there("cf_dossier", dossier), [True])
    case.same("with and without a suspicion", letters[1], letters[0])


@scenario("SUS-02 R-112: no command, list or statistic gathers suspects, and no table of the store knows the word")
def no_list(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    for category in ("grooming", "runaway"):
        case.party(person.row, "suspect", dossier=case.dossier(category, child=case.child()))
    request = asking.ready(person.given(), [person.row], answer="neutral")
    asking.approve(request)
    asking.release(request)
    case.ask("requests", "close", request, "--outcome", "NEUTRAL", *DPO)
    case.ask("history", "export", "--output", "ledger.jsonl")
    told = (case.folder / "ledger.jsonl").read_text().lower()
    case.expect("suspect" not in told and "sus-0" not in told and "excluded" not in told, "the ledger tells of a suspicion")
    with closing(case.database()) as database:
        dump = "\n".join(database.iterdump()).lower()
    case.expect("suspect" not in dump, "the store knows the word suspect")
    helped = case.type("--help").out + case.type("requests", "--help").out
    case.expect("suspect" not in helped.lower(), "a command is about suspects")
    texts = "\n".join(s.out + s.err for s in case.spoken if "--help" not in s.args).lower()
    case.expect("suspect" not in texts and "verdacht" not in texts, "a command said that somebody is suspected")


@scenario("R-112 SUS-02: a mapping that marks suspects on the contact is refused at the start, however the column is called")
def suspect_on_the_contact(case: Case) -> None:
    shipped = (ROOT / "connectors" / "dynamics" / "mapping" / "reference.yaml").read_text()
    start = shipped.index("\n  contact:\n")
    place = shipped.index("      birth_on:", start)
    for line in ("is_suspect: donotbulkemail", "suspect: cf_newsletter", "verdacht: donotbulkemail"):
        path = case.folder / "mapping.yaml"
        path.write_text(shipped[:place] + f"      {line}\n" + shipped[place:])
        case.settings["MAPPING"] = str(path)
        for args in (("doctor",), ("plan",), ("requests", "list")):
            spoken = case.type(*args, "--json")
            case.expect(spoken.code in (3, 4) or (args[0] == "requests" and spoken.code == 0), f"{line}: `{args[0]}` exits {spoken.code}")


def speaks_french(case: Case, asking: Asking) -> list[str]:
    """What the row of a suspect says of language, age and address must not shape a neutral answer."""
    person = asking.person(
        *("2011-06-06",),
        **NAME,
        emailaddress1="persoon@example.org",
        cf_language=100_000_001,
        gendercode=2,
        address1_country="France",
    )
    case.party(person.row, "suspect", dossier=case.dossier("grooming", child=case.child()))
    return [person.row]


def fresh_address(case: Case, asking: Asking) -> list[str]:
    """A suspect whose address has just been changed."""
    person = asking.person("1985-07-30", **NAME, emailaddress1="vroeger@example.org")
    case.party(person.row, "suspect", dossier=case.dossier("grooming", child=case.child()))
    case.load()
    case.change("contact", person.row, emailaddress1="persoon@example.org")
    return [person.row]


@scenario("SUS-04 EXP-10 EXP-11: language, age and sex in the row of a suspect leave no trace in a neutral answer")
def row_of_a_suspect(case: Case) -> None:
    asking = Asking(case)
    told = asks(asking) | {"birthdate": None}
    first = answered(case, asking, told, nobody(case, asking), language="es")
    another_world(case)
    alike(case, "French", first, answered(case, asking, told, speaks_french(case, asking), language="es"))


@scenario("SUS-04 IDV-03: a changed address of a suspect changes no step of the neutral answer")
def address_of_a_suspect(case: Case) -> None:
    worlds(case, fresh_address)


@scenario("SUS-04 EXP-03: who asks again is answered neutrally again, as the unknown person is")
def again(case: Case) -> None:
    asking = Asking(case)
    seen = []
    for tell in (nobody, only_suspect):
        another_world(case)
        rows = tell(case, asking)
        first = answered(case, asking, asks(asking), rows)
        case.ask("requests", "close", first.request, "--outcome", "NEUTRAL", *DPO)
        second = answered(case, asking, asks(asking), rows)
        seen.append((masked(second.package.letter, second.request), second.shown, [s for s in second.steps if s[0] != "match"]))
    case.expect(seen[0] == seen[1], f"the second answers differ: {first_difference(seen[0], seen[1])}")


def first_difference(one: tuple[Any, ...], two: tuple[Any, ...]) -> str:
    return next((f"{str(b)[:400]} instead of {str(a)[:400]}" for a, b in zip(one, two, strict=True) if a != b), "")


@scenario("SUS-05 SUS-06: a suspect who also gives money is told of the gifts, and of nothing else")
def donor_and_suspect(case: Case) -> None:
    asking = Asking(case)
    person = asking.person(cf_newsletter=True)
    bind = f"/contacts({person.row})"
    gift = case.mark("gift")
    case.add("cf_donation", cf_name=gift, cf_bookedon="2026-02-02T10:00:00Z", cf_amount=25.0, cf_ContactId__bind=bind)
    child = case.child()
    dossier = case.dossier("grooming", child=child)
    case.party(person.row, "suspect", dossier=dossier)
    case.call("cf_dossier", dossier, person.row)
    case.note("cf_dossier", dossier)
    case.load()
    theirs = [w for w, row in case.secrets.items() if row not in (person.row, "gift")]
    package = asking.answered(person.given(), [person.row], requester_kind="donor")
    asking.told(package, [gift], "the gift")
    asking.silent(package, [*theirs, "Grooming", "verdacht"], "the dossier of the suspicion")


@scenario("SUS-06: on behalf of a child, too, the dossiers in which the parent is suspected and those that share the child are not told")
def parent_elsewhere(case: Case) -> None:
    """Suspected in the dossier of somebody else's child: the own child's dossier may be told, the other
    leaves no trace."""
    asking = Asking(case)
    mother, child = asking.person("1979-03-03"), asking.person("2017-05-05")
    own, other = case.dossier("e_safety", child=child.row), case.dossier("grooming", child=case.child())
    case.party(mother.row, "parent", dossier=own)
    case.party(mother.row, "suspect", dossier=other)
    case.load()
    rows = case.everything()
    theirs = [f["cf_ficheid"] for f in rows["cf_fiche"] if f["_cf_dossierid_value"] == other]
    package = asking.answered(
        mother.given(),
        [mother.row, child.row],
        mandate="shown",
        requester_kind="parent_for_child",
        on_behalf_of=child.given(emails=[]),
    )
    asking.told(package, [child.firstname], "the child")
    asking.silent(package, [*asking.words_of(other, *theirs), "Grooming"], "the dossier of the suspicion")


@scenario("SUS-04 SUS-07: what the commands print for people to read is the same for an unknown and for a suspect, at every step")
def in_words(case: Case) -> None:
    asking = Asking(case)
    told = []
    for tell in (nobody, only_suspect):
        another_world(case)
        rows = tell(case, asking)
        request = asking.open(asks(asking))
        asking.identify(request)
        asking.confirm(request, rows)
        lines = []
        release = asking.release_args(request)[1:]
        for args in (
            *(("compile", request, *DPO), ("show", request), ("review", request), ("approve", request, *DPO), ("show", request)),
            *(release, ("list",), ("show", request), ("close", request, "--outcome", "NEUTRAL", *DPO), ("show", request)),
        ):
            spoken = case.type("requests", *args)
            text = re.sub(r"/\S*|https?://\S+", "PLACE", masked(spoken.out + spoken.err, request))
            lines.append((args[0], spoken.code, re.sub(r"\b\d\d:\d\d(:\d\d)?\b", "TIME", text)))
        told.append(lines)
    for one, two in zip(*told, strict=True):
        case.same(f"`{one[0]}`", two, one)
