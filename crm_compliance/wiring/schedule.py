"""The retention schedule in force, and its calendar."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from crm_compliance.configuration.settings import Settings
from crm_compliance.host.files import text_of
from crm_compliance.wiring.clock import clock_of
from rules.errors import ComplianceError, PolicyError

if TYPE_CHECKING:
    from jobs.ports.store.store import Store
    from rules.dates.calendar import Calendar
    from rules.policy.policy import Policy
    from rules.policy.versions import PolicyVersions

SHIPPED: Final = "(shipped)"  # how the name of a schedule ends that came with the product


def policy_text(settings: Settings) -> tuple[str, str]:
    """Return the text of the retention schedule in force, and its name for messages. For a folder of versions
    it is today's version."""
    if settings.policy is not None and settings.policy.is_dir():
        version = versions_in(settings.policy).at(clock_of(settings)())
        return version.text, version.source
    if settings.policy is None:
        return (files("rules") / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8"), f"childfocus.yaml {SHIPPED}"
    return text_of(settings.policy, "policy"), str(settings.policy)


def policy_digests(settings: Settings) -> frozenset[str]:
    """Return the digests of the retention schedule: of all its versions, where there is a folder of them."""
    if settings.policy is not None and settings.policy.is_dir():
        return frozenset(version.policy.digest for version in versions_in(settings.policy).versions)
    return frozenset({hashlib.sha256(policy_text(settings)[0].encode()).hexdigest()})


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
