"""What lives on after a disposal, and what may still be read about who is gone: contacts, counts, reports
(RET-20, ERA-16, R-144)."""

import json
import sqlite3
from contextlib import closing

from tests.independent.case import MARK, Case
from tests.independent.reading import opened
from tests.independent.scenarios import scenario

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="


@scenario("R-043 R-042 RET-20 ERA-12: a donor loses what only operations needed, with its history, and nothing else")
def donor(case: Case) -> None:
    case.policy()
    person = case.contact(
        birthdate="1980-05-05", cf_statedage=40, cf_statedageon="2020-01-01", cf_birthyear=1980, cf_birthmonth=5, entityimage=PNG
    )
    case.add(
        "cf_donation", cf_name="gift (fictief)", cf_amount=5, cf_ContactId__bind=f"/contacts({person})", cf_bookedon="2020-11-20T10:00:00Z"
    )
    dossier = case.dossier("social_card")
    case.party(person, "reporter", dossier=dossier)
    other = case.contact(cf_newsletter=True)
    kept = case.dossier("social_card", "2026-11-01")
    case.party(other, "reporter", dossier=case.dossier("social_card"))
    case.party(other, "reporter", dossier=kept)
    case.load()
    before = case.row("contact", person)
    case.change("contact", person, cf_birthplace=case.mark("the place of birth"), description=case.mark("the notes"))
    shared = case.row("contact", other)
    run = case.apply()
    after = case.row("contact", person)
    if not case.expect(after, "the donor is gone") or after is None or before is None:
        return
    trimmed = (
        "cf_nationalnumber",
        "birthdate",
        "cf_birthyear",
        "cf_birthmonth",
        "cf_statedage",
        "cf_statedageon",
        "cf_birthplace",
        "description",
    )
    case.same("emptied", [c for c in trimmed if after[c] is not None], [])
    image = case.api.rows(f"contacts?$select=entityimage&$filter=contactid eq {person}")
    case.same("image", image[0].get("entityimage"), None)
    volatile = {*trimmed, "@odata.etag", "modifiedon", "versionnumber", "_modifiedby_value"}
    odd = [c for c in before if c not in volatile and "image" not in c and before[c] != after.get(c)]
    case.same("other columns", odd, [])
    case.same("who is still in a file", case.row("contact", other), shared)
    case.nothing_left(["the place of birth", "the notes"])
    text = json.dumps(case.api.rows(f"audits?$filter=_objectid_value eq {person}"))
    case.expect(str(before["cf_nationalnumber"]) not in text, "the history of the donor still has the register number")
    case.expect("1980-05-05" not in text, "the history of the donor still has the birth date")
    case.same("verify", case.ask("verify", run["run"]).get("still_there"), [])


@scenario("ERA-16: with monthly statistics nothing that waits leads to a person, and the rows come with the first run of the next month")
def monthly(case: Case) -> None:
    case.policy(("  k: 5", "  k: 5\n  batch: monthly"))
    for _ in range(5):
        case.dossier("runaway", "2016-05-05", child=case.child("1999-03-01", address1_postalcode="2000", gendercode=2), outcome="returned")
    case.apply()
    case.same("rows before the month is over", case.everything()["cf_statistic"], [])
    with closing(sqlite3.connect(case.data / "state.db")) as database:
        waiting = database.execute("select * from waiting_statistics").fetchall()
    case.expect(waiting and not any(len(str(part)) == 36 for row in waiting for part in row), f"waiting: {str(waiting)[:200]}")
    case.clock("2026-12-01T11:00:00Z")
    case.type("run", "retention", "--json")
    case.same(
        "rows",
        [(r["cf_province"], r["cf_ageband"], r["cf_count"]) for r in case.everything()["cf_statistic"]],
        [("Antwerp", "15-17", 1)] * 5,
    )
    case.type("run", "retention", "--json")
    case.same("rows are written once", len(case.everything()["cf_statistic"]), 5)


@scenario("R-144 ACC-04 R-142: reports of every kind name nobody and tell no role")
def reports(case: Case) -> None:
    case.policy()
    child = case.child()
    dossier = case.dossier("runaway", child=child, cf_legalhold=True, cf_legalholdreason="?")
    case.party(case.contact(), "suspect", dossier=dossier)
    case.party(child, "child", fiche=case.fiche("csam_report"))
    kinds = ("html", "csv", "xlsx", "json", "jsonl")
    case.plan(*[part for kind in kinds for part in ("--output", f"report.{kind}")])
    for kind in kinds:
        for text in opened(case.folder / f"report.{kind}"):
            case.expect(not MARK.search(text), f"report.{kind} holds something personal")
            words = [w for w in ("suspect", "verdachte", "witness", "reporter") if w in text.decode(errors="ignore").lower()]
            case.same(f"roles in report.{kind}", words, [])
    for row in (dossier, child):
        done = case.type("why", "cf_dossier" if row == dossier else "contact", row, "--json")
        case.expect(not MARK.search(done.out.encode()), "`why` tells something personal")
        case.expect("suspect" not in done.out.lower(), "`why` tells a role")


@scenario("RET-05 RET-03: an e-mail attached to nothing, an audio note and recordings go by their own terms")
def loose_ends(case: Case) -> None:
    case.policy()
    mail = case.add(
        "email",
        subject="?",
        description="?",
        sender="?",
        torecipients="?",
        senton="2025-01-10T10:00:00Z",
        overriddencreatedon="2025-01-10T10:00:00Z",
    )
    dossier = case.dossier("runaway", None, child=case.child("2015-05-05"))
    fiche = case.fiche("runaway", "2025-01-10", dossier=dossier)
    audio, text = case.note("cf_fiche", fiche, audio=True), case.note("cf_fiche", fiche)
    evidence = case.recording("2025-01-10", fiche, cf_evidence=True)
    plain = case.recording("2025-01-10", fiche)
    case.plan()
    case.same("e-mail", case.fate(mail)[0] in ("retain", "dispose"), True)
    case.apply()
    case.same(
        "audio, text, evidence, plain",
        case.there("annotation", audio, text) + case.there("cf_recording", evidence, plain),
        [False, True, True, False],
    )
    case.nothing_left([audio, plain])


@scenario("9.2 ACC-05 R-142: under trouble of every kind, errors and logs name nobody")
def troubled(case: Case) -> None:
    case.policy()
    for _ in range(3):
        case.note("cf_dossier", case.dossier("social_card", child=case.child()))
    plan = case.plan()
    for rule in (
        {"match": {"method": "GET", "every": 2}, "do": "status", "status": 400, "times": 1},
        {"match": {"method": "POST", "path": "$batch"}, "do": "status", "status": 500, "times": 1},
        {"match": {"method": "DELETE"}, "do": "status", "status": 403, "times": 2},
        {"match": {"method": "GET"}, "do": "truncate", "times": 1},
    ):
        case.api.control("PUT", "faults", [rule])
        case.type("apply", plan["plan"], env={"CRM_COMPLIANCE_LOG_LEVEL": "DEBUG"})
    case.api.control("PUT", "faults", [])
    case.type("apply", plan["plan"], "--json", env={"CRM_COMPLIANCE_LOG_LEVEL": "DEBUG"})
    case.type("apply", case.plan()["plan"], "--json", env={"CRM_COMPLIANCE_LOG_LEVEL": "DEBUG"})
    case.same("dossiers", case.everything()["cf_dossier"], [])
