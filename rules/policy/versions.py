"""The versions of one retention schedule, and which of them is in force on a day. Source: RET-06 (valid-from,
version), ACC-01, ACC-02."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from rules.errors import PolicyError
from rules.policy.policy import Policy

HINT = "a folder holds the versions of one schedule, each with its own version and its own valid_from"


@dataclass(frozen=True, slots=True)
class Version:
    """One version with the text it was read from, and what messages call its file."""

    policy: Policy
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class PolicyVersions:
    """All versions, the earliest first."""

    versions: tuple[Version, ...]

    def on(self, day: date) -> Version:
        """Return the version in force on a day: the latest one that is valid by then. Before the first one is
        valid it is returned all the same: it can be shown, and nothing is planned by it yet."""
        valid = [version for version in self.versions if version.policy.valid_from <= day]
        return valid[-1] if valid else self.versions[0]

    def at(self, instant: datetime) -> Version:
        """Return the version in force on the civil day of an instant; all count days in the same zone."""
        return self.on(self.versions[0].policy.calendar.day(instant))

    def until(self, version: Version) -> date | None:
        """Return the day from which another version is in force; None for the last one."""
        later = self.versions[self.versions.index(version) + 1 :]
        return later[0].policy.valid_from if later else None


def arranged(versions: Iterable[Version]) -> PolicyVersions:
    """Put the versions of one schedule in order. Raises PolicyError: there is none, they are of different
    schedules or time zones, or two have the same version or the same first day, so that it is unclear which
    of them is in force."""
    ordered = sorted(versions, key=lambda version: (version.policy.valid_from, version.source))
    if not ordered:
        raise PolicyError("the folder has no retention schedule", hint=HINT)
    for field in ("version", "valid_from"):
        seen: dict[object, Version] = {}
        for version in ordered:
            value = getattr(version.policy, field)
            if value in seen:
                raise PolicyError(f"{seen[value].source} has the same {field}: {value}", hint=HINT, where=version.source)
            seen[value] = version
    for version in ordered:
        if version.policy.name != ordered[0].policy.name:
            raise PolicyError(
                f"this is the schedule {version.policy.name}, {ordered[0].source} is {ordered[0].policy.name}",
                hint=HINT,
                where=version.source,
            )
        if version.policy.timezone != ordered[0].policy.timezone:
            raise PolicyError(
                f"days are those of {version.policy.timezone}, in {ordered[0].source} of {ordered[0].policy.timezone}",
                hint="one schedule has one time zone: a day that was counted in another would have another end",
                where=version.source,
            )
    return PolicyVersions(tuple(ordered))
