"""A lookup of recordings that may point to a dossier too, as `regardingobjectid` does: what is tied to a
dossier itself is out of scope (RET-05, R-161)."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from jobs.model.plan import Kind
from jobs.model.sentence import Sentence
from jobs.plans.questions.explain import explain_unit
from rules.errors import NotFound
from rules.model.records import Dossier, Fiche
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.drivers.holding import place
from tests.drivers.night import Night, night_in
from tests.yaml_files import read_yaml, yaml_text

LONG_AGO = date(2020, 1, 10)


def environment(folder: Path) -> Path:
    document = read_yaml(ENVIRONMENT)
    document["choices"]["cf_kind"] = {1: "Zaak", 2: "Klacht"}
    document["tables"]["cf_dossier"]["columns"]["cf_kind"] = {"type": "choice cf_kind"}
    document["tables"]["cf_recording"]["columns"]["cf_ficheid"]["type"] = "lookup cf_fiche|cf_dossier"
    document["relationships"].append(
        {"name": "cf_dossier_recordings", "parent": "cf_dossier", "child": "cf_recording", "column": "cf_ficheid", "on_delete": "cascade"}
    )
    path = folder / "environment.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    return path


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with night_in(environment(tmp_path), tmp_path, kind=Night) as made:
        yield made


def test_a_recording_that_is_tied_to_a_dossier_stays_and_is_told(night: Night) -> None:
    held = night.dossier("social_card", spoken=LONG_AGO)
    place(night, "cf_dossier", held)
    of_dossier = night.recording(LONG_AGO, **{"cf_FicheId_cf_dossier@odata.bind": f"/cf_dossiers({held})"})
    (fiche,) = night.fiches_of(night.dossier("social_card", spoken=LONG_AGO))
    of_fiche = night.recording(LONG_AGO, **{"cf_FicheId_cf_fiche@odata.bind": f"/cf_fiches({fiche})"})
    alone = night.recording(LONG_AGO)
    (told,) = night.connector.check(decisions=True)
    assert (told.is_error, told.code, told.suggestion) == (False, "kept", "cf_ficheid")
    assert night.connector.data_map().unsearched_tables == ("cf_recording",)  # an answer says so
    with pytest.raises(NotFound, match="this row is in no unit") as refusal:
        explain_unit(night.context, "cf_recording", of_dossier)
    assert refusal.value.code == "out_of_scope"
    # The dossier itself is not: one that this account does not see has to be noticed.
    assert (night.connector.out_of_scope(Fiche, [held]), night.connector.out_of_scope(Dossier, [held])) == ({held: False}, {})
    plan = night.plan(Kind.RECORDINGS)
    assert {*night.lines(plan)} == {of_fiche, alone}
    assert [(each.name, each.facts) for each in plan.warnings if isinstance(each, Sentence)] == [("of_what_has_no_kind", {"rows": 1})]
    night.apply(plan)
    assert [night.get("cf_recordings", row) is None for row in (of_dossier, of_fiche, alone)] == [False, True, True]


def test_so_does_one_that_is_tied_to_what_the_mapping_leaves_out(tmp_path: Path) -> None:
    """R-161: what belongs to a complaint is no more ours than the complaint."""
    mapping = read_yaml(mapping_text(Settings())[0])
    del mapping["tables"]["dossier"]["anonymise"], mapping["tables"]["fiche"]["anonymise"]
    mapping["tables"]["dossier"]["only"] = {"cf_kind": [1]}
    with night_in(environment(tmp_path), tmp_path, kind=Night, mapping=yaml_text(mapping)) as night:
        complaint = night.dossier("social_card", spoken=LONG_AGO, cf_kind=2)
        recording = night.recording(LONG_AGO, **{"cf_FicheId_cf_dossier@odata.bind": f"/cf_dossiers({complaint})"})
        plan = night.plan(Kind.RECORDINGS)
        assert recording not in night.lines(plan)
        night.apply(plan)
        assert night.get("cf_recordings", recording) is not None


def test_a_dossier_stays_while_the_crm_would_delete_such_a_recording_along(night: Night) -> None:
    dossier, other = night.dossier("social_card", spoken=LONG_AGO), night.dossier("social_card", spoken=LONG_AGO)
    bound = {"cf_FicheId_cf_dossier@odata.bind": f"/cf_dossiers({dossier})"}
    recording = night.recording(LONG_AGO, **bound, cf_evidence=True)
    night.apply(night.plan())
    assert night.get("cf_recordings", recording) is not None
    assert [night.get("cf_dossiers", row) is None for row in (dossier, other)] == [False, True]
