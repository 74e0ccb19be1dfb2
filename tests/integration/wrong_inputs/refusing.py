"""Commands that are refused and leave nothing behind, in an organisation with people and cases."""

from tests.drivers.night import Night
from tests.drivers.typist import Typist


def nothing_happens(org: Night, typist: Typist, code: int, *arguments: str) -> dict[str, str]:
    """The error of a command that writes nothing to the CRM and stores no plan and no run."""
    before = org.emulator.stats()["operations"]
    plans, runs, entries = len(org.store.plans.all()), len(org.store.runs.all()), told(org)
    error = typist.refused(*arguments, code=code)
    after = org.emulator.stats()["operations"]
    assert [after[kind] - before[kind] for kind in ("create", "update", "delete")] == [0, 0, 0]
    assert (len(org.store.plans.all()), len(org.store.runs.all()), told(org)) == (plans, runs, entries)
    return error


def told(org: Night) -> int:
    """Entries of the ledger but those about keys and the CRM, which are made by whatever command is the
    first."""
    return sum(entry.kind not in ("key_made", "crm_seen") for entry in org.store.ledger.entries())
