"""Signed checkpoints of the ledger, and the lines of the log that keeps them elsewhere (ACC-06).

A chain alone does not show what was cut off at its end, or rewritten as a whole. A checkpoint states how many
entries there were, with which head and which Merkle root, signed. Copies kept outside the database (the
external checkpoint log) reveal what the chain cannot."""

import hashlib
from collections.abc import Iterable, Iterator

import msgspec
import rfc8785

from jobs.ledger.entries import canonical
from jobs.ledger.merkle import Tree
from rules.decoders import decoder_of


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the ledger was at a moment.

    `entries` is their number, `head` the hash of the last one, `root` the Merkle root over the hashes of all;
    `at` is RFC 3339 in UTC; `prev` the digest of the checkpoint before (64 zeros: the first), `key` the id of
    the signing key. `timestamp` is an answer of RFC 3161 over the digest, in base64; it comes after the
    signature and is not part of the digest."""

    entries: int
    head: str
    root: str
    at: str
    prev: str
    key: str
    signature: str = ""
    timestamp: str = ""

    @property
    def message(self) -> bytes:
        """What is signed: the RFC 8785 form without signature and time stamp."""
        fields = msgspec.structs.asdict(self)
        del fields["signature"], fields["timestamp"]
        return canonical(fields)

    @property
    def form(self) -> bytes:
        """What is stamped: the RFC 8785 form without the time stamp."""
        fields = msgspec.structs.asdict(self)
        del fields["timestamp"]
        return canonical(fields)

    @property
    def digest(self) -> str:
        """SHA-256 of what is stamped, in lower-case hex."""
        return hashlib.sha256(self.form).hexdigest()


class KeptCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint with the peaks of its tree in hexadecimal, from which the next one continues."""

    checkpoint: Checkpoint
    peaks: tuple[str, ...]

    def tree(self) -> Tree | None:
        """Return the tree to continue from; None if the peaks are not those of the root."""
        try:
            tree = Tree(self.checkpoint.entries, (bytes.fromhex(peak) for peak in self.peaks))
        except ValueError:
            return None
        return tree if tree.root.hex() == self.checkpoint.root else None


def encode(checkpoint: Checkpoint) -> bytes:
    """Return one line of the external checkpoint log, newline included: RFC 8785."""
    return canonical(checkpoint) + b"\n"


def decode(lines: Iterable[bytes]) -> Iterator[Checkpoint | None]:
    """Yield the checkpoints of an external checkpoint log, line by line. A line that is not byte for byte
    what `encode` writes becomes None."""
    for line in lines:
        try:
            checkpoint = decoder_of(Checkpoint).decode(line)
            yield checkpoint if encode(checkpoint) == line.removesuffix(b"\n") + b"\n" else None
        except (msgspec.MsgspecError, rfc8785.CanonicalizationError, UnicodeError, RecursionError):
            yield None


def looks_like_one(line: bytes) -> bool:
    """Return whether a line was a checkpoint once, whatever somebody did to it."""
    return sum(mark in line for mark in (b'"entries":', b'"head":', b'"root":', b'"prev":', b'"signature":')) >= 2
