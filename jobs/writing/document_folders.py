"""What units have in document stores outside the CRM: which folder a row of the CRM names, who else names it,
and what lies there. An address can hold a name, so it is read from the CRM when it is needed and kept
nowhere; the journal has the store's own ids (ACC-05)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import msgspec

from connectors.interface.documents import DocumentStore
from connectors.interface.errors import ObjectError
from connectors.interface.remains import DocumentLocation, RowKey
from jobs.model.plan import Key
from jobs.model.run import Action, DocumentFolder
from jobs.ports.context import JobContext

ELSEWHERE = "documents lie in SharePoint where no setting reaches; SHAREPOINT_SITES names the sites"
SHARED = "documents of other rows of the CRM lie inside folders that are to go, or hang on their locations; such units wait"
BINNED = "documents of units that are to go lie in a recycle bin of SharePoint: empty both stages of it, or wait until it forgets them"


@dataclass(frozen=True, slots=True)
class Place:
    """The folder that one location names: its address, and its id where it is there."""

    store: DocumentStore
    address: str = field(repr=False)
    canonical: str = field(repr=False)
    folder: str | None


_Made = tuple[Place, DocumentFolder | None]


class DocumentFolders:
    """The document stores of one run, and which rows of the whole CRM name which folder. That is read
    when the first unit with documents comes along; what it says of a row is looked up again before it
    counts."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._named: dict[RowKey, str] | None = None  # locations of rows -> their folders
        self.places: dict[RowKey, Place] = {}  # of the locations that were looked at in this process

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
            made = {action.key: self._made(action, [locations[row] for row in action.along if row in locations], rows) for action in going}
            self._look_into_bins([place for own in made.values() for place, _ in own or ()], binned)
            waits = {key for key, own in made.items() if own is None or any(binned[place.address] for place, _ in own)}
            if not waits:
                break
            going = [action for action in going if action.key not in waits]
        found = [msgspec.structs.replace(action, documents=_folders(made[action.key] or ())) for action in going]
        return found, {action.key for action in intents} - {action.key for action in going}

    def others(self, canonical: str, going: Collection[RowKey]) -> set[str]:
        """Return the folders that rows beside these locations name at this moment: this one, or one inside
        it."""
        if self._named is None:
            self._named = self._canonical_of(self._context.connector.document_locations())
        suspects = {row for row, folder in self._named.items() if row not in going and _is_in(folder, canonical)}
        if not suspects:
            return set()
        now = self._canonical_of(self._context.connector.document_locations(suspects))
        return {folder for folder in now.values() if _is_in(folder, canonical)}

    def read_again(self) -> None:
        """Have it read again which rows name which folder, since a folder is about to go: another may have
        come to it meanwhile."""
        self._named = None

    def warn(self, message: str) -> None:
        if message not in self._context.connector.warnings:
            self._context.connector.warnings.append(message)

    def _canonical_of(self, locations: Sequence[DocumentLocation]) -> dict[RowKey, str]:
        found = ((each.row, self.store_of(each.address)) for each in locations if each.owner is not None)
        return {row: held[1] for row, held in found if held is not None}

    def _made(self, action: Action, own: Sequence[DocumentLocation], going: Collection[RowKey]) -> tuple[_Made, ...] | None:
        """Return the folders that go with one unit, each where it lies; None where the unit has to wait."""
        rows = {(action.table, action.id), *action.along, *(write.key(self._context.connector) for write in action.rows)}
        made: list[_Made] = []
        for location in own:
            held = self.store_of(location.address)
            named = self.others(held[1], going) if held is not None else set()
            if held is None or (location.owner is not None and location.owner not in rows) or named - {held[1]}:
                self.warn(ELSEWHERE if held is None else SHARED)
                return None
            if named:  # the documents go with the last unit that names them
                continue
            store, canonical = held
            try:
                place = Place(store, location.address, canonical, store.folder(location.address))
                files = sum(1 for _ in store.documents(place.folder)) if place.folder is not None else 0
            except ObjectError as error:
                self.warn(str(error))
                return None
            self.places[location.row] = place
            made.append((place, DocumentFolder(location.row, place.folder, files) if place.folder is not None else None))
        return tuple(made)

    def _look_into_bins(self, places: Sequence[Place], binned: dict[str, bool]) -> None:
        """Note for each address whether something of it lies in a recycle bin, or nobody can say."""
        for store in self._context.documents:
            addresses = [place.address for place in places if place.store is store and place.address not in binned]
            try:
                found = store.binned(addresses) if addresses else set()
            except ObjectError as error:
                self.warn(str(error))
                found = set(addresses)
            else:
                if found:
                    self.warn(BINNED)
            binned.update((address, address in found) for address in addresses)


def _folders(made: Sequence[_Made]) -> tuple[DocumentFolder, ...]:
    """Return the folders that are there, each once."""
    return tuple({folder.folder: folder for _, folder in made if folder is not None}.values())


def _is_in(folder: str, other: str) -> bool:
    return folder == other or folder.startswith(f"{other}/")
