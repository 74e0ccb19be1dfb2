"""`sql=`: the undocumented read-only SELECT that the vendor's Python client sends."""

from connectors.emulator.querying.fetchxml import run
from connectors.emulator.querying.pages import Among, Reader, Within
from connectors.emulator.querying.query import refuse_options
from connectors.emulator.querying.sql_text import read_sql
from connectors.emulator.request.exchange import Answer, Operation
from connectors.emulator.schema.environment import Table


def select_sql(reader: Reader, operation: Operation, table: Table, within: Within | Among | None = None) -> Answer:
    """Return the rows of one SELECT, page after page by nextLink."""
    refuse_options(operation.address.options, {"sql", "$skiptoken"})
    return run(reader, operation, table, read_sql(reader.environment, operation.address.option("sql") or ""), within, linked=True)
