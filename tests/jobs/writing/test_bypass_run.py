"""Passing by custom logic of the CRM: only where the schedule says so, and then it can be seen in plan,
ledger, run and certificate."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.interface.errors import Forbidden
from crm_compliance.reports.documents import history_document, plan_document
from crm_compliance.reports.plan.model import build_report
from crm_compliance.reports.plan.page import page_pieces
from jobs.checks.whole_view import permitted
from jobs.ledger.certificates import Certificate
from jobs.model.privileges import needs_under
from jobs.model.run import Action, ActionState, Run, run_document
from jobs.plans.lines.pages import parts_of
from rules.dates.calendar import BELGIAN
from rules.model.residual_data import ResidualPlace
from tests.drivers.night import CATEGORY, Night
from tests.jobs.proof.certified import document, of_unit, problems

LONG_AGO = date(2018, 3, 1)
PRIVILEGE = "prvBypassCustomBusinessLogic"


def bypassing(**words: str) -> Callable[[str], str]:
    """The schedule with a bypass on these rows; `contacts` is that of people."""

    def changed(text: str) -> str:
        for key, named in words.items():
            before = text
            if key == "contacts":
                text = text.replace("\nbackups:\n", f"\ncontacts:\n  bypass: [{named}]\n\nbackups:\n")
            else:
                text = text.replace(f"\n  {key}:\n    labels:", f"\n  {key}:\n    bypass: [{named}]\n    labels:")
            assert text != before, key
        return text

    return changed


def refuse(night: Night, *tables: str) -> None:
    """A plug-in of the organisation's own that lets nothing of these tables be deleted."""
    steps = [{"table": table, "message": "Delete", "do": "refuse", "text": "Niet verwijderen (fictief)."} for table in tables]
    night.http.put(f"{night.emulator.root}/_emulator/plugins", json=steps).raise_for_status()


def action_of(night: Night, run: Run, row: str) -> Action:
    (found,) = (action for action in night.store.journal.of_run(run.id) if action.id == row)
    return found


def sent(night: Night, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies of all batches from now on."""
    bodies: list[bytes] = []
    transport: Any = night.connector._transport
    post = transport.post_batch

    def watched(body: bytes, *args: Any, **more: Any) -> Any:
        bodies.append(body)
        return post(body, *args, **more)

    monkeypatch.setattr(transport, "post_batch", watched)
    return bodies


def test_without_a_bypass_a_plug_in_that_refuses_keeps_the_unit_and_no_header_is_sent(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier, free = night.dossier("social_card", spoken=LONG_AGO), night.dossier("e_safety", spoken=LONG_AGO)
    night.http.put(
        f"{night.emulator.root}/_emulator/plugins",
        json=[{"table": "cf_dossier", "message": "Delete", "when": {"cf_categories": str(CATEGORY["social_card"])}, "do": "refuse"}],
    ).raise_for_status()
    bodies = sent(night, monkeypatch)
    plan = night.plan()
    run = night.apply(plan)
    assert (action_of(night, run, dossier).state, action_of(night, run, dossier).code) == (ActionState.SKIPPED, "SKIPPED_TECHNICAL")
    assert night.get("cf_dossiers", dossier) is not None
    assert action_of(night, run, free).state is ActionState.DONE
    assert bodies
    assert not any(b"mscrm." in body.lower() for body in bodies)
    assert (plan.bypass, run.counts["bypass"]) == ({}, {})
    assert set(of_unit(night, run, "cf_dossier", free).method) == {place.value for place in ResidualPlace}


def test_with_it_the_unit_goes_and_plan_ledger_run_and_certificate_say_so(
    make_night: Callable[..., Night], monkeypatch: pytest.MonkeyPatch
) -> None:
    night = make_night(policy=bypassing(social_card="plugins, flows"))
    dossier, other = night.dossier("social_card", spoken=LONG_AGO), night.dossier("e_safety", spoken=LONG_AGO)
    refuse(night, "cf_dossier")
    bodies = sent(night, monkeypatch)
    plan = night.plan()
    assert plan.bypass == plan_document(plan, night.clock())["bypass"] == {"plugins": 1, "flows": 1}
    pages = night.store.plans.pages
    report = build_report(
        plan, lambda: parts_of(pages(plan.id)), now=night.clock(), labels={}, link=lambda table, row: "", calendar=BELGIAN
    )
    assert "1 unit by bypass of plugins: plug-ins and workflows of the CRM" in "".join(page_pieces(report))
    run = night.apply(plan)
    assert night.get("cf_dossiers", dossier) is None
    assert (action_of(night, run, dossier).state, action_of(night, run, dossier).bypass) == (ActionState.DONE, ("plugins", "flows"))
    assert action_of(night, run, other).code == "SKIPPED_TECHNICAL", "only the category that the schedule names"
    headers = re.findall(rb"(?i)mscrm\.[^\r\n]+", b"".join(bodies))
    assert {*headers} == {
        b"MSCRM.BypassBusinessLogicExecution: CustomSync,CustomAsync",
        b"MSCRM.SuppressCallbackRegistrationExpanderJob: true",
    }
    counts: Any = history_document(run, run.state, night.store.plans.get(plan.id), night.store.journal.of_run(run.id))["counts"]
    assert counts["bypass"] == run_document(run)["bypass"] == {"plugins": 1, "flows": 1}
    certificate: Certificate = of_unit(night, run, "cf_dossier", dossier)
    assert certificate.method["bypass"] == "plugins,flows"
    assert problems(night, document(night, run)) == []
    reference = night.key.reference("cf_dossier", dossier)
    told: list[Any] = [each for entry in night.store.ledger.entries() if entry.kind == "intent" for each in entry.data["units"]]  # type: ignore[attr-defined]
    assert [unit["bypass"] for unit in told if unit["ref"] == reference] == [["plugins", "flows"]]
    assert [unit for unit in told if unit["ref"] != reference and "bypass" in unit] == []


def test_of_several_categories_only_what_all_of_them_name_is_passed_by(make_night: Callable[..., Night]) -> None:
    night = make_night(policy=bypassing(social_card="plugins, flows", e_safety="flows"))
    both = f"{CATEGORY['social_card']},{CATEGORY['e_safety']}"
    dossier = night.dossier("social_card", spoken=LONG_AGO, cf_categories=both)
    refuse(night, "cf_dossier")
    plan = night.plan()
    assert plan.bypass == {"flows": 1}
    run = night.apply(plan)
    assert action_of(night, run, dossier).code == "SKIPPED_TECHNICAL"
    assert run.counts["bypass"] == {}, "what was skipped was not written"


def test_a_recording_that_goes_with_its_dossier_needs_the_word_of_its_own_row_too(make_night: Callable[..., Night], tmp_path: Path) -> None:
    """RET-03."""
    night = make_night(policy=bypassing(social_card="plugins"))
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    (fiche,) = night.fiches_of(dossier)
    recording = night.recording(LONG_AGO, fiche=fiche, cf_evidence=True)
    refuse(night, "cf_recording")
    run = night.apply(night.plan())
    assert action_of(night, run, dossier).code == "SKIPPED_TECHNICAL"
    assert night.get("cf_recordings", recording) is not None
    willing = make_night(policy=bypassing(social_card="plugins", recording="plugins, flows"), url=f"sqlite:///{tmp_path / 'other.db'}")
    run = willing.apply(willing.plan())
    assert action_of(willing, run, dossier).state is ActionState.DONE
    assert night.get("cf_recordings", recording) is None


def test_recordings_and_people_have_a_bypass_of_their_own(make_night: Callable[..., Night]) -> None:
    night = make_night(policy=bypassing(recording="plugins", contacts="plugins"))
    caller = night.contact()
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    night.party(caller, "reporter", dossier=dossier)
    recording = night.recording(date(2025, 1, 1))
    refuse(night, "contact", "cf_recording")
    run = night.apply(night.plan())
    assert night.get("contacts", caller) is None
    assert night.get("cf_recordings", recording) is None
    assert run.counts["bypass"] == {"plugins": 2}
    assert of_unit(night, run, "contact", caller).method["bypass"] == "plugins"
    assert "bypass" not in of_unit(night, run, "cf_dossier", dossier).method


def give(night: Night, *but: str) -> None:
    """The least role under this schedule, with what cleaning needs, but for some privileges."""
    lines = [*night.connector.least_role(needs_under(night.policy), night.policy.bypasses), *night.connector.cleaning_role()]
    body = {"user": night.connector.whoami(), "set": {line.name: line.depth for line in lines if line.name not in but}}
    night.http.put(f"{night.emulator.root}/_emulator/privileges", json=body).raise_for_status()


def test_the_least_role_has_the_privilege_only_where_the_schedule_asks_for_it(make_night: Callable[..., Night], night: Night) -> None:
    flows, plugins = make_night(policy=bypassing(social_card="flows")), make_night(policy=bypassing(social_card="plugins"))
    for each, is_there in ((night, False), (flows, False), (plugins, True)):
        lines = each.connector.least_role(needs_under(each.policy), each.policy.bypasses)
        assert (PRIVILEGE in {line.name for line in lines}) is is_there
    dossier = plugins.dossier("social_card", spoken=LONG_AGO)
    refuse(plugins, "cf_dossier")
    give(plugins)
    assert not [line for line in permitted(plugins.connector, plugins.policy) if "Bypass" in line]
    run = plugins.apply(plugins.plan())
    assert action_of(plugins, run, dossier).state is ActionState.DONE
    assert any(f"{PRIVILEGE} is held" in line for line in permitted(night.connector, night.policy)), "else it is too much"


def test_without_the_privilege_nothing_begins(make_night: Callable[..., Night]) -> None:
    night = make_night(policy=bypassing(social_card="plugins"))
    give(night, PRIVILEGE)
    with pytest.raises(Forbidden, match=f"{PRIVILEGE} is missing"):
        permitted(night.connector, night.policy)
