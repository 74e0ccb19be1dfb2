"""How a request is received, identified, decided and released, for oneself and on behalf of a child, and bad
input (6.1, 6.5)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import closing
from typing import Any

from tests.independent.asking import DPO, GUID, Asking, given
from tests.independent.case import Case
from tests.independent.scenarios import scenario

SHOWN = {"request", "right", "state", "received_on", "due_on", "outcome", "approvals"}
UNKNOWN = given("Niemand", "Bekend (fictief)", "1988-01-02", emails=["niemand@example.org"])


# -- the plain way -------------------------------------------------------------------------------------------


@scenario("contract 3.6: a request goes from receipt to release, and every step shows in its state")
def plain(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    case.party(person.row, "witness", dossier=case.dossier("runaway", child=case.child()))
    request = asking.open(person.given())
    shown = asking.show(request)
    case.expect(shown.keys() >= SHOWN, f"show lacks {SHOWN - shown.keys()}")
    case.same("after the receipt", (shown["state"], shown["outcome"]), ("received", None))
    states = ["received"]
    for step in (
        lambda: asking.identify(request),
        lambda: asking.confirm(request, [person.row]),
        lambda: asking.compile(request),
        lambda: asking.review(request),
        lambda: asking.approve(request),
        lambda: asking.release(request),
    ):
        step()
        states.append(asking.show(request)["state"])
    order = ["received", "identifying", "suspended", "searching", "reviewing", "approved", "released", "closed"]
    case.expect(all(s in order for s in states) and states == sorted(states, key=order.index), f"states {states}")
    case.same("the last two", states[-2:], ["approved", "released"])
    case.ask("requests", "close", request, "--outcome", "DELIVERED", *DPO)
    shown = asking.show(request)
    case.same("closed", (shown["state"], shown["outcome"]), ("closed", "DELIVERED"))
    case.same("listed", [r["request"] for r in case.ask("requests", "list")], [request])
    words = " ".join(json.dumps(r) for r in case.ask("requests", "list")) + json.dumps(shown)
    case.expect(not GUID.search(words.replace(request, "")), "the register names rows of the CRM")
    case.same("ledger", case.ask("ledger", "verify").get("ok"), True)


@scenario("R-094 RGT-05: a child of fourteen gets an answer without a parent")
def fourteen(case: Case) -> None:
    asking = Asking(case)
    child, mother = asking.person("2012-03-03"), asking.person("1979-03-03")
    dossier = case.dossier("runaway", child=child.row)
    case.party(mother.row, "parent", dossier=dossier)
    package = asking.answered(child.given(), [child.row], requester_kind="child", scope="own")
    asking.told(package, [child.firstname, child.lastname], "the child's own name")
    asking.silent(package, asking.words_of(mother.row), "the mother")
    case.expect("116000" in package.letter.replace(" ", ""), "the cover of a minor does not say whom to call (EXP-10)")


@scenario("R-095 RGT-05: a parent of a child of fourteen who did not agree gets no package")
def not_agreed(case: Case) -> None:
    asking = Asking(case)
    child, mother = asking.person("2012-03-03"), asking.person("1979-03-03")
    dossier = case.dossier("e_safety", child=child.row)
    case.party(mother.row, "parent", dossier=dossier)
    form: dict[str, Any] = {"requester_kind": "parent_for_child", "on_behalf_of": child.given(emails=[])}
    rows = [mother.row, child.row]
    request = asking.ready(mother.given(), rows, answer="dpo_review", mandate="shown", **form)
    asking.review(request)
    asking.held_back(request)
    spoken = case.type("requests", "approve", request, *DPO, "--json")
    case.expect(spoken.code in (0, 5), f"approve exits {spoken.code}")
    asking.held_back(request)
    agreed = asking.ready(mother.given(), rows, scope=None, mandate="shown", agrees=True, **form)
    case.expect(str(asking.compile(agreed).get("scope")).startswith("on_behalf"), "with the child's agreement the scope is not the child's")


@scenario("RGT-05 R-095: the age is the one on the day of receipt, eleven the day before the birthday and twelve on it")
def age_on_receipt(case: Case) -> None:
    asking = Asking(case)
    mother = asking.person("1979-03-03")
    eleven, twelve = asking.person("2014-11-26"), asking.person("2014-11-25")
    for child, answer in ((eleven, "package"), (twelve, "dpo_review")):
        case.party(mother.row, "parent", dossier=case.dossier("e_safety", child=child.row))
        asking.ready(
            mother.given(),
            [mother.row, child.row],
            answer=answer,
            mandate="shown",
            requester_kind="parent_for_child",
            on_behalf_of=child.given(emails=[]),
        )


@scenario("R-096 RGT-09: for a runaway of nine the parent reads no address, shelter or statement that was not released one by one")
def runaway(case: Case) -> None:
    asking = Asking(case)
    child, father, aunt = asking.person("2017-05-05"), asking.person("1979-03-03"), asking.person("1970-01-01")
    dossier = case.dossier("runaway", child=child.row)
    fiche = case.fiche("runaway", "2026-06-01", dossier, cf_name="F-2026-0601 (fictief)")  # numbers and days are told
    case.party(father.row, "parent", dossier=dossier)
    case.party(aunt.row, "other", dossier=dossier)
    note = case.note("cf_dossier", dossier)
    summary = case.mark("shelter")
    told = f"Het kind verblijft in {summary} en zei bang te zijn. (fictief)"
    other = case.fiche("runaway", "2026-06-02", dossier, cf_name="F-2026-0602 (fictief)", cf_summary=told)
    form: dict[str, Any] = {"requester_kind": "parent_for_child", "on_behalf_of": child.given(emails=[]), "mandate": "shown"}
    request = asking.ready(father.given(), [father.row, child.row], **form)
    case.same("scope", asking.compile(request).get("scope"), "on_behalf_limited")
    withheld = {"status": "WITHHELD", "code": "RF-03"}
    asking.review(request, lambda item: withheld)
    asking.approve(request)
    package = asking.release(request)
    row = case.row("contact", child.row) or {}
    contact = ("emailaddress1", "telephone1", "mobilephone", "address1_line1", "address1_city", "description")
    asking.silent(package, [row[column] for column in contact], "address and numbers of the child")
    asking.silent(package, [*asking.words_of(fiche, other, note, "shelter"), child.phone], "texts that were withheld")
    asking.silent(package, asking.words_of(aunt.row), "somebody else")
    case.expect(package.data.get("withheld"), "the package does not list what was withheld (EXP-09)")


@scenario("R-097 RGT-07: a child that becomes eighteen between receipt and delivery ends the mandate")
def eighteen(case: Case) -> None:
    case.clock("2026-05-08T09:00:00Z")
    asking = Asking(case)
    child, mother = asking.person("2008-05-10"), asking.person("1979-03-03")
    case.party(mother.row, "parent", dossier=case.dossier("e_safety", child=child.row))
    request = asking.ready(
        mother.given(),
        [mother.row, child.row],
        received_at="2026-05-08T08:00:00Z",
        requester_kind="parent_for_child",
        on_behalf_of=child.given(emails=[]),
        mandate="shown",
        agrees=True,
    )
    asking.review(request)
    asking.approve(request)
    case.clock("2026-05-20T09:00:00Z")
    error = asking.held_back(request)
    case.expect("MANDATE_LAPSED" in json.dumps(error) + json.dumps(asking.show(request)), f"no MANDATE_LAPSED: {error}")


@scenario("RGT-07 RET-09: nobody acts for a child that is an adult by the year of its birth, whatever two people decide")
def adult_by_year(case: Case) -> None:
    asking = Asking(case)
    child, mother = asking.person(None, cf_birthyear=2005, cf_nationalnumber=None), asking.person("1979-03-03")
    case.party(mother.row, "parent", dossier=case.dossier("e_safety", child=child.row))
    form: dict[str, Any] = {"requester_kind": "parent_for_child", "on_behalf_of": child.given(emails=[]), "mandate": "shown"}
    asking.ready(mother.given(), [mother.row, child.row], scope="own", agrees=True, **form)


@scenario("R-098 RGT-08: a parent whose authority is not shown gets own data only")
def no_authority(case: Case) -> None:
    asking = Asking(case)
    child, father = asking.person("2017-05-05"), asking.person("1979-03-03")
    dossier = case.dossier("e_safety", child=child.row)
    case.party(father.row, "parent", dossier=dossier)
    case.fiche("e_safety", "2026-06-02", dossier)
    number = (case.everything()["cf_dossier"])[0]["cf_name"]  # of a file in which the father has a role himself
    for mandate in ("not_shown", "contested"):
        package = asking.answered(
            father.given(),
            [father.row, child.row],
            mandate=mandate,
            scope="own",
            requester_kind="parent_for_child",
            on_behalf_of=child.given(emails=[]),
        )
        asking.told(package, [father.firstname, father.lastname], f"{mandate}: the father")
        asking.silent(package, asking.words_of(child.row), f"{mandate}: the child")
        asking.silent(package, [w for w in asking.words_of(dossier) if w != number], f"{mandate}: the dossier")


@scenario("R-159 IDV-04: a guardian with evidence of appointment stands for the holder of authority")
def guardian(case: Case) -> None:
    asking = Asking(case)
    child, guardian_ = asking.person("2016-05-05"), asking.person("1979-03-03")
    dossier = case.dossier("e_safety", child=child.row)
    case.add(
        "cf_party",
        cf_name="?",
        cf_role=100_000_002,
        cf_authorityevidence="Aanstelling door de dienst Voogdij (fictief)",
        cf_authorityvaliduntil="2034-05-05",
        cf_ContactId__bind=f"/contacts({guardian_.row})",
        cf_DossierId__bind=f"/cf_dossiers({dossier})",
    )
    fiche = case.fiche("e_safety", "2026-06-01", dossier)
    package = asking.answered(
        guardian_.given(),
        [guardian_.row, child.row],
        mandate="shown",
        requester_kind="guardian",
        on_behalf_of=child.given(emails=[]),
    )
    asking.told(package, [child.firstname, child.lastname], "the child")
    asking.told(package, [w for w in asking.words_of(fiche) if w in str(package.data)], "the fiche")
    case.expect("on_behalf" in str(asking.show(package.outside["request"])) or package.items, "nothing about the child")


@scenario("RGT-07: a guardian whose authority has run out is no longer one")
def guardian_run_out(case: Case) -> None:
    asking = Asking(case)
    child, guardian_ = asking.person("2016-05-05"), asking.person("1979-03-03")
    dossier = case.dossier("e_safety", child=child.row)
    case.add(
        "cf_party",
        cf_role=100_000_002,
        cf_authorityevidence="Aanstelling (fictief)",
        cf_authorityvaliduntil="2026-10-31",
        cf_ContactId__bind=f"/contacts({guardian_.row})",
        cf_DossierId__bind=f"/cf_dossiers({dossier})",
    )
    request = asking.open(guardian_.given(), requester_kind="guardian", on_behalf_of=child.given(emails=[]))
    asking.identify(request, mandate="not_shown")
    asking.confirm(request, [guardian_.row, child.row])
    found = asking.compile(request)
    case.expect(found.get("scope") == "own" or found.get("answer") != "package", f"an old appointment gives {found}")


# -- bad input -----------------------------------------------------------------------------------------------


BAD: tuple[tuple[str, Callable[[dict[str, Any]], Any]], ...] = (
    ("no object", lambda form: [form]),
    ("null", lambda form: None),
    ("a string", lambda form: "access"),
    ("no right", lambda form: {k: v for k, v in form.items() if k != "right"}),
    ("no given", lambda form: {k: v for k, v in form.items() if k != "given"}),
    ("no receipt", lambda form: {k: v for k, v in form.items() if k != "received_at"}),
    ("unknown right", lambda form: form | {"right": "oblivion"}),
    ("right in capitals", lambda form: form | {"right": ["access"]}),
    ("unknown requester", lambda form: form | {"requester_kind": "suspect"}),
    ("unknown channel", lambda form: form | {"channel": "pigeon"}),
    ("receipt without zone", lambda form: form | {"received_at": "2026-11-25T10:00:00"}),
    ("receipt tomorrow", lambda form: form | {"received_at": "2026-11-27T10:00:00Z"}),
    ("no such day", lambda form: form | {"received_at": "2026-02-30T10:00:00Z"}),
    ("receipt as a number", lambda form: form | {"received_at": 1764064800}),
    ("birth date that is none", lambda form: form | {"given": form["given"] | {"birthdate": "1985-02-30"}}),
    ("birth date in the order of the form", lambda form: form | {"given": form["given"] | {"birthdate": "30/07/1985"}}),
    ("birth date in the future", lambda form: form | {"given": form["given"] | {"birthdate": "2031-01-01"}}),
    ("numbers as text", lambda form: form | {"given": form["given"] | {"nationalnumbers": "85.07.30-997.34"}}),
    ("phones with a number", lambda form: form | {"given": form["given"] | {"phones": [32475123456]}}),
    ("name as a list", lambda form: form | {"given": form["given"] | {"firstname": ["kx"]}}),
    ("given as a list", lambda form: form | {"given": [form["given"]]}),
    ("child as text", lambda form: form | {"on_behalf_of": "mijn dochter"}),
    ("language as a number", lambda form: form | {"language": 7}),
    (
        "nobody at all",
        lambda form: (
            form | {"given": {"firstname": "", "lastname": "", "birthdate": None, "nationalnumbers": [], "phones": [], "emails": []}}
        ),
    ),
)


@scenario("contract 3.6: two dozen kinds of bad input are usage errors, register nothing and repeat nothing")
def bad_input(case: Case) -> None:
    asking = Asking(case)
    word = case.mark("given")
    form = asking.form(given(word, word, "1985-07-30", emails=[f"{word}@example.org"]))
    for what, spoil in BAD:
        spoken = case.type("requests", "open", "-", "--json", given=json.dumps(spoil(form)))
        case.expect(spoken.code == 2 and spoken.error().get("code"), f"{what}: exits {spoken.code}: {(spoken.out + spoken.err)[-160:]}")
    for what, text in (
        ("empty", ""),
        ("no JSON", "{right: access}"),
        ("cut off", json.dumps(form)[:-9]),
        ("two documents", json.dumps(form) * 2),
        ("not a number", json.dumps(form).replace('"1985-07-30"', "NaN")),
        ("very deep", "[" * 5000 + "]" * 5000),
    ):
        spoken = case.type("requests", "open", "-", "--json", given=text)
        case.expect(spoken.code == 2 and spoken.error().get("code"), f"{what}: exits {spoken.code}: {(spoken.out + spoken.err)[-160:]}")
    case.refused("requests", "open", asking.beside / "none.json", code=2)
    case.refused("requests", "open", code=2)
    case.same("register", case.ask("requests", "list"), [])


@scenario("6.2: somebody who cannot be identified is refused with RF-01, and nothing of the file is told")
def not_identified(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    request = asking.open(person.given())
    case.ask("requests", "close", request, "--outcome", "NOT_IDENTIFIED", *DPO)
    case.same("outcome", asking.outcome(request), "NOT_IDENTIFIED")
    case.refused("requests", "identify", request, "--method", "eid", *DPO, code=5)
    case.refused("requests", "compile", request, *DPO, code=5)


@scenario("ACC-08: thirty days after closing, name and contact details are gone and the register row stays")
def sealed_part(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    request = asking.open(person.given())
    case.ask("requests", "close", request, "--outcome", "WITHDRAWN", *DPO)
    with closing(case.database()) as database:
        tables = [n for (n,) in database.execute("select name from sqlite_master where type='table'")]

    def rows() -> int:
        with closing(case.database()) as database:
            return sum(int(database.execute(f'select count(*) from "{t}"').fetchone()[0]) for t in tables if "part" in t)

    before = rows()
    case.clock("2026-12-24T11:00:00Z")
    case.round()
    case.same("parts within thirty days", rows() >= 1 if before else True, True)
    case.clock("2026-12-27T11:00:00Z")
    case.round()
    case.same("parts after thirty days", rows() if before else 0, 0)
    case.same("outcome", asking.outcome(request), "WITHDRAWN")


@scenario("RGT-13: a request for a child that has died is one about the own data of the person who asks")
def deceased(case: Case) -> None:
    asking = Asking(case)
    child, mother = asking.person("2016-05-05", cf_deceasedon="2026-01-01"), asking.person("1979-03-03")
    dossier = case.dossier("e_safety", child=child.row)
    case.party(mother.row, "parent", dossier=dossier)
    request = asking.open(mother.given(), requester_kind="parent_for_child", on_behalf_of=child.given(emails=[]))
    asking.identify(request, mandate="shown")
    asking.confirm(request, [mother.row, child.row])
    case.same("scope", asking.compile(request).get("scope"), "own")
    asking.review(request)
    asking.approve(request)
    package = asking.release(request)
    asking.silent(package, [*asking.words_of(child.row), child.phone], "the child")


@scenario("RGT-13 DAT-10: a filler where the day of death stands is no death")
def filler_death(case: Case) -> None:
    asking = Asking(case)
    child, mother = asking.person("2016-05-05", cf_deceasedon="1900-01-01"), asking.person("1979-03-03")
    case.party(mother.row, "parent", dossier=case.dossier("e_safety", child=child.row))
    told: dict[str, Any] = {"requester_kind": "parent_for_child", "on_behalf_of": child.given(emails=[])}
    asking.ready(mother.given(), [mother.row, child.row], scope="on_behalf", mandate="shown", **told)


@scenario("contract 3: without --json the last line is the request, and nothing names anybody; a file is as good as standard input")
def plain_words(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    case.load()
    path = asking.path(".json")
    path.write_text(json.dumps(asking.form(person.given())))
    spoken = case.type("requests", "open", path)
    case.same("exit code", spoken.code, 0)
    last = spoken.out.strip().splitlines()[-1]
    if not case.expect(re.fullmatch(r"request \S+", last), f"the last line is {last!r}"):
        return
    request = last.split()[1]
    for args in (("identify", request, "--method", "eid", *DPO), ("match", request), ("show", request), ("list",)):
        spoken = case.type("requests", *args)
        case.same(f"{args[0]}: exit code", spoken.code, 0)
        case.expect(request in spoken.out, f"{args[0]} does not name the request")
    case.expect(spoken.out.strip(), "the register is printed as nothing")
