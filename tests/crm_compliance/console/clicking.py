"""A visitor in a real browser, who goes by what is written on buttons and links."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.applications import Starlette

from crm_compliance.identity.demo_people import DEMO_PEOPLE
from rules.model.roles import Role
from tests.crm_compliance.console.live import live

Visitor = Callable[..., Any]


@pytest.fixture
def come_in(app: Starlette, chrome: Any) -> Iterator[Visitor]:
    """A new browser in which somebody has chosen the demo's person of a role."""
    contexts: list[Any] = []
    with live(app) as root:

        def of(role: Role, language: str = "en-GB") -> Any:
            context = chrome.new_context(locale=language, viewport={"width": 1280, "height": 900})
            contexts.append(context)
            page = context.new_page()
            page.set_default_timeout(15_000)
            page.goto(root + "/")
            name = next(person.name for person in DEMO_PEOPLE if person.role is role)
            page.get_by_role("button", name=re.compile(re.escape(name))).click()
            page.wait_for_url(root + "/")
            return page

        yield of
        for context in contexts:
            context.close()


@contextmanager
def clicks(page: Any, most: int) -> Iterator[Callable[..., None]]:
    """Clicks a link or button by its words, and no more often than that."""
    made = 0

    def click(words: str, role: str = "link") -> None:
        nonlocal made
        made += 1
        assert made <= most, words
        page.get_by_role(role, name=re.compile(words)).first.click()

    yield click
