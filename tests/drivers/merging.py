"""Somebody in the CRM who merges two contacts."""

from tests.drivers.night import Night


def merge(night: Night, contact: str, into: str) -> None:
    """Merge a contact into another, as people do with two that are the same person."""
    rows = {
        name: {"@odata.type": "Microsoft.Dynamics.CRM.contact", "contactid": row}
        for name, row in (("Target", into), ("Subordinate", contact))
    }
    night.http.post(f"{night.emulator.url}Merge", json={**rows, "PerformParentingChecks": False}, timeout=10).raise_for_status()
