"""The channels as a list: how each does, whom it reaches, and what waits for whom. No address of anybody is
in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crm_compliance.alerts.teller import repeats_after
from crm_compliance.store.rows.alerts import ChannelState
from rules.dates.instants import instant

if TYPE_CHECKING:
    from datetime import datetime

    from crm_compliance.alerts.channels import Channels
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
