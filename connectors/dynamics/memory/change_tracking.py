"""Change tracking: what has been changed and deleted in a table since a delta link was issued (reference:
section 9). The link is kept with the table's rows (`table_file.py`). A delta link is a shortcut, never the
only way: anything odd about its answer means that the table is read in full."""

from dataclasses import dataclass, field

import msgspec

from connectors.dynamics.http.answers import UNREADABLE
from connectors.dynamics.http.transport import Transport
from connectors.interface.errors import ConnectorError, Forbidden, Throttled, Unauthorised, Unreachable
from rules.decoders import decoder_of

TRACKING = "odata.track-changes"
MAX_CHANGES = 200_000  # beyond that a full read costs no more, and this is all held in memory


class _Row(msgspec.Struct, gc=False):
    """The part of a row that shows whether it stands for a deletion; its own columns are looked at later."""

    context: str = msgspec.field(name="@odata.context", default="")
    id: str | None = None
    reason: str | None = None

    @property
    def is_deletion(self) -> bool:
        """Not every row with a context of its own is a deletion: only one whose context says so, or that
        gives it as the reason."""
        return self.reason == "deleted" or self.context.endswith("/$deletedEntity")


class _Page(msgspec.Struct):
    value: list[msgspec.Raw]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)
    delta_link: str | None = msgspec.field(name="@odata.deltaLink", default=None)


@dataclass(frozen=True, slots=True)
class Changes:
    """The JSON of each new or changed row, the ids of deleted ones in lower case, and the next link."""

    rows: list[bytes] = field(repr=False)
    deleted: set[str]
    link: str


def changes_since(transport: Transport, link: str, *, prefer: str, where: str) -> Changes | None:
    """Follow a delta link to the end; None where only a full read helps (expired, unknown, odd, too much
    changed). Raises ConnectorError: a full read would fare no better."""
    rows: list[bytes] = []
    deleted: set[str] = set()
    followed: set[str] = set()
    while True:
        try:
            address = transport.absolute(link)
            if address in followed:
                return None
            followed.add(address)
            page = decoder_of(_Page).decode(transport.get(address, prefer=prefer, where=where).body)
            heads = list(map(decoder_of(_Row).decode, page.value))
        except (Unauthorised, Forbidden, Throttled, Unreachable):
            raise
        except ConnectorError:  # expired or no longer understood: the documentation does not say how that looks
            return None
        except UNREADABLE:
            return None
        for head, raw in zip(heads, page.value, strict=True):
            if not head.is_deletion:
                rows.append(bytes(raw))
            elif head.id is None:
                return None
            else:
                deleted.add(head.id.strip("{}").lower())
        if len(rows) + len(deleted) > MAX_CHANGES:
            return None
        if page.delta_link is not None:
            return Changes(rows, deleted, page.delta_link)
        if page.next_link is None:
            return None
        link = page.next_link
