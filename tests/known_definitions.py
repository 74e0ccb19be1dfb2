"""What a process that connects hundreds of clients to its own emulators need not ask each time: how the CRM
defines its tables.

A client reads some forty definitions before it does anything else, and they are the same for every
organisation of the same schema. The first is always asked for over HTTP, so that token, clock and patience of
each client are what they are; so is all that is not a definition. All definitions are asked for wherever an
answer might be another: where the schema was altered, where trouble is scripted, where requests are limited,
with any other token than the emulator's own, at any address that no fixture has named here, and in tests that
ask for `real_definitions` because they count, compare or refuse requests or try the reading itself. Commands
that are typed in forks (`tests/independent/prompt.py`) do likewise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.schema.metadata import Metadata, TableDefinition
from connectors.dynamics.schema.unmapped_tables import Directory, KnownTable

if TYPE_CHECKING:  # a program that types commands serves no emulator
    from connectors.dynamics.http.transport import Transport
    from connectors.emulator.organisation import Organisation
    from connectors.emulator.serving.server import RunningEmulator

Answers = dict[tuple[str, str], dict[str, Any]]  # by schema and address
ASK, READ, LOAD, LOOK = Metadata._get, Metadata._read, Metadata.load, Directory._ask  # the asking itself


def is_first(transport: Transport) -> bool:
    """Whether the client has asked the CRM for nothing yet, or has had no answer."""
    return not (transport.stats.requests and transport.retry.has_answered)


class KnownDefinitions:
    """The answers that emulators of this process have given, by the schema they have."""

    def __init__(self) -> None:
        self._organisations: dict[str, tuple[Organisation, str]] = {}  # by the address of the Web API; with the token
        self._answers: Answers = {}
        self._tables: dict[tuple[str, str, frozenset[str] | None], TableDefinition | None] = {}  # what was made of them
        self._places: dict[tuple[str, str], KnownTable | None] = {}

    @contextmanager
    def of(self, emulator: RunningEmulator, token: str) -> Iterator[None]:
        """While it lasts, what this emulator has told of its unaltered tables to who has this token need not
        be asked a second time."""
        self._organisations[emulator.url] = emulator.emulator, token
        try:
            yield
        finally:
            del self._organisations[emulator.url]

    def get(self, metadata: Metadata, address: str, where: str) -> dict[str, Any]:
        """What stands in for `Metadata._get`."""
        schema = self._schema(metadata._transport)
        if not schema:
            return ASK(metadata, address, where)
        if (schema, address) not in self._answers:
            self._answers[schema, address] = ASK(metadata, address, where)
        return self._answers[schema, address]

    def read(self, metadata: Metadata, name: str) -> TableDefinition | None:
        """What stands in for `Metadata._read`."""
        schema = self._schema(metadata._transport)
        if not schema:
            return READ(metadata, name)
        wanted = metadata._wanted
        key = schema, name, None if wanted is None else frozenset(wanted.get(name, ()))
        if key not in self._tables:
            self._tables[key] = READ(metadata, name)
        found = self._tables[key]
        return None if found is None else replace(found)

    def load(self, metadata: Metadata, names: Iterable[str]) -> None:
        """What stands in for `Metadata.load`: no thread is begun for what is known."""
        names = list(names)
        for name in names[:1]:
            metadata.table(name)
        if self._schema(metadata._transport):
            for name in names:
                metadata.table(name)
        LOAD(metadata, names)

    def look(self, directory: Directory, missing: list[str]) -> None:
        """What stands in for `Directory._ask`."""
        schema = self._schema(directory._transport)
        unknown = [name for name in missing if not schema or (schema, name) not in self._places]
        LOOK(directory, unknown)
        if schema:
            self._places.update({(schema, name): directory._tables[name] for name in unknown})
            directory._tables.update({name: self._places[schema, name] for name in missing})

    def _schema(self, transport: Transport) -> str:
        """Names the schema of the organisation behind a client; "" where it has to be asked."""
        organisation, token = self._organisations.get(transport.environment.url, (None, ""))
        if organisation is None or is_first(transport):
            return ""
        tokens, schema = transport._tokens, organisation.tables.environment
        is_usual = isinstance(tokens, StaticToken) and tokens.token() == token
        if not is_usual or not schema.origin or schema.generation or organisation.limits.enabled or organisation.faults.rules:
            return ""
        return " ".join((schema.origin, *sorted(schema.retaining)))


KNOWN = KnownDefinitions()
ASKING = ((Metadata, "_get", ASK), (Metadata, "_read", READ), (Metadata, "load", LOAD), (Directory, "_ask", LOOK))
IN_PLACE = (
    (Metadata, "_get", lambda *asked: KNOWN.get(*asked)),
    (Metadata, "_read", lambda *asked: KNOWN.read(*asked)),
    (Metadata, "load", lambda *asked: KNOWN.load(*asked)),
    (Directory, "_ask", lambda *asked: KNOWN.look(*asked)),
)
