"""Where the rows of a table lie: live, in the recycle bin, or in long-term retention. The other two sources
have the columns of the table itself, so a query works on each of them alike."""

from connectors.emulator.errors import bad_query
from connectors.emulator.schema.environment import Table

BIN = "bin"
RETAINED = "retained"


def source_of(table: Table, datasource: str | None) -> str:
    """Return the name in SQLite of the table's rows in one source; None or empty is the live one. Raises
    WebApiError: 400 for a source that does not exist."""
    if not datasource:
        return table.name
    if datasource not in (BIN, RETAINED):
        raise bad_query(f"The data source '{datasource}' is not valid.")
    return f"_{datasource}_{table.name}"
