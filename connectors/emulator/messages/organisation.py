"""Who is asking, where, and how much there is."""

from connectors.emulator.errors import bad_query
from connectors.emulator.messages.call import Call
from connectors.emulator.request.exchange import Answer
from connectors.emulator.schema.environment import ORGANISATION, Table
from connectors.emulator.storage.tables import Tables

RENEWED_AFTER_S = 86_400
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
    counts = []
    for name in map(str, names):
        table = call.environment.tables.get(name)
        if table is None:
            raise bad_query(f"The entity with a name = '{name}' was not found in the MetadataCache.")
        counts.append(record_count(call.tables, table))
    collection = {"Count": len(names), "IsReadOnly": False, "Keys": [str(name) for name in names], "Values": counts}
    return call.answer({"EntityRecordCountCollection": collection})


def record_count(tables: Tables, table: Table) -> int:
    """Return the current number of rows or, where the switch `stale_counts` is on, that of the first query of
    the last 24 hours. Source: section 3.3 of the wire reference; Microsoft Learn, "Count rows"."""
    if not tables.switches.stale_counts:
        return tables.count(table)
    now = tables.clock.timestamp()
    found = tables.connection.execute("SELECT number, taken FROM _counts WHERE tab = ?", (table.name,)).fetchone()
    if found is not None and 0 <= now - found[1] < RENEWED_AFTER_S:
        return int(found[0])
    number = tables.count(table)
    tables.connection.execute("INSERT OR REPLACE INTO _counts VALUES (?, ?, ?)", (table.name, number, now))
    return number
