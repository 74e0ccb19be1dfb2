"""Who is told of what: each thing that waits once to everybody whom a route names, and again as long as it is
overdue. What a channel does not take is told with the next look, and that it does not is itself told: by the
others, on the front page, in `/healthz`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from connectors.channels.channel import ChannelFailed, TakenInPart
from crm_compliance.alerts.wording import Why, notice_of
from crm_compliance.store.rows.alerts import FORGET
from jobs.inbox.item import InboxItem, Stage, by_urgency

if TYPE_CHECKING:
    from crm_compliance.alerts.channels import Channels, Target
    from crm_compliance.store.rows.alerts import ToldAlerts, ToldOnce

_STAGES: Final = tuple(Stage)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Telling:
    """What one look has led to, in numbers: messages that were taken, things that were told in them, and the
    channels that did not take theirs."""

    messages: int = 0
    things: int = 0
    failed: tuple[str, ...] = ()


def tell(
    channels: Channels, items: Iterable[InboxItem], told: ToldAlerts, *, why: Why, address: str, now: datetime, is_all: bool = True
) -> Telling:
    """Notify everybody of what they have not been notified of in `items`, which is everything that waits now,
    unless `is_all` is false; `why` says what the code of an item means in a language. A crash between a
    message and the note that it was taken tells it twice, never not at all."""
    waiting = by_urgency(items)
    messages, things = 0, 0
    failed: list[tuple[str, str]] = []
    for target in channels.targets:
        theirs = [(item, every) for item in waiting if (every := repeats_after(target, item)) is not None]
        before = told.of(target.key, now)
        due = [item for item, every in theirs if _is_due(item, before.get(item.key), every, now)]
        if due:
            id = _id_of(target, [(item.key, before[item.key].times if item.key in before else 0) for item in due], now)
            notice = notice_of(due, again=before, language=target.language, why=why, address=address, at=now, id=id)
            is_told = True
            try:
                target.channel.send(notice, target.to)
            except ChannelFailed as error:
                failed.append((target.channel.name, error.code))
                log.error("an alert channel failed", channel=target.channel.name, code=error.code, message=str(error))
                is_told = isinstance(error, TakenInPart)
            else:
                told.took(target.channel.name, now)
            if is_told:
                told.tell(target.key, [item.key for item in due], now)
                messages, things = messages + 1, things + len(due)
        if is_all:
            told.keep(target.key, {item.key for item, _ in theirs}, now)
    for name, code in failed:  # after all of them: what it took for one role hides no failure for another
        told.failed(name, now, code)
    return Telling(messages, things, tuple(dict.fromkeys(name for name, _ in failed)))


def repeats_after(target: Target, item: InboxItem) -> timedelta | None:
    """Return after how long an item is told again to a target where it is overdue (zero: never), by the route
    that asks for it most often; None where no route leads there."""
    found = [
        timedelta(hours=route.repeat_hours)
        for route in target.routes
        if item.kind in route.events
        and _STAGES.index(item.stage) <= _STAGES.index(route.least)
        and not {*item.roles}.isdisjoint({*route.roles}.intersection(target.roles))
    ]
    return min((each for each in found if each), default=timedelta()) if found else None


def _id_of(target: Target, due: Sequence[tuple[str, int]], now: datetime) -> str:
    """Return the id of a message, by what it tells: after a crash the same is told with the same one, so that
    whoever has it already can see that. Nothing returns as new within the time that it holds for."""
    told = f"{target.key} {sorted(due)} {now.timestamp() // (FORGET.total_seconds() / 2)}"
    return f"msg-{hashlib.sha256(told.encode()).hexdigest()[:24]}"


def _is_due(item: InboxItem, before: ToldOnce | None, every: timedelta, now: datetime) -> bool:
    if before is None:
        return True
    return item.stage is Stage.OVERDUE and bool(every) and abs(now - before.last_at) >= every  # also where the clock was set back
