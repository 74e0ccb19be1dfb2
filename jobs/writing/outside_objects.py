"""What recordings have outside the CRM: which storage holds it, under which keyed reference the journal knows
it, which rows share it. Whether an address lies in a storage is for `canonical` of that storage to say
(connectors/storage/); what may be removed is in jobs/residual/recording_content.py. An address can hold a
name, so it is read from the CRM when it is needed and kept nowhere (ACC-05)."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from connectors.interface.errors import warn_once
from connectors.interface.objects import ObjectStore
from connectors.interface.rows import Among
from jobs.ports.context import JobContext
from jobs.reading.few_rows import rows_of
from rules.model.records import Recording

SCHEMES = frozenset({"file", "http", "https", "ftp", "sftp", "smb", "s3", "gs", "abfss", "wasbs"})  # others might be anything, a name too


class Outside:
    """The storages of one run, and which recordings of the whole CRM name which object. That is read
    when the first recording with an object comes along; what it says of a row is looked up again before it
    counts."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._named: defaultdict[str, set[str]] | None = None

    def place(self, address: str) -> tuple[ObjectStore, str] | None:
        """Return the storage that holds an address, and the address's one spelling there; None where no
        setting reaches it."""
        for store in self._context.objects:
            if (canonical := store.canonical(address)) is not None:
                return store, canonical
        return None

    def reference(self, canonical: str) -> str:
        """Return the keyed reference of an object, by the current key."""
        return self._context.reference("object", _digest(canonical))

    def references(self, canonical: str) -> tuple[str, ...]:
        """Return the reference of an object by each key that still exists: the journal of an earlier run may
        have an earlier one."""
        return self._context.references("object", _digest(canonical))

    def named(self, going: Iterable[Recording]) -> dict[str, str]:
        """Return, by recording, the reference of the object that is deleted with its row, "" where there is
        none. An object that another recording names too, one which is not among `going`, is deleted with the
        last of them. A recording whose object no setting reaches has no entry, and a warning states of which
        kind its address is."""
        ids: set[str] = set()
        found: dict[str, str] = {}
        places: dict[str, str] = {}
        for row in going:
            ids.add(row.id)
            if not row.storage_uri:
                found[row.id] = ""
            elif (held := self.place(row.storage_uri)) is None:
                warn_once(
                    self._context.connector.warnings,
                    f"recordings have content in storage that no setting reaches ({scheme_of(row.storage_uri)} addresses)",
                )
            else:
                places[row.id] = held[1]
        shared = self.shared(places.values(), ids)
        return found | {row: "" if canonical in shared else self.reference(canonical) for row, canonical in places.items()}

    def shared(self, objects: Iterable[str], going: Collection[str]) -> set[str]:
        """Return those of these objects that recordings beside these name at this moment; they are looked up
        together."""
        wanted = {*objects}
        named, ids = self._all_named() if wanted else {}, {*going}
        suspects = {row for canonical in wanted for row in named.get(canonical, ())} - ids
        now = rows_of(self._context.connector, Recording, ("storage_uri",), Among("id", sorted(suspects)))
        places = (self.place(row.storage_uri) for row in now if row.storage_uri)
        return {held[1] for held in places if held is not None} & wanted

    def claimed(self, going: Collection[str]) -> frozenset[str]:
        """Return the objects that recordings beside these name. Such an object stays, also where its name
        says that it was made of one that goes."""
        return frozenset(canonical for canonical, ids in self._all_named().items() if not ids.issubset(going))

    def read_again(self) -> None:
        """Have it read again which recordings name which object, since one is about to go: another may have
        come to it meanwhile."""
        self._named = None

    def _all_named(self) -> Mapping[str, set[str]]:
        if self._named is None:
            self._named = defaultdict(set)
            for page in self._context.connector.read(Recording, ("storage_uri",)):
                for row in page:
                    if row.storage_uri and (held := self.place(row.storage_uri)) is not None:
                        self._named[held[1]].add(row.id)
        return self._named


def _digest(canonical: str) -> str:
    """Return the digest of an address. References are of ids, of which upper and lower case are the same; of
    addresses they are not."""
    return hashlib.sha256(canonical.encode()).hexdigest()


def scheme_of(address: str) -> str:
    """Return the kind of an address, `other` for what is not well known. It is used in messages."""
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", address)
    return scheme[1].lower() if scheme and scheme[1].lower() in SCHEMES else "other"
