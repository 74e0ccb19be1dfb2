"""What goes with a row, at any depth: of which tables that is asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.connector import DynamicsConnector
from connectors.interface.rows import Among
from jobs.writing.dependent_rows import below
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.drivers.holding import place
from tests.drivers.night import Night, night_in
from tests.integration.dependent import add, dependent_night
from tests.yaml_files import read_yaml, yaml_text


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


@pytest.fixture(params=["cascade", "remove_link"])
def night_with_notes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Night, str, list[str]]]:
    """A night with a due dossier, a note about a role in it and one about a call of it, by what the CRM would
    do with these."""
    document: dict[str, Any] = read_yaml(ENVIRONMENT)
    document["tables"]["annotation"]["columns"]["objectid"]["type"] += "|cf_party|phonecall"
    for parent in ("cf_party", "phonecall"):
        named = {"name": f"{parent}_notes", "parent": parent, "child": "annotation", "column": "objectid", "on_delete": request.param}
        document["relationships"].append(named)
    environment = tmp_path / "environment.yaml"
    environment.write_text(yaml_text(document), encoding="utf-8")
    with night_in(environment, tmp_path, kind=Night) as night:
        dossier = night.dossier("social_card", spoken=date(2020, 1, 10))
        role, call = night.party(None, "witness", dossier=dossier), night.call("cf_dossier", dossier, [])
        notes = [
            night.create("annotations", "annotationid", notetext="Verzonnen.", **{f"objectid_{table}@odata.bind": f"/{row_set}({row})"})
            for table, row_set, row in (("cf_party", "cf_parties", role), ("phonecall", "phonecalls", call))
        ]
        yield night, dossier, notes


def test_notes_about_roles_and_calls_go_with_the_dossier(night_with_notes: tuple[Night, str, list[str]]) -> None:
    """They would stay behind without anybody knowing whose they are, or go unseen, with their history and
    their copy in the recycle bin left."""
    night, _, notes = night_with_notes
    rows: Any = night.apply(night.plan()).counts["rows"]
    assert rows["annotation"] == 2
    assert [night.get("annotations", note) for note in notes] == [None, None]


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("is_planned", [False, True])
def test_a_hold_on_such_a_note_keeps_the_dossier(night_with_notes: tuple[Night, str, list[str]], which: int, *, is_planned: bool) -> None:
    night, dossier, notes = night_with_notes
    plan = night.plan() if is_planned else None
    place(night, "annotation", notes[which])
    night.apply(plan or night.plan())
    assert night.get("cf_dossiers", dossier)
    assert night.get("annotations", notes[which])
    assert night.lines(night.plan())[dossier].reasons == ("HOLD_JUDICIAL",)
