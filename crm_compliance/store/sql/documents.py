"""The documents in the store's rows, read back. A document that is not what was written is reported, never
half believed."""

from typing import TypeVar

import msgspec

from jobs.ledger.entries import StoreAltered
from rules.decoders import decoder_of

T = TypeVar("T")


class Altered(StoreAltered):
    """A document of the database cannot be read any more: somebody or something has changed it."""


def decoded(doc: str | bytes, kind: type[T], where: str) -> T:
    """Return the structure that a document holds. `where` names its row. Raises Altered: it is not what this
    program writes."""
    try:
        return decoder_of(kind).decode(doc)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise Altered(
            f"the document of {where} is not what was written", hint="restore the database from a backup and tell the DPO", where=where
        ) from None
