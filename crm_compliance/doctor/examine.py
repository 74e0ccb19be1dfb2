"""All self-checks, in their order."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from crm_compliance.configuration.settings import Settings
from crm_compliance.doctor.anchor import about_anchor
from crm_compliance.doctor.check import Check, Tell, attempt
from crm_compliance.doctor.crm import about_crm
from crm_compliance.doctor.ending import about_endings
from crm_compliance.doctor.keys import about_keys
from crm_compliance.doctor.machine import about_disks, about_files, about_packages
from crm_compliance.doctor.organisation import about_organisation
from crm_compliance.doctor.outside import about_alerts, about_sharepoint, about_storage, about_workers
from crm_compliance.doctor.schedule import about_schedule
from crm_compliance.doctor.store import about_nights, about_store
from crm_compliance.wiring.schedule import policy_of
from rules.errors import MappingError


def examine(settings: Settings, on_wait: Tell | None) -> list[Check]:
    """Run every check that can be run; one that fails does not hide the others. `on_wait` is told of long
    waits for the CRM as they begin."""
    checks: list[Check] = [attempt("packages", about_packages)]
    checks.append(attempt("policy", lambda: about_schedule(policy_of(settings))))
    checks.append(attempt("organisation", lambda: about_organisation(settings)))
    checks.append(attempt("store", lambda: about_store(settings)))
    checks.append(attempt("keys", lambda: about_keys(settings)))
    checks.append(attempt("anchor", lambda: about_anchor(settings)))
    if all(check.ok for check in checks):
        checks.append(attempt("nights", lambda: about_nights(settings)))
    checks.append(attempt("disk", lambda: about_disks(settings)))
    checks.append(attempt("storage", lambda: about_storage(settings)))
    rare = {"files": about_files, "expiry": about_endings, "workers": about_workers}
    checks += [check for name, about in rare.items() if (check := attempt(name, partial(about, settings))).message]
    if settings.sharepoint_sites:
        checks.append(attempt("sharepoint", lambda: about_sharepoint(settings)))
    if settings.alerts is not None or settings.alert_secrets:
        checks.append(attempt("alerts", lambda: about_alerts(settings)))
    has_store = all(check.ok for check in checks if check.name == "store")
    checks += about_crm(settings, on_wait, has_store=has_store, is_well=all(check.ok for check in checks))
    return list(_told_once(checks))


def _told_once(checks: Iterable[Check]) -> Iterator[Check]:
    """Yield each check; one that fails for what an earlier one has told names that one instead of telling it
    again. A schedule or a mapping that is refused keeps several checks from being made."""
    told: dict[str, str] = {}
    for check in checks:
        is_ours = not check.ok and check.where and check.exit_code == MappingError.exit_code
        earlier = told.setdefault(check.where, check.name) if is_ours else check.name
        yield check if earlier == check.name else replace(check, message=f"cannot be looked at before {earlier} is in order", hint="")
