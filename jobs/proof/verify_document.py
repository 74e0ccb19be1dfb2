"""A document of certificates verified from its bytes alone: the signature, the certificates, the ledger's
entries, and whether they agree (ACC-02)."""

from collections.abc import Mapping
from typing import Any

import msgspec
import rfc8785

from jobs.ledger.certificates import Certificate, shown_root
from jobs.ledger.checkpoints import Checkpoint
from jobs.ledger.entries import hash_of as entry_hash
from jobs.ledger.merkle import is_included
from jobs.ledger.verification import Problem, SignatureCheck, signature_problem
from jobs.proof.attestation import PARTS, SCHEMA, Attestation, Membership, Proven, by_disposition, by_place, digests_of, encode, fits
from rules.decoders import decoder_of
from rules.errors import UsageError
from rules.hints import hint_to


def verify_document(content: bytes, check: SignatureCheck, where: str = "") -> tuple[Attestation | None, list[Problem]]:
    """Verify a document from its bytes alone; the problems name the certificate, entry or field. `where` is
    the file that it came from. Raises UsageError: the file is not such a document at all."""
    try:
        document = decoder_of(Attestation).decode(content)
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        if not looks_like_one(content):
            raise UsageError("this is not a file of certificates", hint=hint_to("write_certificates"), where=where) from None
        return None, [Problem("file", f"is not as it was written: {_place_of(error)}")]
    try:
        as_written = encode(document)
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError):
        return None, [Problem("file", "is not as it was written: it holds a number or a text that no such file has")]
    problems = [*_about_certificates(document), *_about_counts(document), *_about_ledger(document, check), *_about_parts(document)]
    if (verdict := check(document.key, document.message, document.signature)) is not True:
        unknown = f"is by the key {document.key[:40]}, which is not among those given"
        told = unknown if verdict is None else "does not verify: something was changed"
        problems.append(Problem("signature", told))
    if not problems and content != as_written:
        problems.append(Problem("file", "says what it said, but was rewritten: spaces, order or line ends are others"))
    return document, problems


def looks_like_one(content: bytes) -> bool:
    """Return whether a file was such a document once, whatever somebody did to it."""
    marks = (b'"certificates":', b'"checkpoint":', b'"register_keys":', b'"inclusion":', SCHEMA.encode(), b'"certificate_id":')
    return sum(mark in content for mark in marks) >= 2


def _place_of(error: Exception) -> str:
    """Return where a document lacks its form. msgspec's messages quote fields and types, no values."""
    return str(error)[:200] if isinstance(error, msgspec.ValidationError) else "it is not valid JSON"


def _about_certificates(document: Attestation) -> list[Problem]:
    problems: list[Problem] = []
    before: Certificate | None = None
    seen: set[str] = set()
    for position, certificate in enumerate(document.certificates, 1):
        where = f"certificate {position}, {certificate.certificate_id[:60]}"
        if not fits(certificate):
            problems.append(Problem(where, "was changed: its hash is not that of its fields"))
        elif before is not None and certificate.prev_hash != before.hash:
            problems.append(Problem(where, "does not follow from the one before it: one was taken out, moved or slipped in"))
        if certificate.run_id != document.run.run:
            problems.append(Problem(where, "run_id: it is of another run"))
        if certificate.certificate_id in seen:
            problems.append(Problem(where, "certificate_id: it is there twice"))
        seen.add(certificate.certificate_id)
        before = certificate
    if document.membership is None:
        if shown_root(document.certificates) != document.root:
            problems.append(Problem("root", "is not that of the certificates"))
    elif len(document.certificates) != 1 or not _is_member(document.certificates[0], document.membership, document.root):
        problems.append(Problem("membership", "the certificate is not among those of the root"))
    return problems


def _is_member(certificate: Certificate, membership: Membership, root: str) -> bool:
    try:
        path = [bytes.fromhex(step) for step in membership.path]
        return is_included(bytes.fromhex(certificate.hash), membership.index, membership.size, path, bytes.fromhex(root))
    except ValueError:
        return False


def _about_counts(document: Attestation) -> list[Problem]:
    run, problems = document.run, []
    if not run.completeness.adds_up:
        problems.append(Problem("run.completeness", "the outcomes do not add up to the units"))
    total = sum(run.certificates.values())
    if document.membership is None:
        if run.certificates != by_disposition(document.certificates):
            problems.append(Problem("run.certificates", f"there are {len(document.certificates)} certificates, and {total} were issued"))
        if run.places != by_place(document.certificates):
            problems.append(Problem("run.places", "are not those of the certificates"))
    elif total != document.membership.size:
        problems.append(Problem("membership", f"is among {document.membership.size}, and {total} certificates were issued"))
    if sum(use.certificates for use in document.register_keys) != len(document.certificates):
        problems.append(Problem("register_keys", "do not count as many certificates as there are"))
    return problems


def _about_ledger(document: Attestation, check: SignatureCheck) -> list[Problem]:
    checkpoint, problems = document.checkpoint, []
    if told := signature_problem(checkpoint, check):
        problems.append(Problem("checkpoint", told))
    entries: dict[str, Mapping[str, Any]] = {}
    for proven in document.inclusion:
        entry = proven.entry
        where = f"ledger entry {entry.seq}"
        if not _is_in(proven, checkpoint):
            problems.append(Problem(where, "is not among the entries of the checkpoint"))
        elif entry.run != document.run.run:
            problems.append(Problem(where, "is about another run"))
        entries[entry.kind] = entry.data
    total = sum(document.run.certificates.values())
    if "run_ended" not in entries:
        problems.append(Problem("inclusion", "the entry about the end of the run lacks"))
    elif (entries["run_ended"].get("plan"), entries["run_ended"].get("state")) != (document.run.plan, document.run.state):
        problems.append(Problem("run", "plan or state are not those of the ledger"))
    issued = entries.get("certificates")
    if issued is None:
        if total:
            problems.append(Problem("inclusion", "the entry about the certificates lacks"))
    elif (issued.get("root"), issued.get("count")) != (document.root, total):
        problems.append(Problem("root", "the ledger tells another root, or another number of certificates"))
    return problems


def _is_in(proven: Proven, checkpoint: Checkpoint) -> bool:
    entry = proven.entry
    try:
        if entry_hash(entry.seq, entry.at, entry.kind, entry.run, entry.data, entry.prev_hash) != entry.hash:
            return False
        path = [bytes.fromhex(step) for step in proven.path]
        return is_included(bytes.fromhex(entry.hash), entry.seq - 1, checkpoint.entries, path, bytes.fromhex(checkpoint.root))
    except (rfc8785.CanonicalizationError, UnicodeError, ValueError):
        return False


def _about_parts(document: Attestation) -> list[Problem]:
    if document.schema != SCHEMA:
        return [Problem("schema", f"is not {SCHEMA}")]
    try:
        own = digests_of(document)
    except (rfc8785.CanonicalizationError, UnicodeError):
        return [Problem("digests", "cannot be computed")]
    changed = [Problem(name, "was changed: it is not that of its digest") for name in PARTS if own[name] != document.digests.get(name)]
    return changed + [Problem("digests", "are of other parts")] * (set(document.digests) != set(PARTS))
