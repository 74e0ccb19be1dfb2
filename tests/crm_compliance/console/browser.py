"""A browser without a screen: keeps cookies, sends forms as pages of the console do, and knows who is signed
in."""

from __future__ import annotations

import atexit
import re
from contextlib import ExitStack
from functools import cache
from html import unescape
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from httpx2 import Response
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from crm_compliance.identity.demo_people import DEMO_PEOPLE
from rules.model.roles import Role

ROOT = "http://127.0.0.1:8080"


@cache
def _loop() -> BlockingPortal:
    running = ExitStack()
    atexit.register(running.close)
    return running.enter_context(start_blocking_portal())


def client_of(app: ASGIApp, **given: Any) -> TestClient:
    """A client whose requests are answered in one event loop, as those of the service are; by itself a client
    begins a loop and its threads for each of them."""
    client = TestClient(app, base_url=ROOT, **given)
    client.portal = _loop()
    return client


class Browser:
    """One person's browser; nobody is signed in yet."""

    def __init__(self, app: ASGIApp, language: str = "en") -> None:
        self.client = client_of(app, follow_redirects=False, headers={"Accept-Language": language})

    def sign_in(self, role: Role) -> Browser:
        """Choose the demo's person of a role."""
        who = next(person.who for person in DEMO_PEOPLE if person.role is role)
        answer = self.client.post("/signin", data={"who": who})
        assert answer.status_code == 303, answer.text
        return self

    def get(self, path: str, **headers: str) -> Response:
        return self.client.get(path, headers=headers)

    def page(self, path: str) -> str:
        """The text of a page that is there."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[-2000:])
        return answer.text

    def post(self, path: str, **fields: Any) -> Response:
        """Send a form as a page of ours does: with the token of the session."""
        return self.client.post(path, data={"csrf": self.token, **fields}, headers={"Sec-Fetch-Site": "same-origin"})

    @property
    def token(self) -> str:
        """What the forms of this session carry, read from a page."""
        found = re.search(r'name="csrf" value="([0-9a-f]*)"', self.page("/"))
        assert found is not None
        return found[1]


def text_of(page: str) -> str:
    """What a page says, without its marks."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.replace("<wbr>", "").replace("\u00ad", "").replace("\u2060", ""))).split())
