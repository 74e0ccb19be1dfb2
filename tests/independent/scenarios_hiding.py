"""What of others does not stand in an answer: names, numbers, addresses, birthdays (EXP-06, R-118, R-119,
R-123)."""

import json
import re
import uuid

from tests.independent.asking import DPO, GUID, Asking
from tests.independent.case import Case
from tests.independent.scenarios import scenario
from tests.independent.scenarios_telling import a_file


@scenario("EXP-06 R-119: the source is named by its kind, the reporter by nothing at all")
def the_source(case: Case) -> None:
    asking = Asking(case)
    file = a_file(case, asking)
    request = asking.ready(file.child.given(), [file.child.row], requester_kind="former_child", language="en")
    items = asking.review(request)
    hidden = [*asking.words_of(file.reporter.row), file.reporter.phone]
    seen = [w for w in hidden for i in items if w in json.dumps(i["proposal"])]
    case.same("words of the reporter in proposals", seen, [])
    asking.approve(request)
    package = asking.release(request)
    asking.silent(package, hidden, "the reporter")
    case.expect("report by a third party" in " ".join(package.letter.lower().split()), "the letter does not say 'report by a third party'")
    sounds = [n for n in package.files if n.lower().endswith((".mp3", ".wav", ".ogg", ".m4a"))]
    case.same("voices", sounds, [])


@scenario("R-123 EXP-13: data.json has its keys, and no GUID and no user of the system is in any file")
def no_guid(case: Case) -> None:
    asking = Asking(case)
    file = a_file(case, asking)
    package = asking.answered(file.child.given(), [file.child.row], requester_kind="former_child")
    keys = {"schema_version", "request_id", "generated_at", "language", "contexts", "items", "withheld", "rights", "authority"}
    case.expect(keys <= set(package.data), f"data.json lacks {keys - set(package.data)}")
    case.same("request", package.data.get("request_id"), package.outside["request"])
    case.expect(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", str(package.data.get("generated_at"))), "generated_at is no instant")
    for entry in package.items:
        case.expect({"context", "type", "date", "fields", "redactions"} <= set(entry), f"an item has {sorted(entry)}")
        break
    for entry in package.data.get("contexts", []):
        case.expect({"purpose", "basis", "retention"} <= set(entry), f"a context has {sorted(entry)}")
    request = str(package.outside["request"])
    guids = {name: sorted(set(GUID.findall(text.replace(request, ""))))[:2] for name, text in package.texts.items()}
    guids["letter.pdf"] = sorted(set(GUID.findall(package.letter.replace(request, ""))))
    rows = {
        row[key] for table in case.everything().values() for row in table for key in row if key.endswith("id") and isinstance(row[key], str)
    }
    told = {name: [g for g in found_ if g in rows or name != "letter.pdf"] for name, found_ in guids.items()}
    case.same("GUIDs", {name: g for name, g in told.items() if g and name != "letter.pdf"}, {})
    case.expect(not [w for w in rows if len(w) == 36 and package.says(w)], "an id of the CRM stands in the package")
    users = [u["fullname"] for u in case.api.rows("systemusers?$select=fullname") if u.get("fullname") and len(u["fullname"]) > 4]
    case.same("users of the system", [u for u in users if package.says(u)], [])


@scenario("IDN-08: numbers of the register of others are in no answer, whatever a text says")
def numbers_in_texts(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03")
    mother = asking.person("1965-01-01", cf_nationalnumber="85.07.30-997.34", mobilephone="0475/12.34.56")
    dossier = case.dossier("runaway", None, child=child.row)
    case.party(mother.row, "parent", dossier=dossier)
    texts = (
        "Moeder heeft nummer 85.07.30-997.34 en 85073099734 (fictief).",
        "Bel 0475/12.34.56 of +32 475 12 34 56 of 0475 12 34 56.",
        f"Schrijf naar {mother.email.upper()} (fictief).",
        f"De achternaam is {mother.lastname.upper()}, voornaam {mother.firstname.title()}.",
    )
    for number, text in enumerate(texts):
        case.fiche("runaway", f"2026-01-{number + 10}", dossier, cf_summary=text)
    package = asking.answered(child.given(), [child.row], requester_kind="former_child")
    digits = {name: re.sub(r"\D", "", text) for name, text in package.texts.items() if name in ("data.json", "index.html")}
    for hidden in ("85073099734", "475123456"):
        case.same(f"{hidden} in digits", [n for n, t in digits.items() if hidden in t], [])
    asking.silent(package, [mother.email, mother.lastname, mother.firstname], "the mother")


@scenario("7.1 (d) EXP-06 9.2: the end of the retention tells a witness or a parent with own data only no birthday of the child")
def birthday(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("2010-03-03")
    dossier = case.dossier("runaway", "2026-01-10", child=child.row)
    for role, kind in (("witness", "witness"), ("reporter", "reporter"), ("parent", "parent_self"), ("other", "unknown")):
        person = asking.person()
        case.party(person.row, role, dossier=dossier)
        package = asking.answered(person.given(), [person.row], requester_kind=kind, language="en")
        asking.silent(
            package, ["2035-03-03", "2035-03-02", "3 March 2035", "2010-03-03", "3 March 2010", "2035-03"], f"{role}: the child's birthday"
        )


@scenario("EXP-06: names in every spelling that a hurried hand writes are labels, words that only look like names stay")
def hurried(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03", firstname="Lotte", lastname="Voorbeeld")
    mother = asking.person("1965-01-01", firstname="Hilde", lastname="Van den Broeck")
    uncle = asking.person("1966-01-01", firstname="Mohammed", lastname="El Khattabi")
    dossier = case.dossier("runaway", None, child=child.row)
    for person in (mother, uncle):
        case.party(person.row, "other", dossier=dossier)
    texts = (
        "HILDE VAN DEN BROECK belde. hilde vandenbroeck ook.",
        "Mevr. Van den Broeck, Hilde (moeder).",
        "Broeck, van den: H. van den Broeck.",
        "M. El Khattabi en El-Khattabi Mohammed; Elkhattabi's auto.",
        "Hilde\u200b Van\u00a0den\u00a0Broeck en H\u00edlde.",
        "Van den\nBroeck",
        "Het kind Lotte Voorbeeld zei dat het water koud was.",
    )
    for number, text in enumerate(texts):
        case.fiche("runaway", f"2026-01-{number + 10}", dossier, cf_summary=text, cf_name=f"F-{number}")
    package = asking.answered(child.given(), [child.row], requester_kind="former_child")
    asking.silent(package, ["Hilde", "Broeck", "Khattabi", "Mohammed"], "names")
    asking.told(package, ["Lotte Voorbeeld zei dat het water koud was"], "the own name and plain words")


@scenario("EXP-06: of two children in one dossier each reads about itself and sees a label for the other")
def two_children(case: Case) -> None:
    asking = Asking(case)
    one, two = asking.person("1995-03-03"), asking.person("1997-04-04")
    dossier = case.dossier("runaway", None, child=one.row)
    case.party(two.row, "child", dossier=dossier)
    word = case.mark("both")
    case.fiche("runaway", "2026-01-01", dossier, cf_summary=f"{one.name} en {two.name} vertrokken samen. {word} (fictief)")
    for who, other in ((one, two), (two, one)):
        package = asking.answered(who.given(), [who.row], requester_kind="former_child")
        asking.told(package, [who.name, word], "the own part")
        asking.silent(package, [*asking.words_of(other.row), other.phone], "the other child")


@scenario("EXP-06 R-123: a member of staff is a function, in texts and in columns")
def staff(case: Case) -> None:
    asking = Asking(case)
    unit = case.api.rows("businessunits?$select=businessunitid")[0]["businessunitid"]
    people = (("Godelieve", "Verbruggenaere"), ("Ferdinand", "Hoogstraetenaar"))
    ids = []
    for first, last in people:
        row = {"systemuserid": str(uuid.uuid4()), "firstname": first, "lastname": last, "fullname": f"{first} {last}"}
        row |= {"internalemailaddress": f"{first.lower()}@example.org", "domainname": f"{first.lower()}@example.org"}
        made = case.api.http.post(case.api.root + "systemusers", json=row | {"businessunitid@odata.bind": f"/businessunits({unit})"})
        case.expect(made.status_code == 204, f"no member of staff can be made: {made.status_code} {made.text[:200]}")
        ids.append(row["systemuserid"])
    child = asking.person("1995-03-03")
    dossier = case.dossier("runaway", None, child=child.row)
    text = "Godelieve Verbruggenaere belde terug; Verbruggenaere noteerde dit voor Ferdinand Hoogstraetenaar. (fictief)"
    case.fiche("runaway", "2026-01-01", dossier, cf_summary=text, ownerid__bind=f"/systemusers({ids[0]})")
    package = asking.answered(child.given(), [child.row], requester_kind="former_child")
    seen = [name for pair in people for name in pair if package.says(name)]
    case.same("names of members of staff, the first of whom owns the record", seen, [])


@scenario("EXP-06: a person of another file who is named in this one is a label as well, and so is a number of nobody known")
def elsewhere(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03")
    stranger = asking.person("1971-01-01", firstname="Theofiel", lastname="Vandersteenkiste")
    case.party(stranger.row, "suspect", dossier=case.dossier("grooming", child=case.child()))
    dossier = case.dossier("runaway", None, child=child.row)
    text = (
        "Volgens de buurvrouw was Theofiel Vandersteenkiste daar, tel. 0489 11 22 33, iemand@voorbeeld.example, 85.07.30-997.34. (fictief)"
    )
    case.fiche("runaway", "2026-01-01", dossier, cf_summary=text)
    package = asking.answered(child.given(), [child.row], requester_kind="former_child")
    seen = [w for w in ("Theofiel", "Vandersteenkiste", "0489 11 22 33", "iemand@voorbeeld.example", "85.07.30-997.34") if package.says(w)]
    case.same("words about others", seen, [])


@scenario("EXP-07: a name that slips into the words of the DPO stops the release, and the refusal does not repeat it")
def slip(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03")
    mother = asking.person("1965-01-01", firstname="Hildegonde", lastname="Voorbeeldmans")
    dossier = case.dossier("runaway", None, child=child.row)
    case.party(mother.row, "parent", dossier=dossier)
    case.fiche("runaway", "2026-01-01", dossier, cf_summary="Iets. (fictief)")
    request = asking.ready(child.given(), [child.row], requester_kind="former_child")
    waiting = [i["item"] for i in asking.reviewable(request) if i["status"] == "PENDING_REVIEW"]
    path = asking.path(".jsonl")
    words = {"status": "APPROVED_REDACTED", "text": f"Volgens Hildegonde Voorbeeldmans, {mother.phone}."}
    path.write_text("".join(json.dumps({"item": item, **words}) + "\n" for item in waiting))
    spoken = case.type("requests", "review", request, "--decisions", path, *DPO, "--json")
    if case.expect(spoken.code in (0, 2, 5), f"review exits {spoken.code}") and spoken.code == 0:
        case.type("requests", "approve", request, *DPO, "--json")
    asking.held_back(request)
    told = "".join(s.err for s in case.spoken)
    case.expect("Hildegonde" not in told and mother.phone not in told, "the refusal repeats the name")


@scenario("EXP-03: an e-mail in which the person only takes part is found, and shows no other address")
def mere_party(case: Case) -> None:
    asking = Asking(case)
    person, other = asking.person(), asking.person()
    dossier = case.dossier("runaway", child=case.child())
    parties = [
        {"partyid_contact@odata.bind": f"/contacts({person.row})", "participationtypemask": 2, "addressused": person.email},
        {"partyid_contact@odata.bind": f"/contacts({other.row})", "participationtypemask": 1, "addressused": other.email},
    ]
    link = {"regardingobjectid_cf_dossier_email__bind": f"/cf_dossiers({dossier})"}
    case.add(
        "email",
        subject="?",
        description=f"Dag {person.name}, groeten van {other.name}",
        sender=other.email,
        torecipients=person.email,
        **link,
        email_activity_parties=parties,
    )
    request = asking.ready(person.given(), [person.row])
    items = asking.review(request)
    case.expect(any("mail" in json.dumps(i).lower() for i in items), f"the e-mail is no item: {[i.get('kind') for i in items]}")
    asking.approve(request)
    package = asking.release(request)
    asking.silent(package, [*asking.words_of(other.row), other.email], "the other participant")
    number = (case.row("cf_dossier", dossier) or {})["cf_name"]  # what it was about
    asking.silent(package, [w for w in asking.words_of(dossier) if w != number], "the dossier")
