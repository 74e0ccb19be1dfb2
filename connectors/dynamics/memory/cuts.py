"""Keeps where tables are to be cut into ranges the next time; sealed, as rows are. Where that is, is found in
reading/ranges.py as a table is read."""

import hashlib
from contextlib import suppress
from pathlib import Path

import msgspec

from connectors.dynamics.memory.table_cache import Memory
from connectors.dynamics.memory.table_file import Damaged
from connectors.dynamics.reading.ranges import Axis, Cut, Order
from rules.decoders import msgpack_decoder_of


class _Kept(msgspec.Struct, frozen=True):
    column: str
    order: Order
    points: tuple[str, ...]


class Cuts:
    """The cuts of one CRM's tables; losing one costs one read that is not cut."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def of(self, table: str, condition: str) -> Cut | None:
        """Return where the rows of a table that meet a condition are cut, or None."""
        place = self._place(table, condition)
        try:
            kept = msgpack_decoder_of(_Kept).decode(self._memory.opened(place))
            axis = Axis(kept.column, kept.order)
            for point in kept.points:
                axis.value(point)
        except (OSError, Damaged, ValueError):
            return None
        return Cut(axis, kept.points) if kept.points else None

    def note(self, table: str, condition: str, cut: Cut | None) -> None:
        """Keep a cut for the next time, or none."""
        place = self._place(table, condition)
        if cut is None:
            self._memory.drop(place)
            return
        with suppress(OSError):
            self._memory.seal(place, msgspec.msgpack.encode(_Kept(cut.axis.column, cut.axis.order, cut.points)))

    def _place(self, table: str, condition: str) -> Path:
        digest = hashlib.sha256(condition.encode()).hexdigest()
        return self._memory.folder / f"{table}-{digest[:16]}.cut"
