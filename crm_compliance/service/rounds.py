"""The rounds that carry out no plan, with what each leaves beside its answer; the command line and the
scheduler make them alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from crm_compliance.files import disk_errors, write_whole
from crm_compliance.reports.requests.register import round_document
from crm_compliance.reports.requests.review_pages import removing_pages
from crm_compliance.reports.upkeep import upkeep_document
from crm_compliance.settings import Settings
from crm_compliance.wiring import Desk, clock_of, policy_of, register_key, store_of
from jobs.checks.clock import ClocksDiffer, refuse_other_clock
from jobs.housekeeping import Upkeep
from jobs.ledger.rounds import REQUESTS
from jobs.model.plan import Alarm
from jobs.register.upkeep import keep_register
from jobs.registry import ROUNDS
from jobs.requests_round import RequestsRound
from rules.errors import ComplianceError

FILE = "lost-objects.txt"


@dataclass(frozen=True, slots=True)
class Made:
    """A round as it ended: `failed` where a person has to mend something, `alarms` what a person has to look
    at."""

    id: str
    done: Upkeep | RequestsRound
    document: dict[str, object]
    failed: bool = False
    alarms: tuple[Alarm, ...] = field(default=())

    @property
    def state(self) -> str:
        return "done_with_failures" if self.failed else "done"


def make(opened: Desk, name: str) -> Made:
    """Make one round.

    Raises:
        ClocksDiffer: this machine's clock is not the CRM's; what has had its day by it is not known.
    """
    refuse_other_clock(opened.context)
    with removing_pages(opened.context.store):
        done = ROUNDS[name].function(opened.context)
    if isinstance(done, RequestsRound):
        document = round_document(done, opened.context.store.request_totals())
        return Made(done.id, done, document, failed=bool(done.alarms), alarms=tuple(alarm for _, alarm in done.alarms))
    file = _write_lost(opened.settings, done)
    return Made(done.id, done, upkeep_document(done, file), failed=bool(done.alarms), alarms=done.alarms)


def without_crm(settings: Settings, name: str, why: ComplianceError) -> None:
    """Do what a round does without the CRM, where the CRM cannot be reached: what has had its day goes all
    the same, unless the clock by which it has is doubted."""
    if name != REQUESTS or isinstance(why, ClocksDiffer):
        return
    clock = clock_of(settings)
    with store_of(settings, clock) as store, removing_pages(store):
        keep_register(store, policy_of(settings).defaults, clock(), register_key(settings).references)


def _write_lost(settings: Settings, done: Upkeep) -> Path | None:
    """Write the addresses of lost objects into the data folder, for an admin to look at; remove the file
    where there are none.

    Addresses can hold names: the file has mode 0600, and the addresses stand nowhere else.
    """
    file = settings.make_data_dir() / FILE
    if not done.lost.objects:
        with disk_errors(file):
            file.unlink(missing_ok=True)
        return None
    with write_whole(file, text=True) as out:
        out.writelines(f"{address}\n" for address in done.lost.objects)
    return file
