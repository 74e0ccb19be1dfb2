"""What is printed by accident, in a traceback or a debugger, holds nothing of what people wrote."""

import pytest

from connectors.dynamics.http.answers import Answer
from connectors.dynamics.memory.change_tracking import Changes
from connectors.dynamics.memory.table_file import Chunk
from connectors.dynamics.reading.page_values import FramedPage, FramedValues, Page, Values
from connectors.dynamics.writing.batch import Prepared, Request
from connectors.interface.columns import frame_of
from rules.model.records import Contact

ROW = b'{"lastname":"Peeters (fictief)"}'


@pytest.mark.parametrize(
    "value",
    [
        Answer(200, {"Set-Cookie": "Peeters"}, ROW, "id"),
        Prepared("key", (Request("PATCH", "/contacts", {}, ROW),)),
        Changes([ROW], set(), "link"),
        Page(Values([Contact(id="Peeters")]), None, 1, ROW),
        Chunk(ROW),
        FramedPage(FramedValues(Contact, frame_of(Contact, (), [Contact(id="Peeters")]))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_rows_do_not_show(value: object) -> None:
    assert "Peeters" not in repr(value)
