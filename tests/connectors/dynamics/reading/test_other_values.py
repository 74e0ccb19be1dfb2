"""Keys that come from a table of reference or from columns of yes and no instead of a choice, read by the
real client from an emulator over HTTP (R-161)."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from connectors.dynamics.connector import DynamicsConnector, connect
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.loader import parse_mapping
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.errors import Forbidden
from jobs.model.privileges import NEEDS
from rules.errors import MappingError
from rules.model.personal_records import FullDossier
from rules.model.records import Dossier, Fiche, Party
from tests.connectors.dynamics.residual.test_traces import ENVIRONMENT
from tests.connectors.emulator.client import Client

TABLES = """
tables:
  cf_subject:
    set: cf_subjects
    columns:
      cf_subjectid: {type: guid, key: true}
      cf_name: {type: string(100), primary_name: true}
      cf_code: {type: string(20)}
  cf_rolekind:
    set: cf_rolekinds
    columns:
      cf_rolekindid: {type: guid, key: true}
      cf_name: {type: string(100), primary_name: true}
columns:
  cf_dossier:
    cf_subjectid: {type: lookup cf_subject, schema_name: cf_SubjectId}
  cf_party:
    cf_rolekindid: {type: lookup cf_rolekind, schema_name: cf_RoleKindId}
  cf_fiche:
    cf_issexting: {type: bool}
    cf_isrunaway: {type: bool}
    cf_byphone: {type: bool}
    cf_bychat: {type: bool}
"""
CHILD, SUSPECT = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


def environment(folder: Path) -> Path:
    yaml = YAML(typ="safe")
    document: dict[str, Any] = yaml.load(ENVIRONMENT.read_text("utf-8"))
    more: dict[str, Any] = yaml.load(TABLES)
    document["tables"] |= more["tables"]
    for table, columns in more["columns"].items():
        document["tables"][table]["columns"] |= columns
    path = folder / "environment.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(document, file)
    return path


def mapping(change: Callable[[Any], None] = lambda tables: None) -> str:
    document: dict[str, Any] = YAML(typ="safe").load(REFERENCE.read_text("utf-8"))
    tables = document["tables"]
    dossier, fiche, party = tables["dossier"], tables["fiche"], tables["party"]
    dossier["columns"]["categories"] = "cf_subjectid"
    del dossier["choices"]["categories"]
    dossier["references"] = {"categories": {"by": "cf_code", "keys": {"SEX": "sexting", "WEG": "runaway"}}}
    party["columns"]["role"] = "cf_rolekindid"
    del party["choices"]
    party["references"] = {"role": {"keys": {CHILD: "child", SUSPECT.upper(): "suspect"}}}
    for field in ("categories", "channel"):
        del fiche["columns"][field], fiche["choices"][field]
    fiche["flags"] = {
        "categories": {"cf_issexting": "sexting", "cf_isrunaway": "runaway"},
        "channel": {"cf_byphone": "phone", "cf_bychat": "chat"},
    }
    for part in (dossier, fiche):
        del part["anonymise"]
    change(tables)
    out = io.StringIO()
    YAML().dump(document, out)
    return out.getvalue()


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[tuple[Client, DynamicsConnector]]:
    with running(environment=environment(tmp_path)) as emulator:
        client, connector = Client(emulator), connected(emulator)
        yield client, connector
        connector.close()
        client.http.close()


def connected(emulator: RunningEmulator, text: str = "") -> DynamicsConnector:
    return connect(url=emulator.url, tokens=StaticToken("any", emulator.url), mapping_text=text or mapping(), mapping_source="test.yaml")


def test_a_category_is_told_by_a_column_of_the_table_of_reference(crm: tuple[Client, DynamicsConnector]) -> None:
    client, connector = crm
    assert [finding for finding in connector.check() if finding.is_error] == []
    rows = {code: client.create("cf_subjects", cf_name=f"{code} (fictief)", cf_code=code) for code in ("SEX", "WEG", "NEW")}
    made = {client.dossier(**{"cf_SubjectId@odata.bind": f"/cf_subjects({row})"}): code for code, row in rows.items()}
    made[client.dossier()] = ""
    found = {made[row.id]: row.categories for page in connector.read(Dossier, ("categories",)) for row in page}
    assert found == {"SEX": ("sexting",), "WEG": ("runaway",), "NEW": (rows["NEW"],), "": ()}  # a new one is no key of the schedule
    full = {made[row.id]: row.categories for page in connector.read(FullDossier, ("categories", "number")) for row in page}
    assert full == found
    assert connector.unsearched_columns() == ()


def test_a_role_is_told_by_the_row_of_reference_itself(crm: tuple[Client, DynamicsConnector]) -> None:
    client, connector = crm
    client.emulator.load([("cf_rolekind", {"cf_rolekindid": row, "cf_name": "r"}) for row in (CHILD, SUSPECT, str(uuid.UUID(int=3)))])
    fiche = client.fiche()
    for number in (1, 2, 3):
        bound = {"cf_RoleKindId@odata.bind": f"/cf_rolekinds({uuid.UUID(int=number)})", "cf_FicheId@odata.bind": f"/cf_fiches({fiche})"}
        client.create("cf_parties", cf_name="p", **bound)
    roles = sorted(row.role or "" for page in connector.read(Party, ("role", "fiche")) for row in page)
    assert roles == [str(uuid.UUID(int=3)), "child", "suspect"]  # a role that nobody knows may be a child's


def test_yes_and_no_stand_for_categories_all_and_for_a_channel_the_first(crm: tuple[Client, DynamicsConnector]) -> None:
    client, connector = crm
    both = client.fiche(cf_issexting=True, cf_isrunaway=True, cf_byphone=True, cf_bychat=True)
    one = client.fiche(cf_isrunaway=True, cf_bychat=True, cf_byphone=False)
    none = client.fiche(cf_issexting=False)
    found = {row.id: (row.categories, row.channel) for page in connector.read(Fiche, ("categories", "channel")) for row in page}
    assert found == {both: (("sexting", "runaway"), "phone"), one: (("runaway",), "chat"), none: ((), None)}


def test_a_table_of_reference_that_may_not_be_read_stops_the_read(crm: tuple[Client, DynamicsConnector]) -> None:
    """A read that fails is never an empty result: every unit would look as if it had no category."""
    client, connector = crm
    needed = connector.least_role(NEEDS)
    assert "prvReadcf_subject" in {line.name for line in needed}
    user = connector.whoami()
    role = {line.name: line.depth for line in needed if line.name != "prvReadcf_subject"}
    client.control("PUT", "privileges", {"user": user, "set": role})
    with pytest.raises(Forbidden, match="cf_subject"):
        list(connector.read(Dossier, ("categories",)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t["dossier"]["references"]["categories"].update(by="cf_cod"), "did you mean cf_code"),
        (lambda t: t["dossier"]["columns"].update(categories="cf_name"), "lookup to one table"),
        (lambda t: t["fiche"]["flags"]["categories"].update(cf_name="grooming"), "is yes or no"),
        (lambda t: t["fiche"]["flags"]["categories"].update(cf_isrunawy="runaway"), "did you mean cf_isrunaway"),
    ],
)
def test_what_does_not_fit_the_crm_is_told(crm: tuple[Client, DynamicsConnector], change: Callable[[Any], None], words: str) -> None:
    client, _ = crm
    other = connected(client.emulator, mapping(change))
    (error,) = [finding for finding in other.check() if finding.is_error]
    assert words in error.message
    assert error.where.startswith("test.yaml:")
    other.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t["party"]["references"]["role"]["keys"].update({CHILD: "chld"}), "did you mean child"),
        (lambda t: t["fiche"]["flags"]["channel"].update(cf_byphone="phon"), "did you mean phone"),
        (lambda t: t["fiche"]["columns"].update(channel="cf_channel"), "filled in two ways"),
        (lambda t: t["dossier"]["choices"].update(categories={1: "sexting"}), "filled in two ways"),
        (lambda t: t["fiche"].update(references={"summary": {"keys": {"a": "b"}}}), "this is not known here"),
        (lambda t: t["dossier"].pop("references"), "choices, or references"),
    ],
)
def test_what_does_not_fit_together_is_told_by_line(change: Callable[[Any], None], words: str) -> None:
    with pytest.raises(MappingError, match=words):
        parse_mapping(mapping(change), "mine.yaml")
