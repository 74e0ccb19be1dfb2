"""Versions of the retention schedule: checked, compared, tried out, reviewed (section 2.3, RET-06; R-021,
R-022)."""

import hashlib
import json
import re
from pathlib import Path

from tests.independent.case import Case
from tests.independent.scenarios import scenario

UNDECIDED = re.compile(r"enabled: false")


def shipped(case: Case) -> str:
    return case.policy(first_run=True, name="as-shipped.yaml", use=False).read_text()


def sections(text: str) -> list[str]:
    """The rows that are off, by their keys."""
    return [
        part.split(":")[0].strip()
        for part in re.split(r"\n(?=  [a-z_]+:\n)", text[text.index("\ncategories:") :])
        if "enabled: false" in part
    ]


def enabled(text: str, key: str, *more: str) -> str:
    """The schedule with one row switched on."""
    start = text.index(f"\n  {key}:\n")
    place = text.index("enabled: false", start)
    added = "".join(f"\n    {line}" for line in more)
    return text[:place] + "enabled: true" + added + text[place + len("enabled: false") :]


@scenario("RET-06 RET-14: a row of 2.3 that nobody decided cannot be switched on")
def undecided(case: Case) -> None:
    text = shipped(case)
    keys = sections(text)
    case.expect(len(keys) >= 15, f"only {len(keys)} rows are off")
    for key in keys:
        if key == "donor_payment":  # its basis is the law, so that approving the version is enough
            continue
        path = case.folder / f"{key}.yaml"
        path.write_text(enabled(text, key))
        error = case.refused("policy", "check", path, code=3)
        case.expect(path.name in str(error) and re.search(r"\d+", str(error).replace(path.name, "")), f"{key}: no file and line in {error}")
    for what, old, new in (
        ("one approver", "  - Board of directors\n", ""),
        ("one person twice", "  - Board of directors\n", "  - Executive director\n"),
        ("one person twice, in another case", "  - Board of directors\n", "  - executive DIRECTOR\n"),
        ("proposed by an approver (R-022)", "approvers:\n", "proposed_by: Executive director\napprovers:\n"),
        ("a negative limit", "max: 200", "max: -1"),
        ("text for a number", "max: 200", 'max: "200"'),
        ("a key too many", "plan_valid_hours: 72", "plan_valid_hours: 72\nsurprise: 1"),
        ("a key twice", "plan_valid_hours: 72", "plan_valid_hours: 72\nplan_valid_hours: 72"),
        ("quarantine of an unknown row", "plan_valid_hours: 72", "plan_valid_hours: 72\nquarantine: {categories: [nothing]}"),
        (
            "a limit of an unknown row",
            "    median_from: 10\n  recordings:",
            "    median_from: 10\n  categories: {nothing: {max: 1}}\n  recordings:",
        ),
        ("a canary with braces", "plan_valid_hours: 72", "plan_valid_hours: 72\ncanaries: [{table: cf_fiche, id: '{x}', due: true}]"),
    ):
        path = case.folder / "bad.yaml"
        case.expect(old in text, f"{what}: no {old!r} in the schedule")
        path.write_text(text.replace(old, new, 1))
        case.refused("policy", "check", path, code=3)


@scenario("2.3 RET-06: donor_payment, properly decided, keeps ten calendar years and then deletes")
def donors(case: Case) -> None:
    text = shipped(case)
    ready = enabled(text, "donor_payment", "approvers: [Fictieve Voorzitter, Fictieve Secretaris]").replace(
        'version: "1.0"', 'version: "1.1"'
    )
    ready = ready.replace("first_run: true", "first_run: false")
    start = ready.index("\n  donor_payment:")
    ready = ready[:start] + ready[start:].replace(
        "source: Privacy policy §4.3 gives no term", "source: Decision of the board 2026-01 (fictief)", 1
    )
    path = case.folder / "donors.yaml"
    path.write_text(ready)
    case.ask("policy", "check", path)
    case.settings["POLICY"] = str(path)
    old, young = case.contact(), case.contact()
    gift = {"cf_name": "gift (fictief)", "cf_amount": 25, "cf_iban": "?"}
    first = case.add("cf_donation", **gift, cf_ContactId__bind=f"/contacts({old})", cf_bookedon="2015-03-03T10:00:00Z")
    edge = case.add("cf_donation", **gift, cf_ContactId__bind=f"/contacts({young})", cf_bookedon="2015-12-31T23:30:00Z")
    case.plan(approve=False)
    case.same("booked in 2015", case.fate(first), ("dispose", ["EXPIRED"]))
    case.same("its end", case.lines().get(first, {}).get("retention_end"), "2025-12-31")
    case.same(
        "booked on 1 January 2016 in Brussels",
        (case.fate(edge), case.lines()[edge]["retention_end"]),
        (("retain", ["NOT_EXPIRED"]), "2026-12-31"),
    )
    case.apply()
    case.same("gifts", case.there("cf_donation", first, edge), [False, True])
    case.same("donors", case.there("contact", old, young), [False, True])
    case.nothing_left([first, old])


@scenario("policy simulate: decides by both schedules and writes nothing anywhere")
def simulated(case: Case) -> None:
    case.policy()
    case.dossier("social_card", "2026-03-01")
    case.dossier("social_card", "2019-03-01")
    case.plan(approve=False)
    new = case.policy(
        ("type: months_after\n    months: 6", "type: months_after\n    months: 12"),
        ('version: "1.0"', 'version: "2.0"'),
        name="new.yaml",
        use=False,
    )
    before = case.everything()
    calm, store = case.api.writes(), digests(case.data)
    told = case.ask("policy", "simulate", new, "--output", "changed.csv")
    case.same("writes to the CRM", case.api.writes(), calm)
    case.same("files of the data folder that changed", [p for p in store if digests(case.data).get(p) != store[p]], [])
    case.unchanged(before)
    case.expect("retain" in json.dumps(told) or "dispose" in json.dumps(told), f"nothing told: {str(told)[:200]}")
    case.expect(
        (case.folder / "changed.csv").read_text().count("\n") == 3,
        f"the ends of two units move: {(case.folder / 'changed.csv').read_text()[:300]}",
    )
    case.ask("policy", "simulate", new, "--as-of", "2027-11-25")
    case.refused("policy", "simulate", "nowhere.yaml", code=(2, 3))
    case.refused("policy", "simulate", new, "--output", "nowhere/changed.csv", code=2)


def digests(folder: Path) -> dict[str, str]:
    """What is in the store; remembered rows and logs of SQLite are left out, locks too."""
    found = {
        str(p.relative_to(folder)): p
        for p in folder.rglob("*")
        if p.is_file() and "memory" not in p.parts and p.name[-3:] not in ("wal", "shm")
    }
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()}


@scenario("policy diff: says what changed and what erases earlier; policy review: a pack without names")
def compared(case: Case) -> None:
    old = case.policy(first_run=True)
    shorter = case.policy(("age: 25", "age: 21"), ('version: "1.0"', 'version: "2.0"'), name="shorter.yaml", first_run=True, use=False)
    told = case.type("policy", "diff", old, shorter)
    case.expect("21" in told.out and "25" in told.out and "earlier" in told.out.lower(), f"diff: {told.out[:300]}")
    longer = case.type("policy", "diff", shorter, old)
    case.expect("erases earlier" not in longer.out.lower().replace("nothing erases earlier", ""), f"diff back: {longer.out[:300]}")
    case.ask("policy", "diff", old, shorter)
    case.ask("policy", "diff", old, old)
    case.refused("policy", "diff", old, "nowhere.yaml", code=(2, 3))
    case.dossier("unexplained_disappearance", "2010-01-10")
    case.ask("policy", "review", "--output", "review.html")
    case.ask("policy", "review", "--output", "review.json")
    case.expect(
        "REVIEW_DUE" in (case.folder / "review.json").read_text() or "review" in (case.folder / "review.json").read_text(), "no review due"
    )
    case.refused("policy", "review", "--output", "review.docx", code=2)
    case.refused("policy", "review", "--output", "nowhere/review.html", code=2)


@scenario("RET-17 docs/operations: a plan made before the schedule was replaced is not applied by the new one")
def replaced(case: Case) -> None:
    case.policy()
    fiche = case.fiche("social_card")
    plan = case.plan()
    case.policy(("type: months_after\n    months: 6", "type: months_after\n    months: 7"), ('version: "1.0"', 'version: "1.1"'))
    done = case.type("apply", plan["plan"], "--json")
    case.expect(done.code in (3, 5), f"apply under another schedule exits {done.code}: {done.out[-200:]}")
    case.same("fiche", case.there("cf_fiche", fiche), [True])
