"""Certificates of disposal: what went, by which rule, when, how, and who saw to it, without personal data
(9.2); from its rule and schedule the way leads back to what decided (ACC-02). Each certificate carries the
hash of the one before it, as ledger entries do, so that none can be taken out or slipped in."""

from collections.abc import Iterable

import msgspec

from jobs.ledger.entries import FIRST, digest_of
from jobs.ledger.merkle import root_of


class Actor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who disposed: the keyed reference of the service principal, and the roles of those who approved the
    plan (names only there)."""

    service: str
    approvers: tuple[str, ...]


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One certificate, with the fields of 9.2 and no other (R-140).

    `unit_type` is dossier, fiche, recording or contact, or where a row outside the missions is in force
    donation, enrolment or engagement; `retention_end` a month (2026-02), None where the unit has no term of
    its own (RET-20); `disposition` DELETED or ANONYMISED; `objects` counts by class; the instants RFC 3339 in
    UTC; `method` the state of each place of ERA-12, and under `bypass` what of the CRM's custom logic was
    passed by, where any was."""

    certificate_id: str
    run_id: str
    software_version: str
    schedule_version: str
    unit_type: str
    unit_ref: str
    category_keys: tuple[str, ...]
    rule_id: str
    reason: str
    retention_end: str | None
    disposition: str
    objects: dict[str, int]
    disposed_at: str
    verified_at: str
    method: dict[str, str]
    actor: Actor
    prev_hash: str = FIRST
    hash: str = ""


class Issued(msgspec.Struct, frozen=True):
    """A certificate as it is kept: `register_key` is the id of the key behind its references, which is not a
    field of 9.2."""

    certificate: Certificate
    register_key: str


def chained(drafts: Iterable[Certificate], last: Certificate | None) -> list[Certificate]:
    """Return the same certificates, each following from the one before it. The first follows from `last`
    (None: it is the first of all)."""
    found: list[Certificate] = []
    for draft in drafts:
        linked = msgspec.structs.replace(draft, prev_hash=last.hash if last is not None else FIRST, hash="")
        last = msgspec.structs.replace(linked, hash=hash_of(linked))
        found.append(last)
    return found


def hash_of(certificate: Certificate) -> str:
    """Return the SHA-256, in lower-case hex, of the RFC 8785 form of a certificate without its hash."""
    fields = msgspec.to_builtins(certificate)
    del fields["hash"]
    return digest_of(fields)


def merkle_root(certificates: Iterable[Certificate]) -> str:
    """Return the root over the hashes of certificates, in lower-case hex (RFC 6962)."""
    return root_of(bytes.fromhex(certificate.hash) for certificate in certificates).hex()


def shown_root(certificates: Iterable[Certificate]) -> str:
    """Return the root over what may be no hashes at all: empty then."""
    try:
        return merkle_root(certificates)
    except ValueError:
        return ""
