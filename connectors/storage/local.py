"""Content of recordings in files below one folder, which the CRM names by `file:` addresses.

Nothing outside that folder is ever touched. What an address says is not believed: `..`, encoded slashes and
symbolic links are resolved first, and a file is then removed by walking down from the folder without
following any link, so that nobody can swap one in meanwhile."""

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes, urlsplit

from connectors.interface.errors import Finding, ObjectError
from connectors.interface.objects import Stored
from connectors.storage.derivatives import is_made_of, made_of

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class LocalFolder:
    """The files below one folder; each is the content of at most one recording, or was made of one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def described(self) -> str:
        return "files below the storage folder"

    def canonical(self, address: str) -> str | None:
        """Return the address with every link and `..` resolved; None outside the folder, for a symbolic link,
        for what is not a plain path, and while the folder itself is missing."""
        path = _path_of(address)
        if path is None:
            return None
        try:
            root = self._root()
            target = Path(os.path.realpath(path.parent)) / path.name
            if target.is_symlink() or not target.is_relative_to(root) or target == root:
                return None
        except (ObjectError, OSError, ValueError):
            return None
        return _address_of(target)

    def remove(self, address: str, kept: Collection[str] = ()) -> None:
        with self._folder_of(address) as (folder, name):
            if folder is None:
                return
            for found in _belonging(folder, name, self._beside(address, kept)):
                _unlink(folder, found)
            with _explained("the storage folder"):
                os.fsync(folder)

    def is_there(self, address: str, kept: Collection[str] = ()) -> bool:
        with self._folder_of(address) as (folder, name):
            return folder is not None and bool(_belonging(folder, name, self._beside(address, kept)))

    def fetch(self, address: str) -> bytes | None:
        with self._folder_of(address) as (folder, name):
            return None if folder is None else _content(folder, name)

    def listing(self) -> Iterator[Stored]:
        """Yield every file, in no order; symbolic links are listed and not followed."""
        with _explained("the storage folder"):
            for folder, _, files in os.walk(self._root(), onerror=_raise):
                for file in files:
                    here = Path(folder)
                    yield Stored(_address_of(here / file), tuple(_address_of(here / name) for name in made_of(file)))

    def findings(self) -> list[Finding]:
        try:
            root = self._root()
            if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
                return [Finding(True, "the storage folder may not be written", "STORAGE_DIR")]
            if not os.listdir(root):
                return [Finding(False, "the storage folder is empty; is it mounted?", "STORAGE_DIR")]
        except (ObjectError, OSError) as error:
            return [Finding(True, str(error), "STORAGE_DIR")]
        return []

    def _beside(self, address: str, kept: Collection[str]) -> Callable[[str], bool]:
        """Return what says of a name in the folder of an object whether it is a kept one's; of
        these there are as many as recordings."""
        here = (self.canonical(address) or "").rpartition("/")[0]
        return lambda name: f"{here}/{quote(os.fsencode(name), safe='')}" in kept

    def _root(self) -> Path:
        """Return the real folder. A missing one raises: everything in it would look removed."""
        with _explained("the storage folder"):
            root = self._folder.resolve(strict=True)
            if not root.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            return root

    @contextmanager
    def _folder_of(self, address: str) -> Iterator[tuple[int | None, str]]:
        """Yield the open folder of an object and the object's name in it; None if that folder is missing."""
        canonical = self.canonical(address)
        root = self._root()
        if canonical is None:
            raise ObjectError("an object does not lie below the storage folder", hint="STORAGE_DIR names it")
        *folders, name = Path(os.fsdecode(unquote_to_bytes(urlsplit(canonical).path))).relative_to(root).parts
        opened: list[int] = []
        try:
            with _explained("the folder of an object"):
                opened.append(os.open(root, FOLDER))
                try:
                    for folder in folders:
                        opened.append(os.open(folder, FOLDER, dir_fd=opened[-1]))
                except FileNotFoundError:
                    opened.append(-1)
            yield (None if opened[-1] == -1 else opened[-1]), name
        finally:
            for handle in opened:
                if handle != -1:
                    os.close(handle)


def _path_of(address: str) -> Path | None:
    """Return the absolute path that an address names; None if it is not a `file:` address of this machine."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or parts.query or parts.fragment:
        return None
    path = os.fsdecode(unquote_to_bytes(parts.path))
    if not path.startswith("/") or "\x00" in path or path.rpartition("/")[2] in ("", ".", ".."):
        return None
    return Path(path)


def _address_of(path: Path) -> str:
    return "file://" + quote(os.fsencode(path), safe="/")


def _belonging(folder: int, name: str, is_kept: Callable[[str], bool]) -> list[str]:
    """Return what exists of an object: what was made of it and is not kept first, the object last, so that a
    half-done removal leaves it to be found."""
    with _explained("the folder of an object"):
        names = os.listdir(folder)
        made = sorted(other for other in names if is_made_of(other, name) and not is_kept(other) and stat.S_ISREG(_mode(folder, other)))
        return [*made, name] if name in names else made


def _mode(folder: int, name: str) -> int:
    return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode


def _unlink(folder: int, name: str) -> None:
    with _explained("an object"):
        try:
            if not stat.S_ISREG(_mode(folder, name)):
                raise ObjectError("an address names something that is not a file", hint="look at the recording in the CRM")
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return


def _content(folder: int, name: str) -> bytes | None:
    """Return the bytes of a file that is not a symbolic link; None where it is missing."""
    with _explained("an object"):
        try:
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except FileNotFoundError:
            return None
        with open(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise ObjectError("an address names something that is not a file", hint="look at the recording in the CRM")
            return file.read()


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Raise the file system's errors in our words, without the path."""
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else "the file system refuses"
        raise ObjectError(f"{what} cannot be used: {why}", hint="look at STORAGE_DIR and its permissions", where="STORAGE_DIR") from None


def _raise(error: OSError) -> None:
    raise error
