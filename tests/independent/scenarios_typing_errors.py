"""What people type wrong: documented exit codes, an error that a program can read, and nothing half
written."""

from typing import Any

from tests.independent.case import Case
from tests.independent.scenarios import scenario

NOBODY = "00000000-0000-0000-0000-00000000c0de"
HOLD = (
    "holds",
    "place",
    "--type",
    "legal",
    "--reason",
    "R-1",
    "--basis",
    "b",
    "--review-on",
    "2027-01-01",
    "--as",
    "dora",
    "--role",
    "dpo",
)


@scenario("contract 3: unknown ids, wrong words and missing files are exit 2, with an error document and nothing on stdout")
def usage(case: Case) -> None:
    fiche = case.fiche("social_card")
    case.plan(approve=False)
    wrong: list[tuple[Any, ...]] = [
        (*HOLD, "--table", "cf_fiche", "--id", NOBODY),
        (*HOLD, "--table", "cf_nothing", "--id", fiche),
        (*HOLD, "--table", "cf_fiche", "--id", "no-guid"),
        (*HOLD, "--table", "cf_fiche"),
        (*HOLD, "--id", fiche),
        (*HOLD, "--person", NOBODY),
        (*HOLD, "--person", fiche),
        (*HOLD, "--person", fiche, "--table", "cf_fiche", "--id", fiche),
        (*HOLD,),
        (*HOLD, "--table", "cf_fiche", "--id", fiche, "--ends-on", "2026-02-30"),
        (*HOLD, "--table", "cf_fiche", "--where", "nothing=1"),
        (*HOLD[:2], "--type", "wrong", *HOLD[4:], "--table", "cf_fiche", "--id", fiche),
        (*HOLD[:-1], "boss", "--table", "cf_fiche", "--id", fiche),
        ("holds", "release", "hold-nothing", "--asked-by", "c", "--as", "e", "--role", "approver", "--reason", "x"),
        ("plans", "show", "plan-nothing"),
        ("plans", "approve", "plan-nothing", "--as", "ben", "--role", "dpo"),
        ("apply", "plan-nothing"),
        ("apply",),
        ("verify", "run-nothing"),
        ("history", "show", "run-nothing"),
        ("certificate", "run-nothing", "--output", "c.json"),
        ("certificate", "run-nothing"),
        ("certificate", "verify"),
        ("certificate", "verify", "nowhere.json"),
        ("keys", "destroy", "r-nothing", "--as", "dora", "--role", "dpo"),
        ("keys", "show", "--output", "nowhere/keys.pem"),
        ("evidence", "--output", "nowhere/e.zip"),
        ("evidence",),
        ("statistics", "export", "--output", "nowhere/s.csv"),
        ("statistics", "export", "--output", "s.docx"),
        ("history", "export", "--output", "nowhere/l.jsonl"),
        ("ledger", "verify", "nowhere.jsonl"),
        ("ledger", "verify", "--anchor", "nowhere.jsonl"),
        ("quarantine", "undo", "cf_fiche", fiche, "--as", "ben", "--role", "dpo"),
        ("erased", "check", "nowhere.jsonl"),
        ("why", "cf_fiche", NOBODY),
        ("why", "cf_nothing", fiche),
        ("plan", "--kind", "wrong"),
        ("plan", "--as-of", "yesterday"),
        ("plan", "--output", "plan.docx"),
        ("run", "wrong"),
        ("replay", "--surprise"),
    ]
    before = {p.name for p in case.folder.iterdir()}
    for args in wrong:
        case.refused(*args, code=2)
    case.same("files that were written", {p.name for p in case.folder.iterdir()} - before, set())
    case.same("holds", case.ask("holds", "list"), [])


@scenario("contract 2: settings that nobody can mean are exit 2; a CRM that is not there is exit 4")
def settings(case: Case) -> None:
    case.policy()
    for name, value, code in (
        ("CLOCK", "yesterday", 2),
        ("SURPRISE", "1", 2),
        ("CRM_URL", "http://127.0.0.1:9/api/data/v9.2/", 4),
        ("CRM_TOKEN", "wrong", 4),
        ("POLICY", str(case.folder / "nowhere.yaml"), (2, 3)),
        ("MAPPING", str(case.folder / "nowhere.yaml"), (2, 3)),
        ("DATABASE_URL", "sqlite:////nowhere/at/all/state.db", 2),
        ("LOG_LEVEL", "LOUD", 2),
    ):
        case.refused("plan", code=code, env={f"CRM_COMPLIANCE_{name}": value})
    here = {"CRM_COMPLIANCE_CRM_URL": "https://org.crm4.dynamics.com/api/data/v9.2/", "CRM_COMPLIANCE_CRM_TOKEN": ""}
    case.refused("plan", code=2, env=here)
    case.refused("replay", "--dry-run", code=4, env={"CRM_COMPLIANCE_CRM_TOKEN": "wrong"})


@scenario("contract 3: a file is written whole or not at all, and an old one is replaced")
def whole_files(case: Case) -> None:
    case.policy()
    case.fiche("social_card")
    old = case.folder / "plan.jsonl"
    old.write_text("old")
    case.refused("plan", "--output", "plan.jsonl", code=4, env={"CRM_COMPLIANCE_CRM_TOKEN": "wrong"})
    case.same("an old file after a failure", old.read_text(), "old")
    case.plan()
    case.expect(old.read_text() != "old", "the old file was not replaced")
    case.refused("plan", "--output", str(case.objects), code=2)
    case.refused("plan", "--output", "good.jsonl", "--output", "nowhere/x.jsonl", code=2)
    case.expect(not (case.folder / "good.jsonl").exists(), "one file was written although the other has no folder")
    leftovers = [p.name for p in case.folder.iterdir() if p.name.startswith((".", "tmp")) or p.suffix in (".tmp", ".part")]
    case.same("leftovers", leftovers, [])


@scenario("contract 3: without --json the last line names what was made; with it stdout is one document")
def last_lines(case: Case) -> None:
    case.policy()
    fiche = case.fiche("social_card")
    hold = case.type(*HOLD, "--table", "cf_fiche", "--id", fiche)
    case.expect(hold.out.strip().splitlines()[-1].startswith("hold "), f"holds place ends with {hold.out[-80:]!r}")
    name = hold.out.strip().splitlines()[-1].split()[1]
    released = case.type("holds", "release", name, "--asked-by", "carl", "--as", "erik", "--role", "approver", "--reason", "over")
    case.same("release", released.code, 0)
    plan = case.type("plan")
    case.expect(plan.out.strip().splitlines()[-1].startswith("plan "), f"plan ends with {plan.out[-80:]!r}")
    run = case.type("apply", plan.out.split()[-1])
    case.expect(run.out.strip().splitlines()[-1].startswith("run "), f"apply ends with {run.out[-80:]!r}")
    for args in (
        ("replay",),
        ("run", "retention"),
        ("run", "housekeeping"),
        ("stop",),
        ("resume",),
        ("keys", "show"),
        ("quarantine", "list"),
        ("keys", "rotate"),
    ):
        case.ask(*args)
