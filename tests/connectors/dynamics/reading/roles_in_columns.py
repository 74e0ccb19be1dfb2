"""An organisation whose roles are told by columns of its own."""

import uuid
from collections.abc import Callable
from typing import Any

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import RunningEmulator
from tests.drivers.connecting import connect
from tests.yaml_files import read_yaml, yaml_text

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
    cf_ischild: {type: bool}
  cf_fiche:
    cf_issexting: {type: bool}
    cf_isrunaway: {type: bool}
    cf_byphone: {type: bool}
    cf_bychat: {type: bool}
"""
CHILD, SUSPECT = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


def mapping(change: Callable[[Any], None] = lambda tables: None) -> str:
    document: dict[str, Any] = read_yaml(REFERENCE)
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
    return yaml_text(document)


def connected(emulator: RunningEmulator, text: str = "") -> DynamicsConnector:
    return connect(url=emulator.url, tokens=StaticToken("any", emulator.url), mapping_text=text or mapping(), mapping_source="test.yaml")
