"""RET-14: a plan tells how many units wait for a decision, whose work that is, and how old it is."""

from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO, Typist


def test_the_queue_stands_in_the_plan_and_in_its_report(typist: Typist, org: Night) -> None:
    fiche = org.fiche("social_card", spoken=LONG_AGO)
    org.patch("cf_fiches", fiche, cf_categories=None)
    plan = typist.ask("plan")
    assert plan["queue"] == {"owner": "dpo", "days": 30, "units": 1, "overdue": 0, "oldest_days": 0}
    assert typist.ask("plans", "show", str(plan["plan"]))["queue"] == plan["queue"]
    told = " ".join(typist.type("plan").out.split())
    assert "Waiting for a decision of the dpo: 1 unit, the oldest for 0 days; due after 30 days, overdue: 0." in told
