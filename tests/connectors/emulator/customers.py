"""A small organisation with customers, their incidents and their connections, in three languages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.emulator.client import Client, organisation

ENVIRONMENT = """
publisher_prefix: av
languages: {nl: 1043, fr: 1036, en: 1033}
tables:
  contact:
    set: contacts
    label: {nl: Persoon, fr: Personne}
    collection_label: {nl: Personen, fr: Personnes}
    columns:
      contactid: {type: guid, key: true}
      fullname: {type: string(160), primary_name: true, label: {nl: Volledige naam, fr: Nom complet}}
  incident:
    set: incidents
    states:
      0: {label: {en: Active}, statuses: {1: {en: In Progress}}}
      1: {label: {en: Resolved}, statuses: {5: {en: Problem Solved}, 1000: {en: Information Provided}}}
      2: {label: {en: Canceled}, statuses: {6: {en: Canceled}}}
    columns:
      incidentid: {type: guid, key: true}
      title: {type: string(200), primary_name: true}
      customerid: {type: lookup contact}
  incidentresolution:
    set: incidentresolutions
    activity: true
    columns:
      activityid: {type: guid, key: true}
      subject: {type: string(200), primary_name: true}
      incidentid: {type: lookup incident}
  connectionrole:
    set: connectionroles
    columns:
      connectionroleid: {type: guid, key: true}
      name: {type: string(100), primary_name: true}
  connection:
    set: connections
    columns:
      connectionid: {type: guid, key: true}
      name: {type: string(500), primary_name: true}
      record1id: {type: lookup contact|incident}
      record2id: {type: lookup contact|incident}
      record1roleid: {type: lookup connectionrole}
      record2roleid: {type: lookup connectionrole}
      relatedconnectionid: {type: lookup connection}
      ismaster: {type: bool}
      description: {type: memo(2000)}
  sharepointdocumentlocation:
    set: sharepointdocumentlocations
    columns:
      sharepointdocumentlocationid: {type: guid, key: true}
      name: {type: string(160), primary_name: true}
      regardingobjectid: {type: lookup incident}
many_to_many:
  - {name: av_incident_contacts, one: incident, two: contact}
relationships:
  - {name: contact_connections1, parent: contact, child: connection, column: record1id, on_delete: cascade}
  - {name: contact_connections2, parent: contact, child: connection, column: record2id, on_delete: cascade}
"""


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with organisation(ENVIRONMENT, tmp_path) as found:
        yield found
