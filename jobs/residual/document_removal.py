"""Documents of units outside the CRM: which of them may be removed, their removal, and whether they are gone
(ERA-12, line 4; ERA-15)."""

from collections.abc import Sequence
from functools import partial

from connectors.interface.errors import ObjectError
from connectors.interface.remains import RowKey
from jobs.model.plan import Key
from jobs.model.run import Action
from jobs.ports.context import JobContext
from jobs.residual.recording_content import WRITTEN, Removal
from jobs.writing.document_folders import DocumentFolders, FolderOfLocation


class DocumentRemoval:
    """The folders of documents of some units (`Action.documents`): whether they may be removed, and their
    removal one by one."""

    def __init__(self, context: JobContext, folders: DocumentFolders, intents: Sequence[Action]) -> None:
        self._context, self._folders = context, folders
        folders.read_again()
        self._places = {action.key: _places(folders, action) for action in intents if action.documents}

    def shared(self, going: Sequence[Action]) -> set[Key]:
        """Return those of the units to be deleted of which a folder is named by a row that stays."""
        rows = {row for action in going for row in action.along}
        named = self._folders.named_beside([place.canonical for action in going for place in self._of(action)], rows)
        return {action.key for action in going if any(named[place.canonical] for place in self._of(action))}

    def removals(self, going: Sequence[Action]) -> list[tuple[Key, Removal]]:
        """Return the removal of each folder of the units to be deleted."""
        return [(action.key, partial(_remove, place)) for action in going for place in self._of(action)]

    def binned(self, removed: Sequence[Action]) -> set[Key]:
        """Return the units of which something is in a recycle bin after all was removed, or nobody can
        say."""
        return set(_binned(self._context, self._folders, [(action.key, place) for action in removed for place in self._of(action)]))

    def _of(self, action: Action) -> Sequence[FolderOfLocation]:
        return self._places.get(action.key, ())


def documents_left(context: JobContext, actions: Sequence[Action]) -> dict[Key, tuple[RowKey, ...]]:
    """Return, for each unit whose rows were written, the rows that named folders which are still there. Where
    that cannot be determined all of them count as remaining (ERA-15)."""
    having = {action.key: action.documents for action in actions if action.documents and action.state in WRITTEN}
    left: dict[Key, tuple[RowKey, ...]] = {}
    for key, folders in having.items():
        try:
            rows = tuple(each.location for each in folders if any(store.is_there(each.folder) for store in context.documents))
        except ObjectError as error:
            context.connector.warnings.append(str(error))
            rows = tuple(each.location for each in folders)
        if not context.documents:
            rows = tuple(each.location for each in folders)
        if rows:
            left[key] = rows
    return left


def _places(folders: DocumentFolders, action: Action) -> list[FolderOfLocation]:
    """Return the folders of a unit that are there; others of its documents are gone already."""
    known = [(folder, folders.places.get(folder.location)) for folder in action.documents]
    return [place for folder, place in known if place is not None and place.folder == folder.folder]


def _remove(place: FolderOfLocation) -> str:
    """Remove one folder and check that it is gone. Return what went wrong, without an address."""
    if place.folder is None:
        return ""
    try:
        place.store.remove(place.folder)
        if place.store.is_there(place.folder) or place.store.folder(place.address) is not None:
            return f"a folder is still in {place.store.described} after it was removed"
    except ObjectError as error:
        return str(error)
    return ""


def _binned(context: JobContext, folders: DocumentFolders, removed: Sequence[tuple[Key, FolderOfLocation]]) -> list[Key]:
    """Return the units of which something is in a recycle bin after all was removed, or nobody can say."""
    left: list[Key] = []
    for store in context.documents:
        keys = {place.address: key for key, place in removed if place.store is store}
        left += [keys[address] for address in folders.binned(store, keys)]
    return left
