"""Files that are there whole or not at all, and readable by their owner alone."""

import errno
import fcntl
import glob
import math
import os
import shlex
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Literal, TextIO, overload

from rules.errors import UsageError
from rules.hints import hint_to

LEAST_BYTES: Final = 32 * 1024 * 1024  # a night writes its plan and its journal; nothing is left half-written below it

# The errors of a disk that takes no more. Any other OSError may come from the network as well, and is not
# explained here.
DISK_ERRORS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM),
    *(errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP),
    *(errno.ESTALE, errno.EBUSY, errno.EXDEV, errno.ENOLCK),  # what shares of a network say besides
}
_JUST_MADE_S: Final = 60.0
_ASIDE: Final = "crm-compliance-aside-"
LOCK_TRIES: Final = 100
LOCK_S: Final = 0.05
_LOOK: Final = "look at its path, owner and mode, and those of its folders"
_WITHOUT_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DiskProblem(UsageError):
    """A disk is full, a folder is missing, or neither may be written. Nothing was left half-written."""

    code = "disk"


class OpenToOthers(UsageError):
    """A folder or a file of ours may be read or written by others than its owner."""

    code = "open_to_others"


@overload
def write_whole(path: Path, *, text: Literal[False] = False) -> AbstractContextManager[BinaryIO]: ...
@overload
def write_whole(path: Path, *, text: Literal[True]) -> AbstractContextManager[TextIO]: ...


def write_whole(path: Path, *, text: bool = False) -> AbstractContextManager[Any]:
    """Open a file that takes its name only when the block ends well; until then, and where the block fails,
    an old file stays as it is. Mode 0600. `text` writes UTF-8 and leaves line ends alone. A link is followed:
    the file behind it is replaced. Raises DiskProblem: the folder is missing, the disk is full or read-only,
    or `path` is a folder or a device."""
    return _written(path, "w" if text else "wb")


@contextmanager
def _written(path: Path, mode: str) -> Iterator[IO[Any]]:
    with disk_errors(path):
        try:
            target = path.resolve()
        except FileNotFoundError:  # of the folder in which this process works
            raise DiskProblem("the folder in which this was started is gone", hint="go to another one", where=str(path)) from None
        if not target.parent.is_dir():
            raise DiskProblem(f"there is no folder {target.parent}", hint="make the folder first", where=str(path))
        if path.exists() and not path.is_file():  # asked of the name: a pipe has no place in the file system
            raise DiskProblem(f"{path} is not a file", hint="name a file", where=str(path))
        # mkstemp gives mode 0600 whatever the umask says.
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    part = Path(name)
    with suppress(OSError):  # a share of a network may know no locks: there, what was left stays
        fcntl.flock(handle, fcntl.LOCK_EX)
        _remove_left_over(target, os.fstat(handle).st_mtime - _JUST_MADE_S)
    try:
        with disk_errors(path):
            encoding, newline = ("utf-8", "") if "b" not in mode else (None, None)
            with open(handle, mode, encoding=encoding, newline=newline) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, target)
            sync_folder(target.parent)
    except BaseException:
        with suppress(FileNotFoundError):
            part.unlink()
        raise


def remove_begun(path: Path) -> None:
    """Remove what processes that were killed had written of this file, where no other is to be written in its
    place: also what was begun just now. One that is at work has locked its own."""
    with suppress(OSError):
        _remove_left_over(path.resolve(), math.inf)


def _remove_left_over(target: Path, before: float) -> None:
    """Remove what processes that were killed have left of this very file, last written `before` then. One
    that is at work has locked its own, or made it a moment ago."""
    for left in _parts_of(target):
        if not left.is_file():
            continue
        with suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file.fileno()).st_mtime < before:
                left.unlink()


def lock_alone(file: IO[Any], path: Path) -> None:
    """Keep every other program that asks for it from this opened file until it is closed. A share of a
    network may know no locks: there nobody waits. Raises DiskProblem: another one has had it for seconds."""
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_S)
        except OSError:
            return
        else:
            return
    raise DiskProblem("another program is writing to the file", hint="end it, or repeat when it has ended", where=str(path))


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the errors of a disk into messages that a person can act on."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        hint = "make room, or name another folder" if error.errno in _WITHOUT_ROOM else _LOOK
        # Whose mode or owner is wrong may be one that is only read, such as a key.
        what = "written" if error.errno in (*_WITHOUT_ROOM, errno.EROFS) else "used"
        raise DiskProblem(f"{path} cannot be {what}: {os.strerror(error.errno)}", hint=hint, where=str(path)) from error


def disk_problem(error: BaseException) -> DiskProblem | None:
    """Return in words what a disk said of a file when nobody expected it, as of one in a folder that may not
    be entered; None where it is something else, such as a network's error, which names no file."""
    if not isinstance(error, OSError) or error.errno not in DISK_ERRORS or not isinstance(error.filename, str | os.PathLike):
        return None
    place = os.fspath(error.filename)
    return DiskProblem(
        f"{place} cannot be used: {os.strerror(error.errno)}",
        hint=_LOOK,
        where=place,
    )


def refuse_unwritable(*files: Path) -> None:
    """Refuse files of ours that could not be written, or of which there is none yet in a folder that could
    not be. Raises DiskProblem."""
    for path in files:
        with disk_errors(path):
            if path.is_dir():
                raise DiskProblem(f"{path} is a folder, not a file", hint="move it away, or name a file", where=str(path))
            place = path if path.exists() else path.parent
            if place.exists() and not os.access(place, os.W_OK):
                raise DiskProblem(f"{place} may not be written by this account", hint="look at its owner and mode", where=str(path))


def free_bytes(path: Path) -> int:
    """Return how much room there is where something is, or will be made."""
    found = os.statvfs(_nearest(path))
    return found.f_bavail * found.f_frsize


def disk_of(path: Path) -> int:
    """Return the number by which this machine knows the disk on which something is, or will be made."""
    return _nearest(path).stat().st_dev


def _nearest(path: Path) -> Path:
    return next(each for each in (path, *path.absolute().parents) if each.exists())


def remove_other_names(path: Path) -> None:
    """Remove what a process that was killed in `place_once` has left of this file: with another name, the
    file stays when it is removed by its own. Nobody is putting it in its place any more."""
    for left in _parts_of(path):
        left.unlink(missing_ok=True)


def _parts_of(path: Path) -> Iterator[Path]:
    return path.parent.glob(f".{glob.escape(path.name)}.{'?' * 8}.part")


def private_folder(path: Path) -> Path:
    """Make a folder for its owner alone (mode 0700), unless it is there. Parents get the usual mode."""
    with disk_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(mode=0o700, exist_ok=True)
        except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
            raise DiskProblem(f"{path} cannot be a folder", hint="name a folder", where=str(path)) from error
    return path


@contextmanager
def folder_aside() -> Iterator[Path]:
    """Make a folder among the temporary files of this machine, for its owner alone (mode 0700), which is gone
    with all in it however the block ends. What processes that were killed have left there is gone too."""
    folder = Path(tempfile.mkdtemp(prefix=_ASIDE))
    handle = _opened(folder)
    try:
        with suppress(OSError):  # where no locks are known, nothing that was left is removed either
            fcntl.flock(handle, fcntl.LOCK_EX)
        _remove_left_aside(os.fstat(handle).st_mtime)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def remove_left_aside() -> None:
    """Remove what processes that were killed have left of `folder_aside`, where there is room to look."""
    with suppress(OSError), folder_aside():
        pass


def _remove_left_aside(now: float) -> None:
    """Remove such folders of this account. A process that is at work has locked its own, or made it just
    before `now`."""
    for left in Path(tempfile.gettempdir()).glob(f"{_ASIDE}{'?' * 8}"):
        # Anybody may put something of that name there: a link is not followed, and what is another's stays.
        with suppress(OSError), ExitStack() as stack:
            handle = _opened(left)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.fstat(handle)
            if found.st_uid == os.geteuid() and found.st_mtime < now - _JUST_MADE_S:
                shutil.rmtree(left, ignore_errors=True)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def vacant(path: Path) -> Path:
    """Return a folder that is empty or not there yet. Raises DiskProblem: something is there."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise DiskProblem(f"{path} is not empty", hint="name a new folder", where=str(path))
    return path


def new_folder(path: Path) -> None:
    """Make a folder that only its owner may enter, or take one that is empty. Raises DiskProblem: something
    is in it, or it cannot be made."""
    private_folder(vacant(path)).chmod(0o700)


def write_together(folder: Path, contents: Mapping[str, bytes]) -> list[str]:
    """Write a few files into a folder, none before the disk has taken all; return their paths."""
    with ExitStack() as files:
        for name, content in contents.items():
            out = files.enter_context(write_whole(folder / name))
            with disk_errors(folder / name):
                out.write(content)
                out.flush()
    return [str(folder / name) for name in contents]


def place_once(path: Path, content: bytes) -> None:
    """Put a file in its place, whole, unless it is there: of two programs the second finds what the first one
    wrote, and leaves it. Mode 0600."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with open(handle, "wb") as part:
            part.write(content)
            part.flush()
            os.fsync(part.fileno())
        with suppress(FileExistsError):
            os.link(name, path)  # a rename would replace the file of the other program
    finally:
        os.unlink(name)
    sync_folder(path.parent)


def refuse_open_to_others(*paths: Path) -> None:
    """Refuse what others than its owner may read or write. Nothing is mended silently: somebody may have been
    there. Raises OpenToOthers: with the commands that close it. What is not there is passed over."""
    with disk_errors(paths[0]):
        found = [path for path in paths if path.exists() and open_to_others(path)]
    if found:
        mends = "; ".join(f"chmod {'700' if path.is_dir() else '600'} {shlex.quote(str(path))}" for path in found)
        raise OpenToOthers(
            f"others may read or write {found[0]}", hint=f"{mends}; think about who may have been there", where=str(found[0])
        )


def refuse_root_elsewhere(folder: Path) -> None:
    """Refuse root in another user's folder, or where that user's keys are: the service could not write what
    root makes there. Raises DiskProblem."""
    made = folder / "keys" if (folder / "keys").exists() else folder
    if os.geteuid() == 0 and (owner := made.stat().st_uid) != 0:
        raise DiskProblem(
            f"{folder} is another user's, who could not write what root makes in it",
            hint=f"give the command as that user (sudo -u '#{owner}' …)",
            where=str(folder),
        )


def open_to_others(path: Path) -> bool:
    """Return whether anybody other than the owner may read or write the file."""
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def open_to_everybody(path: Path, mode: int) -> bool:
    """Return whether anybody at all may read (4) or write (2) a file; False where there is none."""
    return path.exists() and bool(stat.S_IMODE(path.stat().st_mode) & mode)


def writable_by_others(path: Path) -> bool:
    """Return whether somebody else than the owner may write the file; False where there is none."""
    return path.exists() and bool(stat.S_IMODE(path.stat().st_mode) & 0o022)


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut, where the file system can do that for a folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):  # some shares of a network know no such thing
            raise
    finally:
        os.close(handle)


_MOST_BYTES: Final = 16 << 20
_BEGIN: Final = {
    "mapping": hint_to("begin_mapping"),
    "organisation": hint_to("begin_organisation"),
    "policy": hint_to("begin_policy"),
}


def text_within(path: Path, encoding: str = "utf-8") -> str:
    """Return the text of a file, whose end a device that somebody named may not have, with the line ends of
    Unix. Raises OSError: it cannot be read, or is larger than any file of settings or rules;
    UnicodeDecodeError, of the whole file."""
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return content.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")


def why_unread(error: OSError | UnicodeDecodeError) -> str:
    """Return in words why `text_within` could not read a file."""
    if isinstance(error, OSError):
        return str(error.strerror)
    line = error.object.count(b"\n", 0, error.start) + 1
    return f"line {line} is not UTF-8: save the file as that"


def text_of(path: Path, what: str) -> str:
    """Return the text of a file that a person named; `what` is the setting that names it. Raises UsageError:
    it cannot be read."""
    try:
        return text_within(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the {what} file cannot be read: {why_unread(error)}",
            hint=_BEGIN.get(what) or f"the setting CRM_COMPLIANCE_{what.upper()}, or the argument, names it",
            where=str(path),
        ) from None
