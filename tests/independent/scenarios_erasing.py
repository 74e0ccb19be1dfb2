"""What is gone when a unit is gone: text, audit rows, bin, files; and when something will not go (section 5;
R-053, R-081 to R-090)."""

from typing import Any

from tests.independent.case import Case
from tests.independent.evaluation import Rows
from tests.independent.scenarios import scenario
from tests.independent.wire import by_id

IN_PLACE = "anonymise: {how: in_place}"
FORMATS = ("jsonl", "csv", "xlsx", "json", "html")


def furnished(case: Case, category: str = "sexting") -> dict[str, str]:
    """A dossier with one of everything on it."""
    made = {"child": case.child(), "suspect": case.contact(), "reporter": case.contact()}
    made["dossier"] = case.dossier(category, child=made["child"])
    made["fiche"] = case.fiche(category, "2018-03-03", dossier=made["dossier"])
    case.party(made["suspect"], "suspect", dossier=made["dossier"])
    case.party(made["reporter"], "reporter", fiche=made["fiche"])
    made["recording"] = case.recording("2018-03-03", made["fiche"])
    made["audio"] = case.note("cf_fiche", made["fiche"], audio=True)
    for table, row in (("cf_dossier", made["dossier"]), ("cf_fiche", made["fiche"]), ("contact", made["child"])):
        case.note(table, row)
        case.call(table, row, made["reporter"])
        case.call(table, row, made["child"], kind="email")
    return made


def of_unit(rows: Rows, dossier: str) -> dict[str, set[str]]:
    """The rows that make up a dossier, by table."""
    fiches = {f["cf_ficheid"] for f in rows["cf_fiche"] if f["_cf_dossierid_value"] == dossier}
    hosts = fiches | {dossier}
    return {
        "cf_fiche": fiches,
        "cf_party": {p["cf_partyid"] for p in rows["cf_party"] if {p["_cf_dossierid_value"], p["_cf_ficheid_value"]} & hosts},
        "cf_recording": {r["cf_recordingid"] for r in rows["cf_recording"] if r["_cf_ficheid_value"] in fiches},
        "annotation": {n["annotationid"] for n in rows["annotation"] if n["_objectid_value"] in hosts},
        "phonecall": {a["activityid"] for a in rows["phonecall"] if a["_regardingobjectid_value"] in hosts},
        "email": {a["activityid"] for a in rows["email"] if a["_regardingobjectid_value"] in hosts},
    }


def history_of(case: Case, *rows: str) -> list[dict[str, Any]]:
    return [a for row in rows for a in case.api.rows(f"audits?$filter=_objectid_value eq {row}")]


@scenario("R-081 R-082 R-142 ERA-12: of a disposed dossier and its people nothing is left anywhere, and nothing else is touched")
def nothing_left(case: Case) -> None:
    case.policy()
    made, kept = furnished(case), furnished(case, "unexplained_disappearance")
    lone, donor = case.fiche("social_card"), case.contact(cf_newsletter=True)
    case.change("cf_dossier", made["dossier"], cf_summary=case.mark(made["dossier"]), cf_courtreference=case.mark(made["dossier"]))
    case.change("contact", made["child"], lastname=case.mark(made["child"]))
    before = case.everything()
    parts = of_unit(before, made["dossier"])
    gone = {made["dossier"], lone, made["child"], made["suspect"], made["reporter"]}.union(*parts.values())
    for name in ("child", "suspect", "reporter"):
        gone |= {n["annotationid"] for n in before["annotation"] if n["_objectid_value"] == made[name]}
        gone |= {a["activityid"] for t in ("phonecall", "email") for a in before[t] if a["_regardingobjectid_value"] == made[name]}
    gone |= {p["activitypartyid"] for p in before["activityparty"] if p["_activityid_value"] in gone}
    plan = case.plan(*[part for kind in FORMATS[1:] for part in ("--output", f"plan.{kind}")])
    case.same("disposition", case.lines()[made["dossier"]]["disposition"], "anonymise")
    run = case.apply(plan)
    case.same("state", run.get("state"), "done")
    case.same("verified", run.get("verified", {}).get("still_there"), 0)
    after = case.everything()
    for table, rows in parts.items():
        case.expect(not rows & by_id(after[table], table).keys(), f"rows of {table} are left of the dossier (R-158)")
    case.same("people, fiche", case.there("contact", made["child"], made["suspect"], made["reporter"], donor), [False, False, False, True])
    own = {"kept recordings that were due": {r["cf_recordingid"] for r in before["cf_recording"]} | {kept["audio"]}}
    case.unchanged(before, but=gone | own["kept recordings that were due"])
    case.nothing_left(gone)
    case.same("audit rows of what went", len(history_of(case, *gone)), 0)
    ids = [row for row in sorted(gone) if row in str(case.api.platform())]
    case.expect(len(ids) < 1, f"ids of {len(ids)} disposed rows stand in platform tables, e.g. {ids[:2]}")
    verified = case.ask("verify", run["run"])
    case.same("verify", verified.get("still_there"), [])
    for args in (("history", "show", run["run"]), ("history", "list"), ("ledger", "verify"), ("doctor",), ("plans", "list")):
        case.type(*args)
    case.ask("history", "export", "--output", "ledger.jsonl")
    case.certificates(run["run"])
    case.ask("evidence", "--output", "evidence.zip")
    for kind in FORMATS:
        case.ask("plans", "show", plan["plan"], "--output", f"shown.{kind}")
    texts = [(case.folder / name).read_text() for name in ("ledger.jsonl", "certificates.json")]
    everybody = {row for table in before for row in by_id(before[table], table)}
    case.expect(not [row for row in everybody for text in texts if row in text], "ledger or certificates hold an id of the CRM")


@scenario("ERA-12 R-088: rows leave the recycle bin too before they are certified")
def bin_is_emptied(case: Case) -> None:
    case.policy()
    case.api.control("PUT", "switches", {"recycle_bin_days": 30})
    made = furnished(case)
    case.load()
    run = case.apply()
    case.same("state", run.get("state"), "done")
    case.same("bin", case.api.rows("deleteditemreferences"), [])
    case.nothing_left(case.secrets.values())
    case.same("certificates of the dossier", dossiers(case.certificates(run["run"])), 1)
    case.same("dossier", case.there("cf_dossier", made["dossier"]), [False])


def dossiers(certificates: list[dict[str, Any]]) -> int:
    return sum(c["unit_type"] == "dossier" for c in certificates)


@scenario("R-088: a row that is still in the recycle bin makes its unit partial, without a certificate; later exactly one")
def bin_is_refused(case: Case) -> None:
    case.policy()
    case.api.control("PUT", "switches", {"recycle_bin_days": 30, "reference_delete_purges": False})
    dossier, fiche = case.dossier("social_card"), case.fiche("e_safety")
    plan = case.plan()
    case.api.control("PUT", "faults", [{"match": {"method": "POST", "path": "BulkDelete"}, "do": "status", "status": 403}])
    run = case.apply(plan, code=6)
    case.same("state", run.get("state"), "done_with_failures")
    case.same("partial", run.get("partial"), 2)
    case.same("certificates", len(case.certificates(run["run"])), 0)
    verified = case.ask("verify", run["run"], code=6)
    case.expect(verified.get("still_there"), f"verify does not tell what is left: {verified}")
    case.api.control("PUT", "faults", [])
    again = case.plan()
    case.apply(again)
    runs = [r["run"] for r in case.ask("history", "list")]
    case.same("certificates over all runs", sum(len(case.certificates(r)) for r in runs), 2)
    case.same("bin", case.api.rows("deleteditemreferences"), [])
    case.same("rows", (case.there("cf_dossier", dossier), case.there("cf_fiche", fiche)), ([False], [False]))
    case.same("verify of the first run", case.ask("verify", run["run"]).get("still_there"), [])


@scenario("ERA-12 ERA-15: audit rows that cannot be removed yet leave their unit without a certificate, and go later")
def audit_rows_are_left(case: Case) -> None:
    case.policy()
    fiche = case.fiche("social_card")
    plan = case.plan()
    case.api.control("PUT", "faults", [{"match": {"method": "POST", "path": "BulkDelete"}, "do": "status", "status": 403}])
    first = case.type("apply", plan["plan"], "--json").document()
    left, certified = len(history_of(case, fiche)), len(case.certificates(first["run"]))
    case.expect(not (left and certified), f"{certified} certificates although {left} audit rows of the unit are left")
    case.api.control("PUT", "faults", [])
    case.type("apply", case.plan()["plan"])
    case.same("audit rows after the next night", history_of(case, fiche), [])
    case.nothing_left([fiche])


@scenario("R-089 HLD-13: an attachment that cannot be deleted leaves no certificate; the next run gives exactly one")
def attachment(case: Case) -> None:
    case.policy()
    dossier = case.dossier("social_card")
    note = case.note("cf_dossier", dossier)
    plan = case.plan()
    case.api.control("PUT", "faults", [{"match": {"method": "DELETE", "path": f"annotations({note})"}, "do": "status", "status": 403}])
    run = case.apply(plan, code=6)
    case.expect(
        run.get("partial", 0) + run.get("failed", 0) + sum(run.get("skipped", {}).values()) == 1, f"one unit must have failed: {run}"
    )
    case.same("deleted", run.get("deleted"), 0)
    case.same("certificates", len(case.certificates(run["run"])), 0)
    case.same("the dossier whose note stays", case.there("cf_dossier", dossier), [True])
    case.api.control("PUT", "faults", [])
    case.apply()
    runs = [r["run"] for r in case.ask("history", "list")]
    case.same("certificates over all runs", sum(len(case.certificates(r)) for r in runs), 1)
    case.same("dossier and note", (case.there("cf_dossier", dossier), case.there("annotation", note)), ([False], [False]))


@scenario("R-089 ERA-15: a delete that only seems to succeed is found by reading back")
def kept_row(case: Case) -> None:
    case.policy()
    fiche = case.fiche("social_card")
    plan = case.plan()
    case.api.control("PUT", "faults", [{"match": {"method": "DELETE", "path": f"cf_fiches({fiche})"}, "do": "keep_row"}])
    run = case.apply(plan, code=6)
    case.same("deleted", run.get("deleted"), 0)
    case.same("certificates", len(case.certificates(run["run"])), 0)
    case.api.control("PUT", "faults", [])
    case.apply()
    runs = [r["run"] for r in case.ask("history", "list")]
    case.same("certificates over all runs", sum(len(case.certificates(r)) for r in runs), 1)
    case.same("fiche", case.there("cf_fiche", fiche), [False])


@scenario("R-081 R-087 ERA-06 ERA-07: a dossier anonymised in place keeps nothing that names or links somebody, and is done once")
def in_place(case: Case) -> None:
    case.policy(more=IN_PLACE)
    team(case)
    made = furnished(case)
    case.load()
    parts = of_unit(case.everything(), made["dossier"])
    run = case.apply()
    case.same("anonymised, deleted", (run.get("anonymised"), run.get("state")), (1, "done"))
    row = case.row("cf_dossier", made["dossier"])
    if case.expect(row is not None, "the dossier must stay"):
        assert row is not None
        case.expect(row["cf_anonymisedon"], "cf_anonymisedon is empty")
        case.same("text columns", {row[c] for c in ("cf_summary", "cf_courtreference", "cf_legalholdreason")}, {None})
        case.same("name", row["cf_name"], "Geanonimiseerd")
        case.same("dates", {row[c] for c in ("cf_openedon", "cf_closedon", "cf_reopenedon", "cf_outcomeon")}, {None})
        case.same("state", row["statecode"], 1)
    after = case.everything()
    for table in ("cf_party", "cf_recording", "annotation", "phonecall", "email"):
        case.expect(not parts[table] & by_id(after[table], table).keys(), f"{table}: rows of the masked dossier are left")
    for fiche in after["cf_fiche"]:
        case.same(
            "fiche text",
            {fiche[c] for c in ("cf_summary", "cf_callernumber", "cf_calleremail", "cf_ipaddress", "cf_communicatedon")},
            {None},
        )
    case.nothing_left(case.secrets.values())
    case.same("audit rows with old values", [a for a in history_of(case, made["dossier"]) if a.get("changedata")], [])
    calm = case.api.writes()
    second = case.plan("--output", "second.jsonl")
    case.expect(made["dossier"] not in case.lines("second.jsonl"), "an anonymised row has a line")
    case.apply(second)
    case.same("writes of a second run", case.api.writes(), calm)
    case.same("verify", case.ask("verify", run["run"]).get("still_there"), [])
    certificate = [c for c in case.certificates(run["run"]) if c["unit_type"] == "dossier"]
    case.same("certificate", [c["disposition"] for c in certificate], ["ANONYMISED"])


def team(case: Case) -> None:
    """The neutral team that the shipped mapping names."""
    units = case.api.rows("businessunits?$select=businessunitid")
    body = {"name": "Geanonimiseerd", "teamtype": 0, "businessunitid@odata.bind": f"/businessunits({units[0]['businessunitid']})"}
    case.api.send([("POST", "teams", body)])


@scenario("R-090 ERA-02: with a persistent pseudonym key, or backups in use, a unit is PSEUDONYMISED and stays overdue")
def pseudonymised(case: Case) -> None:
    for more, edits in ((f"{IN_PLACE[:-1]}, pseudonyms: kept}}", ()), (IN_PLACE, (("beyond_use: true", "beyond_use: false"),))):
        case.api.control("POST", "reset", {"empty": True})
        case.settings["DATA_DIR"] = str(case.folder / f"data{len(edits)}")
        case.policy(*edits, more=more)
        team(case)
        dossier = case.dossier("sexting", child=case.child())
        run = case.apply(code=6)
        case.same(f"{more}: anonymised", (run.get("anonymised"), run.get("state")), (0, "done_with_failures"))
        case.expect("PSEUDONYMISED" in str(run) or "PSEUDONYMISED" in str(case.ask("history", "show", run["run"])), f"{more}: not reported")
        case.same(f"{more}: certificates", len([c for c in case.certificates(run["run"]) if c["unit_type"] == "dossier"]), 0)
        again = case.apply(code=6)
        case.expect("PSEUDONYMISED" in str(again) or again.get("partial"), f"{more}: the next run says nothing of it: {again}")
        case.expect(case.row("cf_dossier", dossier) is not None, f"{more}: the masked dossier is gone")


@scenario("R-053 ERA-12: content outside the CRM goes before its row; where it cannot go the row stays")
def objects(case: Case) -> None:
    case.policy()
    here = case.objects / "opname1.wav"
    here.write_bytes(b"geluid (fictief)")
    outside = case.folder / "elsewhere.wav"
    outside.write_bytes(b"geluid (fictief)")
    good = case.recording("2020-01-10", cf_storageuri=here.as_uri())
    away = case.recording("2020-01-10", cf_storageuri=outside.as_uri())
    climbing = case.recording("2020-01-10", cf_storageuri=f"file://{case.objects}/../elsewhere.wav")
    azure = case.recording("2020-01-10", cf_storageuri="https://fictief.blob.core.windows.net/c/opname.wav")
    fiche = case.fiche("social_card")
    held_up = case.recording("2020-01-10", fiche, cf_storageuri="ftp://fictief.example.org/opname.wav")
    run = case.apply(code=6)
    case.same("rows", case.there("cf_recording", good, away, climbing, azure, held_up), [False, True, True, True, True])
    case.same("objects", (here.exists(), outside.exists()), (False, True))
    case.same("lone fiche of a recording that waits", case.there("cf_fiche", fiche), [True])
    case.same("certificates", len(case.certificates(run["run"])), 1)
    case.same("deleted", run.get("deleted"), 1)


@scenario("R-083 ERA-04: a dossier of a public search is deleted and only adds to a total")
def public_alert(case: Case) -> None:
    case.policy()
    rows = [case.dossier("runaway", child=case.child(), cf_publicalert=True) for _ in range(6)]
    case.plan(approve=False)
    case.same("dispositions", {case.lines()[r]["disposition"] for r in rows}, {"delete"})
    case.apply()
    case.same("rows", set(case.there("cf_dossier", *rows)), {False})
    told = [(s["cf_categorykey"], s["cf_year"], s["cf_count"], s["cf_ageband"]) for s in case.everything()["cf_statistic"]]
    case.same("statistics", told, [("total_disappearance", 2019, 6, None)])


@scenario(
    "R-089 ACC-03 R-143: under scattered failures every unit has one outcome, counts add up, and each unit gets one certificate at last"
)
def scattered(case: Case) -> None:
    case.policy()
    units = [case.dossier("social_card") for _ in range(6)] + [case.fiche("e_safety") for _ in range(4)]
    case.dossier("runaway", child=case.child("2015-03-03"))
    case.dossier("runaway", child=case.child(), closed=False)
    case.hold("cf_dossier", case.dossier("social_card"))
    plan = case.plan()
    faults = [
        {"match": {"method": "DELETE", "path": f"cf_dossiers({units[0]})"}, "do": "status", "status": 403},
        {"match": {"method": "DELETE", "path": f"cf_dossiers({units[1]})"}, "do": "change_row", "times": 1},
        {"match": {"method": "DELETE", "path": f"cf_fiches({units[7]})"}, "do": "keep_row"},
    ]
    case.api.control("PUT", "faults", faults)
    run = case.apply(plan, code=6)
    adds_up(case, plan, run)
    case.api.control("PUT", "faults", [])
    later = case.plan()
    adds_up(case, later, case.apply(later))
    runs = [r["run"] for r in case.ask("history", "list")]
    refs = [c["unit_ref"] for r in runs for c in case.certificates(r)]
    case.same("certificates, units", (len(refs), len(set(refs))), (10, 10))


def adds_up(case: Case, plan: dict[str, Any], run: dict[str, Any]) -> None:
    shown = case.ask("history", "show", run["run"])
    outcomes = shown.get("outcomes", {})
    flat = [v for v in outcomes.values() if isinstance(v, int)] if isinstance(outcomes, dict) else []
    case.expect(isinstance(outcomes, dict), f"history show: outcomes is {outcomes!r}")
    total = sum(flat) + sum(sum(v.values()) for v in outcomes.values() if isinstance(v, dict)) if isinstance(outcomes, dict) else 0
    case.same("outcomes add up to the units read (ACC-03)", total, plan["units"])
    disposed = sum(plan["dispose"].values())
    told = run["deleted"] + run["anonymised"] + run["partial"] + run["failed"] + sum(run["skipped"].values())
    case.same("planned disposals and their outcomes", told, disposed)
