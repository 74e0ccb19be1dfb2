"""A store counts days in one time zone. What it holds of civil days (receipts, holds, marks, the day of a
plan) was meant in the zone of the schedule by which it was written; read in another, it would end on another
day (DAT-01, DAT-02)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rules.errors import Refused
from rules.hints import hint_to

if TYPE_CHECKING:
    from jobs.ports.store.store import Store
    from rules.policy.policy import Policy

OTHER_ZONE: Final = "other_zone"
DEFAULT: Final = "Europe/Brussels"  # of a schedule that names none
_KEY: Final = re.compile(r"""^["']?timezone["']?\s*:\s*["']?([A-Za-z][A-Za-z0-9/_+-]*)""", re.MULTILINE)


def zone_of(store: Store) -> str:
    """Return the time zone of the last schedule that decided anything in a store; empty where none did."""
    known = store.policies.all()
    return _zone_in(known[-1].text) if known else ""


def refuse_other_zone(store: Store, policy: Policy) -> None:
    """Refuse a schedule that counts days in another zone than the store. Raises Refused: with code
    `other_zone`."""
    zone = zone_of(store)
    if zone and zone != policy.timezone:
        raise Refused(
            f"the schedule counts days in {policy.timezone}, and this store in {zone}: days that were counted would end otherwise",
            hint=hint_to("keep_zone", zone=zone),
            where="timezone",
            code=OTHER_ZONE,
        )


def _zone_in(text: str) -> str:
    """Return the zone that a schedule names, which was read once and found right: its line is enough, and a
    look into the store loads nothing that reads YAML. A file that is written in braces is read."""
    if (found := _KEY.search(text)) is not None:
        return found[1]
    if "timezone" not in text:
        return DEFAULT
    from rules.policy.loader import load_policy

    return load_policy(text, source="the schedule in the store").timezone
