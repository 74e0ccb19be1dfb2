"""SharePoint in a test: the emulated Graph, filled without HTTP, and the adapter that speaks to it over
HTTP."""

from dataclasses import dataclass, field

from connectors.dynamics.http.auth import StaticToken
from connectors.emulator.graph.drives import DriveItem
from connectors.emulator.graph.graph import Graph
from connectors.emulator.serving.server import RunningEmulator
from connectors.storage.sharepoint import SharePoint

SITE = "https://fictief.sharepoint.com/sites/Dossiers"
LIBRARY = "cf_dossier"


@dataclass
class Library:
    """One document library, as people fill it; `naps` is what the adapter wanted to sleep."""

    emulator: RunningEmulator
    site: str = SITE
    name: str = LIBRARY
    naps: list[float] = field(default_factory=list)

    @property
    def graph(self) -> Graph:
        return self.emulator.emulator.graph

    def put(self, path: str, content: bytes = b"Verzonnen.", *, kind: str = "file", media_type: str = "text/plain", lock: str = "") -> str:
        """Put a file or something else; gives the address of the folder that it is in."""
        with self.emulator.emulator.tables.lock:
            drives = self.graph.drives
            drive = drives.add_library(drives.add_site(self.site), self.name)
            drives.put(drive, path, content if kind == "file" else None, kind=kind, media_type=media_type, lock=lock)
        return f"{self.site}/{self.name}/{path.rpartition('/')[0]}"

    def item(self, path: str) -> DriveItem | None:
        drives = self.graph.drives
        drive = drives.add_library(drives.add_site(self.site), self.name)
        return drives.at(drive, drive.root, path.split("/"))

    def lock(self, path: str, lock: str) -> None:
        item = self.item(path)
        assert item is not None
        self.graph.drives.lock(item, lock)

    def delete_by_hand(self, path: str) -> None:
        """Delete as a person does in SharePoint: into the recycle bin."""
        item = self.item(path)
        assert item is not None
        self.graph.drives.delete(item, permanently=False)

    @property
    def files(self) -> set[str]:
        """The paths of all that is not a folder."""
        drives = self.graph.drives
        drive = drives.add_library(drives.add_site(self.site), self.name)
        root = drives.item(drive, drive.root)
        assert root is not None
        return {"/".join(drives.path_of(each)) for each in drives._below(root) if each.kind != "folder"}

    @property
    def binned(self) -> list[str]:
        return [each.name for each in self.graph.drives.binned(self.graph.drives.add_site(self.site))]

    def open(self, *places: str, token: str = "any", patience_s: float = 0.0) -> SharePoint:
        url = f"{self.emulator.root}/v1.0/"
        return SharePoint.open(url, StaticToken(token, url), places or (SITE,), sleep=self.naps.append, patience_s=patience_s)
