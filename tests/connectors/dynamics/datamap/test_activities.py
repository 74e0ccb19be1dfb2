"""Activities that no kind reads, and files on e-mails: named as not searched where the CRM has any, or does
not say (EXP-03, SUS-04)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.emulator.serving.server import running
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT, Crm
from tests.yaml_files import read_yaml, yaml_text

TABLES = """
letter:
  set: letters
  activity: true
  columns:
    activityid: {type: guid, key: true}
    subject: {type: string(200), primary_name: true, pii: true}
    regardingobjectid: {type: lookup cf_dossier|contact}
activitymimeattachment:
  set: activitymimeattachments
  columns:
    activitymimeattachmentid: {type: guid, key: true}
    filename: {type: string(255), primary_name: true, pii: true}
    objectid: {type: lookup email}
"""


def test_they_are_named_where_the_crm_has_any_or_does_not_say(tmp_path: Path) -> None:
    document: dict[str, Any] = read_yaml(ENVIRONMENT)
    document["tables"] |= read_yaml(TABLES)
    path = tmp_path / "environment.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    with running(environment=path) as emulator:
        crm = Crm(emulator)
        crm.create("phonecalls", subject="een gesprek dat wel gekoppeld is")

        def told() -> tuple[bool, bool]:
            return crm.connector.has_other_activities(), crm.connector.has_email_files()

        assert told() == (False, False)
        letter = crm.create("letters", subject="fictieve brief")  # points to nobody
        assert told() == (True, False)
        crm.create("activitymimeattachments", filename="fictief.pdf")
        crm.remove("letters", letter)
        assert told() == (False, True)
        crm.faults(
            {"match": {"path": "/activitypointers"}, "do": "status", "status": 403},
            {"match": {"path": "/activitymimeattachments"}, "do": "status", "status": 403},
        )
        assert told() == (True, True), "what may not be looked at may be there"
        crm.close()


def test_a_crm_without_such_tables_has_none() -> None:
    with running() as emulator:
        crm = Crm(emulator)
        assert (crm.connector.has_other_activities(), crm.connector.has_email_files()) == (False, False)
        crm.close()
