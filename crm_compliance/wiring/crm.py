"""The connector to the CRM, with what it remembers and how long it waits."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from crm_compliance.wiring.schedule import calendar_of
from crm_compliance.wiring.software import software_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.dynamics.connector import DynamicsConnector
    from connectors.dynamics.lake.lake import Lake
    from connectors.dynamics.mapping.mapping import Mapping
    from connectors.dynamics.memory.table_cache import Memory
    from jobs.ports.context import Clock
    from rules.dates.calendar import Calendar


LONG_WAIT = "waiting {:.0f} seconds before the CRM is asked again: it is busy, or does not answer"
PERSON_S = 60  # so long somebody waits for an answer who sits before it


class Patience(Enum):
    """Who queries the CRM, and so how long an outage is waited out. A person waits a minute. A run waits as
    long as `CRM_PATIENCE_S` states, once the CRM has answered it: an address that never answered is more
    often wrong than down. The service knows its address, and waits from the first request on. Where a
    browser or a script waits, or what is to be done need not wait for the CRM, one that is too busy or silent
    is waited for no longer than one that is away."""

    OF_A_PERSON = "person"
    OF_A_CALL = "call"
    OF_A_RUN = "run"
    OF_A_SERVICE = "service"


def memory_of(settings: Settings, clock: Clock) -> Memory:
    """Return what is kept of this CRM between two reads, encrypted, below the data folder: of rows nothing if
    each read is to be a full one. What is no longer of use is removed."""
    from connectors.dynamics.memory.table_cache import Memory, tidy
    from crm_compliance.host.files import private_folder
    from crm_compliance.keys.single_keys import memory_key

    folder = settings.data_dir / "memory"
    data_dir = settings.make_data_dir()
    if not settings.incremental_reads:
        tidy(folder, clock(), older_than_days=0, also_cuts=False)
    elif settings.clock is None:  # files have the age of the real clock
        tidy(folder, clock(), older_than_days=settings.full_read_days)
    # Another user may see other columns of the same rows, so it has a memory of its own.
    whose = hashlib.sha256(f"{settings.needed_crm_url} {settings.crm_client_id or ''}".encode()).hexdigest()[:16]
    keeps_rows = settings.incremental_reads
    return Memory(
        private_folder(folder) / whose,
        lambda: memory_key(data_dir),
        now=clock,
        full_every_days=settings.full_read_days,
        keeps_rows=keeps_rows,
        made_by=software_version(),
    )


def connector_of(
    settings: Settings,
    *,
    any_odata: bool = False,
    memory: Memory | None = None,
    pseudonyms: bytes | None = None,
    patience: Patience = Patience.OF_A_PERSON,
    mapping: Mapping | None = None,
    calendar: Calendar | None = None,
    lake: Lake | None = None,
    warn: Callable[[str], None] | None = None,
) -> DynamicsConnector:
    """Connect to the CRM that the settings name; nothing is sent yet. With `any_odata` it may be a server
    that is not Dataverse; `pseudonyms` is the key behind them where the schedule keeps one; `mapping` stands
    instead of the one of the settings, `calendar` instead of the one of the schedule. Plans read the tables
    of a `lake` instead of the CRM's. `warn` is told of long waits as they begin."""
    from connectors.dynamics.bulk_delete.deletes import BulkDelete
    from connectors.dynamics.connector import DynamicsConnector
    from connectors.dynamics.http.environment import SHORTEST_ANSWER_S, Environment
    from connectors.dynamics.mapping.loader import parse_mapping
    from connectors.dynamics.pace.governor import Pace
    from crm_compliance.connections.credentials import more_token_sources, token_source

    patience_s = waits_s(settings, patience)
    environment = Environment(
        url=settings.needed_crm_url,
        ca_file=str(settings.crm_ca_file) if settings.crm_ca_file is not None else None,
        user_agent=f"crm-compliance/{software_version()}",
        any_odata=any_odata,
        pace=Pace(concurrency=settings.crm_concurrency, reads=settings.crm_reads, reserved_share=settings.crm_reserved_share),
        patience_s=patience_s,
        answer_s=max(SHORTEST_ANSWER_S, patience_s / 2),
        is_known=patience is Patience.OF_A_SERVICE,
    )
    if patience is Patience.OF_A_CALL:
        environment = replace(environment, read_timeout_s=PERSON_S, answer_s=PERSON_S, max_wait_s=PERSON_S)
    mapping = mapping or parse_mapping(*mapping_text(settings))
    return DynamicsConnector(
        environment,
        token_source(settings),
        replace(mapping, calendar=calendar or calendar_of(settings)),
        memory=memory,
        more_tokens=more_token_sources(settings),
        bulk_delete=BulkDelete(settings.bulk_delete),
        pseudonym_key=pseudonyms,
        sees_to_documents=bool(settings.sharepoint_sites),
        lake=lake,
        on_long_wait=None if warn is None else lambda seconds: warn(LONG_WAIT.format(seconds)),
    )


def lake_of(settings: Settings, clock: Clock) -> Lake | None:
    """Return the lake that plans read, if the settings name one."""
    from connectors.dynamics.lake.lake import Lake

    return None if settings.crm_lake is None else Lake(settings.crm_lake, timedelta(hours=settings.crm_lake_hours), clock)


def waits_s(settings: Settings, patience: Patience) -> float:
    """Return for how many seconds an outage is waited out."""
    is_short = patience in (Patience.OF_A_PERSON, Patience.OF_A_CALL)
    return min(PERSON_S, settings.crm_patience_s) if is_short else settings.crm_patience_s
