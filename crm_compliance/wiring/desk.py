"""Everything that a job needs, opened and closed. Each part is imported where it is made: most commands need
two or three, and all together take a second to load."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from random import SystemRandom
from typing import TYPE_CHECKING

from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.crm import Patience, connector_of, lake_of, memory_of, waits_s
from crm_compliance.wiring.fits_this_crm import checked, fitting
from crm_compliance.wiring.frame_threads import limit_frame_threads
from crm_compliance.wiring.keys import keys_in_force
from crm_compliance.wiring.mapping import mapping_in_force
from crm_compliance.wiring.schedule import policy_versions
from crm_compliance.wiring.software import new_id, software_version
from crm_compliance.wiring.store import store_of

if TYPE_CHECKING:
    from jobs.ports.context import JobContext, Progress


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
    on_wait: Callable[[str], None] | None = None,
) -> Iterator[Desk]:
    """Open everything that a job needs, the CRM checked against the mapping, and close it again. What
    `while_waiting` raises ends a wait for the CRM. With `recovering` the store is taken as it is, although it
    was lost or put back to an older day. Without `asks_crm` the CRM is not checked, for what has to be done
    while it does not answer and writes nothing there. `on_wait` is told of long waits alone, where no `warn`
    is."""
    from connectors.dynamics.memory.table_cache import tidy
    from crm_compliance.configuration.organisation import organisation_of
    from crm_compliance.connections.document_stores import document_stores
    from crm_compliance.connections.object_stores import object_stores
    from crm_compliance.connections.worker_pool import Pool, workers_of
    from crm_compliance.keys.checkpoint_signer import DeskNotary
    from crm_compliance.keys.single_keys import pseudonym_key
    from crm_compliance.keys.store_and_keys import tell_of_recovery
    from crm_compliance.store.files.data_map_file import keep_tables
    from crm_compliance.store.files.erasure_file import ErasureFile
    from jobs.checks.same_zone import refuse_other_zone
    from jobs.checks.whole_view import permitted
    from jobs.ports.context import JobContext
    from jobs.requests.search.preserve import StoredRequests

    limit_frame_threads(settings)
    tell = warn or unheard
    clock = clock_of(settings)
    versions = policy_versions(settings)
    version = versions.at(clock())
    policy = version.policy
    pseudonyms = pseudonym_key(settings.make_data_dir()) if policy.anonymise.keeps_key else None
    mapping, mapping_digest = mapping_in_force(settings)
    organisation = organisation_of(settings)
    agent, patience_s = f"crm-compliance/{software_version()}", waits_s(settings, patience)
    with (
        ExitStack() as opened,
        connector_of(
            settings,
            memory=memory_of(settings, clock),
            pseudonyms=pseudonyms,
            patience=patience,
            mapping=mapping,
            calendar=policy.calendar,
            lake=lake_of(settings, clock),
            warn=warn or on_wait,
        ) as connector,
        connector.watched(while_waiting) if while_waiting is not None else nullcontext(),
    ):
        warnings = checked(connector, policy, organisation) if asks_crm else ()
        if asks_crm:
            fitting(connector, policy)
            permitted(connector, policy)
        for warning in warnings:
            tell(warning)
        with store_of(settings, clock, recovering=recovering) as store:
            refuse_other_zone(store, policy)
            if recovering:
                tell_of_recovery(settings, store, clock)
            keys = keys_in_force(settings, store, clock, warn)
            workers = workers_of(settings)
            if isinstance(workers, Pool):
                opened.callback(workers.close)
            context = JobContext(
                connector=connector,
                store=store,
                policy=policy,
                clock=clock,
                crm=settings.needed_crm_url,
                mapping_digest=mapping_digest,
                software_version=software_version(),
                reference=keys.reference,
                references=keys.references,
                new_id=new_id,
                shuffle=SystemRandom(),
                progress=progress,
                logged_as=_logged_as,
                notary=DeskNotary(settings, keys, tell, recovering=recovering),
                policy_text=version.text,
                speaks_for=organisation,
                objects=object_stores(settings),
                documents=[
                    opened.enter_context(closing(store)) for store in document_stores(settings, user_agent=agent, patience_s=patience_s)
                ],
                versions=versions,
                erased=ErasureFile(settings.erasures_path, keys, store.erasures.file_end),
                compares_clocks=settings.clock is None,
                workers=workers,
                tables_seen=lambda found: keep_tables(settings.data_dir, settings.needed_crm_url, found, clock()),
                forget_memory=lambda: tidy(settings.data_dir / "memory", clock(), older_than_days=0),
            )
            context = replace(context, requests=StoredRequests(context))
            try:
                yield Desk(settings, context, warnings)
            finally:
                for warning in connector.warnings:
                    tell(warning)


def _logged_as(run: str) -> AbstractContextManager[None]:
    """Name the run in what is logged meanwhile. What only looks or plans loads no logs."""
    from crm_compliance.host.logs import run_bound

    return run_bound(run)
