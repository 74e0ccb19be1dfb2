"""Who is asking, where, and how much there is."""

from connectors.emulator.errors import bad_query
from connectors.emulator.messages.call import Call
from connectors.emulator.request.exchange import Answer
from connectors.emulator.schema.environment import ORGANISATION

VERSIONS = {"v9.2": "9.2.24091.00192", "v9.1": "9.1.30.17", "v9.0": "9.0.51.6"}


def who_am_i(call: Call) -> Answer:
    unit = call.reader.gate.roles.rights(call.operation.user).unit
    return call.answer({"BusinessUnitId": unit, "UserId": call.operation.user, "OrganizationId": ORGANISATION})


def retrieve_version(call: Call) -> Answer:
    return call.answer({"Version": VERSIONS[call.switches.highest_version]})


def retrieve_current_organization(call: Call) -> Answer:
    detail = {
        "OrganizationId": ORGANISATION,
        "FriendlyName": "Voorbeeldorganisatie",
        "OrganizationVersion": VERSIONS[call.switches.highest_version],
        "EnvironmentId": ORGANISATION,
        "UniqueName": "voorbeeld",
        "State": "Enabled",
    }
    return call.answer({"Detail": detail})


def retrieve_total_record_count(call: Call) -> Answer:
    names = call.parameters.get("EntityNames")
    if not isinstance(names, list):
        raise bad_query("The parameter 'EntityNames' of the function 'RetrieveTotalRecordCount' is missing or malformed.")
    return call.reader.total_counts(call.operation, [str(name) for name in names])
