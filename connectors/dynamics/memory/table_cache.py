"""What was read of a table, kept until the next time: encrypted, one file a table, in a folder that only we
may read.

Only the columns that decisions need are kept, as frames of what they mean. Losing a file costs one full read
and nothing else, so anything wrong with one (another key, another mapping, another version of this program, a
torn write) is treated as if there were none."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.dynamics.memory.fingerprints import hashes_of
from connectors.dynamics.memory.table_file import FORMAT, PART, Cipher, Damaged, Draft, Remembered, load, remove
from connectors.dynamics.reading.lanes import Stopped

if TYPE_CHECKING:
    import polars as pl

CUT_DAYS = 60.0
PART_DAYS = 1.0  # nobody writes for longer; what is older a killed process has left


class Memory:
    """The files of one CRM. `now` tells when a full read is due: at most `full_every_days` after the last.
    Without `keeps_rows` nothing of a row is kept, only where tables are cut. `made_by` is the version of the
    program: what another one has kept may mean something else, as may what another version of polars has
    hashed."""

    def __init__(
        self,
        folder: Path,
        key: Callable[[], bytes],
        *,
        now: Callable[[], datetime],
        full_every_days: int = 7,
        keeps_rows: bool = True,
        made_by: str = "",
    ) -> None:
        self.folder, self.now, self.full_every_days, self.keeps_rows = folder, now, full_every_days, keeps_rows
        self._key, self._made_by = key, made_by

    @cached_property
    def _cipher(self) -> Cipher:
        """Its key is fetched, and made if there is none, when something is read or kept: not where the work
        is refused before."""
        return Cipher(self._key())

    def place(self, table: str, meaning: str) -> Path:
        """Return where the rows of a table are kept whose columns mean this; others are another memory."""
        import polars as pl

        digest = hashlib.sha256(f"{FORMAT} {self._made_by} {pl.__version__} {meaning}".encode()).hexdigest()
        return self.folder / f"{table}-{digest[:16]}.rows"

    def load(self, place: Path) -> Remembered | None:
        """Return what is remembered there, or None."""
        return load(place, self._cipher)

    @contextmanager
    def writing(self, place: Path) -> Iterator[Draft]:
        """Rewrite what is kept there: whole once the draft is finished, else nothing. A disk that fails costs
        no more than that. A read that nobody takes to its end leaves what was there."""
        draft = Draft(self.folder, place, self._cipher)
        is_given_up = False
        try:
            yield draft
        except (GeneratorExit, Stopped):
            is_given_up = True
            raise
        finally:
            if not draft.put_in_place() and not is_given_up:
                self.drop(place)

    def drop(self, place: Path) -> None:
        """Forget all of it."""
        remove(place)

    def seal(self, place: Path, plain: bytes) -> None:
        """Keep something small there. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=PART, dir=self.folder)
        with open(handle, "wb") as file:
            file.write(self._cipher.seal(place.name.encode(), plain))
        os.replace(name, place)

    def opened(self, place: Path) -> bytes:
        """Return what `seal` kept there. Raises OSError; Damaged."""
        return self._cipher.open_alone(place.name.encode(), place.read_bytes())

    def drop_table(self, table: str) -> None:
        """Forget a table, whichever columns of it are kept."""
        for place in self._places(table):
            self.drop(place)

    def forget(self, table: str, versions: Mapping[str, str]) -> None:
        """Remove rows of a table wherever they are kept: what was erased or emptied in the CRM must not live
        on here. `versions` are ids and the version that was written over. A newer one stays: it came after
        the write, and no delta link would bring it again. That they were taken out is kept, as hashes: a row
        that only seemed to be erased is none of which the CRM had told nothing."""
        import polars as pl

        schema = {"id": pl.String, "etag": pl.String}
        written = pl.DataFrame({"id": list(versions), "etag": list(versions.values())}, schema=schema)
        for place in self._places(table):
            found = self.load(place)
            try:
                if found is None:
                    self.drop(place)
                elif any(_has_any(chunk.rows(["id", "etag"]), written) for chunk in found.chunks()):
                    self._write_without(written, found, place, forgotten=hashes_of(versions))
            except Damaged:
                self.drop(place)

    def _write_without(self, written: pl.DataFrame, found: Remembered, place: Path, *, forgotten: Iterable[int]) -> None:
        with self.writing(place) as draft:
            for chunk in found.chunks():
                rows = chunk.rows()
                if _has_any(rows, written):
                    draft.add(rows.join(_like(written, rows), on=["id", "etag"], how="anti", maintain_order="left"))
                else:
                    draft.add_again(chunk, rows)
            draft.finish(found.worth.link, found.worth.full_at, sorted({*found.worth.forgotten, *forgotten}))

    def _places(self, table: str) -> list[Path]:
        return sorted(self.folder.glob(f"{table}-*.rows"))


def _has_any(rows: pl.DataFrame, written: pl.DataFrame) -> bool:
    return not rows.join(_like(written, rows), on=["id", "etag"], how="semi").is_empty()


def _like(written: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    from connectors.interface.id_numbers import like

    return written.with_columns(id=like(written["id"], rows["id"]))


def tidy(folder: Path, now: datetime, *, older_than_days: float, also_cuts: bool = True) -> None:
    """Remove unused files from the memories of all CRMs below a folder. These are files not written for so
    many days (each read writes them again; another CRM, user or mapping leaves them behind), and what killed
    processes have left half-written. 0 removes everything; without `also_cuts` but for where tables are cut,
    which only a full read writes again."""
    kinds = {"*.rows": older_than_days, f"{PART}*": min(PART_DAYS, older_than_days)}
    if also_cuts:
        kinds["*.cut"] = CUT_DAYS if older_than_days > 0 else 0
    for file, days in [(file, days) for kind, days in kinds.items() for file in folder.glob(f"*/{kind}")]:
        with suppress(OSError):
            if days <= 0 or now.timestamp() - file.stat().st_mtime >= days * 86_400:
                file.unlink()
    for memory in folder.glob("*/"):
        with suppress(OSError):
            memory.rmdir()  # only where nothing is in it
