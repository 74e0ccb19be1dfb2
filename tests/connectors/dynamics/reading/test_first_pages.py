"""The first pages of a table, met by several threads at once. In a process of its own: what is looked for is
not an error, it is the end of the process."""

import subprocess
import sys

FIRST_PAGES = """
import json
import sys
from threading import Barrier, Thread
from uuid import UUID

from connectors.dynamics.mapping.loader import parse_mapping
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.dynamics.reading import decoder, page_types
from connectors.dynamics.reading.row_layout import RowLayout
from connectors.dynamics.schema.metadata import Attribute, TableDefinition
from rules.model.records import Dossier

sys.setswitchinterval(1e-6)
mapping = parse_mapping(REFERENCE.read_text("utf-8"), "reference.yaml")
table = mapping.table(Dossier)
definition = TableDefinition("cf_dossier", "cf_dossiers", "cf_dossierid", {"cf_legalhold": Attribute("cf_legalhold", "BooleanType")})
row = {"cf_dossierid": str(UUID(int=1)), "@odata.etag": 'W/"1"', "cf_legalhold": True}
body = json.dumps({"value": [row]}).encode()
barrier, read = Barrier(THREADS), []


def first_page():
    barrier.wait()
    pages = decoder.PageDecoder(RowLayout(table, definition, ("legal_hold",), mapping))
    read.extend(pages.decode(body).values["legal_hold"])


for _ in range(ROUNDS):
    page_types._page_type.cache_clear()  # as if nobody had read this table
    threads = [Thread(target=first_page) for _ in range(THREADS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
assert read == [True] * THREADS * ROUNDS, read
"""


def test_threads_that_read_a_tables_first_pages_get_its_rows() -> None:
    """With a decoder of its own in each thread the process died in nearly every try."""
    script = f"THREADS, ROUNDS = 4, 150\n{FIRST_PAGES}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
