"""A page of rows, decoded straight into records, or into a frame (`page_types.py`). Only dates, choices and
lookups are then looked at again, a column at a time, by the steps of `row_layout.py`."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import msgspec

from connectors.dynamics.http.allocator import keep_freed
from connectors.dynamics.http.characters import with_whole_characters
from connectors.dynamics.reading import column_steps
from connectors.dynamics.reading.columns import Columns, column_of, take_off
from connectors.dynamics.reading.dates import DateTexts
from connectors.dynamics.reading.page_types import DATES, UNSELECTED, fields_of, lean_page_type, page_type
from connectors.dynamics.reading.page_values import FramedPage, FramedValues, Page, Values, lowered_lines, numbers_at_once
from connectors.dynamics.reading.row_layout import RowLayout
from connectors.dynamics.schema.role_places import RolePlace
from connectors.interface.columns import column_types, frame_of_values, held_by
from rules.decoders import decoder_of
from rules.model.records import Record

if TYPE_CHECKING:
    import polars as pl

R = TypeVar("R", bound=Record)


class PageBroken(Exception):
    """The page is not JSON, or a row lacks a column or has a value of another type, never shown; `column` is
    the one that is known to be wrong."""

    def __init__(self, column: str = "") -> None:
        super().__init__()
        self.column = column


class PageDecoder(Generic[R]):
    """Decodes pages of rows that are laid out so: into records, or into frames of whole tables."""

    def __init__(self, layout: RowLayout) -> None:
        self._layout, self._fields, self._whole = layout, layout.fields, layout.whole
        self.record = cast("type[R]", layout.record)
        self.select, self.prefer_kinds, self.columns, self.lookups = layout.select, layout.prefer_kinds, layout.columns, layout.lookups
        self.created, self.has_versions = layout.created, layout.place is not RolePlace.PAIR
        self._asking = [step for step in layout.steps if self._whole and step.asks]
        self._steps = [step for step in layout.steps if step not in self._asking]
        wire, hidden = layout.wire, layout.hidden
        self._decoder = decoder_of(lean_page_type(wire, hidden) if self._whole else page_type(layout.record, wire, hidden))
        # What a row is made of: by the name that it has in a row, its name on the wire and its type.
        self.wire = {name: (column, kind) for name, (column, kind, _) in wire.items()}
        self.wire |= {name: (column, kind) for column, (name, kind) in hidden.items() if not column.startswith(UNSELECTED)}
        self.defaults = {info.name: info.default for info in fields_of(layout.record) if info.name not in wire}
        self._ids = frozenset(self.lookups)
        self._taken = {name: take_off(name) for name in self.wire}
        kinds = {name: kind for name, (_, kind) in self.wire.items()}
        kinds |= {target: kinds[source] for target, source in layout.copies.items()}
        dates = {name: (DATES[kind], layout.behaviours.get(name, "")) for name, kind in kinds.items() if kind in DATES}
        if self._whole:
            keep_freed()
        self._dates = DateTexts(dates, layout.calendar.zone) if dates and self._whole else None

    @property
    def meaning(self) -> str:
        """A digest of all that makes of a page what its frame is: fields, columns, options, keys."""
        layout, asking = self._layout, [step.target for step in self._asking]
        meant = (self._fields, (*layout.meant, layout.place.name, layout.wire, layout.hidden, asking), layout.referred)
        plain = msgspec.to_builtins(meant, str_keys=True, order="deterministic", enc_hook=repr)
        return hashlib.sha256(msgspec.json.encode(plain)).hexdigest()

    def may_empty(self, lookup: str) -> bool:
        """Return whether a lookup of a record is empty where that of its row points to a row of another
        kind."""
        return any(step.target == lookup for step in self._layout.steps)

    def decode(self, body: bytes, *, versioned: bool = True) -> Page[R]:
        """Return the page in a body: its rows, or of whole tables a frame, so that their objects are gone
        before the next page makes its own. Rows that are stored elsewhere than in their table have no version
        that could be written back (`versioned`). Half characters are replaced. Raises PageBroken: it is not
        what was requested."""
        try:
            try:
                content = self._decoder.decode(body)
            except msgspec.DecodeError:
                body = with_whole_characters(body)  # only then: it takes half as long as decoding
                content = self._decoder.decode(body)
            values = self._columns(content.value) if self._whole else self._values(content.value)
            self.fill(values)
            if versioned and self.has_versions and not column_steps.are_versions(values["etag"]):
                raise ValueError("a version that is none")
        except (msgspec.DecodeError, ValueError, KeyError, UnicodeDecodeError, RecursionError) as failure:
            raise PageBroken(self._wrong(str(failure))) from None  # the decoder's own message may quote a value
        asked_again = body if content.next_link is None else b""  # only the last page is
        held = self._kept(values) if isinstance(values, Columns) else values
        return Page(held, content.next_link, content.count, asked_again, content.delta_link)

    def _wrong(self, told: str) -> str:
        """Return the column that a message of the decoder names, of those that were asked for."""
        return next(
            (
                column
                for name, (column, _) in self.wire.items()
                if told.endswith((f".{column}`", f".{name}`")) or f"`{column}` - at" in told
            ),
            "",
        )

    def _values(self, rows: list[Any]) -> Values:
        values = Values(rows, self.lookups)
        for name in self.lookups:  # every read of rows needs these
            values[name]
        return values

    def _columns(self, rows: list[Any]) -> Columns:
        """Return what rows say, ids in lower case or as numbers and dates in columns. Raises ValueError: one
        is none."""

        from connectors.interface.id_numbers import numbers_in

        came = {name: self._taken[name](rows) for name in self._numbered}
        columns: dict[str, Any] = {**numbers_at_once(came)}
        for name, take in self._taken.items():
            if name in columns:
                continue
            came[name] = values = take(rows)
            if name in self._ids:
                came[name], text, missing = lowered_lines(values)
                numbers = numbers_in(name, text, len(values), missing) if name in self._numbered else None
                if numbers is not None:
                    columns[name] = numbers
                    continue
            if name in self._plain:  # at once, while its values are near the processor
                columns[name] = column_of(name, came[name], self._plain[name])
        came |= {target: came[source] for target, source in self._layout.copies.items()}
        if self._dates is not None:
            dates = self._dates.columns(came)
            columns |= dates
            came = {name: values for name, values in came.items() if name not in dates}
        return Columns(len(rows), came, columns, self.defaults)

    @cached_property
    def _numbered(self) -> list[str]:
        """The ids that are numbers in frames, if they can be: no step makes anything else of them, or looks
        at more than whether there is one, and no second field has them."""
        return [name for name in self.lookups if name in self._plain and name not in self._layout.copies.values()]

    @cached_property
    def _plain(self) -> dict[str, pl.DataType]:
        """The columns of frames that are what came, with their types."""
        import polars as pl

        changed = {step.target for step in self._steps}
        plain = {pl.String(), pl.Boolean(), pl.Int64(), pl.Float64()}
        kept = {name: kind for name, kind in self.kept_types.items() if name in self.wire and name not in changed and kind in plain}
        return {name: kind for name, kind in kept.items() if name not in self._fields or held_by(self.record, name) is not tuple}

    def fill(self, values: Values | Columns) -> None:
        """Work out what the fields of some rows mean, from what `wire` names. Raises ValueError or KeyError:
        a value cannot be right."""
        for step in self._steps:
            values.take(step)

    @property
    def asks(self) -> bool:
        """Whether what other rows are has to be asked to know what the rows of a frame say."""
        return bool(self._asking)

    @cached_property
    def kept_types(self) -> dict[str, pl.DataType]:
        """The columns of `frame`, ids as texts."""
        import polars as pl

        sources = dict.fromkeys(name for step in self._asking for name in step.sources)
        more = [name for name in sources if name not in self._fields]
        own = [name for name in more if name in self.record.__struct_fields__]
        return column_types(self.record, (*self._fields, *own)) | {name: pl.String() for name in more if name not in own}

    def _kept(self, values: Columns) -> FramedValues:
        """Return what rows say themselves as a frame, with the instants of their creation where they are
        read."""
        import polars as pl

        kept = [name for name in self.kept_types if name not in ("id", "etag")]
        own = [name for name in kept if name in self.record.__struct_fields__]
        frame = frame_of_values(self.record, own, values.held)
        hidden = [pl.Series(name, values[name], dtype=pl.String) for name in kept if name not in own]
        found = FramedValues(self.record, frame.with_columns(hidden) if hidden else frame)
        if self.created is not None:
            found[self.created] = values.held(self.created)
        return found

    def frame(self, page: Page[R]) -> pl.DataFrame:
        """Return the rows of a page, decoded by a decoder for whole tables, as a frame: what they say
        themselves, their ids as numbers where these can be made."""
        from connectors.interface.id_numbers import packed

        assert isinstance(page.values, FramedValues)
        return packed(page.values.given, self._ids)

    def framed(self, rows: pl.DataFrame) -> FramedPage:
        """Return a page of such rows with what other rows say of them now. Raises PageBroken: a lookup does
        not say to which table it points."""
        values = FramedValues(self.record, rows)
        try:
            for step in self._asking:
                values[step.target] = step.fill(*[values[name] for name in step.sources])
        except ValueError:
            raise PageBroken from None
        return FramedPage(values)
