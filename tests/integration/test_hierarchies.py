"""Reports and files that are below others of their kind, by a lookup that fills no field (ERA-12, R-158)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.drivers.night import Night, night_in
from tests.yaml_files import read_yaml, yaml_text

LONG_AGO = date(2020, 1, 10)


@contextmanager
def a_night(folder: Path, on_delete: str) -> Iterator[Night]:
    document: dict[str, Any] = read_yaml(ENVIRONMENT)
    for table in ("cf_dossier", "cf_fiche"):
        document["tables"][table]["columns"]["cf_aboveid"] = {"type": f"lookup {table}", "schema_name": "cf_AboveId"}
        relation = {"name": f"{table}_above", "parent": table, "child": table, "column": "cf_aboveid", "on_delete": on_delete}
        document["relationships"].append(relation)
    environment = folder / "environment.yaml"
    environment.write_text(yaml_text(document), encoding="utf-8")
    with night_in(environment, folder, kind=Night) as made:
        yield made


def put_below(night: Night, table_set: str, row: str, above: str) -> None:
    night.patch(table_set, row, **{"cf_AboveId@odata.bind": f"/{table_set}({above})"})


@pytest.mark.parametrize("on_delete", ["remove_link", "restrict", "cascade"])
def test_what_is_below_another_goes_before_it_in_the_same_night(tmp_path: Path, on_delete: str) -> None:
    """Whatever the CRM does with it when that goes: a dossier, a lone fiche, a fiche of another dossier."""
    with a_night(tmp_path, on_delete) as night:
        dossiers = [night.dossier("social_card", spoken=LONG_AGO) for _ in range(4)]
        lone = [night.fiche("social_card", spoken=LONG_AGO) for _ in range(4)]
        apart = [night.dossier("social_card", spoken=LONG_AGO) for _ in range(4)]
        reports = [night.fiches_of(row)[0] for row in apart]
        for table_set, rows in (("cf_dossiers", dossiers), ("cf_fiches", lone), ("cf_fiches", reports)):
            first, second, third, fourth = sorted(rows)
            for row, above in ((second, first), (third, second), (first, fourth)):
                put_below(night, table_set, row, above)
        plan = night.plan()
        done = night.apply(plan)
        assert (done.counts["deleted"], done.counts["skipped"], done.counts["failed"]) == (12, {}, 0)


def test_of_two_that_are_below_each_other_one_goes(tmp_path: Path) -> None:
    """The CRM takes the link off the other, which is planned afresh."""
    with a_night(tmp_path, "remove_link") as night:
        one, other = (night.dossier("social_card", spoken=LONG_AGO) for _ in range(2))
        put_below(night, "cf_dossiers", one, other)
        put_below(night, "cf_dossiers", other, one)
        done = night.apply(night.plan())
        assert (done.counts["deleted"], done.counts["skipped"]) == (1, {"CHANGED": 1})
