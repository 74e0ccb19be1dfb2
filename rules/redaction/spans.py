"""Parts of a text to redact: joined where they overlap, cut where they are the person's own."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

EDGES: Final = " ,;-\n\t"


class Span(msgspec.Struct, frozen=True):
    """A part of a tidy text to redact; the lowest `rank` gives the label where two overlap. `keys` are whom a
    name fits."""

    begin: int
    end: int
    what: str
    rank: int
    keys: frozenset[str] = frozenset()


def outside(span: Span, own: Sequence[tuple[int, int]], seen: str) -> Span | None:
    """Return what of a find is not the person's own: of `Lotte Peeters, Els` not `Peeters, Els` but `Els`;
    None where all of it is."""
    begin, end = span.begin, span.end
    for own_begin, own_end in own:
        if own_begin <= begin and end <= own_end:
            return None
        if own_begin <= begin < own_end:
            begin = own_end
        elif own_begin < end <= own_end:
            end = own_begin
    part = seen[begin:end]
    begin, end = begin + len(part) - len(part.lstrip(EDGES)), end - len(part) + len(part.rstrip(EDGES))
    return Span(begin, end, span.what, span.rank, span.keys) if begin < end else None


def merged(spans: Iterator[Span]) -> list[Span]:
    """Join what overlaps: all of it is redacted, under the label of the surest and longest."""
    joined: list[Span] = []
    best: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.begin, -one.end)):
        if joined and span.begin < joined[-1].end:
            first = _surer(best[-1], span)
            joined[-1] = Span(joined[-1].begin, max(joined[-1].end, span.end), first.what, first.rank, first.keys)
            best[-1] = first
        else:
            joined.append(span)
            best.append(span)
    return joined


def _surer(one: Span, other: Span) -> Span:
    """Return the one that shows what it is: a name inside an e-mail address is an e-mail address."""
    for outer, inner in ((one, other), (other, one)):
        if not outer.keys and outer.begin <= inner.begin and inner.end <= outer.end:
            return outer
    return min(one, other, key=lambda span: (span.rank, span.begin - span.end))
