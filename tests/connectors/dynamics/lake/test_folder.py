"""Where the files of a table are: a folder that cannot be looked into is never an empty one."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.lake.folder import Folder
from connectors.interface.errors import ReadIncomplete


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    for year in ("2025", "2026"):
        (tmp_path / "contact" / year).mkdir(parents=True)
        (tmp_path / "contact" / year / "0.parquet").touch()
    return tmp_path


def failing(real: Callable[..., Any], at: Path, error: int) -> Callable[..., Any]:
    """Stand in for a function of `os` that fails at one path."""

    def fails(path: Any = ".", *given: Any, **options: Any) -> Any:
        if str(path) == str(at):
            raise OSError(error, os.strerror(error))
        return real(path, *given, **options)

    return fails


def test_files_are_found_at_any_depth(lake: Path) -> None:
    of_a_job_cut_off = ("_temporary/0/1.parquet", ".staging/1.parquet", "2026/_1.parquet", "2026/.1.parquet")
    for more in (*of_a_job_cut_off, "_year=2026/0.parquet"):
        (lake / "contact" / more).parent.mkdir(parents=True, exist_ok=True)
        (lake / "contact" / more).touch()
    assert [path.relative_to(lake).as_posix() for path in Folder(lake).table("contact").files] == [
        "contact/2025/0.parquet",
        "contact/2026/0.parquet",
        "contact/_year=2026/0.parquet",
    ]


@pytest.mark.parametrize("place", ["deltalake/contact_partitioned", "deltalake/contact", "Tables/contact", "Tables/dbo/contact", "contact"])
def test_a_delta_table_is_found_wherever_a_link_puts_it(tmp_path: Path, place: str) -> None:
    log = tmp_path / place / "_delta_log"
    log.mkdir(parents=True)
    schema = '{"fields": [{"name": "Id", "metadata": {}}]}'
    actions = [{"metaData": {"schemaString": schema}}, {"add": {"path": "PartitionId=2026/0.parquet"}}]
    (log / f"{0:020}.json").write_text("\n".join(map(json.dumps, actions)))
    assert Folder(tmp_path).table("contact").files == (tmp_path / place / "PartitionId=2026" / "0.parquet",)


@pytest.mark.parametrize(
    ("function", "below", "error", "told"),
    [
        ("stat", "", errno.ENOTCONN, "endpoint is not connected"),  # a mount whose program has died
        ("stat", "contact/_delta_log", errno.EIO, "Input/output error"),  # else the files would count that it has removed
        ("scandir", "contact/2025", errno.EACCES, "Permission denied"),
    ],
)
def test_a_folder_that_cannot_be_looked_into_is_no_empty_one(
    lake: Path, monkeypatch: pytest.MonkeyPatch, function: str, below: str, error: int, told: str
) -> None:
    monkeypatch.setattr(os, function, failing(getattr(os, function), lake / below, error))
    with pytest.raises(ReadIncomplete, match=f"The lake cannot be read: .*{told}") as caught:
        Folder(lake).table("contact")
    assert caught.value.where == "crm_lake"


@pytest.mark.parametrize("stamp", ["", "2026-11-25T01.00.00Z"])
def test_updates_by_time_stamp_are_no_tables(lake: Path, stamp: str) -> None:
    (lake / "Changelog").mkdir()
    assert Folder(lake).table("contact").files  # a link may keep both
    updates = lake / "2026-11-25T01.00.00Z" / "fiche"
    updates.mkdir(parents=True)
    (updates / "0.parquet").touch()
    with pytest.raises(ReadIncomplete, match="updates by time stamp"):
        Folder(lake / stamp).table("fiche")


def test_a_model_that_cannot_be_reached_is_no_missing_one(lake: Path) -> None:
    """Else the files would count that it names no more."""
    (lake / "model.json").symlink_to("model.json")
    with pytest.raises(ReadIncomplete, match=r"model\.json cannot be read"):
        Folder(lake).table("contact")
