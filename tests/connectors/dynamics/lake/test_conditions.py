"""Which rows of a table are of a kind is told alike, in whichever type its columns were written."""

from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from connectors.dynamics.lake.conditions import only_of
from connectors.dynamics.mapping.mapping import Condition
from connectors.dynamics.schema.metadata import Attribute

ONE, OTHER = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"


@pytest.mark.parametrize(
    ("kind", "wanted", "held"),
    [
        ("PicklistType", "100000001", [100000001, 100000010, None]),
        ("PicklistType", "100000001", [100000001.0, 100000010.0, None]),
        ("PicklistType", "100000001", ["100000001", "100000010", None]),
        ("BooleanType", "true", [True, False, None]),
        ("BooleanType", "true", [1.0, 0.0, None]),
        ("BooleanType", "true", ["True", "False", None]),
        ("StringType", "A.0", ["A.0", "A", None]),
        ("LookupType", ONE, [f"{{{ONE.upper()}}}", OTHER, None]),
    ],
)
def test_a_condition_is_met_by_what_it_names(kind: str, wanted: str, held: list[Any]) -> None:
    definition: Any = SimpleNamespace(attributes={"cf_kind": Attribute("cf_kind", kind)})
    table: Any = SimpleNamespace(only=(Condition("cf_kind", (wanted,), "mapping"),))
    condition = only_of(table, definition)
    assert condition is not None
    assert pl.DataFrame({"cf_kind": held}).select(condition).to_series().to_list() == [True, False, False]
