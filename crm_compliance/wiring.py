"""Picks the concrete things: connector, store, clock, policy, mapping, keys. Nothing else knows which they are."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from random import SystemRandom

from connectors.dynamics.connector import DynamicsConnector, connect
from connectors.dynamics.deleting import BulkDelete
from connectors.dynamics.governor import Pace
from connectors.dynamics.mapping import parse_mapping
from connectors.dynamics.memory import Memory, tidy
from connectors.interface import Connector, Forbidden
from crm_compliance.files import private_folder
from crm_compliance.keys import RegisterKey, memory_key
from crm_compliance.logs import run_bound
from crm_compliance.settings import Settings
from crm_compliance.store.store import SqlStore
from crm_compliance.tokens import more_token_sources, token_source
from jobs.needs import NEEDS
from jobs.ports import Clock, JobContext, Progress
from rules.errors import MappingError, UsageError
from rules.holds import Holds
from rules.loader import load_policy
from rules.periods import brussels_date
from rules.policy import Policy

SOFTWARE_VERSION = version("crm-compliance")


def clock_of(settings: Settings) -> Clock:
    """The product's clock: real time, or for a loopback CRM one that starts at the instant of `CLOCK` and then goes on."""
    if settings.clock is None:
        return lambda: datetime.now(UTC)
    start, began = settings.clock.astimezone(UTC), time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began)


def policy_text(settings: Settings) -> tuple[str, str]:
    """The text of the retention schedule in force, and its name for messages."""
    if settings.policy is None:
        return (files("rules") / "policies" / "childfocus.yaml").read_text(encoding="utf-8"), "childfocus.yaml (shipped)"
    return text_of(settings.policy, "policy"), str(settings.policy)


def mapping_text(settings: Settings) -> tuple[str, str]:
    """The text of the mapping in force, and its name for messages."""
    if settings.mapping is None:
        return (files("connectors.dynamics") / "mappings" / "reference.yaml").read_text(encoding="utf-8"), "reference.yaml (shipped)"
    return text_of(settings.mapping, "mapping"), str(settings.mapping)


def app_url_of(settings: Settings) -> str:
    """The address of the app that people use, where the mapping names one."""
    return parse_mapping(*mapping_text(settings)).app_url


def policy_of(settings: Settings) -> Policy:
    """Raises PolicyError with file and line."""
    text, source = policy_text(settings)
    return load_policy(text, source=source)


def store_of(settings: Settings, clock: Clock) -> SqlStore:
    """Open the state store in the data folder, or where `DATABASE_URL` says."""
    settings.make_data_dir()
    return SqlStore.open(settings.store_url, clock=clock)


def memory_of(settings: Settings, clock: Clock) -> Memory | None:
    """What is kept of this CRM between two reads, encrypted, below the data folder; None where each read is to be a full one.

    What is of no use any more is removed, all of it where nothing is to be kept.
    """
    folder = settings.data_dir / "memory"
    if not settings.incremental_reads:
        tidy(folder, clock(), older_than_days=0)
        return None
    data_dir = settings.make_data_dir()
    key = memory_key(data_dir)
    if settings.clock is None:  # files have the age of the real clock
        tidy(folder, clock(), older_than_days=settings.full_read_days)
    # Another user may see other columns of the same rows, so it has a memory of its own.
    whose = hashlib.sha256(f"{settings.needed_crm_url} {settings.crm_client_id or ''}".encode()).hexdigest()[:16]
    return Memory(private_folder(folder) / whose, key, now=clock, full_every_days=settings.full_read_days)


def connector_of(settings: Settings, *, any_odata: bool = False, memory: Memory | None = None) -> DynamicsConnector:
    """Connect to the CRM that the settings name; nothing is sent yet. With `any_odata` it may be a server that is not Dataverse."""
    text, source = mapping_text(settings)
    return connect(
        url=settings.needed_crm_url,
        tokens=token_source(settings),
        mapping_text=text,
        mapping_source=source,
        ca_file=str(settings.crm_ca_file) if settings.crm_ca_file is not None else None,
        user_agent=f"crm-compliance/{SOFTWARE_VERSION}",
        any_odata=any_odata,
        memory=memory,
        pace=Pace(concurrency=settings.crm_concurrency, reserved_share=settings.crm_reserved_share),
        more_tokens=more_token_sources(settings),
        bulk_delete=BulkDelete(settings.bulk_delete),
    )


def register_key(settings: Settings) -> RegisterKey:
    """The key of the ledger's references, made at the first start."""
    return RegisterKey.open(settings.make_data_dir())


def today() -> date:
    """The day in Brussels by this machine's clock."""
    return brussels_date(datetime.now(UTC))


def new_id(prefix: str) -> str:
    """An opaque id without spaces."""
    return f"{prefix}-{secrets.token_hex(6)}"


def checked(connector: Connector) -> tuple[str, ...]:
    """Compare the mapping with the CRM and return what is only a warning.

    Raises:
        MappingError: the mapping names something that the CRM lacks; all mismatches are told.
    """
    findings = connector.check()
    errors = [finding for finding in findings if finding.is_error]
    if errors:
        more = "".join(f"\n{finding.where}: {finding.message}" for finding in errors[1:])
        raise MappingError(errors[0].message + more, hint="correct the mapping, or the CRM", where=errors[0].where)
    return tuple(f"{finding.where}: {finding.message}" if finding.where else finding.message for finding in findings)


def permitted(connector: Connector) -> tuple[str, ...]:
    """Compare the application user's privileges with what the jobs need and return what is only a warning.

    Raises:
        Forbidden: something is missing, or a table is visible in part only; all of it is told.
    """
    findings = connector.check_privileges(NEEDS)
    lines = {wrong: [f"{each.where}: {each.message}" for each in findings if each.is_error is wrong] for wrong in (True, False)}
    if lines[True]:
        raise Forbidden(
            "\n".join(lines[True]), hint="give the application user the role of docs/least-privilege-role.md", where="privileges"
        )
    return tuple(lines[False])


@dataclass(frozen=True, slots=True)
class Desk:
    """An open job context with what the commands need beside it."""

    settings: Settings
    context: JobContext
    warnings: tuple[str, ...] = field(default=())


def no_progress(stage: str, done: int, total: int | None = None) -> None:
    """Tell nobody."""


@contextmanager
def desk(settings: Settings, *, progress: Progress = no_progress, warn: Callable[[str], None] | None = None) -> Iterator[Desk]:
    """Open everything that a job needs, the CRM checked against the mapping, and close it again."""
    policy = policy_of(settings)
    clock = clock_of(settings)
    with connector_of(settings, memory=memory_of(settings, clock)) as connector:
        warnings = checked(connector)
        permitted(connector)
        for warning in warnings:
            if warn is not None:
                warn(warning)
        with store_of(settings, clock) as store:
            key = register_key(settings)
            context = JobContext(
                connector=connector,
                store=store,
                policy=policy,
                holds=Holds.none(),
                clock=clock,
                crm=settings.needed_crm_url,
                mapping_digest=hashlib.sha256(mapping_text(settings)[0].encode()).hexdigest(),
                software_version=SOFTWARE_VERSION,
                reference=key.reference,
                new_id=new_id,
                shuffle=SystemRandom(),
                progress=progress,
                logged_as=run_bound,
            )
            try:
                yield Desk(settings, context, warnings)
            finally:
                if warn is not None:
                    for warning in connector.warnings:
                        warn(warning)


def text_of(path: Path, what: str) -> str:
    """The text of a file that a person named; `what` is the setting that names it."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            f"the {what} file cannot be read: {why}",
            hint=f"the setting CRM_COMPLIANCE_{what.upper()}, or the argument, names it",
            where=str(path),
        ) from None
