"""Which rows of a lake count, and what their columns hold in whichever type they were written."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.dynamics.lake import current
from connectors.dynamics.lake.current import CurrentRows
from connectors.dynamics.lake.folder import Folder
from connectors.dynamics.lake.kinds import BOOL, DAY, IDS, INSTANT, INT, OPTIONS, typed
from connectors.dynamics.reading.dates import civil_day_column, civil_days
from connectors.interface.errors import ReadIncomplete

SINK = datetime(2026, 11, 25, 1, tzinfo=UTC)
ROW = {"Id": "a", "contactid": "a", "name": "new", "versionnumber": 5, "IsDelete": None, "SinkModifiedOn": SINK}

# A Parquet file with instants in Spark's own form (INT96), which Polars does not write.
OF_SPARK = (
    "eNoLcAwyFGUQ1RLV0hFlAzLYRNlkGBgYmICYjZERSCaCiCQQkQyUDhENwaKOAQp29aky4GIT1PyZXYWBYZ34lSRmqGazLaFT/BgYtP8FMoiySPqYMkiwFSdn"
    "pOYmirIxiPKoMkkweaaoMviATBJlA3L5gjPzsn3zUzLTMlNT/PMggowpDGJskjKSNmoMMqI8kqpsDJIgfaJAUbEAsQA1Dk8ZUZDbmBhsgOrYJNUY2IDmgRSz"
    "QRSjmQrWWCVWpRaB0KiJRRtjClzlJUYsSsWOMImxqXEAKQYNhYLEosLS1BLd5IIC3cSiovxyhbLUouLM/DwFIzM9Az1DSRugJyGIgRsYYAHASAMAIf1BEw=="
)


def names(folder: Path, *files: list[dict[str, Any]]) -> dict[str, Any]:
    """The name of each current row."""
    (folder / "contact").mkdir()
    schema = {"IsDelete": pl.Boolean, "versionnumber": pl.Int64, "name": pl.String, "contactid": pl.String, "msft_datastate": pl.Int64}
    for number, rows in enumerate(files):
        pl.DataFrame(rows, schema_overrides=schema).write_parquet(folder / "contact" / f"{number}.parquet")
    found = CurrentRows(Folder(folder)).of("contact", "contactid", ("name",))
    assert len(found) == found["contactid"].n_unique()
    return dict(found.select("contactid", "name").iter_rows())


def test_what_lies_in_long_term_retention_is_told_by_a_number_with_a_point_too(tmp_path: Path) -> None:
    (tmp_path / "contact").mkdir()
    rows = [ROW | {"contactid": each, "Id": each, "msft_datastate": state} for each, state in (("a", 1.0), ("b", None), ("c", 0.0))]
    pl.DataFrame(rows, schema_overrides={"IsDelete": pl.Boolean}).write_parquet(tmp_path / "contact" / "0.parquet")
    found = CurrentRows(Folder(tmp_path)).of("contact", "contactid", ("name",))
    assert found["contactid"].to_list() == ["b", "c"]


def test_an_instant_beyond_the_nanoseconds_is_what_it_is_in_a_file_of_spark_too(tmp_path: Path) -> None:
    (tmp_path / "contact").mkdir()
    (tmp_path / "contact" / "0.parquet").write_bytes(zlib.decompress(base64.b64decode(OF_SPARK)))
    found = CurrentRows(Folder(tmp_path)).of("contact", "id", ("d",))
    told = found.select(typed(INSTANT, "d", found.schema["d"])).to_series().to_list()
    assert [each.isoformat() for each in told] == ["1753-01-01T00:00:00+00:00", "2026-11-25T01:02:03+00:00", "9999-12-30T23:59:59+00:00"]


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([{"versionnumber": 4, "name": "old"}], {"a": "new"}),
        ([{"versionnumber": 6, "name": "newer"}], {"a": "newer"}),
        ([{"name": "again", "SinkModifiedOn": SINK.replace(hour=2)}], {"a": "again"}),
        ([{"name": "before", "SinkModifiedOn": SINK.replace(hour=0)}], {"a": "new"}),
        ([{"Id": "A", "contactid": "A", "versionnumber": 4, "name": "old"}], {"a": "new"}),
        ([{"Id": "{A}", "contactid": "{A}", "versionnumber": 4, "name": "old"}], {"a": "new"}),
        ([{"versionnumber": 6, "name": None, "contactid": None, "IsDelete": True}], {}),
        ([{"versionnumber": None, "name": None, "contactid": None, "IsDelete": True}], {}),
        ([{"versionnumber": 4, "IsDelete": True}], {"a": "new"}),  # put back since
        ([{"versionnumber": None, "IsDelete": True, "SinkModifiedOn": SINK.replace(hour=0)}], {"a": "new"}),  # as well
        ([{"versionnumber": None, "IsDelete": True, "SinkModifiedOn": SINK.replace(hour=2)}], {}),
        ([{"versionnumber": None, "IsDelete": True, "SinkModifiedOn": None}], {}),
        ([{"versionnumber": 4}, {"versionnumber": None, "IsDelete": True, "SinkModifiedOn": SINK.replace(hour=0)}], {"a": "new"}),
        ([{"versionnumber": 6, "msft_datastate": 1}], {}),  # is in long-term retention
        ([{"versionnumber": 6, "name": "newer", "msft_datastate": 0}], {"a": "newer"}),
    ],
)
def test_the_last_version_of_a_row_counts(tmp_path: Path, others: list[dict[str, Any]], expected: dict[str, str]) -> None:
    assert names(tmp_path / "", [ROW | other for other in others], [ROW | {"msft_datastate": None}]) == expected


def test_a_row_without_an_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadIncomplete, match="has no id"):
        names(tmp_path, [ROW | {"Id": None, "contactid": None}])


def test_rows_that_do_not_say_when_they_were_taken_up_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadIncomplete, match="No row of contact in the lake says when it was taken up"):
        names(tmp_path, [ROW | {"SinkModifiedOn": None, "versionnumber": 1}])


@pytest.mark.parametrize(("later", "is_read"), [(0, True), (1, False)])
def test_a_column_that_a_younger_file_lacks_is_not_empty_there(tmp_path: Path, later: int, is_read: bool) -> None:
    (tmp_path / "contact").mkdir()
    for number, each in enumerate([ROW, {name: value for name, value in ROW.items() if name != "name"} | {"Id": "b", "contactid": "b"}]):
        sunk = SINK.replace(hour=1 + later * number)
        pl.DataFrame([each | {"SinkModifiedOn": sunk}]).write_parquet(tmp_path / "contact" / f"{number}.parquet")
    rows = CurrentRows(Folder(tmp_path))
    if is_read:
        assert dict(rows.of("contact", "contactid", ("name",)).select("contactid", "name").iter_rows()) == {"a": "new", "b": None}
        return
    with pytest.raises(ReadIncomplete, match=r"The file 1\.parquet of contact in the lake lacks the column name") as refused:
        rows.of("contact", "contactid", ("name",))
    assert refused.value.where == "contact.name"


def test_a_column_may_differ_by_capitals_between_the_log_and_the_files(tmp_path: Path) -> None:
    """As Spark writes them, which asks for none of either."""
    log = tmp_path / "contact" / "_delta_log"
    log.mkdir(parents=True)
    fields = [{"name": name.upper(), "type": "string", "nullable": True, "metadata": {}} for name in ROW]
    schema = json.dumps({"type": "struct", "fields": fields})
    actions = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {"metaData": {"schemaString": schema, "partitionColumns": [], "configuration": {}}},
        {"add": {"path": "a.parquet"}},
    ]
    (log / f"{0:020}.json").write_text("\n".join(map(json.dumps, actions)))
    pl.DataFrame([ROW]).write_parquet(tmp_path / "contact" / "a.parquet")
    assert CurrentRows(Folder(tmp_path)).of("contact", "contactid", ("name",))["name"].to_list() == ["new"]


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    (tmp_path / "contact").mkdir()
    path = tmp_path / "contact" / "0.parquet"
    pl.DataFrame([ROW]).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ReadIncomplete, match=r"The file 0\.parquet of contact in the lake cannot be read"):
        CurrentRows(Folder(tmp_path)).of("contact", "contactid", ("name",))


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (INSTANT, ["2018-05-25T16:21:09.0000000+00:00", "2021-06-25T16:21:12Z", "6/28/2021 4:34:35 PM", None],
         ["2018-05-25T16:21:09+00:00", "2021-06-25T16:21:12+00:00", "2021-06-28T16:34:35+00:00", None]),
        (INSTANT, ["2018-05-25T23:30:00.9990000+02:00"], ["2018-05-25T21:30:00+00:00"]),
        (INSTANT, [datetime(2018, 5, 25, 23, 30, tzinfo=UTC)], ["2018-05-25T23:30:00+00:00"]),
        (DAY, ["2018-05-25", "2018-05-25T00:00:00Z", None], [date(2018, 5, 25), date(2018, 5, 25), None]),
        (DAY, [datetime(2018, 5, 25, tzinfo=UTC)], [date(2018, 5, 25)]),
        (OPTIONS, ["1;2", "1,2", "[-1,1,2,-1]", "7", None], ["1,2", "1,2", "1,2", "7", None]),
        (BOOL, ["True", "false", "1", "0", None], [True, False, True, False, None]),
        (INT, ["100000000", None], [100000000, None]),
        (INT, [3.0], [3]),
        (IDS, ["{0000000A-0000-0000-0000-000000000000}", None], ["0000000a-0000-0000-0000-000000000000", None]),
    ],
)  # fmt: skip
def test_a_value_is_the_same_in_whichever_type_it_came(kind: str, values: list[Any], expected: list[Any]) -> None:
    frame = pl.DataFrame({"x": values})
    found = frame.select(typed(kind, "x", frame.schema["x"])).to_series()
    if kind == INSTANT:
        assert found.dtype == pl.Datetime("us", "UTC")
        found = pl.Series([None if at is None else at.isoformat() for at in found.to_list()])
    assert found.to_list() == expected


ZONES = [ZoneInfo(name) for name in ("Europe/Brussels", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/St_Johns", "UTC")]
MOMENTS = st.datetimes(datetime(1753, 1, 1), datetime(9999, 12, 31, 23, 59), timezones=st.just(UTC))  # noqa: DTZ001  hypothesis adds it


@given(st.lists(st.none() | MOMENTS, max_size=20), st.sampled_from(ZONES), st.sampled_from(["user_local", "time_zone_independent"]))
@example([datetime(9999, 12, 31, 23, 30, tzinfo=UTC), datetime(1753, 1, 1, tzinfo=UTC)], ZONES[0], "user_local")
@example([datetime(2100, 7, 1, 22, 30, tzinfo=UTC)], ZONES[0], "user_local")  # polars has no summer time any more
def test_a_column_of_instants_means_the_days_that_each_means(moments: list[datetime | None], zone: ZoneInfo, behaviour: str) -> None:
    column = pl.Series(moments, dtype=pl.Datetime("us", "UTC"))
    assert civil_day_column(behaviour, zone)(column).to_list() == civil_days(behaviour, zone)(moments)


def test_a_file_that_is_written_meanwhile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "contact" / "0.parquet"

    def taken(scan: pl.LazyFrame, columns: dict[str, pl.Expr]) -> pl.DataFrame:
        found = scan.select(columns.values()).collect()
        path.write_bytes(path.read_bytes() + b"more")
        return found

    monkeypatch.setattr(current, "_taken", taken)
    with pytest.raises(ReadIncomplete, match="cannot be read"):
        names(tmp_path, [ROW])


@pytest.mark.parametrize(
    ("kind", "value"), [(INSTANT, "yesterday"), (DAY, "05/25/2018"), (BOOL, "perhaps"), (INT, "1.5"), (INT, 1.5), (INT, "x")]
)
def test_a_value_that_a_column_cannot_have_is_never_taken_for_none(kind: str, value: object) -> None:
    frame = pl.DataFrame({"x": [value, None]})
    with pytest.raises(pl.exceptions.PolarsError):
        frame.select(typed(kind, "x", frame.schema["x"]))


@pytest.mark.parametrize("kind", [DAY, INSTANT])
@pytest.mark.parametrize("value", [1_527_206_400_000, 1_527_206_400.0])
def test_a_number_is_no_date(kind: str, value: float) -> None:
    """Counted in the wrong unit, it would be a date of long ago, and what it is of due."""
    frame = pl.DataFrame({"x": [value, None]})
    with pytest.raises(pl.exceptions.PolarsError):
        frame.select(typed(kind, "x", frame.schema["x"]))
