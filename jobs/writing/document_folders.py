"""What units have in document stores outside the CRM: which folder a row of the CRM names, who else names it,
and what is there. An address can hold a name, so it is read from the CRM when it is needed and kept
nowhere; the journal has the store's own ids (ACC-05)."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile

import msgspec

from connectors.interface.documents import DocumentStore
from connectors.interface.errors import ObjectError, warn_once
from connectors.interface.remains import DocumentLocation, RowKey
from jobs.model.plan import Key
from jobs.model.run import Action, DocumentFolder
from jobs.ports.context import JobContext

ELSEWHERE = (
    "documents lie in SharePoint outside the sites that the settings name, or a location has a # or ? that is not encoded; such units wait"
)
SHARED = "documents of other rows of the CRM lie inside folders that are to go, or depend on their locations; such units wait"
MISSING = (
    "a unit that goes has a document location whose folder is not in SharePoint: never made, removed before, or moved or renamed by hand; "
    "look there for folders that no location names"
)
BINNED = "documents of units that are to go lie in a recycle bin of SharePoint: empty both stages of it, or wait until it forgets them"


@dataclass(frozen=True, slots=True)
class FolderOfLocation:
    """The folder that one location names: its address, and its id where it is there."""

    store: DocumentStore
    address: str = field(repr=False)
    canonical: str = field(repr=False)
    folder: str | None


_Made = tuple[FolderOfLocation, DocumentFolder | None]


class DocumentFolders:
    """The document stores of one run, and which rows of the whole CRM name which folder. That is read
    when the first unit with documents comes along; what it says of a row is looked up again before it
    counts."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._named: list[tuple[str, RowKey]] | None = None  # folders with the locations that name them, in order
        self.places: dict[RowKey, FolderOfLocation] = {}  # of the locations that were looked at in this process

    def store_of(self, address: str) -> tuple[DocumentStore, str] | None:
        """Return the store that holds an address, and the address's one spelling there; None where no setting
        reaches it."""
        for store in self._context.documents:
            if address and (canonical := store.canonical(address)) is not None:
                return store, canonical
        return None

    def with_documents(self, intents: Sequence[Action]) -> tuple[list[Action], set[Key]]:
        """Return the same intents with the folders that are to go before their rows, and the units that must
        wait: a folder of theirs is out of reach, cannot be looked at, holds documents of somebody who stays,
        or has left something in a recycle bin. A folder that another row names as well goes with the last of
        them."""
        if not self._context.documents or not any(action.along for action in intents):
            return list(intents), set()
        along = [row for action in intents for row in action.along]
        locations = {found.row: found for found in self._context.connector.document_locations(along)}
        binned: dict[str, bool] = {}
        going, made = list(intents), dict[Key, tuple[_Made, ...] | None]()
        while True:  # who waits may keep another, whose folder it names too
            rows = {row for action in going for row in action.along}
            own = {action.key: [locations[row] for row in action.along if row in locations] for action in going}
            held = (self.store_of(location.address) for of in own.values() for location in of)
            named = self.named_beside([each[1] for each in held if each is not None], rows)
            made = {action.key: self._made(action, own[action.key], named) for action in going}
            self._look_into_bins([place for of in made.values() for place, _ in of or ()], binned)
            waits = {key for key, of in made.items() if of is None or any(binned[place.address] for place, _ in of)}
            if not waits:
                break
            going = [action for action in going if action.key not in waits]
        found = [msgspec.structs.replace(action, documents=_folders(made[action.key] or ())) for action in going]
        return found, {action.key for action in intents} - {action.key for action in going}

    def named_beside(self, canonicals: Iterable[str], going: Collection[RowKey]) -> dict[str, set[str]]:
        """Return, for each of these folders, the folders that rows beside these locations name at this
        moment: itself, or one inside it. They are looked up together."""
        wanted = {*canonicals}
        if not wanted:
            return {}
        if self._named is None:
            folders = self._canonical_of(self._context.connector.document_locations())
            self._named = sorted((folder, row) for row, folder in folders.items())
        suspects = {row for folder in wanted for _, row in _in_or_at(self._named, folder)} - {*going}
        now = self._canonical_of(self._context.connector.document_locations(suspects)) if suspects else {}
        there = sorted((folder, row) for row, folder in now.items())
        return {folder: {each for each, _ in _in_or_at(there, folder)} for folder in wanted}

    def read_again(self) -> None:
        """Have it read again which rows name which folder, since a folder is about to go: another may have
        come to it meanwhile."""
        self._named = None

    def warn(self, message: str) -> None:
        warn_once(self._context.connector.warnings, message)

    def _canonical_of(self, locations: Sequence[DocumentLocation]) -> dict[RowKey, str]:
        found = ((each.row, self.store_of(each.address)) for each in locations if each.owner is not None)
        return {row: held[1] for row, held in found if held is not None}

    def _made(self, action: Action, own: Sequence[DocumentLocation], named_by: Mapping[str, set[str]]) -> tuple[_Made, ...] | None:
        """Return the folders that go with one unit, each where it is; None where the unit has to wait.
        `named_by` is what rows beside those that go name."""
        rows = {(action.table, action.id), *action.along, *(write.key(self._context.connector) for write in action.rows)}
        made: list[_Made] = []
        for location in own:
            held = self.store_of(location.address)
            named = named_by[held[1]] if held is not None else set()
            if held is None or (location.owner is not None and location.owner not in rows) or named - {held[1]}:
                self.warn(ELSEWHERE if held is None else SHARED)
                return None
            if named:  # the documents go with the last unit that names them
                continue
            store, canonical = held
            try:
                place = FolderOfLocation(store, location.address, canonical, store.folder(location.address))
                files = sum(1 for _ in store.documents(place.folder)) if place.folder is not None else 0
            except ObjectError as error:
                self.warn(str(error))
                return None
            if place.folder is None:
                self.warn(MISSING)
            self.places[location.row] = place
            made.append((place, DocumentFolder(location.row, place.folder, files) if place.folder is not None else None))
        return tuple(made)

    def _look_into_bins(self, places: Sequence[FolderOfLocation], binned: dict[str, bool]) -> None:
        """Note for each address whether something of it is in a recycle bin, or nobody can say."""
        for store in self._context.documents:
            addresses = [place.address for place in places if place.store is store and place.address not in binned]
            found = self.binned(store, addresses)
            binned.update((address, address in found) for address in addresses)

    def binned(self, store: DocumentStore, addresses: Collection[str]) -> set[str]:
        """Return the addresses of which something is in a recycle bin of a store, or nobody can say."""
        try:
            found = store.binned(addresses) if addresses else set()
        except ObjectError as error:
            self.warn(str(error))
            return set(addresses)
        if found:
            self.warn(BINNED)
        return found


def _folders(made: Sequence[_Made]) -> tuple[DocumentFolder, ...]:
    """Return the folders that are there, each once."""
    return tuple({folder.folder: folder for _, folder in made if folder is not None}.values())


def _in_or_at(named: Sequence[tuple[str, RowKey]], folder: str) -> list[tuple[str, RowKey]]:
    """Return those, of some in order, that are a folder or inside it."""
    inside = f"{folder}/"
    at, first = bisect_left(named, (folder,)), bisect_left(named, (inside,))
    return [
        *takewhile(lambda each: each[0] == folder, islice(named, at, None)),
        *takewhile(lambda each: each[0].startswith(inside), islice(named, first, None)),
    ]
