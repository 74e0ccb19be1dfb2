"""A folder that holds exported tables: where the files of each are, and in which form.

| form | where |
|---|---|
| Delta: `_delta_log` | `deltalake/TABLE_partitioned`; `TABLE` there, in `Tables`, `Tables/dbo` or here |
| CSV, or Parquet beside it | what `model.json` names for the table: snapshots first of all |
| Parquet | every `*.parquet` below `TABLE` |"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from stat import S_ISDIR
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from connectors.dynamics.lake.delta import LOG, delta_table
from connectors.interface.errors import ReadIncomplete

MODEL: Final = "model.json"
_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\dZ").fullmatch
_ASIDE: Final = re.compile(r"\.|_[^=]*$").match  # `_year=2026` is a partition: what Spark leaves out has no `=`
_CHANGES: Final = "Changelog"  # which a link with folders of updates has beside them
_DELTA: Final = ("deltalake/{}_partitioned", "deltalake/{}", "Tables/{}", "Tables/dbo/{}", "{}")


@dataclass(frozen=True, slots=True)
class Laid:
    """The files of one table, all of one form, `parquet` or `csv`. `columns` are the names of its columns in
    lower case, each with that in the files; of a CSV in the order of its fields. None: as the files have
    them."""

    form: str
    files: tuple[Path, ...]
    columns: Mapping[str, str] | None = field(default=None)


class Folder:
    """A lake on this machine, or mounted there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def table(self, name: str) -> Laid:
        """Return where a table is, by its logical name. Raises ReadIncomplete: it is nowhere, which never
        means that it has no rows; or the lake cannot be read, such as a mount that has broken off."""
        try:
            return self._table(name)
        except OSError as error:
            raise ReadIncomplete(
                f"The lake cannot be read: {error.strerror}.",
                hint="mount it again, and look at the owner and mode of its folders; or unset crm_lake",
                where="crm_lake",
            ) from None

    def _table(self, name: str) -> Laid:
        if not _is_folder(self._root):
            raise ReadIncomplete("The folder of the lake is not there.", hint="mount it, or unset crm_lake", where="crm_lake")
        if _STAMP(self._root.resolve().name):
            raise _updates_alone()
        for place in _DELTA:
            folder = self._root / place.format(name)
            if _is_folder(folder / LOG):
                found = delta_table(folder)
                return Laid("parquet", tuple(found.paths), {each.lower(): inside for each, inside in found.columns.items()})
        if name in self._modelled:
            return self._of_model(name, self._modelled[name])
        files = tuple(sorted(_files_below(self._root / name)))
        if not files:
            if _is_folder(self._root / _CHANGES):
                raise _updates_alone()
            raise ReadIncomplete(
                f"The lake has no table {name}.",
                hint="add it to the link, and wait until it is there; or unset crm_lake to read it from the CRM",
                where=name,
            )
        return Laid("parquet", files)

    @cached_property
    def _modelled(self) -> dict[str, dict[str, Any]]:
        """What `model.json` says of each table; nothing where there is no such file."""
        try:
            return {str(each["name"]).lower(): each for each in msgspec.json.decode((self._root / MODEL).read_bytes())["entities"]}
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
            raise ReadIncomplete("The lake's model.json cannot be read.", hint="try again: it may be being written", where=MODEL) from None

    def _of_model(self, name: str, said: Mapping[str, Any]) -> Laid:
        try:
            names = [str(each["name"]) for each in said["attributes"]]
            files = tuple(self._place(name, str(each["location"])) for each in said.get("partitions") or ())
        except (KeyError, TypeError):
            raise ReadIncomplete(f"The lake's model.json says nothing readable of {name}.", where=MODEL) from None
        form = "parquet" if files and all(path.suffix == ".parquet" for path in files) else "csv"
        return Laid(form, files, {each.lower(): each for each in names})

    def _place(self, table: str, location: str) -> Path:
        """Return the path of a partition here; its address in the storage is container, then path."""
        parts = unquote(urlsplit(location).path).strip("/").split("/")
        starts = [at for at, part in enumerate(parts) if part.lower() == table]
        path = self._root.joinpath(*parts[starts[0] :]) if starts and ".." not in parts else None
        if path is None or not path.is_file():
            raise ReadIncomplete(f"A file of {table} that the lake's model.json names is not there.", where=table)
        return path


def _updates_alone() -> ReadIncomplete:
    return ReadIncomplete(
        "The folder of the lake has updates by time stamp, not whole tables.",
        hint="let the link keep tables, in CSV without updates by time or in Delta, and name their folder; or unset crm_lake",
        where="crm_lake",
    )


def _is_folder(path: Path) -> bool:
    """Return whether there is such a folder. Raises OSError: nobody can tell."""
    try:
        return S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield the Parquet files at any depth, but for what begins with `_` or `.`: whoever writes a table keeps
    there what is not part of it yet, or no more. Raises OSError: a folder cannot be listed, which `rglob`
    takes for an empty one."""

    def fail(error: OSError) -> None:
        raise error

    if _is_folder(folder):
        for above, folders, names in os.walk(folder, onerror=fail):
            folders[:] = [name for name in folders if not _ASIDE(name)]
            yield from (Path(above, name) for name in names if name.endswith(".parquet") and not _ASIDE(name))
