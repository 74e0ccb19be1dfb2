"""The preflight: what the application user lacks is an error, what it has too much is a warning, and the
stated role is enough."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.dynamics.schema import privileges as privileges_module
from connectors.emulator.schema.environment_file import DEFAULT_ENVIRONMENT
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.errors import Finding, ReadIncomplete
from jobs.model.privileges import NEEDS
from rules.model.bypass import Bypass
from tests.drivers.connecting import connect
from tests.known_definitions import KNOWN
from tests.yaml_files import read_yaml, yaml_text

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes

ROOT = "http://127.0.0.1:9/api/data/v9.2/"
READS = ("Contact", "cf_dossier", "cf_fiche", "cf_party", "cf_recording", "cf_donation", "cf_enrolment", "cf_engagement", "cf_statistic")
LEAST = {f"prvRead{table}": "Global" for table in (*READS, "Note", "Activity")}
LEAST |= {f"prvDelete{table}": "Global" for table in ("Contact", "cf_dossier", "cf_fiche", "cf_party", "cf_recording", "Note", "Activity")}
LEAST |= {f"prvWrite{table}": "Global" for table in ("Contact", "cf_party", "cf_recording", "cf_statistic")}
LEAST |= {"prvCreatecf_statistic": "Global"}
# To read definitions, and the user's own row.
COMMON = dict.fromkeys(("prvReadEntity", "prvReadAttribute", "prvReadRelationship", "prvReadOptionSet"), "Global") | {
    "prvReadUser": "Basic"
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with running() as started, KNOWN.of(started, "t"):
        yield started


def give(emulator: RunningEmulator, privileges: Mapping[str, str]) -> None:
    user = requests.get(f"{emulator.url}WhoAmI", headers={"Authorization": "Bearer t"}).json()["UserId"]
    answer = requests.put(f"{emulator.root}/_emulator/privileges", json={"user": user, "set": {**COMMON, **privileges}})
    assert answer.status_code == 200, answer.text


def connector(emulator: RunningEmulator, text: str = REFERENCE.read_text("utf-8")) -> DynamicsConnector:
    tokens = StaticToken("t", emulator.url)
    return connect(url=emulator.url, tokens=tokens, mapping_text=text, mapping_source="m.yaml", sleep=lambda _: None)


def findings(emulator: RunningEmulator, *bypass: Bypass) -> list[Finding]:
    with connector(emulator) as connected:
        connected.check()
        return connected.check_privileges(NEEDS, bypass)


def errors(emulator: RunningEmulator) -> list[str]:
    return [f"{each.where}: {each.message}" for each in findings(emulator) if each.is_error]


def test_the_least_role_lacks_nothing_and_has_nothing_over(emulator: RunningEmulator) -> None:
    give(emulator, LEAST)
    found = findings(emulator)
    assert [each for each in found if each.is_error] == []
    assert [each.message for each in found if "not needed" in each.message or "is held" in each.message] == []
    along = [each.message for each in found if "(goes with " in each.message]  # in tables that no mapping names
    assert along
    assert all(each.endswith("): give it only where the CRM refuses a delete for want of it") for each in along)


@pytest.mark.parametrize("name", sorted(LEAST))
def test_each_privilege_of_it_is_missed(emulator: RunningEmulator, name: str) -> None:
    give(emulator, {key: depth for key, depth in LEAST.items() if key != name})
    assert any(f"{name} is missing" in error for error in errors(emulator))


def test_a_read_of_filtered_rows_counts_as_missing_unless_another_role_gives_them_all(
    emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Section 13: whatever its depth."""
    ask, whole = privileges_module._content, list[dict[str, Any]]()

    def filtered(transport: Any, address: str) -> Any:
        content = ask(transport, address)
        for each in content.get("RolePrivileges", []):
            whole.extend([{**each}] if each["PrivilegeName"] == "prvReadcf_party" else [])
            each["RecordFilterId"] = "7d1c8d5e-0000-4000-8000-000000000001"
        return content | ({"RolePrivileges": [*content["RolePrivileges"], *whole]} if "RolePrivileges" in content else {})

    give(emulator, LEAST)
    monkeypatch.setattr(privileges_module, "_content", filtered)
    told = [error for error in errors(emulator) if " prvReadcf_" in error]
    assert any(each.startswith("cf_fiche: prvReadcf_fiche reaches rows of a record filter only, not the whole ") for each in told)
    assert not any(each.startswith("cf_party: ") for each in told)


@pytest.mark.parametrize("depth", ["Basic", "Local", "Deep"])
def test_a_read_that_reaches_a_part_counts_as_missing(emulator: RunningEmulator, depth: str) -> None:
    """The list is filtered without a word: it would look like an organisation with less to keep."""
    give(emulator, LEAST | {"prvReadcf_fiche": depth})
    (error,) = errors(emulator)
    assert error == f"cf_fiche: prvReadcf_fiche reaches {depth} only, not the whole organisation (fiche: decisions depend on every row)"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("prvDeletecf_donation", "not needed: prvDeletecf_donation"),
        ("prvCreateContact", "not needed: prvCreateContact"),
        ("prvBypassCustomBusinessLogic", "it could pass by holds that are kept as business logic"),
        ("prvActOnBehalfOfAnotherUser", "it could write in the name of a person"),
    ],
)
def test_what_is_too_much_is_a_warning(emulator: RunningEmulator, name: str, told: str) -> None:
    give(emulator, LEAST | {name: "Global"})
    found = findings(emulator)
    assert [each for each in found if each.is_error] == []
    assert any(told in each.message for each in found)


def test_the_privilege_of_a_bypass_is_asked_for_only_where_the_schedule_bypasses_plug_ins(emulator: RunningEmulator) -> None:
    name = "prvBypassCustomBusinessLogic"
    give(emulator, LEAST)
    assert [each for each in findings(emulator, Bypass.FLOWS) if each.is_error] == [], "the header for flows needs none"
    (missing,) = [each for each in findings(emulator, Bypass.PLUGINS) if each.is_error]
    assert missing.message == f"{name} is missing (the schedule lets disposals pass by plug-ins)"
    give(emulator, LEAST | {name: "Global"})
    assert [each for each in findings(emulator, Bypass.PLUGINS) if name in each.message] == []
    assert [each.is_error for each in findings(emulator, Bypass.FLOWS) if name in each.message] == [False], "held, and not needed"
    with connector(emulator) as connected:
        roles = {each: {line.name for line in connected.least_role(NEEDS, [each])} for each in Bypass}
    assert (name in roles[Bypass.PLUGINS], name in roles[Bypass.FLOWS]) == (True, False)


def test_a_crm_that_names_no_privileges_is_told_as_such(emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    rights = privileges_module._rights

    def nameless(transport: Any, user: str) -> Any:
        found = rights(transport, user)
        found.names.clear()
        return found

    give(emulator, LEAST)
    monkeypatch.setattr(privileges_module, "_rights", nameless)
    (told,) = [each for each in findings(emulator, Bypass.PLUGINS) if "does not tell" in each.message]
    assert not told.is_error


def test_a_crm_that_cannot_be_asked_is_told_as_such(emulator: RunningEmulator) -> None:
    give(emulator, LEAST)
    rule: dict[str, Any] = {"match": {"path": "RetrieveUserPrivileges"}, "do": "status", "status": 404}
    requests.put(f"{emulator.root}/_emulator/faults", json=[rule])
    try:
        (found,) = findings(emulator)
    finally:
        requests.put(f"{emulator.root}/_emulator/faults", json=[])
    assert (found.is_error, found.message) == (False, "this CRM does not tell what the application user may do (status 404)")


def test_a_secured_column_that_is_shown_otherwise_is_not_readable(tmp_path: Path) -> None:
    document = read_yaml(DEFAULT_ENVIRONMENT)
    document["tables"]["cf_dossier"]["columns"]["cf_legalhold"]["secured"] = True
    columns = {"attributemaskingruleid": {"type": "guid", "key": True}, "uniquename": {"type": "string(100)", "primary_name": True}}
    columns |= {name: {"type": "string(100)"} for name in ("entityname", "attributelogicalname")}
    document["tables"]["attributemaskingrule"] = {"set": "attributemaskingrules", "columns": columns}
    (tmp_path / "environment.yaml").write_text(yaml_text(document), "utf-8")
    text = REFERENCE.read_text("utf-8").replace("    table: cf_dossier\n", "    table: cf_dossier\n    readable: [legal_hold]\n")
    with running(environment=tmp_path / "environment.yaml") as started, connector(started, text) as connected:

        def told() -> list[Finding]:
            found = [*connected.check_privileges(NEEDS), *connected.check(decisions=True)]
            return [each for each in found if "masking rule" in each.message or "shown otherwise" in each.message]

        def rule(column: str) -> None:
            named = {"uniquename": column, "entityname": "cf_dossier", "attributelogicalname": column}
            assert requests.post(f"{started.url}attributemaskingrules", json=named, headers={"Authorization": "Bearer other"}).ok

        connected.check()
        rule("cf_name")
        assert told() == []
        rule("cf_legalhold")
        assert [(each.is_error, each.where) for each in told()] == [(True, "cf_dossier")] * 2
        refused = {"match": {"path": "*/attributemaskingrules*"}, "do": "status", "status": 403}
        requests.put(f"{started.root}/_emulator/faults", json=[refused])
        assert [each.is_error for each in told()] == [False], "told where the mapping is looked at, and not each night"


def test_a_secured_column_that_is_stated_to_be_readable_has_to_be(tmp_path: Path) -> None:
    """Who may not read it sees no hold in any row, and gets no error."""
    document = read_yaml(DEFAULT_ENVIRONMENT)
    document["tables"]["cf_dossier"]["columns"]["cf_legalhold"]["secured"] = True
    (tmp_path / "environment.yaml").write_text(yaml_text(document), "utf-8")
    text = REFERENCE.read_text("utf-8").replace("    table: cf_dossier\n", "    table: cf_dossier\n    readable: [legal_hold]\n")
    with running(environment=tmp_path / "environment.yaml") as started, connector(started, text) as connected:

        def told() -> list[tuple[bool, str]]:
            return [(each.is_error, each.message) for each in connected.check_privileges(NEEDS) if "secured" in each.message]

        def post(address: str, document: dict[str, Any]) -> Any:
            headers = {"Authorization": "Bearer other", "Prefer": "return=representation"}
            answer = requests.post(started.url + address, json=document, headers=headers)
            assert answer.ok, answer.text
            return answer.json() if answer.content else {}

        connected.check()
        assert told() == []  # System Administrator
        profile = post("fieldsecurityprofiles", {"name": "Bewaring"})["fieldsecurityprofileid"]
        permission = {"entityname": "cf_dossier", "attributelogicalname": "cf_legalhold", "canread": 4}
        post("fieldpermissions", {**permission, "fieldsecurityprofileid@odata.bind": f"fieldsecurityprofiles({profile})"})
        give(started, LEAST)
        ((is_error, message),) = told()
        assert is_error
        assert message.startswith("cf_legalhold is secured, and the application user may not read it")
        requests.put(f"{started.root}/_emulator/faults", json=[{"match": {"path": "AttributePrivileges"}, "do": "status", "status": 404}])
        ((is_error, _),) = told()
        assert not is_error
        rules = [{"match": {"path": path}, "do": "status", "status": 404} for path in ("AttributePrivileges", "RetrieveVersion")]
        requests.put(f"{started.root}/_emulator/faults", json=rules)
        assert told() == [], "on-premises it is so for ever, and told where the mapping is looked at"
        (once,) = [each for each in connected.check(decisions=True) if "which secured columns" in each.message]
        assert not once.is_error
        requests.put(f"{started.root}/_emulator/faults", json=[])
        requests.put(f"{started.root}/_emulator/privileges", json={"user": connected.whoami(), "administrator": True})
        post(f"systemusers({connected.whoami()})/systemuserprofiles_association/$ref", {"@odata.id": f"fieldsecurityprofiles({profile})"})
        give(started, LEAST)
        assert told() == []


SECOND = "00000000-0000-4000-8000-0000000000b2"


def with_second(emulator: RunningEmulator, privileges: Mapping[str, str]) -> list[Finding]:
    """The first user has the least role, the second these privileges."""
    give(emulator, LEAST)
    token = StaticToken(emulator.emulator.tokens.issue(SECOND, emulator.root), emulator.url)
    user = {"user": SECOND, "set": {**COMMON, **privileges}}
    requests.put(f"{emulator.root}/_emulator/privileges", json=user).raise_for_status()
    text, url = REFERENCE.read_text("utf-8"), emulator.url
    with connect(url=url, tokens=StaticToken("t", url), mapping_text=text, mapping_source="m.yaml", more_tokens=[token]) as connected:
        connected.check()
        return connected.check_privileges(NEEDS)


def test_each_application_user_is_asked_what_it_may_do(emulator: RunningEmulator) -> None:
    """One without the role would be refused its share of every night's work, night after night."""
    assert [each for each in with_second(emulator, LEAST) if each.is_error] == []
    without = {name: depth for name, depth in LEAST.items() if name != "prvDeletecf_dossier"}
    (missing,) = [each for each in with_second(emulator, without) if each.is_error]
    assert (missing.where, missing.message.startswith("prvDeletecf_dossier is missing")) == ("cf_dossier", True)
    assert "application user 2" in missing.message


def test_of_a_privilege_that_is_given_twice_the_deepest_counts(emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """By several roles and teams."""
    give(emulator, LEAST)
    content = privileges_module._content

    def twice(transport: Any, address: str) -> dict[str, Any]:
        found = content(transport, address)
        if "RolePrivileges" in found:
            found["RolePrivileges"] += [{**each, "Depth": "Basic"} for each in found["RolePrivileges"]]
        return found

    monkeypatch.setattr(privileges_module, "_content", twice)
    assert errors(emulator) == []


def test_a_lookup_that_is_emptied_before_what_it_points_to_goes_is_written(tmp_path: Path) -> None:
    """As that of a case to the one before it, which no mapping names: else its unit is refused."""
    document = read_yaml(DEFAULT_ENVIRONMENT)
    document["tables"]["cf_dossier"]["columns"]["cf_beforeid"] = {"type": "lookup cf_dossier", "schema_name": "cf_BeforeId"}
    (tmp_path / "environment.yaml").write_text(yaml_text(document), "utf-8")
    with running(environment=tmp_path / "environment.yaml") as started, connector(started) as connected:
        connected.check()
        reasons = {line.name: line.reason for line in connected.least_role(NEEDS)}
    assert "is emptied first" in reasons["prvWritecf_dossier"]


def test_an_answer_about_privileges_that_is_nested_beyond_reading_is_told_as_such() -> None:
    with responses.RequestsMock() as mock, Transport(Environment(ROOT), StaticToken("t", ROOT)) as transport:
        mock.get(re.compile(f"{ROOT}.*"), body="[" * 100_000)
        with pytest.raises(ReadIncomplete, match="privileges"):
            privileges_module._rights(transport, "00000000-0000-0000-0000-000000000001")
