"""Which files a Delta table is made of now, by its log (the Delta transaction log protocol).

The log is read as its open protocol says, and a table is refused that uses a feature of it that is not known
here: files that look current and are not would be rows that nobody has any more."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from connectors.interface.errors import ReadIncomplete

LOG: Final = "_delta_log"
_COMMIT = re.compile(r"(\d{20})\.json").fullmatch
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet").fullmatch
_KNOWN: Final = frozenset({"columnMapping", "deletionVectors", "timestampNtz", "vacuumProtocolCheck"})  # of features that readers must know
_ACTIONS: Final = ("add", "remove", "metaData", "protocol")
_MAPPING, _NAME, _PHYSICAL = "delta.columnMapping.mode", "name", "delta.columnMapping.physicalName"


@dataclass(slots=True)
class DeltaTable:
    """The files of a table as its last commit has them, and its columns, each with its name in the files."""

    folder: Path
    files: set[str] = field(default_factory=set)
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def paths(self) -> list[Path]:
        """Where the files are, below the table's own folder."""
        return [self.folder / unquote(name) for name in sorted(self.files)]


def delta_table(folder: Path) -> DeltaTable:
    """Return what a Delta table is made of now. Raises ReadIncomplete: a part of its log is missing, or it
    has a feature that is not known here."""
    found = DeltaTable(folder)
    try:
        for actions in _actions(folder / LOG):
            _apply(found, actions)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        raise _broken(folder, "a part of its log is not readable") from None
    if not found.columns:
        raise _broken(folder, "its log says nothing of its columns")
    return found


def _actions(log: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield the actions of the newest whole checkpoint, and those of each commit after it."""
    names = [path.name for path in log.iterdir()]
    commits = {int(found[1]): name for name in names if (found := _COMMIT(name))}
    start, parts = _checkpoint(names)
    last = max(commits, default=start)
    if start < 0 and not commits:
        raise _broken(log.parent, "its log has no commit")
    for part in parts:
        yield _of_checkpoint(log / part)
    for version in range(start + 1, last + 1):
        if version not in commits:
            raise _broken(log.parent, f"commit {version} of its log is missing")
        yield [msgspec.json.decode(line) for line in (log / commits[version]).read_bytes().splitlines() if line.strip()]


def _checkpoint(names: Iterable[str]) -> tuple[int, list[str]]:
    """Return the version of the newest checkpoint all parts of which are there, and these; -1 without one."""
    of: dict[tuple[int, int], list[str]] = {}
    for name in sorted(names):
        if found := _CHECKPOINT(name):
            of.setdefault((int(found[1]), int(found[3] or 1)), []).append(name)
    whole = [key for key, parts in of.items() if len(parts) == key[1]]
    return (max(whole)[0], of[max(whole)]) if whole else (-1, [])


def _of_checkpoint(path: Path) -> list[dict[str, Any]]:
    import polars as pl

    try:
        frame = pl.read_parquet(path)
    except pl.exceptions.PolarsError:
        raise _broken(path.parent.parent, "a checkpoint of its log is not readable") from None
    if "sidecar" in frame.columns and frame["sidecar"].null_count() < frame.height:
        raise _broken(path.parent.parent, "its log uses v2Checkpoint")
    kinds = [kind for kind in _ACTIONS if kind in frame.columns and kind != "remove"]
    return [{kind: value} for kind in kinds for value in frame[kind].to_list() if _is_there(value)]


def _is_there(value: Any) -> bool:
    return isinstance(value, dict) and any(each is not None for each in value.values())


def _apply(found: DeltaTable, actions: Iterable[dict[str, Any]]) -> None:
    for action in actions:
        for kind in _ACTIONS:
            if (said := action.get(kind)) is not None:
                {"add": _add, "remove": _remove, "metaData": _describe, "protocol": _accept}[kind](found, said)


def _add(found: DeltaTable, said: dict[str, Any]) -> None:
    if (said.get("deletionVector") or {}).get("storageType"):
        raise _broken(found.folder, "its rows are marked as deleted beside its files (deletionVectors): rewrite it without them")
    name = said["path"]
    if "://" in name or name.startswith("/") or ".." in unquote(name).split("/"):
        raise _broken(found.folder, "a file of it lies elsewhere")
    found.files.add(name)


def _remove(found: DeltaTable, said: dict[str, Any]) -> None:
    found.files.discard(said["path"])


def _describe(found: DeltaTable, said: dict[str, Any]) -> None:
    configuration = said.get("configuration") or {}
    told = dict(configuration) if isinstance(configuration, dict) else {each["key"]: each["value"] for each in configuration}
    is_mapped = told.get(_MAPPING, "none") != "none"
    fields = msgspec.json.decode(said["schemaString"])["fields"]
    beside = set(said.get("partitionColumns") or ())  # these stand in no file
    found.columns = {each[_NAME]: each["metadata"][_PHYSICAL] if is_mapped else each[_NAME] for each in fields if each[_NAME] not in beside}


def _accept(found: DeltaTable, said: dict[str, Any]) -> None:
    unknown = sorted(set(said.get("readerFeatures") or ()) - _KNOWN)
    if said["minReaderVersion"] > 3 or unknown:
        raise _broken(found.folder, f"its log uses {', '.join(unknown) or 'a newer version of the protocol'}")


def _broken(folder: Path, what: str) -> ReadIncomplete:
    return ReadIncomplete(
        f"The Delta table of {folder.name} cannot be read from the lake: {what}.",
        hint="let the link, or who writes it, lay this table down anew; or unset crm_lake to read it from the CRM",
        where=folder.name,
    )
