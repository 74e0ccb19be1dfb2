"""Rows of a whole table, some thousand at a time: what people are compared with passes by, and is not all in
memory at once."""

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

# Of fewer at a time the same names would be compared again and again; more take more memory.
SIZE: Final = 20_000


def in_batches(pages: Iterable[list[T]]) -> Iterator[list[T]]:
    """Put pages together until they have at least so many rows; the last may have fewer."""
    batch: list[T] = []
    for page in pages:
        batch += page
        if len(batch) >= SIZE:
            yield batch
            batch = []
    if batch:
        yield batch
