"""All that one emulated organisation is, apart from HTTP."""

from collections.abc import Callable, Iterable
from typing import Any

from connectors.emulator.background.job_rules import JobRules
from connectors.emulator.background.retention_policies import RetentionRules
from connectors.emulator.conditions.clock import Clock
from connectors.emulator.conditions.limits import Limits
from connectors.emulator.conditions.stats import Stats
from connectors.emulator.graph.graph import Graph
from connectors.emulator.operations.web_api import WebApi
from connectors.emulator.querying import labels
from connectors.emulator.request.faults import Faults
from connectors.emulator.signin.tokens import Tokens
from connectors.emulator.storage.database import Database
from connectors.emulator.storage.remains.audit import AuditTrail
from connectors.emulator.storage.remains.tombstones import Tombstones

Rows = Iterable[tuple[str, dict[str, Any]]]


class Organisation:
    """Rows and clock, who may come in, what fails, what was counted."""

    def __init__(self, tables: Database, clock: Clock, *, token: str | None, limits: bool) -> None:
        labels.install(tables.connection, tables.environment)
        tables.listeners += [JobRules(tables), Tombstones(tables)]
        self.tables = tables
        self.switches = tables.switches
        self.clock = clock
        self.seed: Callable[[], Rows] | None = None  # the rows that it begins with
        self.documents: Callable[[], Iterable[tuple[str, str, str, str]]] = tuple  # and what is in SharePoint then
        self.stats = Stats()
        self.faults = Faults()
        self.limits = Limits(enabled=limits and tables.switches.service_protection)
        self.tokens = Tokens(tables, clock, token)
        self.graph = Graph(tables, clock, tables.switches)
        self.api = WebApi(tables, self.stats)
        tables.listeners += [AuditTrail(tables), self.api.recycle_bin, RetentionRules(tables, self.api.gate)]

    def fill(self) -> None:
        """Load the rows and documents that it begins with."""
        if self.seed is not None:
            self.tables.load(self.seed())
            self.graph.furnish(self.documents())

    def reset(self, *, empty: bool) -> None:
        """Reset as after a fresh start: rows, faults, limits and statistics. Tokens stay valid, and the clock
        continues as it was set."""
        with self.tables.lock:
            self.tables.clear()
            self.graph.clear()
            if not empty:
                self.fill()
        self.faults.replace([])
        self.limits.clear()
        self.stats.clear()
