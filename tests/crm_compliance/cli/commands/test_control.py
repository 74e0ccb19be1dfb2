"""stop, resume, quarantine, and why a plan waits, as a person types them."""

from datetime import timedelta

import pytest

from crm_compliance.store.rows.console.sessions import Session
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO, Typist, schedule_text


def schedule(typist: Typist, more: str) -> None:
    """Put the shipped schedule in force with something more in it, and without the look at a first run."""
    path = typist.folder / "policy.yaml"
    path.write_text(schedule_text(typist).replace("first_run: true", "first_run: false") + more, encoding="utf-8")
    typist.set(POLICY=str(path))


def test_stop_and_resume(typist: Typist, org: Night) -> None:
    org.fiche("social_card", spoken=LONG_AGO)
    plan = typist.approve_first(typist.ask("plan")["plan"])
    stopped = typist.ask("stop")
    assert stopped["stopped"] is True
    assert stopped["since"].startswith("2026-11-25T11:00")
    assert typist.ask("stop") == stopped
    assert typist.type("stop").out.startswith("Stopped since 2026-11-25 12:00. "), "by the clock of the schedule"
    before = org.writes()
    error = typist.refused("apply", plan, code=5)
    assert error["code"] == "stopped"
    assert "resume" in error["hint"]
    assert typist.refused("run", "recordings", code=5)["code"] == "stopped"
    assert typist.ask("plan")["units"] == 1
    assert org.writes() == before
    nights = next(check for check in typist.ask("doctor")["checks"] if check["name"] == "nights")
    assert nights["ok"] is True
    assert nights["message"].startswith("STOPPED since 2026-11-25T11:00")
    assert typist.ask("resume") == {"stopped": False, "since": None}
    assert typist.ask("resume") == {"stopped": False, "since": None}
    assert typist.ask("apply", plan)["deleted"] == 1


def test_doctor_tells_of_missing_nights(typist: Typist, org: Night) -> None:
    typist.ask("apply", typist.ask("plan")["plan"])
    typist.set(CLOCK=(NOW + timedelta(days=3)).isoformat())
    nights = next(check for check in typist.ask("doctor")["checks"] if check["name"] == "nights")
    assert nights["message"].splitlines()[0].startswith("NO_RUN: retention: no run was completed for 7")


def test_a_plan_says_why_it_waits(typist: Typist, org: Night) -> None:
    org.fiche("social_card", spoken=LONG_AGO)
    plan = typist.ask("plan")
    assert plan["approvals"] == {"needed": ["crm_admin", "dpo"], "given": [], "why": ["FIRST_RUN"]}
    assert (plan["breaker"]["tripped"], plan["breaker"]["categories"], plan["alarms"], plan["waiting"]) == (False, {}, [], {})
    error = typist.refused("apply", plan["plan"], code=5)
    assert (error["code"], error["where"]) == ("approval", plan["plan"])
    assert "FIRST_RUN" in error["message"]
    shown = typist.type("plans", "show", plan["plan"], "--output", typist.folder / "plan.html")
    assert "FIRST_RUN: It disposes of a category of which no completed run has disposed before." in " ".join(shown.out.split())
    page = (typist.folder / "plan.html").read_text(encoding="utf-8")
    assert "Why it needs approval by two people" in page
    assert "The circuit breaker tripped" not in page


def test_a_night_whose_plan_waits_names_it(typist: Typist, org: Night) -> None:
    org.fiche("social_card", spoken=LONG_AGO)
    error = typist.refused("run", "retention", code=5)
    assert (error["code"], error["where"]) == ("approval", typist.ask("plans", "list")[0]["plan"])


def test_a_category_with_its_limit_and_an_alarm_are_shown(typist: Typist, org: Night) -> None:
    fiche = org.fiche("social_card", spoken=LONG_AGO)
    more = f"canaries:\n  - {{table: cf_fiche, id: {fiche}, due: false}}\n"
    schedule(typist, more)
    text = typist.folder / "policy.yaml"
    limits = "limits:\n  categories:\n    social_card: {max: 0}\n"
    text.write_text(text.read_text(encoding="utf-8").replace("limits:\n", limits, 1), encoding="utf-8")
    plan = typist.ask("plan")
    assert plan["breaker"]["categories"] == {"social_card": {"planned": 1, "limit": 0, "median": None, "tripped": True}}
    assert plan["approvals"]["why"] == ["CATEGORY_LIMIT", "CANARY"]
    assert [alarm["code"] for alarm in plan["alarms"]] == ["CANARY"]
    shown = " ".join(typist.type("plans", "show", plan["plan"]).out.replace("│", " ").split())
    assert "Category social_card: 1 planned, ABOVE the ceiling of 0" in shown
    assert "Alarm CANARY: canary 1 (cf_fiche) must be kept and is due: EXPIRED." in shown
    for who, role in (("ben", "crm_admin"), ("cleo", "dpo")):
        typist.ask("plans", "approve", plan["plan"], "--as", who, "--role", role)
    said = typist.type("apply", plan["plan"])
    assert said.code == 6
    assert "Alarm CANARY" in said.out
    run = typist.ask("history", "list")[0]["run"]
    assert "Alarm CANARY" in typist.type("history", "show", run).out


def test_quarantine_is_listed_and_undone(typist: Typist, org: Night) -> None:
    fiche = org.fiche("social_card", spoken=LONG_AGO)
    assert typist.type("quarantine", "list").out == "Nothing is in quarantine.\n"
    schedule(typist, "quarantine: {days: 14, notice: note}\n")
    plan = typist.ask("plan")
    assert plan["waiting"] == {"QUARANTINED": 1}
    assert "do not go yet, QUARANTINED" in " ".join(typist.type("plans", "show", plan["plan"]).out.split())
    assert typist.ask("apply", plan["plan"])["skipped"] == {"QUARANTINED": 1}
    line = {"table": "cf_fiche", "id": fiche, "state": "QUARANTINED", "since": "2026-11-25", "until": "2026-12-09", "told": True}
    assert typist.ask("quarantine", "list") == [line]
    assert typist.type("quarantine", "list").out == f"cf_fiche {fiche}: QUARANTINED, stays until 2026-12-09\n"
    undo = ("quarantine", "undo", "cf_fiche", fiche.upper(), "--as", "ben", "--role")
    assert typist.refused(*undo, "auditor", code=5)["code"] == "role"
    assert typist.ask(*undo, "dpo") == line | {"state": "QUARANTINE_UNDONE"}
    assert typist.ask("plan")["waiting"] == {"QUARANTINE_UNDONE": 1}
    assert typist.refused("quarantine", "undo", "cf_dossier", fiche, "--as", "ben", "--role", "dpo", code=2)["message"]


def test_a_mapping_that_cannot_hold_a_notice_is_refused_where_one_is_to_be_written(typist: Typist, org: Night) -> None:
    from crm_compliance.wiring.mapping import mapping_text

    mapping = typist.folder / "mapping.yaml"
    lines = mapping_text(typist.settings)[0].splitlines()
    mapping.write_text("\n".join(line for line in lines if not line.strip().startswith("text: notetext")) + "\n", encoding="utf-8")
    typist.set(MAPPING=str(mapping))
    assert typist.type("plan").code == 0
    schedule(typist, "quarantine: {notice: note}\n")
    error = typist.refused("plan", code=3)
    assert "no text of notes" in error["message"]


@pytest.mark.parametrize("words", [("stop",), ("resume",), ("quarantine", "list"), ("quarantine", "undo")])
def test_each_command_shows_an_example(typist: Typist, words: tuple[str, ...]) -> None:
    assert "Example: crm-compliance" in typist.type(*words, "--help").out


def test_signout_ends_the_sessions_at_the_console_where_that_is_asked_for(typist: Typist, org: Night) -> None:
    """Who has to leave at once, such as somebody whose role was taken away, need not be waited for."""
    now = org.clock()
    for token in ("1" * 64, "2" * 64):
        org.store.sessions.put(token, Session(who="oid-1", roles=("dpo",), role="dpo", began_at=now, seen_at=now))
    assert typist.ask("signout") == {"logins": 0, "sessions": 0}
    assert org.store.sessions.get("1" * 64) is not None
    assert typist.ask("signout", "--console") == {"logins": 0, "sessions": 2}
    assert org.store.sessions.get("1" * 64) is None
    assert "sessions that were ended: 0" in typist.type("signout", "--console").out
