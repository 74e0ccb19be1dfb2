"""The least-privilege role is enough for a whole night, and the page that states it is current."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.emulator.serving.server import RunningEmulator, SeedSpec
from connectors.interface.errors import Forbidden
from crm_compliance.hints import in_words
from crm_compliance.reports.role import role_page
from jobs.checks.whole_view import permitted
from jobs.model.plan import Kind
from jobs.model.privileges import NEEDS, needs_under
from jobs.plans.make import make_plan
from jobs.runs.apply import apply_plan
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN
from tests.drivers.typist import LONG_AGO

pytestmark = pytest.mark.usefixtures("real_definitions")  # the account may read nothing that it need not
ROOT = Path(__file__).parents[2]


def give(night: Night, privileges: dict[str, str], *, administrator: bool = False) -> None:
    rights: dict[str, Any] = {"administrator": True} if administrator else {"set": privileges}
    answer = requests.put(f"{night.emulator.root}/_emulator/privileges", json={"user": night.connector.whoami(), **rights})
    assert answer.status_code == 200, answer.text


def role(night: Night) -> dict[str, str]:
    """Both parts of the page: without the second, what was anonymised would count as pseudonymised
    (ERA-02)."""
    return {line.name: line.depth for line in [*night.connector.least_role(NEEDS), *night.connector.cleaning_role()]}


def test_a_night_with_the_least_role_does_what_one_with_all_rights_does(
    make_night: Callable[..., Night], emulator: RunningEmulator
) -> None:
    emulator.load(SeedSpec(60, 5, date(2026, 11, 25)).rows())
    night = make_night(policy=lambda text: text.replace("max: 200", "max: 9999"))
    planned = {line.id: line.outcome for line in night.lines(night.plan()).values()}
    give(night, role(night))
    permitted(night.connector, night.policy)
    plan = night.plan()
    assert {line.id: line.outcome for line in night.lines(plan).values()} == planned
    run = night.apply(plan)
    counts: dict[str, Any] = dict(run.counts)
    disposals = list(planned.values()).count("dispose")
    assert counts["deleted"] + counts["anonymised"] + sum(counts["skipped"].values()) == disposals
    assert counts["deleted"] > 10
    assert counts["statistics"] > 0
    assert {action.code for action in night.store.journal.of_run(run.id)} <= {"", "SKIPPED_TECHNICAL", "CHANGED"}


def test_the_least_role_lets_the_notes_of_a_quarantine_hang_on_what_ends(make_night: Callable[..., Night]) -> None:
    night = make_night(policy=lambda text: f"{text}quarantine:\n  days: 14\n  notice: note\n")
    night.fiche("social_card", spoken=LONG_AGO)
    least = night.connector.least_role(needs_under(night.policy))
    give(night, {line.name: line.depth for line in [*least, *night.connector.cleaning_role()]})
    permitted(night.connector, night.policy)
    run = night.apply(night.plan())
    assert run.counts["skipped"] == {"QUARANTINED": 1}
    assert [mark.told for mark in night.store.quarantine.marks()] == [True]
    give(night, {line.name: line.depth for line in least if line.name != "prvAppendTocf_fiche"})
    with pytest.raises(Forbidden, match="prvAppendTocf_fiche is missing"):  # told before a night, and not by each note
        permitted(night.connector, night.policy)


def test_a_table_that_is_seen_in_part_stops_the_run_before_it_plans(night: Night) -> None:
    give(night, role(night) | {"prvReadcf_fiche": "Basic"})
    with pytest.raises(Forbidden, match="prvReadcf_fiche reaches Basic only") as refused:
        permitted(night.connector, night.policy)
    assert "crm-compliance doctor --role" in in_words(refused.value.hint)  # the page of the docs is another organisation's


def test_a_role_that_is_narrowed_meanwhile_stops_the_run_before_anything_goes(night: Night) -> None:
    """The role of somebody else's that still ties a person is out of sight then, and no read says so."""
    dossier, running = night.dossier("social_card", spoken=LONG_AGO), night.dossier("grooming", closed=False)
    person = night.contact()
    night.party(person, "reporter", dossier=dossier)
    give(night, role(night))
    permitted(night.connector, night.policy)
    plan = night.plan()
    give(night, {}, administrator=True)
    other = night.create("systemusers", "systemuserid", firstname="Bram", lastname="Maes (fictief)", domainname="bram@example.invalid")
    night.patch("cf_parties", night.party(person, "witness", dossier=running), **{"ownerid@odata.bind": f"/systemusers({other})"})
    narrow = role(night) | {"prvReadcf_party": "Basic"}
    give(night, narrow)
    with pytest.raises(Forbidden, match="prvReadcf_party reaches Basic only"):
        night.apply(plan)
    with pytest.raises(Forbidden, match="prvReadcf_party reaches Basic only"):
        night.plan()
    give(night, {}, administrator=True)
    assert night.get("cf_dossiers", dossier) is not None
    run = night.apply(plan)
    assert [night.get("cf_dossiers", dossier) is None, night.get("contacts", person) is None] == [True, False]
    assert run.counts["skipped"] == {"STILL_REFERRED": 1}


def secure(night: Night, table: str, column: str, kind: str, *, secured: bool) -> None:
    address = f"{night.emulator.url}EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{column}')"
    form = f"Microsoft.Dynamics.CRM.{kind}AttributeMetadata"
    definition = night.http.get(f"{address}/{form}").json() | {"@odata.type": form, "IsSecured": secured}
    night.http.put(address, json=definition, headers={"MSCRM.MergeLabels": "true"}).raise_for_status()


@pytest.mark.parametrize(("table", "column", "kind"), [("cf_dossier", "cf_legalhold", "Boolean"), ("contact", "birthdate", "DateTime")])
def test_a_column_that_is_secured_meanwhile_stops_the_night_before_anything_goes(night: Night, table: str, column: str, kind: str) -> None:
    """A hold looks empty then, and no read says so: by what it read the dossier would go."""
    dossier, other = night.dossier("social_card", spoken=LONG_AGO, cf_legalhold=True), night.dossier("social_card", spoken=LONG_AGO)
    give(night, role(night))
    plan, context = night.approved(night.plan()), night.context
    give(night, {}, administrator=True)
    secure(night, table, column, kind, secured=True)
    give(night, role(night))
    for work in (night.plan, lambda: apply_plan(context, plan.id)):
        with pytest.raises(Forbidden, match=f"{table}: {column} has been secured while the work was under way"):
            work()
    give(night, {}, administrator=True)
    assert {night.get("cf_dossiers", each) is None for each in (dossier, other)} == {False}


def test_what_a_night_has_read_of_a_secured_column_is_not_remembered(make_night: Callable[..., Night], night: Night) -> None:
    """The dossier under a hold that looked empty then has not changed since, so no change would tell of the
    hold."""
    make_night(remembering=True).plan()
    dossier = night.dossier("social_card", spoken=LONG_AGO, cf_legalhold=True)
    context = make_night(remembering=True).context
    secure(night, "cf_dossier", "cf_legalhold", "Boolean", secured=True)
    give(night, role(night))
    with pytest.raises(Forbidden, match="cf_legalhold has been secured"):
        make_plan(context, Kind.ALL)
    give(night, {}, administrator=True)
    secure(night, "cf_dossier", "cf_legalhold", "Boolean", secured=False)
    found = make_night(remembering=True)
    assert found.lines(found.plan())[dossier].reason == "HOLD_LEGAL"


def test_the_page_of_the_role_is_current(night: Night) -> None:
    page = role_page(night.connector.least_role(NEEDS), night.connector.cleaning_role(), night.connector.answering_role())
    stored = ROOT / "docs" / "least-privilege-role.md"
    assert stored.read_text(encoding="utf-8") == page, "write it again: crm-compliance doctor --role docs/least-privilege-role.md"


def test_the_role_can_be_made_as_the_page_says(night: Night) -> None:
    """Word for word, by an account that may: what it then holds is enough."""
    page = role_page(night.connector.least_role(NEEDS), night.connector.cleaning_role(), night.connector.answering_role())
    method, address = next(line for line in page.splitlines() if line.startswith("1. ")).split("`")[1].split(" ", 1)
    example = json.loads(page.partition("```json\n")[2].partition("```")[0])["Privileges"]
    (name,) = re.findall(r"'(\w+)'", address)
    depths = {level: depth for depth, level in re.findall(r"`(\w+)` for the level (\w+)", page)}
    lines = re.findall(r"^\| `(\w+)` \| (\w+) \|", page, re.MULTILINE)
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {TOKEN}"

        def ask(verb: str, path: str, **document: Any) -> requests.Response:
            answer = session.request(verb, night.emulator.url + path, json=document or None)
            assert answer.ok, answer.text
            return answer

        unit = ask("GET", "businessunits?$select=businessunitid").json()["value"][0]["businessunitid"]
        made = ask("POST", "roles", **{"name": "r", "businessunitid@odata.bind": f"/businessunits({unit})"}).headers["OData-EntityId"]
        role_id = made.rpartition("(")[2].rstrip(")")
        highest = dict(sorted(lines, key=lambda line: line[1], reverse=True))  # User before Organization
        entries = []
        for each, level in highest.items():
            (found,) = ask(method, address.replace(name, each)).json()["value"]
            entries.append(example[0] | {"PrivilegeId": found["privilegeid"], "Depth": depths[level]})
        ask("POST", f"roles({role_id})/Microsoft.Dynamics.CRM.AddPrivilegesRole", Privileges=entries)
        held = ask("GET", f"RetrieveRolePrivilegesRole(RoleId={role_id})").json()["RolePrivileges"]
    assert {one["PrivilegeName"]: one["Depth"] for one in held} == {each: depths[level] for each, level in highest.items()}


def test_what_answers_ask_for_is_told_apart_and_is_not_too_much(night: Night) -> None:
    answering = {line.name: line.depth for line in night.connector.answering_role()}
    assert {"prvReadAccount", "prvCreateNote", "prvAppendNote", "prvAppendTocf_dossier", "prvDeletecf_enrolment"} <= {*answering}
    give(night, role(night) | answering)
    told = permitted(night.connector, night.policy)
    assert not [line for line in told if "not needed" in line]
    give(night, role(night) | {"prvCreatecf_dossier": "Global"})
    assert any("not needed: prvCreatecf_dossier" in line for line in permitted(night.connector, night.policy))
