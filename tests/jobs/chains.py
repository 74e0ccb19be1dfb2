"""What `ledger verify` says of the chain of some entries alone."""

from collections.abc import Iterable

from jobs.ledger.entries import LedgerEntry, Verdict
from jobs.ledger.verification import audit_ledger


def verdict_of(entries: Iterable[LedgerEntry | None]) -> Verdict:
    return audit_ledger(entries, log=()).verdict
