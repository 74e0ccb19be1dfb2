"""What an auditor is told of a period: who approved what, how much went, why the rest was kept, and what was
out of the ordinary. Everybody is fictitious."""

from collections.abc import Callable

import pytest

from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.crm_compliance.worlds import Worlds
from tests.drivers.night import Night
from tests.drivers.typist import Typist, people_and_cases


@pytest.fixture
def night(worlds: Worlds, request: pytest.FixtureRequest) -> dict[str, str]:
    return worlds.begin(request, a_night_out_of_the_ordinary)


def a_night_out_of_the_ordinary(typist: Typist, org: Night) -> dict[str, str]:
    """A plan that two people approve, after one had tried who may not; its run; the kill switch set, lifted;
    a hold placed, and released by another."""
    units = people_and_cases(org)
    plan = typist.ask("plan")["plan"]
    typist.refused("plans", "approve", plan, "--as", "demo-ines", "--role", "auditor", code=5)
    typist.ask("plans", "approve", plan, "--as", "demo-anna", "--role", "crm_admin")
    typist.refused("plans", "approve", plan, "--as", "demo-anna", "--role", "crm_admin", code=5)  # again, as from a page still open
    typist.ask("plans", "approve", plan, "--as", "demo-ben", "--role", "dpo")
    run = typist.ask("apply", plan)["run"]
    typist.ask("stop")
    typist.ask("resume")
    what = ("--table", "cf_dossier", "--id", units["open"], "--type", "legal", "--reason", "LITIGATION", "--basis", "a claim")
    hold = typist.ask("holds", "place", *what, "--review-on", "2027-05-01", "--as", "demo-ben", "--role", "dpo")["hold"]
    why = ("--reason", "the claim is settled")
    typist.ask("holds", "release", hold, "--asked-by", "demo-ben", "--as", "demo-erik", "--role", "approver", *why)
    return {"plan": plan, "run": run, "hold": hold}


def test_an_auditor_reads_a_period_in_words_and_follows_each_of_them(night: dict[str, str], signed_in: Callable[..., Browser]) -> None:
    auditor = signed_in(Role.AUDITOR)
    assert 'href="/history/audit"' in auditor.page("/history")
    page = auditor.page("/history/audit")
    told = text_of(page)
    assert "From 26 Oct 2026 to 25 Nov 2026, both included" in told
    assert "1 run was carried out. 4 units were deleted, 1 was anonymised" in told
    assert "Every plan that was carried out had been approved by people. In no run did anything fail." in told
    approved = told[told.index("Who approved what") : told.index("Disposed of, by category")]
    assert "demo-anna , CRM administrator" in approved
    assert "demo-ben , Data protection officer" in approved
    assert f'href="/history/{night["run"]}"' in page
    assert f'href="/plans/{night["plan"]}/lines?reason=OPEN_DOSSIER"' in page, "why a dossier was kept, in the third click"
    refused = told[told.index("Tried and refused") : told.index("Kill switch, restored")]
    assert "Auditor approve or reject a plan" in refused
    assert "the role may not" in refused
    assert "whoever tried has had their part in it already" in refused
    assert "demo-ines" not in page.split("<main", 1)[1], "the ledger has no name of who was refused"
    assert "The kill switch was set" in told
    assert "The kill switch was lifted" in told
    assert f"Hold {night['hold']} Legal demo-erik , asked by demo-ben" in told
    assert "1 hold was placed." in told


def test_a_period_in_which_nothing_was_done_says_so(night: dict[str, str], signed_in: Callable[..., Browser]) -> None:
    page = signed_in(Role.DPO).page("/history/audit?from=2026-10-01&to=2026-11-24")
    told = text_of(page)
    assert "No plan was carried out in this period." in told
    assert "Nobody approved or rejected a plan." in told
    assert night["run"] not in page
    assert night["hold"] not in page


def test_what_is_no_day_is_told(signed_in: Callable[..., Browser]) -> None:
    assert signed_in(Role.AUDITOR).get("/history/audit?to=today").status_code == 400


@pytest.mark.parametrize(
    ("language", "query", "days", "says"),
    [
        ("en", "from=2026-11-26", ("26/11/2026", "25/11/2026"), "This day is after the last one."),
        ("fr", "from=2026-03-02&to=2026-03-01", ("02/03/2026", "01/03/2026"), "Ce jour est postérieur au dernier."),
        ("nl", "from=2020-01-01&to=2026-01-01", ("01/01/2020", "01/01/2026"), "Een periode duurt ten hoogste drie jaar."),
    ],
)
def test_what_is_no_period_is_asked_for_again_with_what_was_entered(
    signed_in: Callable[..., Browser], language: str, query: str, days: tuple[str, str], says: str
) -> None:
    answer = signed_in(Role.AUDITOR, language).get(f"/history/audit?{query}")
    assert answer.status_code == 400
    assert all(f'value="{day}"' in answer.text for day in days)
    assert f'<p class="error" id="e-from">{says}' in answer.text
    assert 'aria-describedby="e-from"' in answer.text
    assert "data-prints" not in answer.text, "there is nothing to print"
    assert 'aria-labelledby="in-short"' not in answer.text


def test_the_same_is_told_in_dutch_and_french(night: dict[str, str], signed_in: Callable[..., Browser]) -> None:
    for language, words in (("nl", "4 eenheden zijn gewist, 1 is geanonimiseerd"), ("fr", "4 unités ont été effacées, 1 a été anonymisée")):
        assert words in text_of(signed_in(Role.AUDITOR, language).page("/history/audit"))
