"""What is printed by accident, in a traceback or a debugger, holds nothing of what people wrote."""

from __future__ import annotations

import pytest

from connectors.dynamics.batch import Prepared, Request
from connectors.dynamics.changes import Changes
from connectors.dynamics.decoding import Page
from connectors.dynamics.memory import Chunk, chunk_of
from connectors.dynamics.transport import Answer
from rules.records import Contact

ROW = b'{"lastname":"Peeters (fictief)"}'


@pytest.mark.parametrize(
    "value",
    [
        Answer(200, {"Set-Cookie": "Peeters"}, ROW, "id"),
        Prepared("key", (Request("PATCH", "/contacts", {}, ROW),)),
        Changes([ROW], set(), "link"),
        Page([Contact(id="Peeters")], {"Peeters"}, None, 1, ROW),
        chunk_of([bytes(16)], [ROW]),
        Chunk(b"", ROW),
    ],
    ids=lambda value: type(value).__name__,
)
def test_rows_do_not_show(value: object) -> None:
    assert "Peeters" not in repr(value)
