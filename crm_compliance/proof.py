"""Proof for people who need not believe us: the evidence pack, a run's certificates, whether the ledger
holds. Commands and pages ask here alike."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

from jobs.model.last_verification import Verification, Verifier
from rules.errors import ComplianceError
from rules.hints import hint_to

if TYPE_CHECKING:
    from datetime import datetime

    from crm_compliance.configuration.settings import Settings
    from crm_compliance.keys.public_keys import PublicKeys
    from crm_compliance.store.store import SqlStore
    from jobs.ledger.verification import Audit
    from jobs.ports.context import Clock
    from jobs.proof.attestation import Attestation
    from jobs.registry import Job

Warn = Callable[[str], None]
PAUSES_S: Final = (0.5, 2.0, 8.0)  # before a ledger is verified again that does not verify while others write


def write_evidence(settings: Settings, store: SqlStore, clock: Clock, path: Path, warn: Warn) -> list[str]:
    """Write the evidence pack, up to a checkpoint of now, and name its files. `warn` is told where no time
    stamp came, or the external checkpoint log could not be written. Raises StoreAltered: tables are not what
    the ledger says; KeysMissing."""
    from crm_compliance.keys.checkpoint_signer import DeskNotary
    from crm_compliance.reports.evidence_pack import write_pack
    from crm_compliance.wiring.keys import keys_in_force
    from crm_compliance.wiring.schedule import calendar_of
    from crm_compliance.wiring.software import software_version
    from jobs.proof.attestation import is_behind
    from jobs.proof.checkpoint import make_checkpoint

    ring = keys_in_force(settings, store, clock, warn)
    notary = DeskNotary(settings, ring, warn)
    log = settings.checkpoint_log_path
    while True:
        make_checkpoint(store, notary, clock)
        anchor = log.read_bytes() if log.is_file() else b""
        # All that is packed is of one moment: what runs and housekeeping write meanwhile is in the next pack.
        with store.ledger.one_state():
            if is_behind(store):
                continue
            return write_pack(
                path,
                store,
                notary,
                public=ring.public(),
                anchor=anchor,
                reference=ring.reference,
                references=ring.references,
                calendar=calendar_of(settings, store),
                software_version=software_version(),
                now=clock(),
            )


def certificates_of(
    settings: Settings, store: SqlStore, clock: Clock, run: str, warn: Warn, unit: tuple[str, str] | None = None
) -> Attestation:
    """Return the signed document with the certificates of a run, or with that of one unit, as (table, id) of
    the CRM. Raises UsageError: the run is unknown or not over, or has no such certificate (any more)."""
    from crm_compliance.keys.checkpoint_signer import DeskNotary
    from crm_compliance.wiring.keys import keys_in_force
    from crm_compliance.wiring.schedule import calendar_of
    from jobs.proof.attestation import LedgerIndex, attest
    from jobs.proof.checkpoint import make_checkpoint

    found = store.runs.get(run)
    ring = keys_in_force(settings, store, clock, warn)
    notary = DeskNotary(settings, ring, warn)
    make_checkpoint(store, notary, clock)
    refs = ring.references(*unit) if unit is not None else None
    with store.ledger.one_state():
        found = store.runs.get(run) if found.is_over else found  # its certificates may expire at this moment
        return attest(store, notary, found, LedgerIndex.read(store), calendar_of(settings, store), refs)


def verify_ledger(
    settings: Settings,
    store: SqlStore,
    clock: Clock,
    *,
    by: Verifier,
    anchor: Path | None = None,
    keys: PublicKeys | None = None,
    go_on: Callable[[], None] = lambda: None,
    must_keep: bool = False,
) -> tuple[Audit, str]:
    """Verify the ledger of the store, as `audit_store` does. Return what was found, and whether signatures
    were `checked` or `not checked`: they are by `keys`, without them by those of this installation. The
    store remembers what was found, unless somebody brought a log or keys of their own. `go_on` is asked
    on the way, and ends it by what it raises. With `must_keep` what was found has to be kept, or else
    DiskProblem is raised."""
    from crm_compliance.keys.checkpoint_signer import audit_store
    from crm_compliance.keys.key_ring import public_keys_below
    from crm_compliance.wiring.schedule import clock_shown
    from jobs.checks.same_zone import zone_of

    began, ticks = clock(), monotonic()
    known = keys if keys is not None else public_keys_below(settings.data_dir)
    calendar = clock_shown(settings, zone_of(store))
    log = anchor or settings.checkpoint_log_path
    for pause in (*PAUSES_S, None):
        before, at_work = _held_against(store, log), store.leases.runs_at_work()
        audit = audit_store(settings, store, calendar, anchor=anchor, keys=known, go_on=go_on)
        if audit.ok or pause is None:
            break
        # What somebody wrote between the reading of the ledger and that of a table looks like a difference,
        # and so does a run that has ended and makes its checkpoint, in the database first.
        has_grown = next(store.ledger.entries(audit.verdict.entries), None) is not None
        if not (has_grown or at_work or _held_against(store, log) != before):
            break
        store.database.sleep(pause)
    if anchor is None and keys is None:
        with nullcontext() if must_keep else suppress(ComplianceError):  # what was found counts for who asked
            remember(store, audit, at=began, by=by, seconds=monotonic() - ticks, are_signatures_checked=known is not None)
    return audit, "checked" if known is not None else "not checked"


def _held_against(store: SqlStore, log: Path) -> tuple[object, ...]:
    """Return what tells whether what a ledger is held against has changed: the checkpoints of the database,
    and how long the external log is."""
    return tuple(store.checkpoints.all()), log.stat().st_size if log.is_file() else 0


def verify_of_night(settings: Settings, job: Job, go_on: Callable[[], None] = lambda: None) -> Audit | None:
    """Verify the whole ledger once a job of the night has ended, if it is the one after which that is done.
    Raises LedgerBroken: it does not verify; the health of the service and the alerts tell it from then on."""
    from crm_compliance.wiring.clock import clock_of
    from crm_compliance.wiring.store import store_of

    if not job.verifies:
        return None
    clock = clock_of(settings)
    with store_of(settings, clock) as store:
        audit, _ = verify_ledger(settings, store, clock, by=Verifier.NIGHT, go_on=go_on)
    refuse_broken(audit)
    return audit


def refuse_broken(audit: Audit) -> None:
    """Raise LedgerBroken, with the first problem, unless everything verifies."""
    from jobs.ledger.entries import LedgerBroken

    if not audit.ok:
        first = next(iter(audit.problems), None)
        told = f": {first}" if first is not None else ""
        code = f" ({first.code})" if first is not None and first.code else ""
        hint = first.hint if first is not None and first.hint else hint_to("verify_ledger")
        raise LedgerBroken(f"the ledger does not verify{told}{code}", hint=hint)


def remember(store: SqlStore, audit: Audit, *, at: datetime, by: Verifier, seconds: float, are_signatures_checked: bool) -> None:
    """Keep in the store what was found, for whoever looks later."""
    store.verifications.note(
        Verification(
            at=at,
            by=by,
            seconds=seconds,
            ok=audit.ok,
            entries=audit.verdict.entries,
            head=audit.verdict.head,
            checkpoints=audit.checkpoints,
            are_signatures_checked=are_signatures_checked,
            problems=tuple((problem.where, problem.what) for problem in audit.problems),
        )
    )


def audit_document(audit: Audit, signatures: str) -> dict[str, object]:
    """Return what `ledger verify` answers."""
    return {
        "ok": audit.ok,
        "entries": audit.verdict.entries,
        "head": audit.verdict.head,
        "first_broken": audit.first_broken,
        "checkpoints": audit.checkpoints,
        "signatures": signatures,
        "problems": [{"where": problem.where, "what": problem.what} for problem in audit.problems],
    }
