"""Who in the CRM may be the person who asks (section 10; R-146 to R-152)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import requests

from tests.independent.asking import DPO, Asking, Item, given
from tests.independent.case import Case
from tests.independent.scenarios import scenario

NUMBER = "08.02.29-998.89"


def found(asking: Asking, told: dict[str, Any], **form: Any) -> dict[str, Item]:
    """Candidates by the row that they are."""
    request = asking.open(told, **form)
    asking.identify(request, mandate="shown" if form.get("on_behalf_of") else None)
    return {c["id"]: c for c in asking.match(request)}


def class_of(candidates: dict[str, Item], row: str) -> str:
    """Its class; nothing where the row is not a candidate."""
    return str(candidates.get(row, {}).get("class", ""))


def flags_of(candidates: dict[str, Item], row: str) -> list[str]:
    return list(candidates.get(row, {}).get("flags", []))


@scenario("R-146 R-148 IDN-07: however a register number is written, it finds its person; a lost zero is flagged")
def register_number(case: Case) -> None:
    asking = Asking(case)
    rows = [asking.person(None, cf_nationalnumber=n).row for n in (NUMBER, "12.48.15-997.43", "12281599896", "85 07 30 997 34")]
    decoy = asking.person(None, cf_nationalnumber="70.41.05-998.27").row
    case.load()
    for typed, row in (
        ("08022999889", rows[0]),
        (NUMBER, rows[0]),
        ("08 02 29 998 89", rows[0]),
        ("08/02/29-998-89", rows[0]),
        ("08\u00a002\u00a029 998.89", rows[0]),
        ("\uff10\uff18022999889", rows[0]),
        ("8022999889", rows[0]),
        ("12.48.15-997.43", rows[1]),
        ("12.28.15-998.96", rows[2]),
        ("85.07.30-997.34", rows[3]),
    ):
        told = given("Iemand", "Anders (fictief)", nationalnumbers=[typed])
        candidates = found(asking, told)
        case.same(f"class for a number of {len(typed)} characters", class_of(candidates, row), "strong")
        case.same("flagged RRN_PADDED", "RRN_PADDED" in flags_of(candidates, row), typed == "8022999889")
        case.same("somebody else", class_of(candidates, decoy), "")


@scenario("R-146 IDN-02 IDN-03: a number whose check is wrong, or that means the future, finds nobody")
def wrong_number(case: Case) -> None:
    asking = Asking(case)
    wrong = ("12.08.15-997.55", "85.07.30-997.63", "12.13.15-997.89", "8502999889", "0802299988", "08.02.29-998.8X")
    rows = {n: asking.person(None, cf_nationalnumber=n).row for n in wrong}
    near = asking.person(None, cf_nationalnumber="12.08.15-997.54").row
    case.load()
    for number, row in rows.items():
        spoken = case.type(
            *("requests", "open", "-", "--json"),
            given=json.dumps(asking.form(given("Iemand", "Anders (fictief)", nationalnumbers=[number]))),
        )
        if spoken.code == 2:  # such a number may be refused at once
            continue
        request = str(spoken.document().get("request"))
        asking.identify(request)
        candidates = {c["id"]: c for c in asking.match(request)}
        case.expect(class_of(candidates, row) != "strong", f"the invalid {number} is a strong match")
        case.same("near number", class_of(candidates, near), "")


@scenario("IDN-09: two numbers of one person are both looked for, a BIS number is no contradiction")
def two_numbers(case: Case) -> None:
    asking = Asking(case)
    bis = asking.person("2012-08-15", firstname="Amina", lastname="Voorbeeld (fictief)", cf_nationalnumber="12.48.15-997.43")
    national = asking.person("2012-08-15", firstname="Amina", lastname="Voorbeeld (fictief)", cf_nationalnumber="12.08.15-997.54")
    other = asking.person("2012-08-15", firstname="Amina", lastname="Voorbeeld (fictief)", cf_nationalnumber="08.02.29-998.89")
    case.load()
    both = found(asking, bis.given(nationalnumbers=["12.48.15-997.43", "12.08.15-997.54"], emails=[]))
    case.same("both numbers", (class_of(both, bis.row), class_of(both, national.row)), ("strong", "strong"))
    one = found(asking, bis.given(nationalnumbers=["12.08.15-997.54"], emails=[]))
    case.same("the number", class_of(one, national.row), "strong")
    case.same("a BIS number beside it", class_of(one, bis.row), "medium")
    case.same("another valid number", class_of(one, other.row), "contradiction")


@scenario("R-149 IDN-10: spellings of a telephone number are one number; short, withheld and cut-off ones find nobody")
def telephone(case: Case) -> None:
    asking = Asking(case)
    here = asking.person(None, telephone1="02/475.44.99", mobilephone="0475/12.34.56")
    liege = asking.person(None, mobilephone="04 222 33 44")
    asking.person(None, telephone1="116 000", mobilephone="112")
    dutch = asking.person(None, mobilephone="0031 6 12345678")
    asking.person(None, telephone1="anoniem", mobilephone="privé")
    asking.person(None, telephone1="475 44 99")
    extension = asking.person(None, telephone1="02 475 44 98 ext 12")
    case.load()
    for typed, row in (
        ("+32 02 475 44 99", here),
        ("02/475.44.99", here),
        ("0032 2 475 44 99", here),
        ("+32 (0)2 475 44 99", here),
        ("+32 0475 12 34 56", here),
        ("32475123456", here),
        ("475123456", here),
        ("+3242223344", liege),
        ("+31612345678", dutch),
        ("02 475 44 98", extension),
    ):
        candidates = found(asking, given("Iemand", "Anders (fictief)", phones=[typed]))
        case.same(f"{typed}: candidates", (list(candidates), class_of(candidates, row.row)), ([row.row], "weak"))
        case.same(f"{typed}: guessed", "PHONE_GUESSED" in flags_of(candidates, row.row), typed in ("32475123456", "475123456"))
    for typed in ("116 000", "116000", "112", "anoniem", "privé", "anonymous", "unknown", "475 44 99"):
        candidates = found(asking, given("Iemand", "Anders (fictief)", phones=[typed]))
        case.same(f"{typed}: candidates", list(candidates), [])


@scenario("IDN-12: case, spaces and the form of a domain do not matter in an address, dots and tags do")
def address(case: Case) -> None:
    asking = Asking(case)
    plain = asking.person(None, emailaddress1="Jan.Voorbeeld@Example.ORG")
    second = asking.person(None, emailaddress1=None, emailaddress2="noe\u0308l@example.org")
    idn = asking.person(None, emailaddress1="info@b\u00fccher.example")
    case.load()
    for typed, rows in (
        (" jan.voorbeeld@example.org ", [plain.row]),
        ("JAN.VOORBEELD@EXAMPLE.ORG", [plain.row]),
        ("janvoorbeeld@example.org", []),
        ("jan.voorbeeld+x@example.org", []),
        ("no\u00ebl@example.org", [second.row]),
        ("info@xn--bcher-kva.example", [idn.row]),
    ):
        candidates = found(asking, given("Iemand", "Anders (fictief)", emails=[typed]))
        case.same(f"{typed!r}: candidates", sorted(candidates), sorted(rows))
        case.same(f"{typed!r}: classes", {c["class"] for c in candidates.values()}, {"weak"} if rows else set())


@scenario("R-150 IDN-13 IDN-14 IDN-15 IDN-16: spellings, particles, order and transliteration widen the list, and no further")
def spellings(case: Case) -> None:
    asking = Asking(case)
    pairs = (
        (("An", "D'Hondt"), ("An", "Dhondt")),
        (("An", "D\u2019Hondt"), ("An", "d'hondt")),
        (("Tom", "Van den Broeck"), ("Tom", "Vandenbroeck")),
        (("Tom", "Broeck, van den"), ("Tom", "Van den Broeck")),
        (("Ali", "El Khattabi"), ("Ali", "Al-Khattabi")),
        (("Ali", "Elkhattabi"), ("Ali", "El Khattabi")),
        (("Noël", "Lambert"), ("Noel", "Lambert")),
        (("Eva", "Groß"), ("Eva", "Gross")),
        (("Lambert", "Noël"), ("Noël", "Lambert")),
        (("Anna Maria", "Claes"), ("Anna", "Claes")),
        (("Eva", "Peeters Janssens"), ("Eva", "Janssens-Peeters")),
        (("Eva", "Peeters Janssens"), ("Eva", "Peeters")),
        (("Piet", "Van Dijck"), ("Piet", "Van Dyck")),
        (("Luc", "Leclercq"), ("Luc", "Leclerc")),
        (("Mohammed", "Amrani"), ("Muhammad", "Amrani")),
        (("Youssef", "Amrani"), ("Yusuf", "Amrani")),
        (("Fatima", "Amrani"), ("Fatma", "Amrani")),
        (("Abdelkader", "Amrani"), ("Abd el Kader", "Amrani")),
        (("Işıl", "Yılmaz"), ("Isil", "Yilmaz")),
        (("Łukasz", "Kowalski"), ("Lukasz", "Kowalski")),
        (("Ewa", "Kowalska"), ("Ewa", "Kowalski")),
        (("Sœren", "Bjørk"), ("Soeren", "Bjork")),
    )
    for stored, typed in pairs:
        case.organisation.reset(case.at)
        row = asking.person(None, firstname=stored[0], lastname=stored[1]).row
        decoy = asking.person(None, firstname="Gerrit", lastname="Tegenvoorbeeld").row
        case.load()
        candidates = found(asking, given(*typed))
        case.same(f"{' '.join(stored)} and {' '.join(typed)}", (class_of(candidates, row), class_of(candidates, decoy)), ("weak", ""))
    for stored, typed in ((("Fatima", "Amrani"), ("Fatiha", "Amrani")), (("Jan", "Peeters"), ("Piet", "Janssens"))):
        case.organisation.reset(case.at)
        row = asking.person(None, firstname=stored[0], lastname=stored[1]).row
        case.load()
        case.same(f"{stored} and {typed}", class_of(found(asking, given(*typed)), row), "")


@scenario("IDN-17: what is strong, medium, weak and a contradiction")
def classes(case: Case) -> None:
    asking = Asking(case)
    own = {"firstname": "Voorbeeld", "lastname": "Klasse (fictief)"}
    full = asking.person(
        "1990-04-17", **own, mobilephone="0475 12 34 56", emailaddress1="een@example.org", emailaddress2="twee@example.org"
    )
    year = asking.person(None, **own, cf_birthyear=1990)
    other_day = asking.person("1971-11-28", **own)
    numbered = asking.person("1990-04-17", **own, cf_nationalnumber="85.07.30-997.34")
    case.load()
    base = given("Voorbeeld", "Klasse (fictief)", "1990-04-17")
    for what, told, row, right in (
        ("name, date, telephone", base | {"phones": ["+32475123456"]}, full.row, "strong"),
        ("name, date, address", base | {"emails": ["TWEE@example.org"]}, full.row, "strong"),
        ("name, date", base, full.row, "medium"),
        ("name, telephone", base | {"birthdate": None, "phones": ["0475123456"]}, full.row, "medium"),
        ("name, address", base | {"birthdate": None, "emails": ["een@example.org"]}, full.row, "medium"),
        ("name, year", base, year.row, "weak"),
        ("name", base | {"birthdate": None}, full.row, "weak"),
        ("telephone", given("Iemand", "Anders (fictief)", phones=["0475123456"]), full.row, "weak"),
        ("another date", base, other_day.row, "contradiction"),
        ("another number", base | {"nationalnumbers": ["08.02.29-998.89"]}, numbered.row, "contradiction"),
        ("date alone", given("Iemand", "Anders (fictief)", "1990-04-17"), full.row, ""),
    ):
        case.same(what, class_of(found(asking, told), row), right)


@scenario("R-151 EXP-04: a match by name alone is listed, and gets into nothing by itself")
def name_alone(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    namesake = asking.person(None, firstname=person.firstname, lastname=person.lastname)
    dossier = case.dossier("runaway", child=namesake.row)
    case.party(person.row, "witness", dossier=case.dossier("runaway", child=case.child()))
    request = asking.open(person.given())
    asking.identify(request)
    found_ = {c["id"]: c for c in asking.match(request)}
    case.same("classes", (class_of(found_, person.row), class_of(found_, namesake.row)), ("strong", "weak"))
    case.refused("requests", "compile", request, *DPO, code=(2, 5))
    asking.confirm(request, [person.row])
    asking.compile(request)
    asking.review(request)
    asking.approve(request)
    package = asking.release(request)
    asking.silent(
        package, [w for w in asking.words_of(namesake.row, dossier) if w not in (person.firstname, person.lastname)], "a namesake"
    )


@scenario("R-152 IDN-18: day and month exchanged, or one digit that differs, is a medium match with a flag")
def near(case: Case) -> None:
    asking = Asking(case)
    stored = asking.person("2009-04-03", firstname="Voorbeeld", lastname="Datum (fictief)")
    case.load()
    for day, right, flagged in (
        ("2009-03-04", "medium", True),
        ("2009-04-08", "medium", True),
        ("2008-04-03", "medium", True),
        ("2009-04-03", "medium", False),
        ("2009-05-08", "contradiction", False),
        ("1990-12-24", "contradiction", False),
    ):
        candidates = found(asking, given("Voorbeeld", "Datum (fictief)", day))
        case.same(day, (class_of(candidates, stored.row), "BIRTHDATE_NEAR" in flags_of(candidates, stored.row)), (right, flagged))


@scenario("EXP-04 IDN-17: several rows of one person are confirmed together, and all are in the answer")
def several_rows(case: Case) -> None:
    asking = Asking(case)
    one = asking.person()
    two = asking.person(one.birthdate, firstname=one.firstname, lastname=one.lastname, emailaddress1=None)
    stranger = asking.person()
    first, second = case.dossier("runaway", child=one.row), case.dossier("e_safety", child=two.row)
    case.party(stranger.row, "witness", dossier=second)
    package = asking.answered(one.given(), [one.row, two.row], requester_kind="former_child")
    for row in (one, two):
        own = case.everything()["contact"]
        street = next(r["address1_line1"] for r in own if r["contactid"] == row.row)
        asking.told(package, [street], "the address in a row of the person")
    for dossier in (first, second):
        fiche = next(f for f in case.everything()["cf_fiche"] if f["_cf_dossierid_value"] == dossier)
        asking.told(package, [fiche["cf_summary"]], "what a fiche says")
    asking.silent(package, asking.words_of(stranger.row), "a stranger")


@scenario("EXP-03 IDN-11: a number or an address on a fiche, a recording or a message is listed as a weak match")
def without_row(case: Case) -> None:
    asking = Asking(case)
    fiche = case.fiche("social_card", "2026-10-01", cf_callernumber="0475/98.76.54", cf_calleremail="beller@example.org")
    case.load()
    for told in (
        given("Iemand", "Anders (fictief)", phones=["+32475987654"]),
        given("Iemand", "Anders (fictief)", emails=["Beller@example.org"]),
    ):
        candidates = found(asking, told)
        case.expect(candidates, f"the fiche is not listed: {candidates}")
        case.same("classes", {c["class"] for c in candidates.values()}, {"weak"} if candidates else set())
        case.expect(fiche in str(candidates), "the candidate does not lead to the fiche")


@scenario("EXP-03: what was not searched is told, backups among it")
def not_searched(case: Case) -> None:
    asking = Asking(case)
    request = asking.open(given("Niemand", "Bekend (fictief)", "1988-01-02"))
    asking.identify(request)
    told = case.ask("requests", "match", request)
    case.same("request", told.get("request"), request)
    case.same("candidates", told.get("candidates"), [])
    case.expect("backup" in str(told.get("not_searched")).lower(), f"not searched: {told.get('not_searched')}")


@scenario("IDV-04: candidates for the person who asks and for the child are told apart")
def for_whom(case: Case) -> None:
    asking = Asking(case)
    child, mother = asking.person("2016-05-05"), asking.person("1979-03-03")
    case.party(mother.row, "parent", dossier=case.dossier("e_safety", child=child.row))
    candidates = found(asking, mother.given(), requester_kind="parent_for_child", on_behalf_of=child.given())
    case.same("for", (candidates.get(mother.row, {}).get("for"), candidates.get(child.row, {}).get("for")), ("requester", "child"))


@contextmanager
def overheard(case: Case) -> Iterator[list[str]]:
    """Every address the CRM is asked for, through somebody in between."""
    upstream, asked = case.api.root.split("/api/")[0], []

    class Between(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one piece: the second of two would wait for the first to be confirmed

        def handle_any(self) -> None:
            asked.append(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "accept-encoding")}
            answer = requests.request(self.command, upstream + self.path, data=body, headers=headers, timeout=60)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in ("transfer-encoding", "content-encoding", "connection", "content-length", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = handle_any  # noqa: N815  the names that the server calls

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Between)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    case.settings["CRM_URL"] = f"http://127.0.0.1:{server.server_port}/" + case.api.root.split("/", 3)[3]
    try:
        yield asked
    finally:
        del case.settings["CRM_URL"]
        server.shutdown()
        server.server_close()


@scenario("R-142 ACC-05: no name, number, telephone or address of anybody stands in an address that the CRM is asked for")
def addresses(case: Case) -> None:
    asking = Asking(case)
    person, child = asking.person("1979-03-03", cf_nationalnumber="85.07.30-997.34"), asking.person("2016-05-05")
    dossier = case.dossier("e_safety", child=child.row)
    case.party(person.row, "parent", dossier=dossier)
    case.call("cf_dossier", dossier, person.row)
    case.load()
    told = person.given(nationalnumbers=["85.07.30-997.34"], phones=[person.phone])
    with overheard(case) as asked:
        package = asking.answered(
            told, [person.row, child.row], mandate="shown", requester_kind="parent_for_child", on_behalf_of=child.given()
        )
    case.expect(len(asked) > 5, f"only {len(asked)} requests went to the CRM")
    words = [*case.secrets, "85073099734", "85.07.30", "1979-03-03", "2016-05-05", person.phone[-8:], "example.org"]
    seen = {w for path in asked for w in words if w in path or w in unquote(path)}
    case.same("words of people in addresses", sorted(seen), [])
    asking.told(package, [child.firstname], "the answer")


@scenario("ACC-05: names with quotes, brackets and operators of the query language find their person and nobody else")
def quotes(case: Case) -> None:
    asking = Asking(case)
    names = (
        ("Seán", "O'Brien"),
        ("Robert'); drop table", "contacts--"),
        ("x' or '1' eq '1", "Voorbeeld"),
        ("A&B", "100% <b>"),
        ("%27", "%25"),
        ("\u202egnirts", "Zero\u200bWidth"),
    )
    rows = {
        name: asking.person("1990-04-17", firstname=name[0], lastname=name[1], emailaddress1=f"n{n}@example.org")
        for n, name in enumerate(names)
    }
    case.load()
    for name, person in rows.items():
        candidates = found(asking, given(*name, "1990-04-17", emails=[person.email]))
        case.same(f"{name}", {row: c["class"] for row, c in candidates.items() if c["class"] == "strong"}, {person.row: "strong"})


LANGUAGES = (
    ("Γιώργος", "Παπαδόπουλος"),
    ("Владимир", "Соколов"),
    ("محمد", "الخطابي"),
    ("דוד", "לוי"),
    ("小明", "王"),
    ("Nguyễn", "Thị Hồng"),
    ("გიორგი", "ბერიძე"),
    ("Արմեն", "Պետրոսյան"),
    ("अमित", "शर्मा"),
    ("Çağrı", "Öztürk"),
    ("Zażółć", "Gęślą"),
    ("สมชาย", "ใจดี"),
)


@scenario("EXP-01 IDN-13: names in a dozen writing systems are found and are whole in the answer")
def writing_systems(case: Case) -> None:
    asking = Asking(case)
    people = [
        asking.person("1990-04-17", firstname=first, lastname=last, emailaddress1=f"taal{n}@example.org")
        for n, (first, last) in enumerate(LANGUAGES)
    ]
    dossier = case.dossier("runaway", child=case.child())
    for person in people:
        case.party(person.row, "witness", dossier=dossier)
    case.load()
    for person in people:
        candidates = found(asking, person.given())
        case.same(person.name, {r: c["class"] for r, c in candidates.items()}, {person.row: "strong"})
    for person in (people[0], people[2], people[4]):
        package = asking.answered(person.given(), [person.row])
        asking.told(package, [person.firstname, person.lastname], "the own name")
        others = [p.lastname for p in people if p is not person]
        asking.silent(package, others, "names of others")


@scenario("contract 3.6: a match of one request is no match of another, and nobody is confirmed twice")
def own_candidates(case: Case) -> None:
    asking = Asking(case)
    one, two = asking.person(), asking.person()
    case.load()
    first, second = asking.open(one.given()), asking.open(two.given())
    for request in (first, second):
        asking.identify(request)
    a, b = asking.match(first), asking.match(second)
    case.same("first", [c["id"] for c in a], [one.row])
    case.same("second", [c["id"] for c in b], [two.row])
    again = asking.match(first)
    case.same("matched again", [(c["candidate"], c["id"]) for c in again], [(c["candidate"], c["id"]) for c in a])
