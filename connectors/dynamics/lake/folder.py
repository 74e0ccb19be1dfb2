"""A folder that holds exported tables: where the files of each are, and in which form.

| form | where |
|---|---|
| Delta | `deltalake/TABLE`, `Tables/TABLE`, `Tables/dbo/TABLE` or `TABLE`, each with its `_delta_log` |
| CSV, or Parquet beside it | what `model.json` names for the table: snapshots first of all |
| Parquet | every `*.parquet` below `TABLE` |"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from connectors.dynamics.lake.delta import LOG, delta_table
from connectors.interface.errors import ReadIncomplete

MODEL: Final = "model.json"
_DELTA: Final = ("deltalake", "Tables", "Tables/dbo", "")


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
        means that it has no rows."""
        if not self._root.is_dir():
            raise ReadIncomplete("The folder of the lake is not there.", hint="mount it, or unset crm_lake", where="crm_lake")
        for place in _DELTA:
            folder = self._root / place / name
            if (folder / LOG).is_dir():
                found = delta_table(folder)
                return Laid("parquet", tuple(found.paths), {each.lower(): inside for each, inside in found.columns.items()})
        if name in self._modelled:
            return self._of_model(name, self._modelled[name])
        files = tuple(sorted((self._root / name).rglob("*.parquet")))
        if not files:
            raise ReadIncomplete(
                f"The lake has no table {name}.",
                hint="add it to the link, and wait until it is there; or unset crm_lake to read it from the CRM",
                where=name,
            )
        return Laid("parquet", files)

    @cached_property
    def _modelled(self) -> dict[str, dict[str, Any]]:
        """What `model.json` says of each table; nothing where there is no such file."""
        path = self._root / MODEL
        if not path.is_file():
            return {}
        try:
            return {str(each["name"]).lower(): each for each in msgspec.json.decode(path.read_bytes())["entities"]}
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
