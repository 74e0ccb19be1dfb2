"""What goes with a row, at any depth: of which tables that is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.connector import DynamicsConnector
from connectors.interface.rows import Among
from jobs.writing.dependent_rows import below
from tests.integration.dependent import add, dependent_night


def test_no_table_is_asked_about_rows_to_which_its_own_may_not_belong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of sixty tables would be asked about the rows of all the others."""
    asked: list[tuple[str, Among]] = []
    read = DynamicsConnector.read

    def noted(self: DynamicsConnector, record: Any, fields: Any, *, among: Among, **more: Any) -> Iterator[Any]:
        asked.append((next(kind.word for kind in self.all_kinds.values() if record in (kind.record, kind.full)), among))
        return read(self, record, fields, among=among, **more)

    with dependent_night(tmp_path) as night:
        dossier = night.dossier("social_card")
        visit = add(night, "cf_homevisit", ("cf_DossierId", "cf_dossiers", dossier))
        add(night, "cf_paragraph", ("cf_HomevisitId", "cf_homevisits", visit))
        monkeypatch.setattr(DynamicsConnector, "read", noted)
        found = below(night.connector, {dossier: dossier}, frozenset())
    assert [write.kind for _, write in found] == ["cf_paragraph", "cf_homevisit"]
    own = {word for word, among in asked if visit in among.ids and word.startswith("cf_")}
    assert own == {"cf_paragraph", "cf_homevisit"}
