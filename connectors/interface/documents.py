"""Storage outside the CRM where people keep the documents of its rows."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from connectors.interface.errors import Finding


@dataclass(frozen=True, slots=True)
class Document:
    """One file below a folder of a document store. `id` is its name for the store alone and tells nothing of
    anybody; `version` is another one after each change. What is not a plain file (a notebook, a link to
    something elsewhere) has no content that could be fetched. `folders` are the ids of the folders around it,
    but for the one that was asked for."""

    id: str
    name: str = field(repr=False)
    media_type: str = ""
    version: str = ""
    changed_at: str = ""
    is_plain: bool = True
    folders: tuple[str, ...] = ()


class DocumentStore(Protocol):
    """A place outside the CRM where people keep the documents of its rows, folder by folder. Folders and
    documents are known by ids that tell nothing of anybody; addresses and names are written to no log and no
    message. Methods may be called from several threads at once. They raise ObjectError; "missing" is an
    answer, "cannot be determined" is an error."""

    @property
    def described(self) -> str:
        """What kind of place it is, for people, without an address."""

    def canonical(self, address: str) -> str | None:
        """Return the one spelling of a folder's address; None where it is outside what the settings name. A
        folder inside another one has that one's spelling and a slash at its beginning."""

    def folder(self, address: str) -> str | None:
        """Return the id of the folder at an address; None where there is none."""

    def documents(self, folder: str) -> Iterator[Document]:
        """Yield all that is in a folder at any depth, but for folders; nothing where it is missing."""

    def fetch(self, document: str) -> bytes | None:
        """Return a document whole; None where it is missing."""

    def remove(self, folder: str) -> None:
        """Remove a folder, if there, with all that is in it and all versions of that, past any recycle
        bin."""

    def is_there(self, folder: str) -> bool:
        """Return whether a folder exists."""

    def binned(self, addresses: Collection[str]) -> set[str]:
        """Return those of the addresses of folders of which something is in a recycle bin, whoever put it
        there."""

    def findings(self) -> list[Finding]:
        """Return what somebody has to know about the store: an error prevents its use."""
