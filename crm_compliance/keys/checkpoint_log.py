"""The external checkpoint log: the checkpoints of the ledger once more, in a file that is only ever added to,
where the database is not. The file may be on storage that lets nobody rewrite it. Its content is always the
beginning of what the database says, so that a line torn by a power cut is completed by the next one. It shows
what was done by somebody who writes both the database and the keys; against one who writes the database alone
there is head_signer.py."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from crm_compliance.configuration.settings import Settings
from crm_compliance.host.files import DiskProblem, disk_errors, lock_alone
from jobs.ledger.checkpoints import Checkpoint, decode, encode, looks_like_one
from jobs.ledger.entries import StoreAltered
from rules.errors import UsageError
from rules.hints import hint_to

TAIL = 1 << 18  # bytes; far more than the longest line, one with a time stamp


class CheckpointLogUnfit(UsageError):
    """The log is not the beginning of what the database says: one of the two was changed, cut off, or
    restored from a backup."""

    code = "anchor"


def catch_up(path: Path, checkpoints: Callable[[], Sequence[Checkpoint]]) -> None:
    """Add what the file lacks, and see it on the disk. Raises CheckpointLogUnfit: it holds something else. It
    is left as it is; DiskProblem: it cannot be written."""
    try:
        with disk_errors(path), open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b", buffering=0) as file:
            lock_alone(file, path)  # of two who add the same line the second would add it once more
            wanted = b"".join(encode(each) for each in checkpoints())
            there = file.readall()
            if not wanted.startswith(there):
                raise CheckpointLogUnfit(
                    "the external checkpoint log does not fit the database", hint=hint_to("ledger_tells_more"), where=str(path)
                )
            if len(there) < len(wanted):
                file.write(wanted[len(there) :])
                os.fsync(file.fileno())
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise DiskProblem(
            f"the external checkpoint log cannot be written: {os.strerror(error.errno or 0)}",
            hint="CRM_COMPLIANCE_ANCHOR_FILE names it",
            where=str(path),
        ) from None


def put_aside(path: Path, checkpoints: Sequence[Checkpoint]) -> Path | None:
    """Rename an external checkpoint log that does not fit the database, for the auditors. Return None where
    it fits, or there is none."""
    if not path.is_file() or b"".join(encode(each) for each in checkpoints).startswith(path.read_bytes()):
        return None
    number = 1
    while (aside := path.with_name(f"{path.stem}-lost-{number}{path.suffix}")).exists():
        number += 1
    with disk_errors(path):
        path.rename(aside)
    return aside


def last_logged(path: Path) -> Checkpoint | None:
    """Return the last whole checkpoint of an external checkpoint log; None where there is none, or it cannot
    be read, which the next checkpoint warns of."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            lines = file.read().split(b"\n")[:-1]  # without a torn last one
    except OSError:
        return None
    return next((found for found in decode(reversed(lines)) if found is not None), None)


def read_checkpoint_log(path: Path) -> list[Checkpoint | None]:
    """Return the checkpoints of an external checkpoint log; None for a line that is not as it was written.
    Raises UsageError: the file cannot be read, or is not such a log at all."""
    try:
        lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
    except OSError as error:
        raise UsageError(f"the external checkpoint log cannot be read: {error.strerror or type(error).__name__}", where=str(path)) from None
    if lines == [b""]:
        return []
    if not any(map(looks_like_one, lines[:10])):
        raise UsageError(
            "not an external checkpoint log: no line of it is a checkpoint", hint="DATA_DIR/anchor.jsonl is one", where=str(path)
        )
    return list(decode(lines))


def refuse_behind_log(settings: Settings, checkpoints: Callable[[], Sequence[Checkpoint]]) -> None:
    """Raise StoreAltered, with code `store_behind`, where the external checkpoint log ends with a checkpoint
    that the database has not."""
    log = settings.checkpoint_log_path
    outside = last_logged(log)  # before the database is asked: whoever adds one writes it there first
    if outside is not None and outside not in checkpoints():
        raise StoreAltered(
            f"the external checkpoint log knows {outside.entries} entries of the ledger in another state than the database, which was "
            "put back to an older day: what was held, asked or decided since is lost",
            hint=hint_to("restore_newest") if settings.anchor_file is None else hint_to("restore_or_name_new_log"),
            where=str(log),
            code="store_behind",
        )
