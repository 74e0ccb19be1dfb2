"""A notice as JSON to an address: of anybody who reads JSON, or of a workflow of Microsoft Teams, as an
adaptive card."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from connectors.channels.channel import Line, Notice
from connectors.channels.post import Post
from connectors.channels.signature import signed

COLOURS: Final = {"overdue": "attention", "soon": "warning"}


class Form(StrEnum):
    """What the other side reads: our own JSON, or a card of Teams."""

    JSON = "json"
    TEAMS = "teams"


class Webhook:
    """A channel to one address; with a key each message is signed at the moment it is sent."""

    def __init__(self, name: str, post: Post, form: Form, key: str, now: Callable[[], datetime]) -> None:
        self.name = name
        self._post, self._form, self._key, self._now = post, form, key, now

    def send(self, notice: Notice, to: Sequence[str] = ()) -> None:
        body = msgspec.json.encode(card(notice) if self._form is Form.TEAMS else document(notice))
        headers = {"Content-Type": "application/json; charset=utf-8", "webhook-id": notice.id}
        if self._key:
            headers |= signed(self._key, notice.id, self._now(), body)
        self._post.send(body, headers)

    def check(self) -> str:
        return self._post.reach()


def document(notice: Notice) -> dict[str, Any]:
    """Return a notice as our own JSON (docs/alerts.md)."""
    return {
        "id": notice.id,
        "type": "test" if notice.is_test else "alerts",
        "at": notice.at.isoformat(timespec="seconds"),
        "console": notice.address,
        "title": notice.title,
        "more": notice.more,
        "alerts": [
            {
                "key": line.key,
                "event": line.kind,
                "code": line.code,
                "stage": line.stage,
                "repeated": line.is_repeat,
                "subject": line.subject,
                "count": line.count,
                "due_on": line.due_on.isoformat() if line.due_on is not None else None,
                "since": line.since.isoformat(timespec="seconds") if line.since is not None else None,
                "roles": list(line.roles),
                "text": line.text,
                "href": line.href,
            }
            for line in notice.lines
        ],
    }


def card(notice: Notice) -> dict[str, Any]:
    """Return a notice as an adaptive card in the message that a workflow of Teams posts (Microsoft Learn,
    "Create incoming webhooks with Workflows"; cards of version 1.4)."""
    body: list[dict[str, Any]] = [
        {"type": "TextBlock", "text": notice.title, "weight": "bolder", "size": "medium", "wrap": True},
        {"type": "TextBlock", "text": notice.lead, "wrap": True, "isSubtle": True},
        *(_block(line) for line in notice.lines),
    ]
    if notice.more_text:
        body.append({"type": "TextBlock", "text": notice.more_text, "wrap": True, "isSubtle": True})
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "lang": notice.language,
        "msteams": {"width": "Full"},
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": notice.foot, "url": notice.address}],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}
    return {"type": "message", "summary": notice.title, "attachments": [attachment]}


def _block(line: Line) -> dict[str, Any]:
    text = f"[{line.text}]({line.href})" + (f" `{line.code}`" if line.code else "") + (f"\n\n{line.why}" if line.why else "")
    return {"type": "TextBlock", "text": text, "wrap": True, "spacing": "small"} | (
        {"color": COLOURS[line.stage]} if line.stage in COLOURS else {}
    )
