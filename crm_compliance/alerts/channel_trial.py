"""A test of one channel: a message to everybody whom it reaches, which says that it is a test."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from connectors.channels.channel import ChannelFailed
from connectors.channels.ping import Ping
from crm_compliance.alerts.wording import trial_notice
from crm_compliance.hints import in_words
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.store import store_of
from rules.errors import ComplianceError

if TYPE_CHECKING:
    from crm_compliance.alerts.channels import Channels
    from crm_compliance.configuration.settings import Settings


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
