"""The versions of the schedule that a page can show: those that the settings name, and those that once
decided, word for word as the store keeps them."""

from datetime import date
from typing import NamedTuple

from crm_compliance.console.frame.visit import Visit
from crm_compliance.wiring.schedule import policy_versions
from rules.errors import NotFound, PolicyError
from rules.policy.loader import load_policy
from rules.policy.policy import Policy


class Known(NamedTuple):
    """One version; `until` is the day from which another is in force, None where none follows."""

    policy: Policy
    text: str
    source: str
    is_in_force: bool
    until: date | None = None

    @property
    def digest(self) -> str:
        return self.policy.digest


def versions_of(visit: Visit) -> list[Known]:
    """Return all versions, the latest first. Raises PolicyError: those of the settings cannot be used."""
    services = visit.services
    found = policy_versions(services.settings)
    now = found.at(visit.now)
    known = [Known(each.policy, each.text, each.source, each is now, found.until(each)) for each in found.versions]
    digests = {each.digest for each in known}
    for stored in services.store.policies.all():
        if stored.digest not in digests:
            try:
                known.append(Known(load_policy(stored.text, source=stored.version), stored.text, "", is_in_force=False))
            except PolicyError:
                continue  # of a time in which schedules had another form
    return sorted(known, key=lambda each: (each.policy.valid_from, each.is_in_force), reverse=True)


def version_of(known: list[Known], digest: str) -> Known:
    """Return the version with this digest. Raises NotFound: there is no such version."""
    for each in known:
        if each.digest == digest:
            return each
    raise NotFound("there is no such version of the schedule", where="version")
