"""mapping, as it is typed: everything that is wrong with the file, in one go (R-161)."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import RunningEmulator, running
from tests.connectors.dynamics.fake_crm import ENVIRONMENT
from tests.crm_compliance.mapping.checked import line, told
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN
from tests.drivers.typed import Said
from tests.drivers.typist import LONG_AGO, Typist, organisation_of
from tests.yaml_files import read_yaml, yaml_text

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def emulator() -> Iterator[RunningEmulator]:
    with running(token=TOKEN) as started:
        yield started


@pytest.fixture
def typist(emulator: RunningEmulator, typist_at: Callable[..., Typist]) -> Typist:
    return typist_at(emulator.url)


def edited(folder: Path, *changes: tuple[str, str]) -> Path:
    text = REFERENCE.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "mine.yaml"
    path.write_text(text, "utf-8")
    return path


def test_the_mapping_of_the_settings_fits_the_crm(typist: Typist) -> None:
    said = typist.type("mapping", "check", "--json")
    assert (said.code, said.document) == (0, {"ok": True, "problems": [], "warnings": []})
    assert "fits the CRM" in typist.type("mapping", "check").out


MISTAKES = (
    ("schema: crm-mapping/1", "schema: crm-mapping/7"),
    ("copies: []", "copis: []"),
    ("opened_on: cf_openedon", "opend_on: cf_openedon"),
    ("closed_on: cf_closedon", "closed_on: cf_closeon"),
    ("table: cf_fiche", "table: cf_fische"),
    ("cf_openedon: null", "cf_openedon: nul"),
    ("100000005: suspect", "100000005: suspct"),
    ("  donation:", "  donatoin:"),
    ("birth_year: cf_birthyear", "birth_year: cf_birthplace"),
)


def test_everything_is_named_at_once_with_line_and_what_was_meant(typist: Typist, tmp_path: Path) -> None:
    """What the CRM lacks is told although the file has mistakes elsewhere."""
    path = edited(tmp_path, *MISTAKES)
    said = typist.type("mapping", "check", path, "--json")
    first = said.document["problems"][0]
    assert (said.code, said.error["code"], said.error["where"]) == (3, "mapping", first["where"])
    assert all(each["where"].startswith(f"{path}:") for each in said.document["problems"])
    found = told(said)
    assert found == {
        (line(path, "crm-mapping/7"), "form"): "crm-mapping/1",
        (line(path, "copis"), "unknown"): "copies",
        (line(path, "table: cf_dossier") + 1, "missing"): "",  # opened_on
        (line(path, "opend_on"), "unknown"): "opened_on",
        (line(path, "cf_closeon"), "no_column"): "cf_closedon",
        (line(path, "cf_openedon: nul"), "form"): "null",
        (line(path, "table: cf_fische"), "no_table"): "cf_fiche",
        (line(path, "suspct"), "unknown"): "suspect",
        (line(path, "donatoin"), "unknown"): "donation",
        (line(path, "birth_year"), "type"): "",
    }


def test_the_one_lookup_to_a_dossier_is_no_second_one_while_no_field_is_filled_from_it(typist: Typist, tmp_path: Path) -> None:
    path = edited(tmp_path, ("      dossier: cf_dossierid\n", "      dosier: cf_dossierid\n"))
    found = told(typist.type("mapping", "check", path, "--json"))
    assert found == {(line(path, "dosier"), "unknown"): "dossier", (line(path, "table: cf_fiche") + 1, "missing"): ""}


def test_what_stands_in_the_wrong_place_is_told_with_the_right_one(typist: Typist, tmp_path: Path) -> None:
    """A field of the other section is not a misspelt one; what is said not to be recorded has no column; what
    is mapped cannot stay; a kind of row is not a table."""
    path = edited(
        tmp_path,
        ("      outcome: cf_outcome\n", ""),
        ("      court_reference: cf_courtreference", "      outcome: cf_outcome"),
        ("      channel: cf_channel\n", "      channel: cf_channel\n      summary: cf_summary\n"),
        ("copies: []", "copies: []\nstay:\n  cf_fiche: {why: w, by: b}"),
        ("    table: cf_recording\n", "    table: cf_recording\n    without: [ended_on]\n"),
        ("tables:\n", "dependent:\n  cf_visit:\n    belongs_to: {cf_dossierid: cf_dossier}\ntables:\n"),
    )
    said = typist.type("mapping", "check", path, "--offline", "--json")
    found = told(said)
    text = path.read_text("utf-8")
    assert found[line(path, "outcome: cf_outcome"), "unknown"] == "columns"
    assert found[text[: text.index("      summary: cf_summary", text.index("cf_channel"))].count("\n") + 1, "unknown"] == "personal"
    assert (line(path, "cf_fiche: {why"), "conflict") in found
    assert (line(path, "ended_on: cf_endedon"), "conflict") in found
    assert found[line(path, "cf_dossierid: cf_dossier}"), "unknown"] == "dossier"


def test_offline_asks_no_crm(typist: Typist, tmp_path: Path) -> None:
    typist.unset("CRM_URL", "CRM_TOKEN", "CLOCK")
    path = edited(tmp_path, ("closed_on: cf_closedon", "closed_on: cf_closeon"), ("channel: cf_channel", "chanel: cf_channel"))
    said = typist.type("mapping", "check", path, "--offline", "--json")
    assert said.code == 3
    assert told(said)[line(path, "chanel"), "unknown"] == "channel"
    assert {code for _, code in told(said)} == {"unknown", "conflict"}  # the choice of a channel has no column now
    assert typist.type("mapping", "check", path).code == 2  # no CRM is named


def test_what_the_crm_shows_to_people_is_told_with_its_logical_name(typist: Typist, tmp_path: Path) -> None:
    """Where it cannot be a logical name, and where it can; of a table, of columns, and of a key of the
    file."""
    environment = read_yaml(ENVIRONMENT)
    tables = environment["tables"]
    tables["cf_recording"]["label"] = {"nl": "Opgenomen gesprek", "en": "Recorded call"}
    tables["cf_dossier"]["columns"]["cf_outcome"] |= {"label": {"nl": "Hoe het afliep"}}
    tables["cf_dossier"]["columns"]["cf_closedon"] |= {"label": {"nl": "afgerond"}}
    (tmp_path / "crm.yaml").write_text(yaml_text(environment), "utf-8")
    path = edited(
        tmp_path,
        ("outcome: cf_outcome", "outcome: Hoe het afliep"),
        ("closed_on: cf_closedon", "closed_on: afgerond"),
        ("table: cf_recording", "table: Opgenomen Gesprekk"),
        ("summary: cf_summary", "summary: Iets heel anders"),
    )
    with running(environment=tmp_path / "crm.yaml", token=TOKEN) as crm:
        typist.set(CRM_URL=crm.url)
        said = typist.type("mapping", "check", path, "--json")
    assert said.code == 3
    found = told(said)
    assert found[line(path, "Hoe het afliep"), "form"] == "cf_outcome"
    assert found[line(path, "afgerond"), "no_column"] == "cf_closedon"
    assert found[line(path, "Opgenomen"), "form"] == "cf_recording"
    assert found[line(path, "Iets heel"), "form"] == ""
    offline = told(typist.type("mapping", "check", path, "--offline", "--json"))
    assert offline[line(path, "Hoe het afliep"), "form"] == ""


def test_a_crm_that_cannot_be_asked_is_no_verdict(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.dynamics.pace.backoff.BACKOFF_CAP_S", 0.0)
    typist.set(CRM_URL="http://127.0.0.1:9/api/data/v9.2/")
    said = typist.type("mapping", "check", "--json")
    assert (said.code, said.out) == (4, "")


def test_warnings_stand_apart_and_end_with_0(typist: Typist, tmp_path: Path) -> None:
    path = edited(
        tmp_path,
        ("        100000010: child_prostitution\n", ""),
        ("100000022: sexting", "100000022: sextng"),
        ("copies: []", "copies: []\nstay: {cf_dossir: {why: w}, account.nam: {why: w}}"),
    )
    said = typist.type("mapping", "check", path, "--json")
    found = told(said, "warnings")
    assert said.code == 0
    assert found[line(path, "sextng"), "schedule"] == "sexting"
    assert {(code, meant) for (_, code), meant in found.items()} >= {("option_left_out", "")}
    meant = {(each["code"], each["suggestion"]) for each in said.document["warnings"]}
    assert meant >= {("no_table", "cf_dossier"), ("no_column", "name")}
    shown = typist.type("mapping", "check", path)
    assert shown.code == 0
    assert "Warnings: " in shown.out


def test_an_option_that_is_called_otherwise_than_what_it_stands_for_is_told(typist: Typist, tmp_path: Path) -> None:
    """R-161: two numbers that changed places, or an option that was renamed since: such a file would end by
    the term of another."""
    path = edited(
        tmp_path,
        ("100000020: social_networks", "100000020: runaway # now"),
        (
            "100000000: child\n        100000001: parent\n        100000002: g",
            "100000000: witness\n        100000001: guardian\n        100000002: g",
        ),
        ("        0: active\n        1: inactive", "        0: inactive\n        1: active"),
    )
    said = typist.type("mapping", "check", path, "--json")
    assert said.code == 0
    found = [each for each in said.document["warnings"] if each["code"] == "called_otherwise"]
    where = {(each["where"], each["suggestion"]) for each in found}
    assert where == {
        (f"{path}:{line(path, '100000020: runaway')}", "social_networks"),  # of dossiers and of fiches
        (f"{path}:{line(path, '100000000: witness')}", "child"),  # not of the guardian: neither term nor answer differs
        (f"{path}:{line(path, '0: inactive')}", "active"),
        (f"{path}:{line(path, '1: active')}", "inactive"),
    }
    told = next(each["message"] for each in found if each["suggestion"] == "child")
    assert told.startswith("100000000 of cf_party.cf_role is called Kind in the CRM, a name of child, and stands for witness here")
    assert "somebody who is suspected can be answered like anybody else" in told
    typist.set(MAPPING=str(path))
    assert told in typist.type("plan").err, "each night, since options are renamed at any time"


def test_a_beginning_and_an_end_that_changed_places_are_told(typist: Typist, tmp_path: Path) -> None:
    """RET-06: a term would count from the day on which a case was opened, and end years too early."""
    path = edited(
        tmp_path, ("    opened_on: cf_openedon", "    opened_on: cf_closedon"), ("    closed_on: cf_closedon", "    closed_on: cf_openedon")
    )
    found = typist.ask("mapping", "check", path)["warnings"]
    assert {(each["where"], each["code"], each["suggestion"]) for each in found} == {
        (f"{path}:{line(path, 'opened_on: cf_closedon')}", "called_otherwise", "closed_on"),
        (f"{path}:{line(path, 'closed_on: cf_openedon')}", "called_otherwise", "opened_on"),
    }
    typist.set(MAPPING=str(path))
    assert " is called like " not in typist.type("plan").err, "what cannot be ended where the mapping is right comes no night"


def test_a_day_or_a_mark_that_is_called_like_another_field_is_told(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """RET-21, RET-06: evidence would go after six months, and a call when years since a birth have passed."""
    environment = read_yaml(ENVIRONMENT)
    environment["tables"]["cf_recording"]["columns"]["cf_bewijs"] = {"type": "bool"}
    environment["tables"]["cf_fiche"]["columns"] |= {"cf_geboortedatumkind": {"type": "date"}, "cf_belnoteringen": {"type": "date"}}
    (tmp_path / "environment.yaml").write_text(yaml_text(environment), encoding="utf-8")
    shipped = REFERENCE.read_text("utf-8")
    (over,) = [row.strip() for row in shipped.splitlines() if row.strip().startswith("taken_over: ")]
    (day,) = [row.strip() for row in shipped.splitlines() if row.strip().startswith("communicated_on: ")]
    path = edited(tmp_path, (over, "taken_over: cf_bewijs"), (day, "communicated_on: cf_geboortedatumkind"))
    with running(environment=tmp_path / "environment.yaml", token=TOKEN) as emulator:
        typist = typist_at(emulator.url)
        found = [each for each in typist.ask("mapping", "check", path)["warnings"] if "here" in each["message"]]
        assert {(each["where"], each["code"], each["suggestion"]) for each in found} == {
            (f"{path}:{line(path, 'taken_over: ')}", "called_otherwise", "evidence"),
            (f"{path}:{line(path, 'communicated_on: ')}", "called_otherwise", ""),
        }
        assert "is called like evidence, and fills recording.taken_over here" in "".join(each["message"] for each in found)
        assert "is called like a day of birth, and fills fiche.communicated_on here" in "".join(each["message"] for each in found)
        path = edited(tmp_path, (day, "communicated_on: cf_belnoteringen"))
        assert not [each for each in typist.ask("mapping", "check", path)["warnings"] if "here" in each["message"]]


def test_a_column_that_is_called_like_a_hold_and_is_none_is_told(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """HLD-01: a file under the second of two holds would go."""
    environment = read_yaml(ENVIRONMENT)
    environment["tables"]["cf_dossier"]["columns"] |= {"cf_geblokkeerd": {"type": "bool"}, "cf_onhold": {"type": "string(10)"}}
    (tmp_path / "environment.yaml").write_text(yaml_text(environment), encoding="utf-8")
    with running(environment=tmp_path / "environment.yaml", token=TOKEN) as emulator:
        typist, path = typist_at(emulator.url), edited(tmp_path)
        (found,) = typist.ask("mapping", "check", path)["warnings"]
        assert (found["where"], found["suggestion"]) == (f"{path}:{line(path, 'table: cf_dossier')}", "cf_geblokkeerd")
        more = "    more: {legal_hold: [cf_geblokkeerd]}\n    table: cf_dossier"
        path.write_text(path.read_text(encoding="utf-8").replace("    table: cf_dossier", more, 1), encoding="utf-8")
        assert typist.ask("mapping", "check", path)["warnings"] == []


def test_a_column_of_communications_that_is_called_like_a_hold_is_told(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """HLD-01: no field of a fiche holds, and one that people mark as to be kept would go."""
    environment = read_yaml(ENVIRONMENT)
    environment["tables"]["cf_fiche"]["columns"]["cf_geblokkeerd"] = {"type": "bool"}
    (tmp_path / "environment.yaml").write_text(yaml_text(environment), encoding="utf-8")
    with running(environment=tmp_path / "environment.yaml", token=TOKEN) as emulator:
        typist, path = typist_at(emulator.url), edited(tmp_path)
        (found,) = typist.ask("mapping", "check", path)["warnings"]
        assert (found["where"], found["suggestion"]) == (f"{path}:{line(path, 'table: cf_fiche')}", "cf_geblokkeerd")
        assert "is called like a hold, and holds no fiche" in found["message"]
        path = edited(tmp_path, ("    table: cf_fiche\n", "    table: cf_fiche\n    only: {cf_geblokkeerd: [false]}\n"))
        assert typist.ask("mapping", "check", path)["warnings"] == []


def test_a_yes_that_says_closed_is_told_where_it_stands_for_active(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """RET-13: a file would end while somebody works on it."""
    path = edited(
        tmp_path, ("is_active: statecode", "is_active: cf_isgesloten"), ("      is_active:\n        0: active\n        1: inactive\n", "")
    )
    environment = read_yaml(ENVIRONMENT)
    environment["tables"]["cf_dossier"]["columns"]["cf_isgesloten"] = {"type": "bool"}
    (tmp_path / "environment.yaml").write_text(yaml_text(environment), encoding="utf-8")
    with running(environment=tmp_path / "environment.yaml", token=TOKEN) as emulator:
        typist = typist_at(emulator.url)
        (found,) = typist.ask("mapping", "check", path)["warnings"]
        assert (found["where"], found["code"]) == (f"{path}:{line(path, 'cf_isgesloten')}", "called_otherwise")
        choices = "    choices:\n      is_active: {true: inactive, false: active}\n      categories: &categories"
        path.write_text(path.read_text(encoding="utf-8").replace("    choices:\n      categories: &categories", choices), encoding="utf-8")
        assert typist.ask("mapping", "check", path)["warnings"] == []


def changed_crm(tmp_path: Path, columns: Mapping[str, object]) -> Path:
    """The environment of the shipped mapping with other columns of its dossiers; one of None is not there."""
    environment = read_yaml(ENVIRONMENT)
    there = environment["tables"]["cf_dossier"]["columns"] | columns
    environment["tables"]["cf_dossier"]["columns"] = {name: each for name, each in there.items() if each is not None}
    (tmp_path / "environment.yaml").write_text(yaml_text(environment), encoding="utf-8")
    return tmp_path / "environment.yaml"


def test_what_people_see_of_a_column_says_that_it_is_a_hold_or_a_closing(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """HLD-01, RET-13: few schema names say what a column is; what people see does, in any language."""
    columns = {
        "cf_parket": {"type": "bool", "label": {"nl": "Niet vernietigen (parket)", "fr": "Parquet"}},
        "cf_vlag": {"type": "bool", "label": {"nl": "Dossier afgesloten", "fr": "Clos"}},
        "cf_nog": {"type": "bool", "label": {"nl": "Niet geblokkeerd", "fr": "Libre"}},
    }
    choices = ("        0: active\n        1: inactive\n", "        true: active\n        false: inactive\n")
    path = edited(tmp_path, ("is_active: statecode", "is_active: cf_vlag"), choices)
    with running(environment=changed_crm(tmp_path, columns), token=TOKEN) as emulator:
        found = typist_at(emulator.url).ask("mapping", "check", path)["warnings"]
    assert {(each["where"], each["suggestion"]) for each in found} == {
        (f"{path}:{line(path, 'table: cf_dossier')}", "cf_parket"),
        (f"{path}:{line(path, 'is_active: cf_vlag')}", ""),
    }
    assert any("says that a case is closed, and its yes stands for active" in each["message"] for each in found)


def test_a_hold_whose_yes_stands_for_no_is_told(typist: Typist, tmp_path: Path) -> None:
    """HLD-01: what the column is called is known, and a file under a hold would go."""
    path = edited(tmp_path, ("        1: inactive\n", "        1: inactive\n      legal_hold: {true: no, false: yes}\n"))
    (found,) = typist.ask("mapping", "check", path)["warnings"]
    assert (found["where"], found["code"]) == (f"{path}:{line(path, 'legal_hold: cf_legalhold')}", "called_otherwise")


def test_a_column_that_is_called_like_a_field_and_fills_nothing_is_told(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """RET-10: a file that was opened again, and one that was closed later than another day says, would end
    too early. It stands in the file, or under `without`, that nobody records it."""
    columns = {
        "cf_reopenedon": None,
        "cf_herinnering": {"type": "date"},
        "cf_weer": {"type": "date", "label": {"nl": "Heropend op", "fr": "Rouvert le"}},
    }
    path = edited(tmp_path, ("reopened_on: cf_reopenedon", "reopened_on: cf_herinnering"))
    with running(environment=changed_crm(tmp_path, columns), token=TOKEN) as emulator:
        typist = typist_at(emulator.url)
        (found,) = typist.ask("mapping", "check", path)["warnings"]
        assert (found["where"], found["suggestion"]) == (f"{path}:{line(path, 'reopened_on: cf_herinnering')}", "cf_weer")
        text = path.read_text(encoding="utf-8")
        path.write_text(
            text.replace("      reopened_on: cf_herinnering\n", "").replace(
                "    table: cf_dossier\n", "    without: [reopened_on]\n    table: cf_dossier\n", 1
            ),
            encoding="utf-8",
        )
        assert [each["suggestion"] for each in typist.ask("mapping", "check", path)["warnings"]] == ["cf_weer"]
        path.write_text(text.replace("reopened_on: cf_herinnering", "reopened_on: cf_weer"), encoding="utf-8")
        assert typist.ask("mapping", "check", path)["warnings"] == []


def test_a_second_choice_of_categories_that_nothing_reads_is_told(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """RET-12: a file about two things would end by the term of one."""
    categories = read_yaml(ENVIRONMENT)["tables"]["cf_dossier"]["columns"]["cf_categories"]
    path = edited(tmp_path)
    with running(
        environment=changed_crm(tmp_path, {"cf_ook": dict(categories, label={"nl": "Ook", "fr": "Aussi"})}), token=TOKEN
    ) as emulator:
        typist = typist_at(emulator.url)
        (found,) = typist.ask("mapping", "check", path)["warnings"]
        assert (found["where"], found["suggestion"]) == (f"{path}:{line(path, 'table: cf_dossier')}", "cf_ook")
        more = "    more: {categories: [cf_ook]}\n    table: cf_dossier\n"
        path.write_text(path.read_text(encoding="utf-8").replace("    table: cf_dossier\n", more, 1), encoding="utf-8")
        assert typist.ask("mapping", "check", path)["warnings"] == []


def test_a_reason_of_the_open_state_that_stands_for_inactive_is_told(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """RET-13: a file that waits for a court would end; one that is called closed and left in the open state
    may."""
    environment = read_yaml(ENVIRONMENT)
    statuses = {1: {"nl": "Nieuw"}, 3: {"nl": "Wacht op de rechtbank"}, 4: {"nl": "Afgesloten"}}
    environment["tables"]["cf_dossier"]["states"] = {
        0: {"label": {"nl": "Actief"}, "statuses": statuses},
        1: {"label": {"nl": "Inactief"}, "statuses": {2: {"nl": "Inactief"}}},
    }
    (tmp_path / "environment.yaml").write_text(yaml_text(environment), encoding="utf-8")
    options = (
        "        0: active\n        1: inactive\n",
        "        1: active\n        2: inactive\n        3: inactive\n        4: inactive\n",
    )
    path = edited(tmp_path, ("is_active: statecode", "is_active: statuscode"), options)
    with running(environment=tmp_path / "environment.yaml", token=TOKEN) as emulator:
        (found,) = typist_at(emulator.url).ask("mapping", "check", path)["warnings"]
    assert found["where"] == f"{path}:{line(path, '3: inactive')}"
    assert "(Wacht op de rechtbank) is a reason of the state in which the CRM has what is open" in found["message"]


def test_the_day_of_a_record_is_no_day_on_which_it_was_passed_on(typist: Typist, tmp_path: Path) -> None:
    """RET-07: a report that nobody passed on yet would have a term, and end."""
    path = edited(tmp_path, ("transmitted_on: cf_transmittedon", "transmitted_on: createdon"))
    told = [each["message"] for each in typist.ask("mapping", "check", path)["warnings"]]
    assert any("which is never fiche.transmitted_on" in each for each in told)


def test_an_option_that_is_called_as_the_organisation_says_is_told_to_nobody(typist: Typist, tmp_path: Path) -> None:
    """A warning that comes each night has to have an end where the mapping is right."""
    path = edited(tmp_path, ("        100000001: located\n", "        100000001: returned\n"))
    (found,) = typist.ask("mapping", "check", path)["warnings"]
    assert (found["code"], found["suggestion"]) == ("called_otherwise", "located")
    organisation = read_yaml(DATA / "second-organisation.yaml")
    organisation["words"]["value"] = {"returned": dict.fromkeys(("nl", "fr", "de", "en"), "GELOKALISEERD.")}
    (tmp_path / "organisation.yaml").write_text(yaml_text(organisation), encoding="utf-8")
    typist.set(ORGANISATION=str(tmp_path / "organisation.yaml"), MAPPING=str(path))
    assert typist.ask("mapping", "check", path)["warnings"] == []
    assert " is called " not in typist.type("plan").err


def test_a_yes_to_what_nobody_knows_is_told_only_where_somebody_looks_at_the_mapping(
    typist_at: Callable[..., Typist], tmp_path: Path
) -> None:
    """A column may ask whether a file is closed, or may go: yes and no say nothing of which was meant."""
    path = edited(
        tmp_path,
        ("is_active: statecode", "is_active: cf_isclosed"),
        ("legal_hold: cf_legalhold\n", "legal_hold: cf_maygo\n"),
        ("        0: active\n        1: inactive\n", "        1: inactive\n        2: active\n      legal_hold: {1: no, 2: yes}\n"),
    )
    environment = read_yaml(ENVIRONMENT)
    environment["choices"]["cf_answer"] = {1: {"key": "yes", "nl": "Ja", "fr": "Oui"}, 2: {"key": "no", "nl": "Nee", "fr": "Non"}}
    environment["tables"]["cf_dossier"]["columns"] |= {key: {"type": "choice cf_answer"} for key in ("cf_isclosed", "cf_maygo")}
    del environment["tables"]["cf_dossier"]["columns"]["cf_legalhold"]
    (tmp_path / "environment.yaml").write_text(yaml_text(environment), encoding="utf-8")
    with running(environment=tmp_path / "environment.yaml", token=TOKEN) as emulator:
        typist = typist_at(emulator.url)
        found = typist.ask("mapping", "check", path)["warnings"]
        assert [(each["code"], each["suggestion"]) for each in found] == [("called_otherwise", "yes"), ("called_otherwise", "no")]
        assert ["cf_maygo" in each["message"] for each in found] == [True, True]
        typist.set(MAPPING=str(path))
        said = typist.type("plan")
        assert (said.code, " is called " in said.err) == (0, False)


def test_a_hold_of_which_yes_and_no_changed_places_is_told_each_night(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """HLD-01: what the column asks is known by its name, and a file under a hold would go."""
    path = edited(tmp_path, ("        1: inactive\n", "        1: inactive\n      legal_hold: {1: no, 2: yes}\n"))
    environment = read_yaml(ENVIRONMENT)
    environment["choices"]["cf_answer"] = {1: {"key": "yes", "nl": "Ja", "fr": "Oui"}, 2: {"key": "no", "nl": "Nee", "fr": "Non"}}
    environment["tables"]["cf_dossier"]["columns"]["cf_legalhold"] = {"type": "choice cf_answer"}
    (tmp_path / "environment.yaml").write_text(yaml_text(environment), encoding="utf-8")
    with running(environment=tmp_path / "environment.yaml", token=TOKEN) as emulator:
        typist = typist_at(emulator.url, MAPPING=str(path))
        said = typist.type("plan")
        assert (said.code, said.err.count(" of cf_dossier.cf_legalhold is called ")) == (0, 2)


def test_a_table_for_people_names_line_and_suggestion(typist: Typist, tmp_path: Path) -> None:
    path = edited(tmp_path, ("opened_on: cf_openedon", "opend_on: cf_openedon"))
    said = typist.type("mapping", "check", path)
    assert said.code == 3
    assert "opened_on" in next(text for text in said.out.splitlines() if text.lstrip().startswith(str(line(path, "opend_on"))))


@pytest.mark.parametrize("text", ["", "a: [", "- 1\n", "schema: crm-mapping/1\n", "tables: 7\n"])
def test_a_file_that_is_no_mapping_is_told_and_never_a_bug(typist: Typist, tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    said = typist.type("mapping", "check", path, "--json")
    assert said.code == 3
    assert told(said)


def test_a_file_that_is_not_there_is_usage(typist: Typist, tmp_path: Path) -> None:
    assert typist.refused("mapping", "check", tmp_path / "none.yaml", code=2)["code"] == "usage"


@pytest.fixture
def night(emulator: RunningEmulator, typist: Typist) -> Iterator[Night]:
    made = organisation_of(emulator, typist)
    yield made
    made.close()
    made.store.close()


def fields(said: Said) -> dict[str, dict[str, Any]]:
    assert said.code == 0, said
    assert set(said.document) == {"table", "id", "kind", "unit", "fields", "unfilled", "remark"}
    return {each["field"]: each for each in said.document["fields"]}


def test_a_person_is_explained_without_being_named(typist: Typist, night: Night) -> None:
    """ACC-05: that something is there and how long it is, never what it is."""
    secrets = {"firstname": "Fictieve", "lastname": "Persoonsnaam", "telephone1": "+32470000001", "birthdate": "2011-02-03"}
    row = night.create("contacts", "contactid", gendercode=2, cf_birthyear=2011, description="Een tekst", cf_newsletter=True, **secrets)
    said = typist.type("mapping", "explain", "contact", row.upper(), "--json")
    found = fields(said)
    assert said.document["kind"] == "contact"
    assert said.document["unit"] == {"table": "contact", "id": row}
    assert (found["gender"]["value"], found["newsletter"]["value"]) == ("f", True)
    assert (found["last_name"]["filled"], found["last_name"]["length"], found["last_name"]["value"]) == (True, 12, None)
    assert (found["birth_on"]["column"], found["birth_on"]["value"]) == ("birthdate", None)
    assert found["email"]["filled"] is False
    shown = typist.type("mapping", "explain", "contact", row).out
    assert next(line for line in shown.splitlines() if "newsletter" in line).split()[-1] == "yes"
    for text in (said.out, shown):
        for secret in (*secrets.values(), "2011", "Een tekst"):
            assert secret not in text


def test_dates_choices_and_lookups_are_told_as_they_are_understood(typist: Typist, night: Night) -> None:
    dossier = night.dossier("sexting", spoken=LONG_AGO)
    fiche = night.fiche("sexting", spoken=LONG_AGO, dossier=dossier)
    party = night.party(night.contact(), "child", dossier=dossier)
    found = fields(typist.type("mapping", "explain", "cf_dossier", dossier, "--json"))
    assert (found["categories"]["value"], found["is_active"]["value"]) == (["sexting"], False)
    assert found["opened_on"]["value"].startswith("20")
    said = typist.type("mapping", "explain", "cf_fiche", fiche, "--json")
    assert fields(said)["dossier"]["value"] == {"table": "cf_dossier", "id": dossier}
    assert fields(said)["communicated_on"]["value"] == LONG_AGO.isoformat()
    assert said.document["unit"] == {"table": "cf_dossier", "id": dossier}
    said = typist.type("mapping", "explain", "cf_party", party, "--json")
    assert fields(said)["role"]["value"] == "child"
    assert said.document["unit"] == {"table": "cf_dossier", "id": dossier}
    note = night.note("cf_fiche", fiche)
    said = typist.type("mapping", "explain", "annotation", note, "--json")
    assert said.document["unit"] == {"table": "cf_dossier", "id": dossier}
    recording = night.recording(LONG_AGO)
    assert typist.type("mapping", "explain", "cf_recording", recording, "--json").document["unit"]["id"] == recording


def test_what_the_mapping_does_not_know_is_named(typist: Typist, night: Night, tmp_path: Path) -> None:
    typist.set(MAPPING=str(edited(tmp_path, ("        100000022: sexting\n", ""), ("      court_reference: cf_courtreference\n", ""))))
    dossier = night.dossier("sexting", spoken=LONG_AGO, cf_courtreference="Fictief 12/34")
    said = typist.type("mapping", "explain", "cf_dossier", dossier, "--json")
    category = fields(said)["categories"]
    assert (category["filled"], category["value"], category["unknown"]) == (True, None, "100000022")
    assert said.document["unfilled"] == ["cf_courtreference"]
    shown = typist.type("mapping", "explain", "cf_dossier", dossier).out
    assert "cf_courtreference" in shown
    assert "12/34" not in shown + said.out


def test_a_row_out_of_scope_is_explained_by_the_conditions_that_it_does_not_meet(typist: Typist, night: Night, tmp_path: Path) -> None:
    only = ("    table: cf_dossier\n", "    table: cf_dossier\n    only: {cf_outcome: [100000001]}\n")
    typist.set(MAPPING=str(edited(tmp_path, only)))
    dossier = night.dossier("sexting", spoken=LONG_AGO, cf_outcome=100000002)
    said = typist.type("mapping", "explain", "cf_dossier", dossier, "--json")
    assert (said.code, said.document["kind"], said.document["unit"]) == (0, "out_of_scope", None)
    assert [(each["column"], each["value"]) for each in said.document["fields"]] == [("cf_outcome", 100000002)]
    assert "not searched and not touched" in typist.type("mapping", "explain", "cf_dossier", dossier).out
    assert typist.type("mapping", "explain", "cf_dossier", "00000000-0000-0000-0000-000000000001").code == 2


def test_an_unknown_table_or_row_is_usage(typist: Typist, night: Night) -> None:
    error = typist.refused("mapping", "explain", "cf_dosier", "00000000-0000-0000-0000-000000000001", code=2)
    assert "did you mean cf_dossier" in error["message"]
    assert typist.refused("mapping", "explain", "cf_dossier", "00000000-0000-0000-0000-000000000001", code=2)["code"] == "usage"
    assert typist.refused("mapping", "explain", "cf_dossier", "Fictieve naam", code=2)["code"] == "usage"
