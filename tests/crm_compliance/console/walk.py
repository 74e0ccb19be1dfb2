"""Somebody who clicks every link: which pages there are for a role, one of each kind, and how many clicks
away each is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

from tests.crm_compliance.console.browser import Browser

LINK = re.compile(r'\shref="(/[^"]*)"')
ADDRESS = re.compile(r'="(/[^"]*)"')  # also what a script of the page fetches, and where a form goes
NAMED = re.compile(r"/(?:[a-z]+-)?[0-9a-f][0-9a-f-]{7,}(?=/|$)|/(?:item-)?\d+(?=/|$)|/[a-z]+_[a-z]+(?=/|$)")  # says which one
NO_PAGES = ("/static/", "/d/", "/api/", "/signin/")


@dataclass
class Walk:
    """A page of each kind with the number of clicks to it and its text, and every address that a page has
    named."""

    pages: dict[str, tuple[str, int]] = field(default_factory=dict)
    addresses: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)  # by kind

    def reaches(self, path: str) -> bool:
        """Whether a page has named an address of this route."""
        route = re.compile(re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(path)))
        return any(route.fullmatch(address) for address in self.addresses)


def links_of(page: str) -> Iterator[str]:
    """The addresses of ours that a page leads to."""
    for found in LINK.findall(page):
        address = unescape(found).partition("#")[0]
        if not address.startswith(NO_PAGES):
            yield address


def kind_of(address: str) -> str:
    """Return the same for all pages of one kind."""
    return NAMED.sub("/ID", address.partition("?")[0])


def walk(browser: Browser, begin: str = "/") -> Walk:
    """Click every link of every kind, from a page on. A link to nothing fails."""
    found = Walk({kind_of(begin): (begin, 0)}, {begin})
    waiting = [(begin, 0)]
    while waiting:
        address, clicks = waiting.pop(0)
        answer = browser.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        if not answer.headers["Content-Type"].startswith("text/html"):
            found.pages.pop(kind_of(address), None)
            continue
        found.texts[kind_of(address)] = answer.text
        found.addresses |= {unescape(each).partition("#")[0].partition("?")[0] for each in ADDRESS.findall(answer.text)}
        for link in links_of(answer.text):
            if kind_of(link) not in found.pages:
                found.pages[kind_of(link)] = (link, clicks + 1)
                waiting.append((link, clicks + 1))
    return found
