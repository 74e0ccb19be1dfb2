"""Another organisation: other tables, columns, options and kinds of dates; the same rules and the same night
(portability)."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from connectors.emulator.serving.server import RunningEmulator, running
from rules.anonymisation.bands import DURATION_BANDS
from tests.drivers.organisation import TOKEN, Organisation
from tests.drivers.typist import Typist, organisation_of, people_and_cases
from tests.yaml_files import read_yaml, yaml_text

DATA = Path(__file__).parents[1] / "data"
ENVIRONMENT, MAPPING = DATA / "second-environment.yaml", DATA / "second-mapping.yaml"
SUBJECT = {"social_card": 912340020, "sexting": 912340010, "grooming": 912340012, "unexplained_disappearance": 912340003}
LONG_AGO = "2020-01-10"
TABLES = {"kt_zaak": "cf_dossier", "kt_melding": "cf_fiche", "kt_opname": "cf_recording", "contact": "contact"}


class Other(Organisation):
    """The second organisation."""

    def count(self, table_set: str) -> int:
        return len(self.rows(table_set))

    def case(self, subject: str, *, closed: bool = True, fiches: int = 1) -> str:
        row = self.create("kt_zaken", "kt_zaakid", kt_nummer="Z", kt_geopend=LONG_AGO, kt_onderwerp=SUBJECT[subject])
        for _ in range(fiches):
            self.fiche(subject, **{"kt_Zaak@odata.bind": f"/kt_zaken({row})"})
        if closed:
            self.patch("kt_zaken", row, statecode=1, statuscode=2)
        return row

    def fiche(self, subject: str, **more: Any) -> str:
        moment = f"{LONG_AGO}T12:00:00Z"
        return self.create("kt_meldingen", "kt_meldingid", kt_nummer="M", kt_moment=moment, kt_onderwerp=SUBJECT[subject], **more)

    def child_of(self, case: str) -> str:
        person = self.create("contacts", "contactid", birthdate="2000-02-01T11:00:00Z")
        bind = {"kt_Zaak@odata.bind": f"/kt_zaken({case})", "kt_Persoon@odata.bind": f"/contacts({person})"}
        self.create("kt_betrokkenen", "kt_betrokkeneid", kt_naam="kind", kt_rol=912340001, **bind)
        return person


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Other]:
    with running(environment=ENVIRONMENT, token=TOKEN) as emulator:
        found = Other(emulator, seed=7)
        yield found
        found.close()


def fates(file: Path) -> list[tuple[str, ...]]:
    """What becomes of each unit, without ids and in the words of the reference environment."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    columns = ("outcome", "disposition", "retention_end", "reason", "reasons", "flags", "categories", "rule")
    return sorted((TABLES.get(line["table"], line["table"]), *(str(line[column]) for column in columns)) for line in lines)


def test_a_whole_night_in_another_organisation(
    other: Other,
    emulator: RunningEmulator,
    typist_at: Callable[..., Typist],
    tmp_path: Path,
) -> None:
    deleted, anonymised, still_open = other.case("social_card", fiches=2), other.case("sexting"), other.case("grooming", closed=False)
    other.case("unexplained_disappearance")
    other.fiche("social_card")
    other.create("kt_opnames", "kt_opnameid", kt_naam="O", kt_begin=f"{LONG_AGO}T11:00:00Z", kt_einde=LONG_AGO, kt_overgenomen=1)
    child = other.child_of(anonymised)
    other.child_of(still_open)
    other.create("annotations", "annotationid", subject="notitie", **{"objectid_kt_zaak@odata.bind": f"/kt_zaken({deleted})"})

    typist = typist_at(other.emulator.url, MAPPING=str(MAPPING))
    assert typist.ask("doctor")["ok"] is True
    theirs = tmp_path / "theirs.jsonl"
    plan = typist.ask("plan", "--output", theirs)
    assert plan["dispose"] == {"delete": 4, "anonymise": 1}
    assert plan["retain"] == {"NO_TERM": 1, "OPEN_DOSSIER": 1}
    assert typist.ask("why", "kt_zaak", deleted)["disposition"] == "delete"
    assert typist.ask("why", "kt_zaak", anonymised)["disposition"] == "anonymise"
    assert typist.type("plans", "show", plan["plan"], "--output", tmp_path / "plan.html").code == 0
    done = typist.ask("apply", plan["plan"])
    assert (done["state"], done["deleted"], done["anonymised"], done["skipped"]) == ("done", 4, 1, {})
    assert typist.ask("verify", done["run"])["still_there"] == []
    assert typist.ask("ledger", "verify")["ok"] is True
    assert (other.count("kt_zaken"), other.count("kt_opnames"), other.count("annotations")) == (2, 0, 0)
    assert other.get("contacts", child) is None
    assert typist.ask("run", "retention")["deleted"] == 0

    # The same cases in the reference environment have the same fates, for the same reasons.
    typist.unset("MAPPING")
    typist.set(CRM_URL=emulator.url, DATA_DIR=str(tmp_path / "reference"))
    night = organisation_of(emulator, typist)
    people_and_cases(night)
    ours = tmp_path / "ours.jsonl"
    typist.ask("plan", "--output", ours)
    night.close()
    night.store.close()
    assert fates(ours) == fates(theirs)


@pytest.mark.parametrize("lacking", [{"province"}, {"province", "age_band", "sex", "outcome", "channel", "name"}])
def test_statistics_say_only_what_their_table_has_a_column_for(
    other: Other, typist_at: Callable[..., Typist], tmp_path: Path, lacking: set[str]
) -> None:
    """ERA-08: rows are as alike as they would be written; a field without a column holds up no run."""
    for _ in range(12):
        other.child_of(other.case("sexting"))
    document = read_yaml(MAPPING)
    columns = document["tables"]["statistic"]["columns"]
    document["tables"]["statistic"]["columns"] = {name: column for name, column in columns.items() if name not in lacking}
    document["tables"]["statistic"]["choices"].pop("channel" if "channel" in lacking else "", None)
    mapping = tmp_path / "mapping.yaml"
    YAML(typ="safe").dump(document, mapping)
    typist = typist_at(other.emulator.url, MAPPING=str(mapping))
    done = typist.ask("apply", typist.ask("plan")["plan"])
    assert (done["state"], done["anonymised"], done["statistics"]) == ("done", 12, 12)
    rows = other.rows("kt_cijfers")
    assert {row["kt_soort"] for row in rows} == {"exploitation_ict"}
    assert all(row[columns[name]] is None for row in rows for name in lacking)


def test_a_value_without_an_option_is_left_out_of_the_statistics(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """ERA-09: a column of bands of which nobody made the one that is counted: the row says none, and the run
    comes to its end."""
    bands = {912340100: DURATION_BANDS[-1]}
    environment, mapping = (read_yaml(path) for path in (ENVIRONMENT, MAPPING))
    environment["choices"]["kt_duur"] = bands
    environment["tables"]["kt_cijfer"]["columns"]["kt_duur"] = {"type": "choice kt_duur"}
    mapping["tables"]["statistic"]["choices"]["duration_band"] = bands
    for name, document in (("environment", environment), ("mapping", mapping)):
        (tmp_path / f"{name}.yaml").write_text(yaml_text(document), encoding="utf-8")
    with running(environment=tmp_path / "environment.yaml", token=TOKEN) as emulator:
        other = Other(emulator, seed=7)
        for _ in range(12):
            other.child_of(other.case("sexting"))
        typist = typist_at(emulator.url, MAPPING=str(tmp_path / "mapping.yaml"))
        done = typist.ask("apply", typist.ask("plan")["plan"])
        assert (done["state"], done["anonymised"], done["statistics"]) == ("done", 12, 12)
        rows = other.rows("kt_cijfers")
        assert {(row["kt_duur"], row["kt_geslacht"]) for row in rows} == {(None, "unknown")}
        other.close()


def test_the_mapping_of_one_organisation_is_refused_by_another(other: Other, typist_at: Callable[..., Typist]) -> None:
    typist = typist_at(other.emulator.url)
    error = typist.refused("plan", code=3)
    assert (error["code"], error["where"].startswith("reference.yaml")) == ("mapping", True)
    assert typist.type("doctor").code == 3
