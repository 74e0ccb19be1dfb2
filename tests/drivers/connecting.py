"""A client from plain values: the CRM's address and the text of a mapping."""

from dataclasses import fields, replace
from typing import Any

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import TokenSource
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.mapping.loader import parse_mapping
from rules.dates.calendar import BELGIAN, Calendar


def connect(
    *, url: str, tokens: TokenSource, mapping_text: str, mapping_source: str = "m.yaml", calendar: Calendar = BELGIAN, **options: Any
) -> DynamicsConnector:
    """Return a connector, with the `options` of `Environment` and of `DynamicsConnector`."""
    here = {each.name: options.pop(each.name) for each in fields(Environment) if each.name in options}
    mapping = replace(parse_mapping(mapping_text, mapping_source), calendar=calendar)
    return DynamicsConnector(Environment(url, **here), tokens, mapping, **options)
