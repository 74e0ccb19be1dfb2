"""What units have in document stores outside the CRM: which folder a row of the CRM names, who else names it,
and what lies there. An address can hold a name, so it is read from the CRM when it is needed and kept
nowhere; the journal has the store's own ids (ACC-05)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import msgspec

from connectors.interface import DocumentLocation, DocumentStore, ObjectError, RowKey
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


class DocumentFolders:
    """The document stores of one run, and which rows of the whole CRM name which folder. That is read once,
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
        waiting: set[Key] = set()
        found = []
        for action in intents:
            own = [locations[row] for row in action.along if row in locations]
            try:
                folders = self._folders(action, own, locations.keys()) if own else ()
            except ObjectError as error:
                self.warn(str(error))
                folders = None
            if folders is None:
                waiting.add(action.key)
            else:
                found.append(msgspec.structs.replace(action, documents=folders) if folders else action)
        return found, waiting

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

    def warn(self, message: str) -> None:
        if message not in self._context.connector.warnings:
            self._context.connector.warnings.append(message)

    def _canonical_of(self, locations: Sequence[DocumentLocation]) -> dict[RowKey, str]:
        found = ((each.row, self.store_of(each.address)) for each in locations if each.owner is not None)
        return {row: held[1] for row, held in found if held is not None}

    def _folders(self, action: Action, own: Sequence[DocumentLocation], going: Collection[RowKey]) -> tuple[DocumentFolder, ...] | None:
        """Return the folders of one unit that go with it; None where it has to wait. Raises ObjectError: it
        cannot be determined."""
        rows = {(action.table, action.id), *action.along, *(write.key(self._context.connector) for write in action.rows)}
        folders: dict[str, DocumentFolder] = {}
        for location in own:
            held = self.store_of(location.address)
            if location.owner is not None and location.owner not in rows:
                self.warn(SHARED)
                return None
            if held is None:
                self.warn(ELSEWHERE)
                return None
            store, canonical = held
            named = self.others(canonical, going)
            if named - {canonical}:
                self.warn(SHARED)
                return None
            place = Place(store, location.address, canonical, store.folder(location.address))
            self.places[location.row] = place
            if named:
                continue
            if store.binned([location.address]):
                self.warn(BINNED)
                return None
            if place.folder is not None:
                files = sum(1 for _ in store.documents(place.folder))
                folders.setdefault(place.folder, DocumentFolder(location.row, place.folder, files))
        return tuple(folders.values())


def _is_in(folder: str, other: str) -> bool:
    return folder == other or folder.startswith(f"{other}/")
