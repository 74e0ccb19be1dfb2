"""What waits, in the words of a message. Nothing of a person is in them: sentences of ours, codes, numbers,
days, and addresses of the console with opaque ids."""

import secrets
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeAlias

from babel.dates import format_date
from jinja2 import Environment, PackageLoader

from connectors.channels.channel import Line, Notice
from crm_compliance.alerts.addresses import address_of
from crm_compliance.reports.parts.template import new_environment
from jobs.inbox.item import InboxItem, ItemKind, Stage
from rules.model.languages import UiLanguage
from rules.model.roles import Act, roles_of

Why: TypeAlias = Callable[[InboxItem, UiLanguage], str]

MOST: Final = 20  # lines of one message: a card of Teams is limited, and more would not be read
_UNCOUNTED: Final = frozenset({ItemKind.ANSWER_TO_REVIEW})  # how many texts wait is for the DPO's eyes alone (SUS-07)


def notice_of(
    items: Sequence[InboxItem], *, again: Collection[str], language: UiLanguage, why: Why, address: str, at: datetime, id: str = ""
) -> Notice:
    """Return what is told of these items, the most urgent first, with `why` of each in a sentence. `again`
    are the keys of those that were told before; `address` is that of the console. Without an `id` it has a
    new one."""
    texts = texts_in(language)
    lines = tuple(_line(item, texts, address, why=why(item, language), is_repeat=item.key in again) for item in items[:MOST])
    more = max(len(items) - MOST, 0)
    overdue = sum(item.stage is Stage.OVERDUE for item in items)
    if len(items) == 1:
        title = texts["one"].format(text=lines[0].text)
    else:
        title = texts["overdue" if overdue else "many"].format(count=len(items), overdue=overdue)
    return Notice(
        id=id or _new_id(),
        at=at,
        language=language,
        title=title,
        lead=texts["lead"],
        foot=texts["foot"],
        address=f"{address}/",
        lines=lines,
        more=more,
        more_text=texts["more"].format(count=more) if more else "",
    )


def trial_notice(channel: str, *, language: str, address: str, at: datetime) -> Notice:
    """Return a notice by which somebody sees that a channel works."""
    texts = texts_in(language)
    return Notice(
        id=_new_id(),
        at=at,
        language=language,
        title=texts["test"].format(channel=channel),
        lead=texts["lead_test"],
        foot=texts["foot"],
        address=f"{address}/",
        is_test=True,
    )


def as_mail(notice: Notice) -> tuple[str, str]:
    """Return what a message says, as text and as a page of HTML."""
    templates = _templates()
    text, page = (templates.get_template(f"mail.{ending}.j2").render(notice=notice) for ending in ("txt", "html"))
    return text, page


@cache
def _templates() -> Environment:
    return new_environment(PackageLoader("crm_compliance.alerts"))


@cache
def texts_in(language: str) -> Mapping[str, Any]:
    """Return the sentences of messages in a language."""
    return tomllib.loads((files("crm_compliance") / "alerts" / "texts" / f"{language}.toml").read_text(encoding="utf-8"))


def _line(item: InboxItem, texts: Mapping[str, Any], address: str, *, why: str, is_repeat: bool) -> Line:
    count = None if item.kind in _UNCOUNTED else item.count
    found = texts["event"][item.kind.value]
    text = found if isinstance(found, str) else found["one" if count == 1 else "many"].format(count=count or 0)
    if item.due_on is not None:
        day = format_date(item.due_on, "d MMM y", locale=texts["locale"])
        is_first = item.due_on.day == 1 and texts["locale"].startswith("fr")
        text = texts["due"].format(text=text, day=f"1er{day[1:]}" if is_first else day)
    if is_repeat:
        text = texts["again"].format(text=text)
    return Line(
        key=item.key,
        text=text,
        kind=item.kind.value,
        stage=item.stage.value,
        href=address + address_of(item, sees_history=set(item.roles) <= set(roles_of(Act.SEE_HISTORY))),
        code=item.code,
        why=why,
        subject=item.subject,
        count=count,
        due_on=item.due_on,
        since=item.since,
        roles=tuple(role.value for role in item.roles),
        is_repeat=is_repeat,
    )


def _new_id() -> str:
    return f"msg-{secrets.token_hex(12)}"
