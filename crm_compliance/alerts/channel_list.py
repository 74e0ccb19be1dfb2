"""The channels as a list: how each does, whom it reaches, and what waits for whom. No address of anybody is
in it. And a test of one: a message to everybody whom it reaches, which says that it is a test."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from connectors.channels.channel import ChannelFailed
from connectors.channels.ping import Ping
from crm_compliance.alerts.teller import repeats_after
from crm_compliance.alerts.wording import trial_notice
from crm_compliance.hints import in_words
from crm_compliance.store.rows.alerts import ChannelState
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.store import store_of
from rules.dates.instants import instant
from rules.errors import ComplianceError

if TYPE_CHECKING:
    from datetime import datetime

    from crm_compliance.alerts.channels import Channels
    from crm_compliance.configuration.settings import Settings
    from crm_compliance.store.rows.alerts import ToldAlerts
    from jobs.inbox.item import InboxItem


def listed(channels: Channels, items: Sequence[InboxItem], told: ToldAlerts, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """Return the answer of `alerts list`: `channels`, and `waiting` with when each thing was told to each
    target, null where it will be at the next look."""
    return {"channels": _channels(channels, told), "waiting": _waiting(channels, items, told, now)}


def _channels(channels: Channels, told: ToldAlerts) -> list[dict[str, Any]]:
    states = told.channels()
    found = []
    for name, kind in channels.types.items():
        state = states.get(name, ChannelState())
        targets = [target for target in channels.targets if target.channel.name == name]
        found.append(
            {
                "channel": name,
                "type": kind,
                "to": [{"roles": list(target.roles), "language": target.language, "addresses": len(target.to)} for target in targets],
                "sent": state.sent,
                "failed": state.failed,
                "sent_at": _or_none(state.sent_at),
                "failing_since": _or_none(state.failing_since),
                "code": state.code,
            }
        )
    return found


def _waiting(channels: Channels, items: Sequence[InboxItem], told: ToldAlerts, now: datetime) -> list[dict[str, Any]]:
    found = []
    for target in channels.targets:
        before = told.of(target.key, now)
        for item in items:
            if repeats_after(target, item) is not None:
                once = before.get(item.key)
                found.append(
                    {
                        "target": target.key,
                        "event": item.kind.value,
                        "code": item.code,
                        "stage": item.stage.value,
                        "subject": item.subject,
                        "told_at": _or_none(once.last_at if once else None),
                        "times": once.times if once else 0,
                    }
                )
    return found


def _or_none(at: datetime | None) -> str | None:
    return instant(at.replace(microsecond=0)) if at is not None else None


def tried(settings: Settings, channels: Channels, name: str) -> dict[str, Any]:
    """Test a channel and return how that went; it is noted in the store, where there is one. Of a dead-man's
    switch only the connection is tested: a message to it would count as a night."""
    clock, channel = clock_of(settings), channels.by_name[name]
    row: dict[str, Any] = {"channel": name, "type": channels.types[name], "ok": True, "message": "taken", "hint": "", "code": ""}
    try:
        if isinstance(channel, Ping):
            return row | {"message": channel.check()}
        for target in channels.targets:
            if target.channel.name == name:
                notice = trial_notice(name, language=target.language, address=settings.public_url.rstrip("/"), at=clock())
                target.channel.send(notice, target.to)
    except ChannelFailed as error:
        row |= {"ok": False, "message": str(error), "hint": in_words(error.hint), "code": error.code}
    with suppress(ComplianceError), store_of(settings, clock) as store:
        if row["ok"]:
            store.told.took(name, clock())
        else:
            store.told.failed(name, clock(), row["code"])
    return row
