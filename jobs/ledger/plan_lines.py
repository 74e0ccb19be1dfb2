"""The lines of a plan as the store keeps them, and the digest that is taken over them: what is applied is
what was looked at (RET-17)."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from json.encoder import encode_basestring

import msgspec
from isal import isal_zlib as zlib
from isal.igzip_lib import IsalError

from jobs.ledger.entries import StoreAltered
from jobs.model.plan import Kind, Plan, PlanLine

LINES_A_PAGE = 2_000
RESTORE = "restore the database from a backup and tell the DPO"
encode_line = msgspec.json.Encoder().encode
quoted = encode_basestring  # a text as `encode_line` writes it, in a fraction of the time


class LinesAltered(StoreAltered):
    """The stored lines of a plan are not the ones that its digest was computed over."""


class Pages:
    """Lines as the store keeps them (JSON Lines, deflated), and the digest over `head` and lines."""

    def __init__(self, head: Mapping[str, object]) -> None:
        self._open: list[str] = []
        self.room = LINES_A_PAGE  # how many lines the open page still takes
        self._pages: list[bytes] = []
        self._sha = hashlib.sha256(msgspec.json.encode(head, order="sorted"))

    def add(self, line: str) -> None:
        """Add a line, with its end."""
        self.add_text(line, 1)

    def add_text(self, text: str, lines: int) -> None:
        """Add as many lines, each with its end; there has to be room for them."""
        self._open.append(text)
        self.room -= lines
        if not self.room:
            self._turn()

    def _turn(self) -> None:
        page = "".join(self._open).encode()
        self._sha.update(page)
        self._pages.append(zlib.compress(page, 1))
        self._open.clear()
        self.room = LINES_A_PAGE

    def finish(self, trims: Iterable[str]) -> tuple[list[bytes], str]:
        """Return the pages, and the digest, contacts to trim included: the one that `is_unaltered` checks."""
        if self._open:
            self._turn()
        _add_trims(self._sha, trims)
        return self._pages, self._sha.hexdigest()


def paged(lines: Iterable[PlanLine], trims: Iterable[str], head: Mapping[str, object]) -> tuple[list[bytes], str]:
    """Return lines that are all available, as the store keeps them, and their digest."""
    pages = Pages(head)
    for line in lines:
        pages.add(f"{encode_line(line).decode()}\n")
    return pages.finish(trims)


def digest_head(kind: Kind, as_of: datetime, crm: str, policy_digest: str, mapping_digest: str) -> dict[str, object]:
    """Return what a plan's digest begins with: what was requested, of which CRM, and by which rules."""
    moment = as_of.astimezone(UTC).isoformat()
    return {"kind": kind.value, "as_of": moment, "crm": crm, "policy": policy_digest, "mapping": mapping_digest}


def is_unaltered(plan: Plan, pages: Iterable[bytes]) -> bool:
    """Return whether the stored pages are the ones that the plan's digest was computed over. What is applied
    is what was reviewed."""
    try:
        deque(checked(plan, pages), maxlen=0)
    except LinesAltered:
        return False
    return True


def checked(plan: Plan, pages: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of each stored page. Raises LinesAltered after the last one: the plan's digest was not
    computed over these lines."""
    head = digest_head(plan.kind, plan.as_of, plan.crm, plan.policy_digest, plan.mapping_digest)
    sha = hashlib.sha256(msgspec.json.encode(head, order="sorted"))
    for page in pages:
        text = unpacked(page)
        sha.update(text)
        yield text
    _add_trims(sha, plan.trims)
    if sha.hexdigest() != plan.digest:
        raise LinesAltered("these are not the lines that the plan was made with", hint=RESTORE, where=plan.id)


def unpacked(page: bytes) -> bytes:
    """Return the lines of a stored page. Raises StoreAltered: it is not what was stored."""
    try:
        return zlib.decompress(page)
    except IsalError:  # type: ignore[misc]  # the library has no types
        raise damaged_lines() from None


def damaged_lines() -> StoreAltered:
    """Return the error that stored lines are not what was stored."""
    return StoreAltered("a page of the plan's lines is damaged", hint=RESTORE, where="plan_pages")


def _add_trims(sha: hashlib._Hash, trims: Iterable[str]) -> None:
    for contact in sorted(trims):
        sha.update(b"trim %s\n" % contact.encode())
