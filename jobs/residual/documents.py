"""Documents of units outside the CRM. They are removed before the rows that say where they lie, since what
nobody names can no longer be found (ERA-12, line 4; ERA-15). If a row stays all the same, the next run finds
the folder gone and deletes the row."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from connectors.interface.errors import ObjectError
from connectors.interface.remains import RowKey
from jobs.model.plan import Key
from jobs.model.run import Action
from jobs.ports.context import JobContext
from jobs.residual.recording_content import AT_ONCE, OBJECT_LEFT, WRITTEN, changed_units
from jobs.writing.deletion_order import CHANGED
from jobs.writing.document_folders import BINNED, DocumentFolders, Place


def remove_documents(context: JobContext, folders: DocumentFolders, intents: Sequence[Action]) -> dict[Key, str]:
    """Remove the folders of units (`Action.documents`), and give the units that must not be written, with a
    code.

    CHANGED: a row is another than was judged, or somebody else names a folder by now; nothing was removed.
    OBJECT_LEFT: a folder or something in it could not be removed, or is in a recycle bin; the rows stay."""
    having = [action for action in intents if action.documents]
    if not having:
        return {}
    codes = dict.fromkeys(changed_units(context, having), CHANGED)
    places = {action.key: _places(folders, action) for action in having}
    while found := _shared(folders, [action for action in intents if action.key not in codes], places):  # who stays may keep another
        codes |= dict.fromkeys(found, CHANGED)
    removals = [(key, place) for key, own in places.items() if key not in codes for place in own]
    if removals:
        context.still_ours()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for (key, _), failure in zip(removals, pool.map(lambda removal: _remove(removal[1]), removals), strict=True):
            if failure:
                codes[key] = OBJECT_LEFT
                folders.warn(failure)
    for key in _binned(context, folders, [removal for removal in removals if removal[0] not in codes]):
        codes[key] = OBJECT_LEFT
    return codes


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


def _places(folders: DocumentFolders, action: Action) -> list[Place]:
    """Return the folders of a unit that are there; others of its documents are gone already."""
    known = [(folder, folders.places.get(folder.location)) for folder in action.documents]
    return [place for folder, place in known if place is not None and place.folder == folder.folder]


def _shared(folders: DocumentFolders, going: Sequence[Action], places: Mapping[Key, Sequence[Place]]) -> list[Key]:
    """Return those of the units that go of which a folder is named by a row that stays."""
    rows = {row for action in going for row in action.along}
    return [action.key for action in going if any(folders.others(place.canonical, rows) for place in places.get(action.key, ()))]


def _remove(place: Place) -> str:
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


def _binned(context: JobContext, folders: DocumentFolders, removed: Sequence[tuple[Key, Place]]) -> list[Key]:
    """Return the units of which something lies in a recycle bin after all was removed, or nobody can say."""
    left: list[Key] = []
    for store in context.documents:
        keys = {place.address: key for key, place in removed if place.store is store}
        try:
            found = store.binned(keys) if keys else set()
        except ObjectError as error:
            folders.warn(str(error))
            found = set(keys)
        else:
            if found:
                folders.warn(BINNED)
        left += [keys[address] for address in found]
    return left
