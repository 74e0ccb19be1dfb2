"""Picks the concrete things: connector, store, clock, policy, mapping, keys. Nothing else knows which they
are. Each is imported where it is made: most commands need two or three of them, and all together take a
second to load."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from importlib.resources import files
from itertools import chain
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from crm_compliance.files import text_of
from crm_compliance.settings import Settings
from rules.errors import ComplianceError, MappingError, PolicyError

if TYPE_CHECKING:
    from connectors.dynamics.connector import DynamicsConnector
    from connectors.dynamics.lake.lake import Lake
    from connectors.dynamics.mapping.mapping import Mapping
    from connectors.dynamics.memory.table_cache import Memory
    from connectors.interface.connector import Connector
    from crm_compliance.keys.key_ring import KeyRing
    from crm_compliance.store.line_files import LineFiles
    from crm_compliance.store.store import SqlStore
    from jobs.erasures.register import Register
    from jobs.ports.context import Clock, JobContext, Progress
    from jobs.ports.store.store import Store
    from rules.dates.calendar import Calendar
    from rules.policy.policy import Policy
    from rules.policy.versions import PolicyVersions

NO_PROVINCES = "postcode_to_province knows the provinces of Belgium alone, and country of the schedule is {country}"
PROVINCES_HINT = "mask the column with null or constant"
PERSON_S = 60  # so long somebody waits for an answer who sits before it


class Patience(Enum):
    """Who queries the CRM, and so how long an outage is waited out. A person waits a minute. A run waits as
    long as `CRM_PATIENCE_S` states, once the CRM has answered it: an address that never answered is more
    often wrong than down. The service knows its address, and waits from the first request on."""

    OF_A_PERSON = "person"
    OF_A_RUN = "run"
    OF_A_SERVICE = "service"


def software_version() -> str:
    """Return the version of this product as it was installed."""
    from importlib.metadata import version

    return version("crm-compliance")


def clock_of(settings: Settings) -> Clock:
    """Return the product's clock: real time, or for a loopback CRM one that starts at `CLOCK`. That one runs
    on from the instant of `CLOCK`."""
    if settings.clock is None:
        return lambda: datetime.now(UTC)
    start, began = settings.clock.astimezone(UTC), time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began)


def policy_text(settings: Settings) -> tuple[str, str]:
    """Return the text of the retention schedule in force, and its name for messages. For a folder of versions
    it is today's version."""
    if settings.policy is not None and settings.policy.is_dir():
        version = versions_in(settings.policy).at(clock_of(settings)())
        return version.text, version.source
    if settings.policy is None:
        return (files("rules") / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8"), "childfocus.yaml (shipped)"
    return text_of(settings.policy, "policy"), str(settings.policy)


def versions_in(folder: Path) -> PolicyVersions:
    """Return the versions of a retention schedule that are in a folder, one file each. Raises PolicyError:
    one of them is not usable, or nobody could know which is in force; UsageError: a file cannot be read."""
    from rules.policy.loader import load_policy
    from rules.policy.versions import Version, arranged

    paths = sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"} and path.is_file())
    texts = [(text_of(path, "policy"), str(path)) for path in paths]
    try:
        return arranged(Version(load_policy(text, source=source), text, source) for text, source in texts)
    except PolicyError as error:
        error.where = error.where or str(folder)
        raise


def policy_versions(settings: Settings) -> PolicyVersions:
    """Return all existing versions of the retention schedule: the files of a folder, or one."""
    from rules.policy.loader import load_policy
    from rules.policy.versions import PolicyVersions, Version

    if settings.policy is not None and settings.policy.is_dir():
        return versions_in(settings.policy)
    text, source = policy_text(settings)
    return PolicyVersions((Version(load_policy(text, source=source), text, source),))


def mapped_tables(settings: Settings) -> dict[str, str]:
    """Return the tables of the mapping in force, by our word for the kind of row; several stand one after the
    other. Raises MappingError: the mapping is refused."""
    from connectors.dynamics.mapping.loader import parse_mapping

    found: dict[str, list[str]] = {}
    for table in parse_mapping(*mapping_text(settings)).tables:
        found.setdefault(table.kind, []).append(table.name)
    return {kind: " or ".join(dict.fromkeys(names)) for kind, names in found.items()}


def mapping_digest(settings: Settings) -> str:
    """Return the SHA-256 of the mapping in force, by which a plan says which one has made it."""
    return hashlib.sha256(mapping_text(settings)[0].encode()).hexdigest()


def mapping_text(settings: Settings) -> tuple[str, str]:
    """Return the text of the mapping in force, and its name for messages."""
    if settings.mapping is None:
        return (files("connectors.dynamics") / "mapping" / "reference.yaml").read_text(encoding="utf-8"), "reference.yaml (shipped)"
    return text_of(settings.mapping, "mapping"), str(settings.mapping)


def named_categories(settings: Settings) -> frozenset[str] | None:
    """Return the keys of the categories that the mapping of the settings tells; None where they name none.
    Raises MappingError: it is refused."""
    from connectors.dynamics.mapping.loader import parse_mapping
    from connectors.dynamics.mapping.schedule_check import category_keys

    return category_keys(parse_mapping(*mapping_text(settings))) if settings.mapping is not None else None


def app_url_of(settings: Settings) -> str:
    """Return the address of the app that people use, if the mapping names one."""
    from connectors.dynamics.mapping.loader import parse_mapping

    return parse_mapping(*mapping_text(settings)).app_url


def link_of(crm: str, app_url: str) -> Callable[[str, str], str]:
    """Return the address of a row in the CRM's own user interface (ACC-04); `app_url` is the mapping's."""
    from connectors.dynamics.links import row_address

    organisation_url = crm.split("/api/data/")[0]
    return lambda table, row: row_address(organisation_url, app_url, table, row)


def policy_of(settings: Settings) -> Policy:
    """Return the schedule. Raises PolicyError with file and line."""
    from rules.policy.loader import load_policy

    text, source = policy_text(settings)
    return load_policy(text, source=source)


def calendar_of(settings: Settings, store: Store | None = None, warn: Callable[[str], None] | None = None) -> Calendar:
    """Return the calendar of the schedule for what is shown, and for receipts. A store has days of the zone
    that it began with, whatever the schedule says by now. One that cannot be used keeps nobody from the
    register: then there are no holidays of one's own, which `warn` is told."""
    from jobs.checks.same_zone import zone_of
    from rules.dates.calendar import Calendar

    told = zone_of(store) if store is not None else ""
    try:
        calendar = policy_of(settings).calendar
    except ComplianceError as error:
        if warn is not None:
            warn(f"due dates are those without holidays of your own: {error}")
        calendar = Calendar()
    return replace(calendar, zone=ZoneInfo(told)) if told else calendar


def clock_shown(settings: Settings, zone: str) -> Calendar:
    """Return the calendar of a store of this zone, for lists of it: its holidays are not asked for, so the
    schedule is read only where the store knows none."""
    from rules.dates.calendar import Calendar

    return Calendar(zone=ZoneInfo(zone)) if zone else calendar_of(settings)


def store_of(settings: Settings, clock: Clock, *, recovering: bool = False) -> SqlStore:
    """Open the state store in the data folder, or at `DATABASE_URL`; it remembers the CRM of the settings.
    Raises StoreLost: it is empty, but the files beside it show that it was not empty before; Refused: with
    code `other_crm`, if that is on this machine and the store has served one that is not."""
    from crm_compliance.keys.custody import open_store

    return open_store(settings, clock, recovering=recovering)


def memory_of(settings: Settings, clock: Clock) -> Memory:
    """Return what is kept of this CRM between two reads, encrypted, below the data folder: of rows nothing if
    each read is to be a full one. What is no longer of use is removed."""
    from connectors.dynamics.memory.table_cache import Memory, tidy
    from crm_compliance.files import private_folder
    from crm_compliance.keys.key_ring import memory_key

    folder = settings.data_dir / "memory"
    key = memory_key(settings.make_data_dir())
    if not settings.incremental_reads:
        tidy(folder, clock(), older_than_days=0, also_cuts=False)
    elif settings.clock is None:  # files have the age of the real clock
        tidy(folder, clock(), older_than_days=settings.full_read_days)
    # Another user may see other columns of the same rows, so it has a memory of its own.
    whose = hashlib.sha256(f"{settings.needed_crm_url} {settings.crm_client_id or ''}".encode()).hexdigest()[:16]
    keeps_rows = settings.incremental_reads
    return Memory(
        private_folder(folder) / whose,
        key,
        now=clock,
        full_every_days=settings.full_read_days,
        keeps_rows=keeps_rows,
        made_by=software_version(),
    )


def line_cache_of(settings: Settings) -> LineFiles:
    """Return where lines of plans are kept in columns, encrypted, below the data folder."""
    from crm_compliance.keys.key_ring import memory_key
    from crm_compliance.store.line_files import LineFiles

    return LineFiles(settings.data_dir / "lines", lambda: memory_key(settings.make_data_dir()))


def connector_of(
    settings: Settings,
    *,
    any_odata: bool = False,
    memory: Memory | None = None,
    pseudonyms: bytes | None = None,
    patience: Patience = Patience.OF_A_PERSON,
    mapping: Mapping | None = None,
    zone: ZoneInfo | None = None,
    lake: Lake | None = None,
) -> DynamicsConnector:
    """Connect to the CRM that the settings name; nothing is sent yet. With `any_odata` it may be a server
    that is not Dataverse; `pseudonyms` is the key behind them where the schedule keeps one; `mapping` stands
    instead of the one of the settings, `zone` instead of the one of the schedule. Plans read the tables of a
    `lake` instead of the CRM's."""
    from connectors.dynamics.bulk_delete.deletes import BulkDelete
    from connectors.dynamics.connector import connect
    from connectors.dynamics.pace.governor import Pace
    from crm_compliance.connections.credentials import more_token_sources, token_source

    text, source = mapping_text(settings) if mapping is None else ("", "")
    return connect(
        url=settings.needed_crm_url,
        sees_to_documents=bool(settings.sharepoint_sites),
        tokens=token_source(settings),
        mapping_text=text,
        mapping_source=source,
        mapping=mapping,
        ca_file=str(settings.crm_ca_file) if settings.crm_ca_file is not None else None,
        user_agent=f"crm-compliance/{software_version()}",
        any_odata=any_odata,
        memory=memory,
        pace=Pace(concurrency=settings.crm_concurrency, reads=settings.crm_reads, reserved_share=settings.crm_reserved_share),
        more_tokens=more_token_sources(settings),
        bulk_delete=BulkDelete(settings.bulk_delete),
        pseudonym_key=pseudonyms,
        patience_s=_patience_s(settings, patience),
        is_known=patience is Patience.OF_A_SERVICE,
        zone=zone or calendar_of(settings).zone,
        lake=lake,
    )


def lake_of(settings: Settings, clock: Clock) -> Lake | None:
    """Return the lake that plans read, if the settings name one."""
    from connectors.dynamics.lake.lake import Lake

    return None if settings.crm_lake is None else Lake(settings.crm_lake, timedelta(hours=settings.crm_lake_hours), clock)


def _patience_s(settings: Settings, patience: Patience) -> float:
    return min(PERSON_S, settings.crm_patience_s) if patience is Patience.OF_A_PERSON else settings.crm_patience_s


def register_key(settings: Settings) -> KeyRing:
    """Return the keys of references and signatures, made at the first start. Raises KeysMissing: the ledger
    names keys that do not exist."""
    from crm_compliance.keys.custody import open_keys

    clock = clock_of(settings)
    with store_of(settings, clock) as store:
        return open_keys(settings, store, clock)


def keys_in_force(settings: Settings, store: SqlStore, clock: Clock) -> KeyRing:
    """Return the keys, those that are a year old replaced, and record in the ledger what became of them
    (9.2). They are not replaced while a run is unfinished: its intents and outcomes have their references by
    one key."""
    from crm_compliance.keys.custody import open_keys
    from crm_compliance.keys.key_ring import made_entry

    ring = open_keys(settings, store, clock)
    if made := ring.untold():
        store.ledger.append([("key_made", made_entry(key)) for key in made])
        ring.mark_told(made)
    if not ring.is_due(clock()) or store.runs.unfinished():
        return ring
    ring, replaced = ring.rotate(clock(), if_due=True)
    store.ledger.append([("key_rotated", entry) for entry in replaced])
    return ring


def today() -> date:
    """Return the day in Brussels, where invented organisations are, by this machine's clock."""
    from rules.dates.calendar import BELGIAN

    return BELGIAN.day(datetime.now(UTC))


def new_id(prefix: str) -> str:
    """Return an opaque id without spaces."""
    return f"{prefix}-{secrets.token_hex(6)}"


def checked(connector: DynamicsConnector, policy: Policy) -> tuple[str, ...]:
    """Compare the mapping with the CRM and with the schedule and return what is only a warning. Masks are
    checked if the schedule anonymises in place. Raises MappingError: the mapping names something that the CRM
    lacks; all mismatches are reported."""
    from connectors.dynamics.mapping.schedule_check import misspelt

    findings = connector.check(in_place=policy.anonymise.is_in_place)
    errors = [finding for finding in findings if finding.is_error]
    if errors:
        more = "".join(f"\n{finding.where}: {finding.message}" for finding in errors[1:])
        raise MappingError(errors[0].message + more, hint="correct the mapping, or the CRM", where=errors[0].where)
    told = (f"{finding.where}: {finding.message}" if finding.where else finding.message for finding in findings)
    return (*told, *(f"{slip.where}: {slip.message}" for slip in misspelt(connector.mapping, policy)))


def lacking_for_notice(mapping: Mapping, policy: Policy) -> list[str]:
    """Return the fields of notes that a schedule needs, because its quarantine notifies owners by one, and
    that the mapping lacks."""

    if policy.quarantine is None or policy.quarantine.notice != "note":
        return []
    notes = mapping.of("note")[:1]  # where they come from several tables, ours go into the first
    return sorted({"subject", "text"} - {name for table in notes for name in table.columns})


def lacking_provinces(mapping: Mapping, policy: Policy) -> Iterator[str]:
    """Yield the places of the mapping that ask for a province where nobody knows those of the country."""
    from rules.anonymisation.techniques import has_provinces

    if policy.anonymise.is_in_place and not has_provinces(policy.home.country):
        for table in mapping.tables:
            for column in table.masks.columns.values() if table.masks is not None else ():
                if column.technique == "postcode_to_province":
                    yield column.where


def fitting(connector: DynamicsConnector, policy: Policy) -> None:
    """Refuse a schedule that asks for what the mapping lacks. A quarantine that notifies owners by a note
    needs the note's text. Raises MappingError: naming what the mapping lacks."""
    if lacking := lacking_for_notice(connector.mapping, policy):
        raise MappingError(
            f"the schedule tells owners by a note, and the mapping has no {' and no '.join(lacking)} of notes",
            hint="map note.subject and note.text, or set quarantine.notice to none",
            where="quarantine.notice",
        )
    if (where := next(lacking_provinces(connector.mapping, policy), None)) is not None:
        raise MappingError(NO_PROVINCES.format(country=policy.home.country), hint=PROVINCES_HINT, where=where)


def permitted(connector: Connector, policy: Policy) -> tuple[str, ...]:
    """Compare the application user's privileges with what the jobs need under a schedule. Return what is only
    a warning. Raises Forbidden: something is missing, or a table is visible in part only; all of it is
    reported."""
    from connectors.interface.errors import Forbidden
    from jobs.model.privileges import needs_under

    findings = connector.check_privileges(needs_under(policy), policy.bypasses)
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
    """Report nothing."""


def unheard(text: str) -> None:
    """Report nothing."""


@contextmanager
def desk(
    settings: Settings,
    *,
    progress: Progress = no_progress,
    warn: Callable[[str], None] | None = None,
    patience: Patience = Patience.OF_A_PERSON,
    while_waiting: Callable[[], None] | None = None,
    recovering: bool = False,
    asks_crm: bool = True,
) -> Iterator[Desk]:
    """Open everything that a job needs, the CRM checked against the mapping, and close it again. What
    `while_waiting` raises ends a wait for the CRM. With `recovering` the store is taken as it is, although it
    was lost or put back to an older day. Without `asks_crm` the CRM is not checked, for what has to be done
    while it does not answer and writes nothing there."""
    from connectors.dynamics.memory.table_cache import tidy
    from crm_compliance.connections.document_stores import document_stores
    from crm_compliance.connections.object_stores import object_stores
    from crm_compliance.connections.worker_pool import Pool, workers_of
    from crm_compliance.keys.checkpoint_signer import DeskNotary
    from crm_compliance.keys.custody import tell_of_recovery
    from crm_compliance.keys.key_ring import pseudonym_key
    from crm_compliance.logs import run_bound
    from crm_compliance.organisation import organisation_of
    from crm_compliance.store.data_map_file import keep_tables
    from crm_compliance.store.erasure_file import ErasureFile
    from jobs.checks.same_zone import refuse_other_zone
    from jobs.ports.context import JobContext
    from jobs.requests.search.freeze import StoredRequests

    clock = clock_of(settings)
    versions = policy_versions(settings)
    version = versions.at(clock())
    policy = version.policy
    pseudonyms = pseudonym_key(settings.make_data_dir()) if policy.anonymise.keeps_key else None
    agent, patience_s = f"crm-compliance/{software_version()}", _patience_s(settings, patience)
    with (
        ExitStack() as opened,
        connector_of(
            settings,
            memory=memory_of(settings, clock),
            pseudonyms=pseudonyms,
            patience=patience,
            zone=policy.calendar.zone,
            lake=lake_of(settings, clock),
        ) as connector,
        connector.watched(while_waiting) if while_waiting is not None else nullcontext(),
    ):
        warnings = checked(connector, policy) if asks_crm else ()
        if asks_crm:
            fitting(connector, policy)
            permitted(connector, policy)
        for warning in warnings:
            if warn is not None:
                warn(warning)
        with store_of(settings, clock, recovering=recovering) as store:
            refuse_other_zone(store, policy)
            if recovering:
                tell_of_recovery(settings, store, clock)
            keys = keys_in_force(settings, store, clock)
            workers = workers_of(settings)
            if isinstance(workers, Pool):
                opened.callback(workers.close)
            context = JobContext(
                connector=connector,
                store=store,
                policy=policy,
                clock=clock,
                crm=settings.needed_crm_url,
                mapping_digest=mapping_digest(settings),
                software_version=software_version(),
                reference=keys.reference,
                references=keys.references,
                new_id=new_id,
                shuffle=SystemRandom(),
                progress=progress,
                logged_as=run_bound,
                notary=DeskNotary(settings, keys, warn or unheard),
                policy_text=version.text,
                speaks_for=organisation_of(settings),
                objects=object_stores(settings),
                documents=[
                    opened.enter_context(closing(store)) for store in document_stores(settings, user_agent=agent, patience_s=patience_s)
                ],
                versions=versions,
                erased=ErasureFile(settings.erasures_path, keys),
                compares_clocks=settings.clock is None,
                line_cache=line_cache_of(settings),
                workers=workers,
                tables_seen=lambda found: keep_tables(settings.data_dir, settings.needed_crm_url, found, clock()),
                forget_memory=lambda: tidy(settings.data_dir / "memory", clock(), older_than_days=0),
            )
            context = replace(context, requests=StoredRequests(context))
            try:
                yield Desk(settings, context, warnings)
            finally:
                if warn is not None:
                    for warning in connector.warnings:
                        warn(warning)


@contextmanager
def erased_before(settings: Settings, warn: Callable[[str], None]) -> Iterator[tuple[Register, Callable[[str, str], Collection[str]]]]:
    """Yield the register of erasures and how its references are made, without a CRM. After the database was
    lost, the register is what the file beside it has."""
    from crm_compliance.keys.custody import StoreLost, keys_of_register, open_keys
    from crm_compliance.store.erasure_file import ErasureFile
    from jobs.erasures.register import Register

    clock = clock_of(settings)
    try:
        opened = store_of(settings, clock)
    except StoreLost as lost:
        warn(f"{lost}; the file of the register alone is asked")
        ring = keys_of_register(settings)
        journal = ErasureFile(settings.erasures_path, ring)
        for damage in journal.damage():
            warn(str(damage))
        yield Register(journal.read()), ring.references
        return
    with opened as store:
        ring = open_keys(settings, store, clock)
        journal = ErasureFile(settings.erasures_path, ring)
        for damage in journal.damage():
            warn(str(damage))
        store.erasures.check(whole=True)
        yield Register(chain(store.erasures.all(), journal.read())), ring.references
