"""When two people have to agree before anything goes, and whose word counts for how long (RET-24, 9.4; R-022,
R-062, R-063)."""

from contextlib import closing

from tests.independent.case import TWO, Case
from tests.independent.scenarios import scenario


@scenario("9.4 ACC-09: the first run of a category waits for a CRM admin and a DPO, two people, neither of whom made the plan")
def first_run(case: Case) -> None:
    case.policy(first_run=True)
    dossier = case.dossier("social_card")
    plan = case.plan("--as", "anna.a", approve=False)
    case.same("needed", sorted(plan["approvals"]["needed"]), ["crm_admin", "dpo"])
    case.same("applicable", plan["applicable"], False)
    say = ("plans", "approve", plan["plan"], "--as")
    calm = case.api.writes()
    case.refused("apply", plan["plan"], code=5)
    case.refused(*say, "anna.a", "--role", "crm_admin", code=5)
    case.refused(*say, "ANNA.A", "--role", "crm_admin", code=5)
    case.refused(*say, " anna.a ", "--role", "dpo", code=(2, 5))
    case.refused(*say, "service", "--role", "dpo", code=5)
    for role in ("approver", "auditor"):
        case.refused(*say, "carl.c", "--role", role, code=5)
    case.refused(*say, "carl.c", "--role", "boss", code=(2, 5))
    case.ask(*say, "carl.c", "--role", "crm_admin")
    case.refused("apply", plan["plan"], code=5)
    case.refused(*say, "carl.c", "--role", "dpo", code=5)
    case.refused(*say, "Carl.c", "--role", "dpo", code=5)
    case.refused("apply", plan["plan"], code=5)
    case.same("writes before the second person", case.api.writes(), calm)
    ready = case.ask(*say, "ben", "--role", "dpo")
    case.same("state", (ready.get("state"), ready.get("applicable")), ("ready", True))
    case.ask("apply", plan["plan"])
    case.same("dossier", case.there("cf_dossier", dossier), [False])
    case.dossier("social_card")
    case.same("the second run of the category needs", case.plan(approve=False)["approvals"]["needed"], [])
    case.fiche("e_safety")
    case.same("a new category needs", sorted(case.plan(approve=False)["approvals"]["needed"]), ["crm_admin", "dpo"])
    shown = case.ask("history", "show", case.ask("history", "list")[0]["run"])
    case.same("approvals of the run", sorted(a["role"] for a in shown["approvals"]), ["crm_admin", "dpo"])
    # With a dot: the public key in the ledger may hold any four letters.
    case.expect("anna.a" not in str(case.ledger()) and "carl.c" not in str(case.ledger()), "the ledger names people")


@scenario("RET-24 R-063: a tripped breaker is a stored plan that is not applied before two people have agreed")
def breaker(case: Case) -> None:
    case.policy(("max: 200", "max: 2"))
    rows = [case.fiche("social_card") for _ in range(3)]
    case.recording("2020-01-01")
    plan = case.plan(approve=False)
    case.same("breaker", (plan["breaker"]["tripped"], plan["breaker"]["units"]["planned"], plan["breaker"]["units"]["limit"]), (True, 3, 2))
    case.same("recordings have a counter of their own", plan["breaker"]["recordings"]["planned"], 1)
    calm = case.api.writes()
    error = case.refused("apply", plan["plan"], code=5)
    case.same("code", error.get("code"), "breaker")
    error = case.refused("run", "retention", code=5)
    case.expect("plan-" in str(error), f"`run` does not name the stored plan: {error}")
    case.same("writes", case.api.writes(), calm)
    case.approve(plan)
    case.ask("apply", plan["plan"])
    case.same("rows", case.there("cf_fiche", *rows), [False] * 3)


@scenario("RET-24: the breaker counts from its limit on exactly, and contacts are not counted")
def breaker_boundary(case: Case) -> None:
    case.policy(("max: 200", "max: 3"))
    for _ in range(3):
        case.dossier("social_card", child=case.child())
    plan = case.plan(approve=False)
    case.same("three of three", (plan["breaker"]["tripped"], plan["breaker"]["units"]["planned"]), (False, 3))
    case.fiche("social_card")
    case.same("four of three", case.plan(approve=False)["breaker"]["tripped"], True)


@scenario("RET-24: limits of single categories, by number and by share")
def category_limits(case: Case) -> None:
    limits = ("    factor: 3\n    median_from: 10\n  recordings:", "    factor: 3\n    median_from: 10\n  categories: {%s}\n  recordings:")
    for name, text, tripped in (
        ("max", "e_safety: {max: 1}", True),
        ("share", "social_card: {percent: 60}", True),
        ("fits", "e_safety: {max: 2}", False),
    ):
        case.policy((limits[0], limits[1] % text))
        if name == "max":
            for _ in range(2):
                case.fiche("e_safety")
                case.fiche("social_card")
            case.fiche("social_card", "2026-11-01")
        plan = case.plan(approve=False)
        case.same(f"{name}: waits for two people", bool(plan["approvals"]["needed"]), tripped)
        if tripped:
            case.expect("CATEGORY_LIMIT" in str(plan["approvals"]), f"{name}: no CATEGORY_LIMIT: {plan['approvals']}")
            case.same(f"{name}: code", case.refused("apply", plan["plan"], code=5).get("code"), "breaker")


@scenario("9.4: an approval counts for so many hours; after that the person may give it again")
def expired_approval(case: Case) -> None:
    case.policy(("valid_hours: 72", "valid_hours: 1"), first_run=True)
    dossier = case.dossier("social_card")
    plan = case.plan()
    case.clock("2026-11-25T12:30:00Z")
    calm = case.api.writes()
    case.refused("apply", plan["plan"], code=5)
    case.same("state", case.ask("plans", "show", plan["plan"])["state"], "waiting")
    case.same("writes", case.api.writes(), calm)
    case.approve(case.ask("plans", "show", plan["plan"]) | {"approvals": plan["approvals"] | {"needed": ["crm_admin", "dpo"]}})
    case.ask("apply", plan["plan"])
    case.same("dossier", case.there("cf_dossier", dossier), [False])


@scenario("ACC-04: a plan is applied for so many hours and not a second longer")
def expired_plan(case: Case) -> None:
    case.policy()
    case.dossier("social_card")
    plan = case.plan()
    until = plan["valid_until"]
    case.same("valid until", until[:16], "2026-11-28T11:00")
    case.clock("2026-11-28T11:00:05Z")
    case.refused("apply", plan["plan"], code=5)
    case.same("state", case.ask("plans", "show", plan["plan"])["state"], "expired")
    case.refused("plans", "approve", plan["plan"], "--as", "ben", "--role", "dpo", code=5)
    second = case.plan()
    case.clock("2026-12-01T10:55:00Z")
    case.ask("apply", second["plan"])


@scenario("R-062 DAT-12: a plan of another day is never applied")
def other_day(case: Case) -> None:
    case.policy()
    case.dossier("social_card")
    for day in ("2026-11-24", "2027-11-25", "2026-11-25T10:59:59Z"):
        plan = case.ask("plan", "--as-of", day)
        case.same(f"{day}: applicable", plan.get("applicable"), False)
        case.refused("apply", plan["plan"], code=5)


@scenario("9.4: a rejected plan is not applied, and needs a word why")
def rejected(case: Case) -> None:
    case.policy()
    dossier = case.dossier("social_card")
    plan = case.plan()
    case.refused("plans", "reject", plan["plan"], "--as", "ben", "--role", "dpo", code=2)
    case.refused("plans", "reject", plan["plan"], "--as", "eva", "--role", "auditor", "--comment", "no", code=5)
    case.same(
        "state", case.ask("plans", "reject", plan["plan"], "--as", "ben", "--role", "dpo", "--comment", "no").get("state"), "rejected"
    )
    case.refused("apply", plan["plan"], code=5)
    case.refused("plans", "approve", plan["plan"], "--as", "ben", "--role", "dpo", code=5)
    case.same("dossier", case.there("cf_dossier", dossier), [True])


@scenario("RET-17 R-044: what changed after an approved plan is skipped, and the next plan waits for two people (DRIFTED)")
def drift(case: Case) -> None:
    case.policy(first_run=True)
    no_term, opened, later, same = (case.dossier("social_card") for _ in range(4))
    plan = case.plan()
    case.change("cf_dossier", no_term, cf_categories="100000033")
    case.fiche("social_card", "2026-11-20", dossier=later)
    case.fiche("runaway", "2019-11-20", dossier=opened)
    before = case.everything()
    run = case.apply(plan, code=0)
    case.same("deleted", run.get("deleted"), 1)
    case.expect(
        run.get("skipped", {}).get("NO_TERM") == 1 and run.get("skipped", {}).get("NOT_EXPIRED", 0) >= 1, f"skipped: {run.get('skipped')}"
    )
    case.unchanged(before, ("cf_dossier",), but=[same])
    case.change("cf_dossier", no_term, cf_categories="100000000")
    case.fiche("social_card")
    after = case.plan(approve=False)
    case.expect("DRIFTED" in str(after["approvals"].get("why")) or not after["approvals"]["needed"], f"approvals: {after['approvals']}")


@scenario("9.4: an approved plan whose stored lines were changed is not applied")
def tampered_plan(case: Case) -> None:
    case.policy(first_run=True)
    case.fiche("social_card")
    kept = case.fiche("social_card", "2026-11-01")
    plan = case.plan()
    changed = 0
    with closing(case.database()) as database, database:
        for number, page in database.execute("select rowid, content from plan_pages").fetchall():
            # What lines have in common stands in MessagePack before their columns.
            other = page.replace(b"\xa6retain\xabdisposition\xc0", b"\xa7dispose\xabdisposition\xa6delete")
            changed += page != other
            database.execute("update plan_pages set content = ? where rowid = ?", (other, number))
    if case.expect(changed, "no stored line could be changed"):
        done = case.type("apply", plan["plan"], "--json")
        case.expect(done.code in (5, 7), f"apply of a changed plan exits {done.code}: {done.err[-300:]}")
        case.same("fiche that was to be kept", case.there("cf_fiche", kept), [True])


@scenario("R-145 ACC-09: an auditor reads everything and triggers nothing")
def auditor(case: Case) -> None:
    case.policy(first_run=True)
    dossier = case.dossier("social_card")
    plan, hold = case.plan(approve=False), case.hold("cf_dossier", case.dossier("social_card"))
    me = ("--as", "eva", "--role", "auditor")
    case.refused("plans", "approve", plan["plan"], *me, code=5)
    case.refused("plans", "reject", plan["plan"], *me, "--comment", "x", code=5)
    case.refused("holds", "release", hold, "--asked-by", "carl", "--reason", "x", *me, code=5)
    case.refused("quarantine", "undo", "cf_dossier", dossier, *me, code=(2, 5))
    key = next(k for k in str(case.ask("keys", "show")).replace('"', "'").split("'") if k.startswith("r-"))
    case.refused("keys", "destroy", key, *me, code=5)
    case.expect(sum(e["kind"] == "denied" for e in case.ledger()) >= 4, "denied attempts are not in the ledger (ACC-10)")
    for args in (("plans", "list"), ("history", "list"), ("holds", "list"), ("ledger", "verify"), ("policy", "show")):
        case.same(" ".join(args), case.type(*args).code, 0)


@scenario("contract 2: --as and --role are believed for a CRM on this machine only")
def believed_here_only(case: Case) -> None:
    case.policy(first_run=True)
    case.dossier("social_card")
    plan = case.plan(approve=False)
    away = {"CRM_COMPLIANCE_CRM_URL": "https://org.crm4.dynamics.com/api/data/v9.2/"}
    for env in (away, away | {"CRM_COMPLIANCE_CLOCK": ""}):
        for who, role in TWO:
            done = case.type("plans", "approve", plan["plan"], "--as", who, "--role", role, "--json", env=env)
            case.expect(done.code in (2, 4, 5), f"approving for a CRM elsewhere exits {done.code}")
    case.same("given", case.ask("plans", "show", plan["plan"])["approvals"]["given"], [])
