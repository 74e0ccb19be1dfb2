"""A form that is sent again, by a double click or over a connection that was lost, is answered with what came
of it the first time, also after a restart of the service. Each page gives its forms a key of one time
(`once`)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.datastructures import FormData
from starlette.responses import Response

from crm_compliance.console.access.origin import FIELD
from crm_compliance.console.access.sessions import digest_of
from rules.errors import ComplianceError, Refused

if TYPE_CHECKING:
    from crm_compliance.store.rows.console.sent_forms import SentForms

KEY: Final = "once"  # of forms
LASTS: Final = timedelta(hours=1)
_NONCE: Final = bytes(12)  # each key seals one address, once


@dataclass(frozen=True, slots=True)
class Sent:
    """One form of one session. A second sending waits for `turn`. What the store did not take, as on a full
    disk, is `_owed` to it until the form is sent again: it was done, or was not, all the same."""

    turn: asyncio.Lock
    _store: SentForms
    _owed: dict[str, bytes | None]
    _token: str
    _ref: str

    def begin(self, now: datetime) -> str:
        """Return where the answer has led of the same form, sent before; empty where it was not sent before.
        Raises Refused: with code `sent_before`, where it was sent, and the service ended before it had
        answered: whether it was done is not known here."""
        if self._ref in self._owed:
            self._note(self._owed[self._ref])
            del self._owed[self._ref]
        found = self._store.begin(digest_of(self._token), self._ref, now, since=now - LASTS)
        if found is None:
            return ""
        try:
            led_to = AESGCM(self._key).decrypt(_NONCE, found.led_to, None).decode() if found.led_to is not None else ""
        except (InvalidTag, ValueError):
            led_to = ""
        if not led_to:
            raise Refused(
                "this was sent before, and the service ended before it had answered",
                hint="look whether it was done; where it was not, send it from a page that was opened again",
                code="sent_before",
            )
        return led_to

    def keep(self, response: Response) -> None:
        """Remember where an answer leads; one that refuses leads nowhere, and may go otherwise next time."""
        led_to = response.headers.get("Location" if response.status_code == 303 else "HX-Redirect", "")
        self._tell(AESGCM(self._key).encrypt(_NONCE, led_to.encode(), None) if led_to else None)

    def forget(self) -> None:
        """Know the form as not sent."""
        self._tell(None)

    def _tell(self, led_to: bytes | None) -> None:
        try:
            self._note(led_to)
        except ComplianceError:
            self._owed[self._ref] = led_to

    def _note(self, led_to: bytes | None) -> None:
        session = digest_of(self._token)
        if led_to is None:
            self._store.forget(session, self._ref)
        else:
            self._store.answer(session, self._ref, led_to)

    @property
    def _key(self) -> bytes:
        return hmac.new(self._token.encode(), f"sent {self._ref}".encode(), hashlib.sha256).digest()


class Forms:
    """The forms that were sent of late. The store knows them by a digest that is keyed by the session's
    token: a reader of the store learns neither what was sent nor where it led."""

    def __init__(self, store: SentForms) -> None:
        self._store = store
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._owed: dict[str, bytes | None] = {}

    def sent(self, token: str, path: str, form: FormData) -> Sent | None:
        """Return the form of this session that says the same; None where it carries no key, or a file."""
        said = [(name, value) for name, value in form.multi_items() if name != FIELD]
        if not form.get(KEY) or not all(isinstance(value, str) for _, value in said):
            return None
        ref = hmac.new(token.encode(), msgspec.json.encode([path, said]), hashlib.sha256).hexdigest()
        return Sent(self._turns.setdefault(ref, asyncio.Lock()), self._store, self._owed, token, ref)


def answered_once(sent: Sent, now: datetime, answer: Callable[[], Response], before: Callable[[str], Response]) -> Response:
    """Return what answers a form: that of `answer`, or for one that was sent before, that of `before` where
    its answer has led. Raises Refused: nobody knows whether it was done."""
    if led_to := sent.begin(now):
        return before(led_to)
    try:
        response = answer()
    except BaseException:
        sent.forget()
        raise
    sent.keep(response)
    return response
