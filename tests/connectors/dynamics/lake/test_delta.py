"""Which files a Delta table has, by its log; a log that says what is not known here is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.lake.delta import delta_table
from connectors.interface.errors import ReadIncomplete

COLUMN = {"name": "Name", "type": "string", "nullable": True, "metadata": {"delta.columnMapping.physicalName": "col-1"}}
PART = {"name": "Year", "type": "string", "nullable": True, "metadata": {"delta.columnMapping.physicalName": "col-2"}}


def began(**protocol: Any) -> list[dict[str, Any]]:
    schema = json.dumps({"type": "struct", "fields": [COLUMN, PART]})
    return [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2} | protocol},
        {"metaData": {"schemaString": schema, "partitionColumns": ["Year"], "configuration": {}}},
        {"add": {"path": "a.parquet"}},
    ]


def written(folder: Path, *commits: list[dict[str, Any]], first: int = 0) -> Path:
    log = folder / "contact" / "_delta_log"
    log.mkdir(parents=True)
    for version, actions in enumerate(commits, first):
        (log / f"{version:020}.json").write_text("\n".join(map(json.dumps, actions)))
    return log.parent


def test_a_file_counts_from_when_it_is_added_until_it_is_removed(tmp_path: Path) -> None:
    found = delta_table(
        written(
            tmp_path,
            began(),
            [{"add": {"path": "Year=2024/b%20c.parquet"}}, {"remove": {"path": "a.parquet"}}],
            [{"commitInfo": {"operation": "OPTIMIZE"}}, {"txn": {"appId": "x", "version": 1}}],
        )
    )
    assert found.paths == [tmp_path / "contact" / "Year=2024" / "b c.parquet"]
    assert found.columns == {"Name": "Name"}  # what the folders say stands in no file


def test_columns_may_have_other_names_in_the_files(tmp_path: Path) -> None:
    begun = began(minReaderVersion=3, readerFeatures=["columnMapping"])
    begun[1]["metaData"]["configuration"] = {"delta.columnMapping.mode": "name"}
    assert delta_table(written(tmp_path, begun)).columns == {"Name": "col-1"}


@pytest.mark.parametrize(
    ("commits", "told"),
    [
        ([began(minReaderVersion=3, readerFeatures=["v2Checkpoint"])], "v2Checkpoint"),
        ([began(minReaderVersion=4)], "newer version"),
        ([began(), [{"add": {"path": "b.parquet", "deletionVector": {"storageType": "u", "cardinality": 1}}}]], "deletionVectors"),
        ([began(), [{"add": {"path": "../../other/b.parquet"}}]], "lies elsewhere"),
        ([began(), [{"add": {"path": "abfss://lake/b.parquet"}}]], "lies elsewhere"),
        ([began()[2:]], "nothing of its columns"),
        ([[]], "nothing of its columns"),
        ([], "no commit"),
        ([began(), [{"add": {}}]], "not readable"),
    ],
)
def test_a_log_that_is_not_understood_whole_is_refused(tmp_path: Path, commits: list[list[dict[str, Any]]], told: str) -> None:
    with pytest.raises(ReadIncomplete, match=told):
        delta_table(written(tmp_path, *commits))


def test_a_log_with_a_gap_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, began(), [{"add": {"path": "b.parquet"}}], [{"add": {"path": "c.parquet"}}])
    (folder / "_delta_log" / f"{1:020}.json").unlink()
    with pytest.raises(ReadIncomplete, match="commit 1 of its log is missing"):
        delta_table(folder)


def test_a_log_that_began_before_what_is_left_of_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadIncomplete, match="commit 0 of its log is missing"):
        delta_table(written(tmp_path, began(), first=3))


def test_a_commit_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, began())
    (folder / "_delta_log" / f"{1:020}.json").write_text('{"add": {"path": "b.par')
    with pytest.raises(ReadIncomplete, match="not readable"):
        delta_table(folder)
