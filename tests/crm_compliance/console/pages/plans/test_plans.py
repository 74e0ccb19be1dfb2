"""Plans on pages: the list, and what one says it would do. Everybody is fictitious."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from crm_compliance.console.frame.services import Services
from crm_compliance.wiring.mapping import mapping_text
from jobs.model.plan import Kind
from jobs.model.run import Run, RunState
from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.night import Night
from tests.drivers.typist import Typist

Signed = Callable[..., Browser]


def test_the_list_has_every_plan_and_pages_with_a_filter(
    org: Night, typist: Typist, signed_in: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_compliance.console.pages.plans.index.A_PAGE", 2)
    made = [typist.ask("plan", "--kind", kind)["plan"] for kind in ("retention", "recordings", "retention", "retention")]
    browser = signed_in(Role.AUDITOR)
    first = browser.page("/plans?kind=retention")
    assert [f'href="/plans/{each}"' in first for each in made] == [False, False, True, True]
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    second = browser.page(older[1].replace("&amp;", "&"))
    assert [f'href="/plans/{each}"' in second for each in made] == [True, False, False, False]
    assert 'rel="next"' not in second
    assert browser.get("/plans?kind=nonsense").status_code == 400
    assert "No plan is like this" in text_of(browser.page("/plans?state=applied"))
    assert "No plan is like this" in text_of(browser.page("/plans?before=plan-unknown"))


def test_a_plan_says_what_it_would_do_and_leads_to_the_lines(plan: str, units: dict[str, str], signed_in: Signed) -> None:
    browser = signed_in(Role.AUDITOR)
    page = browser.page(f"/plans/{plan}")
    assert "It disposes of a category of which no completed run has disposed before." in text_of(page)
    assert re.search(r"<title>Plan of \d+ Nov 2026 \d\d:\d\d ", page), "several are made on one day"
    assert browser.get(f"/plans/{plan}?disposition=anonymise").headers["Location"] == f"/plans/{plan}/lines?disposition=anonymise"
    lines = browser.page(f"/plans/{plan}/lines?disposition=anonymise")
    assert units["anonymise"] in lines
    assert f"id={units['anonymise']}&amp;pagetype=entityrecord" in lines, "the record in the CRM"
    assert [units[each] in lines for each in ("delete", "open", "no_term", "recording")] == [False] * 4
    assert browser.get("/plans/plan-unknown").status_code == 404
    assert "no such plan" in text_of(browser.get("/plans/plan-unknown").text)


def test_what_becomes_of_each_kind_of_unit_adds_up_to_the_plan(org: Night, plan: str, signed_in: Signed) -> None:
    """Contacts have no category: only by kind does a reader see how many of them go."""
    browser = signed_in(Role.DPO)
    assert f'hx-get="/plans/{plan}/kinds"' in browser.page(f"/plans/{plan}")
    for piece in ("kinds", "months"):
        assert re.search(rf'<noscript>.*href="/plans/{plan}/{piece}".*</noscript>', browser.page(f"/plans/{plan}"))
        assert "</main>" in browser.page(f"/plans/{plan}/{piece}"), "a page of its own without script"
    part = browser.get(f"/plans/{plan}/kinds", **{"HX-Request": "true"}).text
    assert "</main>" not in part
    rows = [[int(number) for number in re.findall(r">(\d+)</td>", row)] for row in part.split("<tr>")[2:]]
    head = org.store.plans.get(plan)
    assert [sum(column) for column in zip(*rows, strict=True)] == [
        head.dispose["delete"],
        head.dispose["anonymise"],
        sum(head.retain.values()),
    ]
    assert "Contact 1 0 0" in text_of(part)
    assert f'href="/plans/{plan}/lines?table=contact"' in part
    with org.store.database.writing() as connection:
        connection.execute(text("DELETE FROM plan_pages"))
    assert "The lines of this plan are removed" in text_of(browser.page(f"/plans/{plan}/kinds"))


def test_what_becomes_due_is_counted_by_month(org: Night, plan: str, typist: Typist, signed_in: Signed) -> None:
    assert "Nothing becomes due in these months." in text_of(signed_in(Role.DPO).page(f"/plans/{plan}/months"))
    org.fiche("social_card", spoken=org.clock().date())
    later = typist.ask("plan")["plan"]
    words = text_of(signed_in(Role.DPO, "nl").page(f"/plans/{later}/months"))
    assert "mei 2027: 1" in words
    assert words.count(" 0 ") == 11


def test_what_changed_since_the_plan_before_is_told_unit_by_unit(
    org: Night, plan: str, units: dict[str, str], typist: Typist, signed_in: Signed
) -> None:
    browser = signed_in(Role.AUDITOR, "nl")
    assert "Dit is het eerste plan van zijn soort" in text_of(browser.page(f"/plans/{plan}/changes"))
    new = org.dossier("social_card", spoken=date(2026, 11, 1))
    org.patch("cf_dossiers", units["open"], statecode=1, statuscode=2)
    later = typist.ask("plan")["plan"]
    page = browser.page(f"/plans/{later}/changes")
    assert f'value="{plan}" selected' in page
    assert new in page
    assert units["open"] in page
    assert units["anonymise"] not in page
    added = browser.page(f"/plans/{later}/changes?change=added")
    assert new in added
    assert units["open"] not in added
    told = text_of(browser.page(f"/plans/{later}/changes?change=changed"))
    assert "OPEN_DOSSIER" in told
    assert "Het dossier is nog open." in told, "a code stands beside its words"
    for bad, status in (("change=nothing", 400), ("offset=x", 400), ("since=plan-unknown", 404)):
        assert browser.get(f"/plans/{later}/changes?{bad}").status_code == status, bad
    answer = browser.get(f"/plans/{later}/changes.csv?since={plan}")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{later}-changes.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert ["etn=cf_dossier" in row["link"] and new in row["link"] for row in rows if row["id"] == new] == [True]


def test_how_far_a_run_is_is_told_as_it_goes_on(org: Night, plan: str, signed_in: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_compliance.console.pages.plans.progress.EVERY_S", 0)
    monkeypatch.setattr("crm_compliance.console.pages.plans.progress.MOST", 3)
    browser = signed_in(Role.CRM_ADMIN)
    assert browser.get(f"/plans/{plan}/progress").status_code == 204, "there is no run"
    now = org.clock()
    run = Run(id="run-1", kind=Kind.ALL, plan=plan, state=RunState.RUNNING, as_of=now, started_at=now)
    org.store.runs.start(run, ("run_started", {"plan": plan}))
    page = browser.page(f"/plans/{plan}")
    assert f'sse-connect="/plans/{plan}/progress"' in page
    assert 'action="/stop"' in page
    assert 'id="stop-run"' not in page, "nobody works on it"
    with monkeypatch.context() as at_work:
        at_work.setattr(type(org.store.leases), "runs_at_work", lambda _: frozenset([run.id]))
        page_of_run, its_lines = browser.page(f"/plans/{plan}"), browser.page(f"/plans/{plan}/lines")
        assert 'id="stop-run"' in page_of_run, "the switch is where somebody looks on"
        assert [text_of(each).count("Running") > 0 for each in (page_of_run, its_lines, page)] == [True, True, False]
        assert "/stop" not in signed_in(Role.AUDITOR).page(f"/plans/{plan}")
        told = browser.get(f"/plans/{plan}/progress").text.split("event: ")
        assert ["follows the run no longer" in each for each in told[1:]] == [False, False, True, False], (
            "it does not stand still in silence"
        )
    answer = browser.get(f"/plans/{plan}/progress")
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.text.count("event: progress\n") == 3
    assert "Interrupted" in text_of(answer.text), "nobody works on it"
    assert answer.text.endswith("event: end\ndata: over\n\n")
    org.store.runs.save(replace(run, state=RunState.DONE, ended_at=now), [("run_ended", {"run": run.id})])
    ended = browser.get(f"/plans/{plan}/progress").text
    assert ended.count("event: progress\n") == 1
    assert 'id="plan-state" hx-swap-oob="true"' in ended, "the head of the page says so too"
    assert 'id="stop-run" hx-swap-oob="delete"' in ended
    assert "hx-swap-oob" not in answer.text + browser.page(f"/plans/{plan}")
    assert "sse-connect" not in browser.page(f"/plans/{plan}")


def test_a_plan_of_other_rules_says_that_nothing_applies_it(plan: str, services: Services, signed_in: Signed, tmp_path: Path) -> None:
    browser, told = signed_in(Role.CRM_ADMIN), "The schedule or the mapping has changed since"
    assert told not in browser.page(f"/plans/{plan}")
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(mapping_text(services.settings)[0] + "# another one\n", encoding="utf-8")
    object.__setattr__(services, "settings", services.settings.model_copy(update={"mapping": mapping}))
    assert told in browser.page(f"/plans/{plan}")


def test_a_category_that_the_schedule_does_not_have_has_the_name_that_the_organisation_gives_it(
    org: Night, typist: Typist, signed_in: Signed
) -> None:
    org.dossier("grooming", cf_categories="100000042")  # lost or injured
    plan = typist.ask("plan")["plan"]
    said = text_of(signed_in(Role.DPO, "nl").page(f"/plans/{plan}"))
    assert "Verdwaald of gewond lost_or_injured" in said
