"""What an answer tells and to whom: the copy and the particulars of article 15 (section 7; EXP-01 to
EXP-15)."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass

from tests.independent.asking import DPO, Asking, Item, Package, Person
from tests.independent.case import Case
from tests.independent.scenarios import scenario


@dataclass
class File:
    """A dossier in which everybody has said or is something."""

    child: Person
    mother: Person
    reporter: Person
    witness: Person
    suspect: Person
    officer: Person
    dossier: str
    fiches: list[str]
    note: str
    calls: list[str]
    recording: str
    other: str


def a_file(case: Case, asking: Asking, born: str = "1995-03-03", category: str = "runaway") -> File:
    child, mother, reporter, witness, suspect, officer = (
        asking.person(day) for day in (born, "1965-01-01", "1970-02-02", "1971-03-04", "1972-04-05", "1973-05-06")
    )
    dossier = case.dossier(category, None, child=child.row)
    for person, role in ((mother, "parent"), (reporter, "reporter"), (witness, "witness"), (suspect, "suspect"), (officer, "professional")):
        case.party(person.row, role, dossier=dossier)
    said = (
        f"Gemeld door {reporter.name}. Het kind was bij {witness.name}.",
        f"{witness.firstname} {witness.lastname} belde; {mother.name} weet van niets. {suspect.name} werd genoemd.",
        f"Opnieuw {witness.lastname}, {witness.firstname}, bereikbaar op {witness.phone} of {witness.email}.",
    )
    fiches = []
    for number, text in enumerate(said):
        mark = case.mark(f"said{dossier}{number}")
        caller = {"cf_callernumber": reporter.phone, "cf_calleremail": reporter.email, "cf_ipaddress": case.mark(reporter.row)}
        fiches.append(case.fiche(category, f"2026-0{number + 1}-10", dossier, cf_summary=f"{text} {mark} (fictief)", **caller))
    note = case.note("cf_dossier", dossier)
    calls = [case.call("cf_dossier", dossier, witness.row), case.call("cf_dossier", dossier, child.row, kind="email")]
    recording = case.recording("2026-01-10", fiches[0], cf_transcript=f"{witness.name}: hallo. {case.mark('transcript' + dossier)}")
    other_child = asking.person("1994-04-04")
    other = case.dossier("grooming", child=other_child.row)
    for person in (mother, reporter, witness):
        case.party(person.row, "witness", dossier=other)
    case.load()
    return File(child, mother, reporter, witness, suspect, officer, dossier, fiches, note, calls, recording, other)


def others(file: File) -> list[Person]:
    return [file.mother, file.reporter, file.witness, file.suspect, file.officer]


def nobody_else(case: Case, asking: Asking, package: Package, file: File, but: Person) -> None:
    """No word of any other person's row, and nothing of the other dossier."""
    for who in others(file):
        if who is but:
            continue
        role = next(r for r in ("mother", "reporter", "witness", "suspect", "officer") if getattr(file, r) is who)
        asking.silent(package, [*asking.words_of(who.row), who.phone, who.phone[-9:]], f"the {role}")
    rows = case.everything()
    parts = [f["cf_ficheid"] for f in rows["cf_fiche"] if f["_cf_dossierid_value"] == file.other]
    theirs = [p for p in rows["cf_party"] if p["_cf_dossierid_value"] == file.other and p["_cf_contactid_value"] != but.row]
    number = next(d["cf_name"] for d in rows["cf_dossier"] if d["cf_dossierid"] == file.other)  # known to who has a role in it
    words = [w for w in asking.words_of(file.other, *parts, *(p["cf_partyid"] for p in theirs)) if w != number]
    asking.silent(package, words, "the other dossier")
    child = next(p["_cf_contactid_value"] for p in theirs if p["cf_role"] == 100_000_000)
    asking.silent(package, asking.words_of(child), "the child of the other dossier")


@scenario("EXP-01 EXP-05 EXP-06 R-118 R-119: a former child reads everything about itself, and nobody else's name, number or address")
def the_child(case: Case) -> None:
    asking = Asking(case)
    file = a_file(case, asking)
    package = asking.answered(file.child.given(), [file.child.row], requester_kind="former_child", scope="own")
    rows = case.everything()
    own = next(r for r in rows["contact"] if r["contactid"] == file.child.row)
    asking.told(package, [own[c] for c in ("firstname", "lastname", "address1_line1", "address1_city", "cf_birthplace")], "own row")
    asking.told(package, asking.words_of(*(f"said{file.dossier}{n}" for n in range(3))), "what the fiches say")
    asking.told(package, asking.words_of("transcript" + file.dossier), "the transcript")
    note = next(r for r in rows["annotation"] if r["annotationid"] == file.note)
    asking.told(package, [note["notetext"]], "the note")
    email = next(r for r in rows["email"] if r["activityid"] == file.calls[1])
    asking.told(package, [email["description"]], "the e-mail to the child")
    nobody_else(case, asking, package, file, file.child)
    page = package.texts["data.json"]
    labels = re.findall(r"\[[^\[\]\"]{3,30}\]", page)
    numbered = {label for label in labels if re.search(r"\d|[A-Z]\]$", label)}
    case.expect(labels, "no label stands in the place of a name")
    counts = {label: labels.count(label) for label in set(labels)}
    case.expect(any(count >= 3 for count in counts.values()), f"no label comes back three times: {counts} {numbered}")


@scenario("EXP-05 R-118: a witness reads the own statement and the own calls, and nothing of the child or of others")
def the_witness(case: Case) -> None:
    asking = Asking(case)
    file = a_file(case, asking)
    package = asking.answered(file.witness.given(), [file.witness.row], requester_kind="witness", scope="own")
    asking.told(package, [file.witness.firstname, file.witness.lastname], "own name")
    nobody_else(case, asking, package, file, file.witness)
    asking.silent(package, [*asking.words_of(file.child.row), file.child.phone], "the child")
    rows = case.everything()
    summaries = [f["cf_courtreference"] for f in rows["cf_dossier"]] + [f["cf_summary"] for f in rows["cf_dossier"]]
    asking.silent(package, [w for w in summaries if w], "the dossier itself")


@scenario("R-120 7.1 (c): a recipient that was logged is named")
def recipient(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03")
    dossier = case.dossier("runaway", child=child.row)
    sent = {"cf_transmittedto": "Politiezone Voorbeeldstad 9999 (fictief)", "cf_transmittedon": "2026-02-02", "cf_transmittedcountry": "BE"}
    case.fiche("runaway", "2026-02-01", dossier, **sent)
    other = case.dossier("runaway", child=asking.person("1996-06-06").row)
    case.fiche("runaway", "2026-02-01", other, **{**sent, "cf_transmittedto": "Parket Elders 8888 (fictief)"})
    package = asking.answered(child.given(), [child.row], requester_kind="former_child")
    case.expect(
        "letter.pdf" in package.where("Politiezone Voorbeeldstad 9999"), f"the letter names no recipient: {package.where('Politiezone')}"
    )
    asking.silent(package, ["Parket Elders 8888"], "a recipient of somebody else's data")


@scenario("R-122 EXP-11: the language of the request, else the preferred one, else Dutch; content stays as it is")
def languages(case: Case) -> None:
    asking = Asking(case)
    cases = (
        ("es", 100_000_001, "fr"),
        ("es", None, "nl"),
        ("de", 100_000_001, "de"),
        ("en", None, "en"),
        ("fr", 100_000_000, "fr"),
        ("nl", 100_000_001, "nl"),
    )
    for asked, preferred, right in cases:
        child = asking.person("1995-03-03", cf_language=preferred)
        dossier = case.dossier("runaway", None, child=child.row)
        case.fiche("runaway", "2026-01-01", dossier, cf_summary="Zinnetje in het Nederlands dat blijft. (fictief)")
        package = asking.answered(child.given(), [child.row], requester_kind="former_child", language=asked)
        case.same(f"{asked} {preferred}: language", package.data.get("language"), right)
        word = {
            "nl": "Gegevensbeschermingsautoriteit",
            "fr": "Autorité de protection des données",
            "de": "Datenschutzbehörde",
            "en": "Data Protection Authority",
        }
        letter = " ".join(package.letter.split())
        found_ = [key for key, text in word.items() if text in letter]
        case.same(f"{asked} {preferred}: letter", found_, [right])
        case.expect(f'lang="{right}' in package.files["index.html"].decode(), "the page does not say its language")
        category = {"nl": "Weglop", "fr": "Fugue", "de": "", "en": "Runaway"}[right]
        case.expect(package.says(category), f"{right}: the category is not {category!r}")
        asking.told(package, ["Zinnetje in het Nederlands dat blijft."], "content in its own language")
        if right != "en":
            english = [w for w in ("Vital interests", "Legitimate interest", "runaway", "Data protection officer of") if w in letter]
            case.same(f"{asked} {preferred}: English words in the letter", english, [])


@scenario("7.1 EXP-13: the letter has what article 15 wants, with the end of the retention as it is computed")
def particulars(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("2010-03-03")
    dossier = case.dossier("runaway", "2026-01-10", child=child.row)
    case.plan(approve=False)
    end = case.lines()[dossier]["retention_end"]
    package = asking.answered(child.given(), [child.row], requester_kind="child", language="en")
    letter = " ".join(package.letter.split())
    for what in (
        "Drukpersstraat",
        "1000 Bruss",
        "apd-gba.be",
        "court",
        "portability",
        "rectification",
        "restriction",
        "objection",
        "erasure",
    ):
        case.expect(what.lower() in letter.lower(), f"the letter does not tell {what!r}")
    case.expect(end in json.dumps(package.data), f"data.json does not tell the last day kept, {end}")
    year = end[:4]
    case.expect(year in letter, f"the letter does not tell the last day kept, {end}")
    case.expect(
        "this answer covers the data that may be communicated under article 15" in letter.lower(),
        "the sentence of scope is missing (SUS-12)",
    )
    case.expect("hold" not in json.dumps(package.data.get("contexts")).lower(), "a hold is told")


@scenario("7.1 (d): no fixed term, six months, and a hold are told in words, the hold without detail")
def terms(case: Case) -> None:
    asking = Asking(case)
    for category, words in (
        ("unexplained_disappearance", ("five years", "5 years")),
        ("social_card", ("six months", "6 months", "10 April 2027")),
    ):
        child = asking.person("1995-03-03")
        dossier = case.dossier(category, "2026-10-10", child=child.row)
        hold = case.hold("cf_dossier", dossier, kind="judicial", reason="PV-12345-XYZ") if category != "social_card" else ""
        package = asking.answered(child.given(), [child.row], requester_kind="former_child", language="en")
        letter = " ".join(package.letter.split())
        case.expect(any(w.lower() in letter.lower() for w in words), f"{category}: the letter does not say {words[0]!r}")
        case.same(f"{category}: the hold is told", "legal obligation or claim" in letter.lower(), bool(hold))
        asking.silent(package, ["judicial", "PV-12345-XYZ", *filter(None, [hold])], "details of the hold")


@scenario("R-124 R-100 EXP-15 RGT-10 RGT-14: a donor's portability file has JSON and CSV, no formula and nothing of the mission")
def donor(case: Case) -> None:
    asking = Asking(case)
    danger = {"firstname": "=2+5", "lastname": "@SUM(A1) (fictief)", "address1_line1": "-Straat 1", "address1_city": "\tGent"}
    donor_ = asking.person("1980-05-05", **danger, emailaddress1="+gever@example.org", mobilephone="+32475123456", cf_newsletter=True)
    gift = {"cf_name": "=HYPERLINK(1)", "cf_bookedon": "2026-02-02T10:00:00Z", "cf_amount": 25.0, "cf_iban": "BE71096123456769"}
    case.add("cf_donation", **gift, cf_ContactId__bind=f"/contacts({donor_.row})")
    stranger = asking.person()
    case.add("cf_donation", **gift | {"cf_name": case.mark(stranger.row)}, cf_ContactId__bind=f"/contacts({stranger.row})")
    dossier = case.dossier("runaway", child=case.child())
    case.party(donor_.row, "witness", dossier=dossier)
    request = asking.ready(donor_.given(), [donor_.row], right="portability", requester_kind="donor")
    asking.review(request)
    grant(case, request)
    asking.approve(request)
    package = asking.release(request)
    tables = {name: body for name, body in package.files.items() if name.endswith(".csv")}
    case.expect(tables, f"no CSV among {sorted(package.files)}")
    cells = []
    for name, body in tables.items():
        text = body.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text)))
        case.expect(len(rows) >= 2 and all(rows[0]), f"{name} has no header or no row")
        case.expect(len({len(row) for row in rows}) == 1, f"{name} has rows of different lengths")
        cells += [cell for row in rows for cell in row]
    bad = [c for c in cells if c[:1] in ("=", "+", "-", "@", "\t", "\r") and c[:1]]
    case.same("cells that a spreadsheet would compute", bad, [])
    case.expect(any("2+5" in c for c in cells) and any("32475123456" in c for c in cells), "what the donor gave is not in the CSV")
    case.expect(
        "2+5" in json.dumps(package.data) and "BE71096123456769" in json.dumps(package.data), "what the donor gave is not in the JSON"
    )
    asking.silent(package, asking.words_of(stranger.row, dossier), "others and the mission")
    asking.silent(package, ["Weglopen", "getuige", "runaway", "witness"], "the mission")


def grant(case: Case, request: str) -> None:
    case.ask("requests", "decide", request, "--grant", *DPO)


@scenario("EXP-07: the decision of a person wins: withheld is gone and listed by class, a text of hers stands in its place")
def decisions(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03")
    dossier = case.dossier("runaway", None, child=child.row)
    words = [case.mark(f"decision{n}") for n in range(3)]
    for number, word in enumerate(words):
        case.fiche("runaway", f"2026-0{number + 1}-01", dossier, cf_summary=f"Verzonnen tekst {word}.", cf_name=f"F-{number}")

    def decide(item: Item) -> Item | None:
        text = json.dumps(item)
        if words[0] in text:
            return {"status": "WITHHELD", "code": "RF-03"}
        if words[1] in text:
            return {"status": "APPROVED_REDACTED", "text": "Eigen woorden van de DPO (fictief)."}
        return None

    package = asking.answered(child.given(), [child.row], requester_kind="former_child", decide=decide)
    asking.silent(package, words[:2], "what was withheld or replaced")
    asking.told(package, [words[2], "Eigen woorden van de DPO (fictief)."], "what was approved")
    withheld = package.data.get("withheld") or []
    case.expect([w for w in withheld if w.get("code") == "RF-03" and w.get("class")], f"withheld: {withheld}")
    case.expect("artikel 15, lid 4" in " ".join(package.letter.split()), "the letter does not give the reason RF-03 (EXP-09)")


@scenario("EXP-03 EXP-05: gifts, courses, agreements and preferences of a donor are in the answer, those of others are not")
def relations(case: Case) -> None:
    asking = Asking(case)
    donor_, stranger = asking.person("1980-05-05", cf_newsletter=True), asking.person("1981-06-06")
    marks: dict[str, list[str]] = {donor_.row: [], stranger.row: []}
    for person in (donor_, stranger):
        bind = {"cf_ContactId__bind": f"/contacts({person.row})"}
        gift, course, agreement = (case.mark("relation" + person.row) for _ in range(3))
        case.add("cf_donation", cf_name=gift, cf_bookedon="2026-02-02T10:00:00Z", cf_amount=25.5, cf_iban="BE71096123456769", **bind)
        case.add("cf_enrolment", cf_name="inschrijving", cf_course=course, cf_heldon="2026-03-03", **bind)
        case.add("cf_engagement", cf_name=agreement, cf_kind=100_000_000, cf_startedon="2020-01-01", **bind)
        marks[person.row] += [gift, course]
    package = asking.answered(donor_.given(), [donor_.row], requester_kind="donor")
    asking.told(package, marks[donor_.row], "own gift and course")
    case.expect(
        "25.5" in json.dumps(package.data) and re.search(r"25[.,]5", package.texts["index.html"]), "the amount of the gift is not told"
    )
    asking.silent(package, [*asking.words_of("relation" + stranger.row, stranger.row)], "another donor")


@scenario("5.1 EXP-03: what was anonymised before is nobody's any more and is in no answer")
def anonymised(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03")
    kept, gone = case.dossier("runaway", child=child.row), case.dossier("grooming", child=child.row)
    case.load()
    fiches = [f["cf_ficheid"] for f in case.everything()["cf_fiche"] if f["_cf_dossierid_value"] == gone]
    case.change("cf_dossier", gone, cf_anonymisedon="2025-01-01T10:00:00Z")
    package = asking.answered(child.given(), [child.row], requester_kind="former_child")
    asking.silent(package, asking.words_of(gone, *fiches), "an anonymised dossier")
    number = (case.row("cf_dossier", kept) or {})["cf_name"]
    asking.told(package, [number], "the other one")


@scenario("EXP-05 EXP-08: a reporter reads the own report with the own number and the own voice written out, and no name of the child")
def the_reporter(case: Case) -> None:
    asking = Asking(case)
    reporter, child = asking.person(), asking.person("2012-02-02")
    dossier = case.dossier("runaway", None, child=child.row)
    words = [case.mark(f"report{n}") for n in range(3)]
    fiche = case.fiche(
        *("runaway", "2026-10-10", dossier),
        cf_summary=f"Ik zag {child.name} aan het station. {words[0]} (fictief)",
        cf_callernumber=reporter.phone,
        cf_calleremail=reporter.email,
    )
    case.fiche("runaway", "2026-10-11", dossier, cf_summary=f"Iemand anders zag iets. {words[1]} (fictief)")
    case.party(reporter.row, "reporter", fiche=fiche)
    case.recording("2026-10-10", fiche, cf_transcript=f"Ik zag {child.firstname}. {words[2]}", cf_callernumber=reporter.phone)
    package = asking.answered(reporter.given(), [reporter.row], requester_kind="reporter", scope="own")
    asking.told(package, [words[0], words[2], reporter.phone], "the own report")
    asking.silent(package, [words[1], *asking.words_of(child.row), child.phone], "the child and the report of somebody else")
