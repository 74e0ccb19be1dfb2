"""What stays whatever the schedule says: holds, their order, their release (section 4; R-065 to R-080,
R-154)."""

from tests.independent.case import AT, Case
from tests.independent.scenarios import scenario

HOLDS = ("HOLD_LEGAL", "HOLD_JUDICIAL", "HOLD_COMPLAINT", "HOLD_RESTRICTION", "HOLD_OBJECTION")
TYPES = ("objection", "restriction", "complaint", "judicial", "legal")  # the other way round than their ranks


@scenario("R-065 HLD-05: an expired unit under a legal hold stays, and its end does not move")
def legal(case: Case) -> None:
    case.policy()
    dossier, free = case.dossier("social_card"), case.dossier("social_card")
    case.hold("cf_dossier", dossier)
    plan = case.plan()
    line = case.lines()[dossier]
    case.same("the held unit", (line["outcome"], line["reason"], line["reasons"]), ("retain", "HOLD_LEGAL", ["HOLD_LEGAL"]))
    case.same("its end", line["retention_end"], "2019-07-10")
    case.same("disposition of a retained unit", line["disposition"], None)
    before = case.everything()
    case.apply(plan)
    case.same("held and free dossier", case.there("cf_dossier", dossier, free), [True, False])
    case.unchanged(before, ("cf_dossier",), but=[free])
    why = case.ask("why", "cf_dossier", dossier)
    case.same("why", (why.get("outcome"), why.get("reason")), ("retain", "HOLD_LEGAL"))


@scenario("R-066 HLD-03: the last day of a hold is kept to its last second")
def last_day(case: Case) -> None:
    case.clock("2026-10-01T10:00:00Z")
    dossier = case.dossier("social_card")
    case.hold("cf_dossier", dossier, ends_on="2026-10-31")
    for at, outcome in (("2026-10-31T22:59:59Z", "retain"), ("2026-10-31T23:00:00Z", "dispose")):
        case.ask("plan", "--as-of", at, "--output", "plan.jsonl")
        case.same(f"at {at}", case.fate(dossier)[0], outcome)


@scenario("R-067 HLD-02: a hold is released by a second person, neither the one who placed it nor the one who asks")
def second_person(case: Case) -> None:
    case.policy()
    dossier = case.dossier("social_card")
    hold = case.hold("cf_dossier", dossier, kind="judicial", who="dora")
    case.release(hold, asked_by="dora", who="dora", role="dpo", code=5)
    case.release(hold, asked_by="carl", who="dora", role="dpo", code=5)
    case.release(hold, asked_by="carl", who="dora", role="approver", code=5)
    case.release(hold, asked_by="carl", who="DORA", role="approver", code=5)
    case.release(hold, asked_by="erik", who="erik", role="approver", code=5)
    case.release(hold, asked_by="carl", who="erik", role="auditor", code=5)
    case.release(hold, asked_by="carl", who="erik", role="crm_admin", code=5)
    case.plan()
    case.same("after refusals", case.fate(dossier), ("retain", ["HOLD_JUDICIAL"]))
    case.expect(sum(e["kind"] == "denied" for e in case.ledger()) >= 7, "denied releases are not all in the ledger (ACC-10)")
    case.release(hold)
    listed = {h["hold"]: h for h in case.ask("holds", "list")}
    case.same("the hold in the list", listed.get(hold, {}).get("state"), "released")
    case.apply()
    case.same("the dossier afterwards", case.there("cf_dossier", dossier), [False])
    again = case.type("holds", "release", hold, "--asked-by", "carl", "--as", "erik", "--role", "approver", "--reason", "x", "--json")
    case.expect(again.code in (2, 5), f"releasing a released hold exits {again.code}")


@scenario("9.4 ACC-10: who is not the DPO places no hold")
def only_the_dpo(case: Case) -> None:
    dossier = case.dossier("social_card")
    args = ("--type", "legal", "--reason", "REQ-1", "--basis", "letter", "--review-on", "2027-06-01", "--as", "dora", "--role")
    for role in ("crm_admin", "approver", "auditor"):
        case.refused("holds", "place", "--table", "cf_dossier", "--id", dossier, *args, role, code=5)
    case.same("holds", case.ask("holds", "list"), [])
    case.plan(approve=False)
    case.same("the dossier", case.fate(dossier), ("dispose", ["EXPIRED"]))


@scenario("R-068 HLD-05: a unit whose end was years ago goes in the next run after its last hold")
def next_run(case: Case) -> None:
    case.policy()
    dossier = case.dossier("social_card", "2024-05-01")
    hold = case.hold("cf_dossier", dossier)
    case.apply()
    case.same("under the hold", case.there("cf_dossier", dossier), [True])
    case.release(hold)
    case.apply()
    case.same("after it", case.there("cf_dossier", dossier), [False])


@scenario("R-069 HLD-06: all holds must have ended")
def two_holds(case: Case) -> None:
    dossier = case.dossier("social_card")
    first = case.hold("cf_dossier", dossier, kind="legal")
    case.hold("cf_dossier", dossier, kind="complaint")
    case.plan(approve=False)
    case.same("two holds", case.fate(dossier), ("retain", ["HOLD_LEGAL", "HOLD_COMPLAINT"]))
    case.release(first)
    case.plan(approve=False)
    case.same("one is released", case.fate(dossier), ("retain", ["HOLD_COMPLAINT"]))


@scenario("R-070 HLD-03: a review that is overdue releases nothing and is flagged")
def review(case: Case) -> None:
    case.clock("2026-01-10T10:00:00Z")
    dossier = case.dossier("social_card")
    case.hold("cf_dossier", dossier, review="2026-06-01")
    for at, flagged in (("2026-06-01", False), ("2026-06-02", True), ("2026-11-25", True)):
        case.ask("plan", "--as-of", at, "--output", "plan.jsonl")
        line = case.lines()[dossier]
        case.same(f"outcome on {at}", line["outcome"], "retain")
        case.same(f"HOLD_REVIEW_OVERDUE on {at}", "HOLD_REVIEW_OVERDUE" in line["flags"], flagged)
    args = ("holds", "place", "--table", "cf_dossier", "--id", dossier, "--type", "legal", "--reason", "R", "--basis", "b", "--as", "dora")
    case.refused(*args, "--role", "dpo", "--review-on", "2027-01-11", code=(2, 5))
    case.refused(*args, "--role", "dpo", "--review-on", "2026-01-09", code=(2, 5))


@scenario("R-071 HLD-04: a hold on a contact keeps every unit in which it has any role, and spreads no further")
def person(case: Case) -> None:
    held, other = case.child(), case.child()
    as_child = case.dossier("runaway", child=held)
    as_suspect = case.dossier("runaway", child=other)
    case.party(held, "suspect", dossier=as_suspect)
    fiche = case.fiche("social_card")
    case.party(held, "reporter", fiche=fiche)
    recording = case.recording("2025-01-10", fiche)
    of_other = case.dossier("runaway", child=other)
    in_fiche = case.dossier("social_card")
    case.party(held, "witness", fiche=case.fiche("social_card", "2018-03-03", dossier=in_fiche))
    for place in (("--person", held), ("contact", held)):
        hold = case.hold(*place, kind="judicial")
        case.plan(approve=False)
        for what, row in (("child", as_child), ("suspect", as_suspect), ("reporter", fiche), ("witness in a fiche", in_fiche)):
            case.same(f"{place[0]}: {what}", case.fate(row), ("retain", ["HOLD_JUDICIAL"]))
        case.same(f"{place[0]}: recording", case.fate(recording), ("retain", ["HOLD_JUDICIAL"]))
        case.same(f"{place[0]}: another dossier of a contact of a held dossier", case.fate(of_other)[0], "dispose")
        case.release(hold)
    case.plan(approve=False)
    case.same("after release", {case.fate(r)[0] for r in (as_child, as_suspect, fiche, recording, in_fiche)}, {"dispose"})


@scenario("HLD-04: the contacts of a held dossier stay when their other dossier goes")
def contacts_of_a_held_dossier(case: Case) -> None:
    case.policy()
    child, parent, gone = case.child(), case.contact(), case.contact()
    held, free = case.dossier("social_card", child=child), case.dossier("social_card", child=child)
    case.party(parent, "parent", dossier=held)
    case.party(parent, "parent", dossier=free)
    case.party(gone, "witness", dossier=free)
    case.hold("cf_dossier", held)
    before = case.everything()
    case.apply()
    case.same("held, free", case.there("cf_dossier", held, free), [True, False])
    case.same("child, parent, witness of the free one", case.there("contact", child, parent, gone), [True, True, False])
    case.unchanged(before, ("contact", "annotation"), but=[gone])


@scenario("HLD-04 RET-03 R-048: holds on a fiche, a note, a recording and a party row keep the file they belong to")
def parts(case: Case) -> None:
    case.policy()
    rows = {}
    for what in ("fiche", "note", "recording", "party", "call"):
        child = case.child()
        dossier = case.dossier("social_card", None, child=child)
        fiche = case.fiche("social_card", dossier=dossier)
        rows[what] = (dossier, fiche, case.recording("2025-01-10", fiche), case.note("cf_fiche", fiche), child)
    case.load()
    call = case.call("cf_dossier", rows["call"][0], rows["call"][4])
    party = next(p["cf_partyid"] for p in case.everything()["cf_party"] if p["_cf_dossierid_value"] == rows["party"][0])
    case.hold("cf_fiche", rows["fiche"][1])
    case.hold("annotation", rows["note"][3])
    case.hold("cf_recording", rows["recording"][2])
    case.hold("cf_party", party)
    case.hold("phonecall", call)
    plan = case.plan()
    for what in ("fiche", "note", "party", "call"):
        case.same(f"dossier of a held {what}", case.fate(rows[what][0]), ("retain", ["HOLD_LEGAL"]))
    case.same("the held recording", case.fate(rows["recording"][2]), ("retain", ["HOLD_LEGAL"]))
    case.same("recording of the held fiche", case.fate(rows["fiche"][2]), ("retain", ["HOLD_LEGAL"]))
    case.same("dossier of the held recording", case.fate(rows["recording"][0])[0], "dispose")
    case.apply(plan)
    case.same("that dossier afterwards", case.there("cf_dossier", rows["recording"][0]), [False])
    kept = case.row("cf_recording", rows["recording"][2])
    case.expect(kept is not None and kept["_cf_ficheid_value"] is None, f"the held recording must stay with an empty link: {kept}")


@scenario("R-074 HLD-09: a restriction keeps, and is lifted only after the person was told")
def restriction(case: Case) -> None:
    case.policy()
    dossier = case.dossier("social_card")
    hold = case.hold("cf_dossier", dossier, kind="restriction")
    case.plan()
    case.same("restricted", case.fate(dossier), ("retain", ["HOLD_RESTRICTION"]))
    case.release(hold, code=5)
    case.release(hold, notified_on="2026-11-26", code=5)
    case.plan()
    case.same("still restricted", case.fate(dossier), ("retain", ["HOLD_RESTRICTION"]))
    case.release(hold, notified_on="2026-11-25")
    case.apply()
    case.same("lifted", case.there("cf_dossier", dossier), [False])


@scenario("R-075 R-049 HLD-11 RET-22: statistics, study, research, training and quality are no reason for a hold")
def not_a_hold(case: Case) -> None:
    dossier, recording = case.dossier("social_card"), case.recording("2025-02-02")
    tries = [("statistics", "cf_dossier", dossier), ("STATISTICS", "cf_dossier", dossier), ("study", "cf_dossier", dossier)]
    tries += [("research", "cf_dossier", dossier), ("training", "cf_recording", recording), ("Quality", "cf_recording", recording)]
    for reason, table, row in tries:
        error = case.refused(
            *("holds", "place", "--table", table, "--id", row, "--type", "legal", "--reason", reason, "--basis", "b"),
            *("--review-on", "2027-01-01", "--as", "dora", "--role", "dpo"),
            code=5,
        )
        told = str(error).lower().replace(" ", "_")
        case.expect("not_a_hold" in told, f"{reason}: the error does not say NOT_A_HOLD: {error}")
    case.same("holds", case.ask("holds", "list"), [])
    case.plan(approve=False)
    case.same("dossier, recording", (case.fate(dossier)[0], case.fate(recording)[0]), ("dispose", "dispose"))


@scenario("R-076 note (a): a re-opened dossier is open, not held")
def reopened(case: Case) -> None:
    dossier = case.dossier("runaway", child=case.child(), closed=False, cf_reopenedon="2020-02-02T10:00:00Z")
    case.plan(approve=False)
    case.same("fate", case.fate(dossier), ("retain", ["OPEN_DOSSIER"]))
    case.same("holds", case.ask("holds", "list"), [])
    case.expect("OPEN_PAST_END" in case.lines()[dossier]["flags"], "OPEN_PAST_END is lacking (RET-13)")


@scenario("R-077 HLD-07: a hold placed after the plan wins, and nothing of the unit is written")
def meanwhile(case: Case) -> None:
    case.policy()
    child, suspect = case.child(), case.contact()
    by_row, by_flag, by_fiche = case.dossier("social_card"), case.dossier("social_card"), case.dossier("social_card", None)
    fiche = case.fiche("social_card", dossier=by_fiche)
    by_person = case.dossier("runaway", child=child)
    case.party(suspect, "suspect", dossier=by_person)
    recording, free = case.recording("2025-01-10"), case.dossier("social_card")
    case.note("cf_dossier", by_row)
    plan = case.plan()
    case.same("planned", {case.fate(r)[0] for r in (by_row, by_flag, by_fiche, by_person, recording)}, {"dispose"})
    case.hold("cf_dossier", by_row, kind="judicial")
    case.hold("cf_fiche", fiche, kind="complaint")
    case.hold("--person", suspect, kind="objection")
    case.hold("cf_recording", recording)
    case.change("cf_dossier", by_flag, cf_legalhold=True, cf_legalholdreason=case.mark(by_flag))
    before = case.everything()
    run = case.apply(plan)
    case.same("disposed of", (run.get("deleted"), run.get("anonymised")), (1, 0))
    for code in ("HOLD_LEGAL", "HOLD_JUDICIAL", "HOLD_COMPLAINT", "HOLD_OBJECTION"):
        case.expect(code in run.get("skipped", {}), f"skipped has no {code}: {run.get('skipped')}")
    gone = {free} | {f["cf_ficheid"] for f in before["cf_fiche"] if f["_cf_dossierid_value"] == free}
    case.unchanged(before, but=gone)
    case.same("the free dossier", case.there("cf_dossier", free), [False])


@scenario("R-080 4.2: reasons stand in the order of their ranks, whatever the order of placing")
def ranks(case: Case) -> None:
    both = case.dossier("unexplained_disappearance")
    every = case.dossier("unexplained_disappearance+csam_report", closed=False, cf_proceedingsendedon="2027-05-05")
    young = case.dossier("runaway", child=case.child("2012-03-03"), closed=False)
    case.hold("cf_dossier", both, kind="restriction")
    for kind in TYPES:
        case.hold("cf_dossier", every, kind=kind)
    for kind in TYPES[1::2]:
        case.hold("cf_dossier", young, kind=kind)
    case.plan(approve=False)
    case.same("restriction on no term", case.fate(both), ("retain", ["HOLD_RESTRICTION", "NO_TERM"]))
    case.same("everything at once", case.fate(every), ("retain", [*HOLDS, "NO_TERM", "UNCONFIGURED", "DATA_ERROR", "OPEN_DOSSIER"]))
    case.same("open, not expired, held", case.fate(young), ("retain", ["HOLD_JUDICIAL", "HOLD_RESTRICTION", "OPEN_DOSSIER", "NOT_EXPIRED"]))


@scenario("R-154 HLD-14: the flag of the CRM is a legal hold; clearing it lets the dossier go, and the report lists the change")
def flag_of_the_crm(case: Case) -> None:
    case.policy()
    dossier = case.dossier("social_card", cf_legalhold=True, cf_legalholdreason="?")
    case.plan("--output", "one.html")
    case.same("flag set", case.fate(dossier), ("retain", ["HOLD_LEGAL"]))
    flags = [h for h in case.ask("holds", "list") if h.get("id") == dossier]
    case.expect(flags, "holds list does not show the flag of the CRM")
    case.change("cf_dossier", dossier, cf_legalhold=False)
    plan = case.plan("--output", "two.html", "--output", "two.json")
    case.same("flag cleared", case.fate(dossier), ("dispose", ["EXPIRED"]))
    told = (case.folder / "two.html").read_text().lower()
    case.expect(
        "hold" in told and ("cleared" in told or "lifted" in told or "no longer" in told), "the report does not list the cleared flag"
    )
    case.apply(plan)
    case.same("afterwards", case.there("cf_dossier", dossier), [False])


@scenario("HLD-03 HLD-05: a hold that has lapsed by itself keeps nothing, and is no longer active in the list")
def lapsed(case: Case) -> None:
    case.policy()
    case.clock("2026-03-01T10:00:00Z")
    dossier = case.dossier("social_card")
    hold = case.hold("cf_dossier", dossier, ends_on="2026-04-30", review="2026-04-01")
    case.clock(AT)
    case.plan()
    case.same("after its last day", case.fate(dossier), ("dispose", ["EXPIRED"]))
    state = {h["hold"]: h["state"] for h in case.ask("holds", "list")}.get(hold)
    case.expect(state not in (None, "active"), f"a lapsed hold is listed as {state}")


@scenario("HLD-04: a person's hold covers recordings and units that come after it was placed")
def later_rows(case: Case) -> None:
    case.policy()
    person = case.contact()
    case.hold("--person", person, kind="complaint")
    dossier = case.dossier("social_card")
    case.party(person, "suspect", dossier=dossier)
    case.apply()
    case.same("the dossier", (case.fate(dossier), case.there("cf_dossier", dossier)), (("retain", ["HOLD_COMPLAINT"]), [True]))
