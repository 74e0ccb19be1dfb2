"""What ends soon by which the service reaches others."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from crm_compliance.alerts.channels import mail_certificates
from crm_compliance.configuration.settings import Settings
from crm_compliance.connections.endings import Ending, client_ending, endings
from crm_compliance.wiring.clock import clock_of
from rules.errors import ComplianceError, UsageError

SOON = timedelta(days=60)  # a renewal takes somebody of another department


def about_endings(settings: Settings) -> str:
    """Warn of certificates and signatures that will end soon; one that has ended is an error. Empty where the
    settings name none."""
    now, found = clock_of(settings)(), [*endings(settings), *_mail_endings(settings)]
    if ended := [each for each in found if each.at <= now and each.is_needed]:
        raise UsageError(
            "; ".join(f"{each.what} ended on {each.at:%Y-%m-%d}" for each in ended), hint=ended[0].remedy, where=ended[0].where
        )
    first = min((each.at for each in found if not each.is_needed), default=now)
    told = [each for each in found if each.is_needed or each.at - now < SOON or each.at == first]  # a bundle trusts a hundred
    return "\n".join(_told_of(each, now) for each in told)


def _mail_endings(settings: Settings) -> Iterator[Ending]:
    try:
        found = mail_certificates(settings)
    except ComplianceError:  # the check of the alerts tells what is wrong with them
        return
    for name, path, password in found:
        yield client_ending(Path(path), password, f"ALERTS, channel {name}")


def _told_of(each: Ending, now: datetime) -> str:
    if each.at <= now:
        return f"warning: {each.what} ended on {each.at:%Y-%m-%d}: {each.remedy}"
    if each.at - now < SOON:
        return f"warning: {each.what} ends on {each.at:%Y-%m-%d}, in {(each.at - now).days} days: {each.remedy}"
    return f"{each.what} ends on {each.at:%Y-%m-%d}"
