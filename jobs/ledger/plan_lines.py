"""What the ledger has of a plan: the digest over its lines as the store keeps them, so that what is applied
is what was looked at (RET-17), and the counts of its head."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec
from isal import isal_zlib as zlib
from isal.igzip_lib import IsalError

from jobs.ledger.entries import StoreAltered
from jobs.model.plan import Kind, Plan

RESTORE = "restore the database from a backup and tell the DPO"
_LENGTH = 8  # bytes for the length of a page
_DEFLATED = b"\x78"  # no page of columns begins so


class LinesAltered(StoreAltered):
    """The stored lines of a plan are not the ones that its digest was computed over."""


class LinesDigest:
    """SHA-256 over `head`, each page as it is stored, and the contacts to trim."""

    def __init__(self, head: Mapping[str, object]) -> None:
        self._sha = hashlib.sha256(msgspec.json.encode(head, order="sorted"))

    def add(self, page: bytes) -> None:
        """Add a page. Raises StoreAltered: it is of the older form, and damaged."""
        if is_text(page):
            self._sha.update(text_of(page))
            return
        self._sha.update(len(page).to_bytes(_LENGTH, "big"))
        self._sha.update(page)

    def finish(self, trims: Iterable[str]) -> str:
        """Return the digest, in hex: the one that `is_unaltered` checks."""
        for contact in sorted(trims):
            self._sha.update(b"trim %s\n" % contact.encode())
        return self._sha.hexdigest()


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
    """Yield each stored page. Raises LinesAltered after the last one: the plan's digest was not computed over
    them."""
    digest = LinesDigest(digest_head(plan.kind, plan.as_of, plan.crm, plan.policy_digest, plan.mapping_digest))
    for page in pages:
        digest.add(page)
        yield page
    if digest.finish(plan.trims) != plan.digest:
        raise LinesAltered("these are not the lines that the plan was made with", hint=RESTORE, where=plan.id)


def is_text(page: bytes) -> bool:
    """Return whether a page has the older form: deflated JSON Lines. What proves a run of such a plan
    asks for them until they have expired (ACC-03, ACC-07)."""
    return page.startswith(_DEFLATED)


def text_of(page: bytes) -> bytes:
    """Return the lines of a page of the older form. Raises StoreAltered: it is damaged."""
    try:
        return zlib.decompress(page)
    except IsalError:  # type: ignore[misc]  # the library has no types
        raise damaged_lines() from None


def damaged_lines() -> StoreAltered:
    """Return the error that stored lines are not what was stored."""
    return StoreAltered("a page of the plan's lines is damaged", hint=RESTORE, where="plan_pages")


def plan_entry(plan: Plan) -> dict[str, object]:
    """Return what the ledger keeps of a plan: digests and counts."""
    return {
        "plan": plan.id,
        "digest": plan.digest,
        "kind": plan.kind.value,
        "as_of": plan.as_of.isoformat(),
        "policy_version": plan.policy_version,
        "policy_digest": plan.policy_digest,
        "units": plan.units,
        "dispose": plan.dispose,
        "retain": plan.retain,
        "trims": plan.to_trim,
        "held_contacts": len(plan.held_contacts),
        "breaker": plan.breaker.tripped,
        "why": plan.why,
        **({"lake": plan.lake_instant.isoformat()} if plan.lake_instant is not None else {}),
        "alarms": [alarm.code for alarm in plan.alarms],
        "waiting": plan.waiting,
        **({"bypass": plan.bypass} if plan.bypass else {}),
        "document": hashlib.sha256(plan.document.encode()).hexdigest(),
    }
