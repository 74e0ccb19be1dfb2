"""The certificates of one run as one signed document that anybody can verify without this installation (9.2,
ACC-02).

It holds the certificates, their Merkle root, the ledger's entries about the run, a signed checkpoint of the
ledger, and the proof that the entries are in it. The file is RFC 8785 JSON and a line end, and counts byte by
byte."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec
import rfc8785

from jobs.ledger.certificates import Certificate, Issued, hash_of, merkle_root, shown_root
from jobs.ledger.checkpoints import Checkpoint
from jobs.ledger.entries import LedgerBroken, LedgerEntry, StoreAltered, canonical, digest_of
from jobs.ledger.merkle import Levels
from jobs.model.plan import Plan
from jobs.model.run import Run
from jobs.ports.notary import Notary
from jobs.ports.store.store import Store
from jobs.proof.run_reckoning import Completeness, reckoning_of
from rules.dates.calendar import Calendar
from rules.errors import UsageError
from rules.hints import hint_to

SCHEMA = "disposal-certificates/1"
TOLD = ("certificates", "run_ended")  # kinds of ledger entries that speak for a run as a whole


class Proven(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ledger entry, and the audit path from it to the root of the checkpoint."""

    entry: LedgerEntry
    path: tuple[str, ...]


class Membership(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the certificate of a document stands among those of its run, and its path to their root."""

    index: int
    size: int
    path: tuple[str, ...]


class KeyUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many certificates in a row have their references by one register key."""

    key: str
    certificates: int


class RunPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The run as a whole. `approvals` are roles; `certificates` counts them by disposition, `places` the
    states of each place over them."""

    run: str
    kind: str
    plan: str
    plan_digest: str
    state: str
    as_of: str
    started_at: str
    ended_at: str
    software_version: str
    schedule_version: str
    schedule_digest: str
    approvals: tuple[str, ...]
    completeness: Completeness
    certificates: dict[str, int]
    places: dict[str, dict[str, int]]


class Attestation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document. `membership` exists only in the document of a single unit; `digests` show which part
    somebody changed."""

    schema: str
    run: RunPart
    certificates: tuple[Certificate, ...]
    register_keys: tuple[KeyUse, ...]
    root: str
    inclusion: tuple[Proven, ...]
    checkpoint: Checkpoint
    membership: Membership | None
    digests: dict[str, str]
    key: str
    signature: str = ""

    @property
    def message(self) -> bytes:
        """What is signed: the RFC 8785 form without the signature."""
        fields = msgspec.to_builtins(self)
        del fields["signature"]
        return canonical(fields)


PARTS = ("run", "certificates", "register_keys", "inclusion", "checkpoint", "membership")


class LedgerIndex:
    """The ledger as far as its last checkpoint, read once: what proofs about its entries need."""

    def __init__(self, checkpoint: Checkpoint, entries: Iterable[LedgerEntry]) -> None:
        self.checkpoint = checkpoint
        self._of_run: dict[str, dict[str, LedgerEntry]] = {}
        self.levels = Levels(self._hashes(entries))

    @classmethod
    def read(cls, store: Store) -> "LedgerIndex":
        """Read the ledger. Raises LedgerBroken if there is no checkpoint, or the ledger does not reach it."""
        last = store.checkpoints.last()
        if last is None:
            raise LedgerBroken("the ledger has no checkpoint", hint=hint_to("verify_ledger"))
        index = cls(last.checkpoint, store.ledger.entries())
        if index.levels.size != last.checkpoint.entries or index.levels.root.hex() != last.checkpoint.root:
            raise LedgerBroken("the ledger is not what its last checkpoint says", hint=hint_to("verify_ledger"))
        return index

    def _hashes(self, entries: Iterable[LedgerEntry]) -> Iterator[bytes]:
        for entry in islice(entries, self.checkpoint.entries):
            if entry.run is not None and entry.kind in TOLD:
                self._of_run.setdefault(entry.run, {})[entry.kind] = entry
            yield bytes.fromhex(entry.hash)

    def announced(self, run: str) -> tuple[object, object]:
        """Return how many certificates a run has issued by the ledger, and their Merkle root."""
        entry = self._of_run.get(run, {}).get("certificates")
        return (entry.data.get("count"), entry.data.get("root")) if entry is not None else (0, merkle_root(()))

    def proven(self, run: str) -> tuple[Proven, ...]:
        """Return the last entry of each kind about a run, with its proof."""
        entries = self._of_run.get(run, {})
        return tuple(Proven(entries[kind], _hex(self.levels.inclusion(entries[kind].seq - 1))) for kind in sorted(entries))


def is_behind(store: Store) -> bool:
    """Return whether a run has ended that the last checkpoint does not cover: nothing could be proven of it
    yet."""
    last = store.checkpoints.last()
    return last is not None and any(entry.kind in TOLD for entry in store.ledger.entries(last.checkpoint.entries))


def attest(
    store: Store, notary: Notary, run: Run, index: LedgerIndex, calendar: Calendar, unit_refs: Sequence[str] | None = None
) -> Attestation:
    """Return the document of a run that is over. With `unit_refs` (those of one unit, by every existing key)
    it is that of this unit alone. Raises UsageError: the run is not over, has no certificate of that unit, or
    its certificates have expired (ACC-07); StoreAltered: its certificates are not those that the ledger
    announced, or one was changed. Nothing is signed then: it would look like proof."""
    if not run.is_over:
        raise UsageError("the run is not over", hint=hint_to("apply", plan=run.plan), where=run.id)
    if run.are_certificates_gone:
        raise UsageError("the certificates of this run were removed when they had expired", hint=hint_to("export_history"), where=run.id)
    issued = store.certificates.of_run(run.id)
    root = shown_root(one.certificate for one in issued)
    if (len(issued), root) != index.announced(run.id) or not all(fits(one.certificate) for one in issued):
        what = "are not those that it has issued by the ledger: somebody has changed or removed one"
        raise StoreAltered(f"the certificates of the run {what}", hint=hint_to("restore_altered"), where=run.id)
    plan = store.plans.get(run.plan)
    shown, membership = issued, None
    if unit_refs is not None:
        at = next((at for at, one in enumerate(issued) if one.certificate.unit_ref in unit_refs), None)
        if at is None:
            raise UsageError("this run has no certificate of that unit", hint=hint_to("show_run", run=run.id), where=run.id)
        path = Levels(bytes.fromhex(one.certificate.hash) for one in issued).inclusion(at)
        shown, membership = [issued[at]], Membership(at, len(issued), _hex(path))
    plain = Attestation(
        schema=SCHEMA,
        run=_run_part(run, plan, reckoning_of(store, run, calendar), issued),
        certificates=tuple(one.certificate for one in shown),
        register_keys=_key_uses(shown),
        root=root,
        inclusion=index.proven(run.id),
        checkpoint=index.checkpoint,
        membership=membership,
        digests={},
        key=notary.key,
    )
    told = msgspec.structs.replace(plain, digests=digests_of(plain))
    return msgspec.structs.replace(told, signature=notary.sign(told.message))


def encode(document: Attestation) -> bytes:
    """Return the file: RFC 8785 and a line end."""
    return canonical(document) + b"\n"


def _run_part(run: Run, plan: Plan, completeness: Completeness, issued: Sequence[Issued]) -> RunPart:
    facts = msgspec.to_builtins(run)
    return RunPart(
        run=run.id,
        kind=run.kind.value,
        plan=plan.id,
        plan_digest=plan.digest,
        state=run.state.value,
        as_of=facts["as_of"],
        started_at=facts["started_at"],
        ended_at=facts["ended_at"] or "",
        software_version=run.software_version,
        schedule_version=run.policy_version,
        schedule_digest=run.policy_digest,
        approvals=tuple(sorted(approval.role for approval in plan.given if approval.approves)),
        completeness=completeness,
        certificates=by_disposition(one.certificate for one in issued),
        places=by_place(one.certificate for one in issued),
    )


def by_disposition(certificates: Iterable[Certificate]) -> dict[str, int]:
    return dict(sorted(Counter(certificate.disposition for certificate in certificates).items()))


def by_place(certificates: Iterable[Certificate]) -> dict[str, dict[str, int]]:
    places: dict[str, Counter[str]] = {}
    for certificate in certificates:
        for place, state in certificate.method.items():
            places.setdefault(place, Counter())[state] += 1
    return {place: dict(sorted(states.items())) for place, states in sorted(places.items())}


def fits(certificate: Certificate) -> bool:
    """Return whether the hash of a certificate is that of its fields."""
    try:
        return hash_of(certificate) == certificate.hash
    except (rfc8785.CanonicalizationError, UnicodeError):
        return False


def _key_uses(issued: Sequence[Issued]) -> tuple[KeyUse, ...]:
    uses: list[KeyUse] = []
    for one in issued:
        same = uses.pop() if uses and uses[-1].key == one.register_key else KeyUse(one.register_key, 0)
        uses.append(KeyUse(same.key, same.certificates + 1))
    return tuple(uses)


def _hex(path: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(step.hex() for step in path)


def digests_of(document: Attestation) -> dict[str, str]:
    fields = msgspec.to_builtins(document)
    return {name: digest_of(fields[name]) for name in PARTS}
