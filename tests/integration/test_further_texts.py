"""Texts of an organisation's own on dossiers, fiches, people and roles, by configuration alone: they are
searched, shown, redacted and reviewed like any text, and nothing of them outlives what they tell of (EXP-03,
EXP-06, RET-20, R-158, R-161)."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from crm_compliance.answer_package.package import package_of
from crm_compliance.configuration.settings import Settings
from crm_compliance.mapping.explain import explain_row
from crm_compliance.wiring.mapping import mapping_text
from jobs.model.answer import ItemStatus
from jobs.requests.answer.own_words import words_of
from jobs.requests.search.material import Material
from jobs.requests.search.rows_without_contact import add_loose_rows
from rules.model.data_map import Fate
from rules.model.requests import Right
from rules.rights.withholding import CHILD_STATEMENTS, withheld_on_behalf
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.drivers.deciding import ask, granted
from tests.drivers.night import Night, night_in
from tests.jobs.requests.answer.answers import Answer
from tests.yaml_files import read_yaml, yaml_text

LONG_AGO = date(2020, 1, 10)
LABEL = {"nl": "Leefwereld", "fr": "Milieu de vie", "en": "Living conditions", "de": "Lebenswelt"}
# table -> kind, and a text that fills no field of it
FURTHER = {
    "contact": ("contact", "cf_profile"),
    "cf_dossier": ("dossier", "cf_background"),
    "cf_fiche": ("fiche", "cf_chat"),
    "cf_party": ("party", "cf_relation"),
    "cf_recording": ("recording", "cf_remark"),
    "cf_donation": ("donation", "cf_motive"),
}


def mapping_with_texts(texts: dict[str, tuple[str, str]] = FURTHER) -> str:
    """The reference mapping with these texts."""
    text = mapping_text(Settings())[0]
    for table, (kind, column) in texts.items():
        head = f"\n  {kind}:\n    table: {table}\n"
        assert head in text
        text = text.replace(head, f"{head}    texts: [{column}]\n")
    return text


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    document: dict[str, Any] = read_yaml(ENVIRONMENT)
    for table, (_, column) in FURTHER.items():
        document["tables"][table]["columns"][column] = {"type": "memo(4000)", "pii": True, "label": LABEL}
    environment = tmp_path / "environment.yaml"
    environment.write_text(yaml_text(document), encoding="utf-8")
    with night_in(environment, tmp_path, kind=Night, mapping=mapping_with_texts()) as made:
        yield made


def told_of(night: Night, language: str = "nl") -> tuple[Answer, dict[str, str]]:
    """A child with a further text on everything that is theirs, an answer to them, and what stands where."""
    said = {table: f"Over {table} vertelde Karel Melderman iets." for table in FURTHER}
    child = night.contact(birthdate="2012-03-04", cf_profile=said["contact"])
    mother = night.contact(firstname="Karel", lastname="Melderman", cf_profile="Van de moeder alleen.")
    dossier = night.dossier("grooming", closed=False, fiches=0, cf_background=said["cf_dossier"])
    fiche = night.fiche("grooming", dossier=dossier, spoken=date(2026, 5, 4), cf_chat=said["cf_fiche"])
    night.patch("cf_parties", night.party(child, "child", dossier=dossier), cf_relation=said["cf_party"])
    night.patch("cf_parties", night.party(mother, "parent", dossier=dossier), cf_relation="Van de moeder alleen.")
    night.recording(date(2026, 5, 4), fiche=fiche, cf_remark=said["cf_recording"])
    night.patch("cf_donations", night.donation(child), cf_motive=said["cf_donation"])
    return Answer(night, child, language=language), said


def test_an_access_request_is_told_each_of_them_once_a_person_has_read_it(night: Night) -> None:
    """EXP-03, EXP-06, EXP-07: without the names of others, and nothing that is theirs."""
    answer, said = told_of(night)
    compilation = answer.compile()
    found = {item.kind: item for item in compilation.items if any(field.name in dict(FURTHER.values()).values() for field in item.fields)}
    assert found.keys() == {kind for kind, _ in FURTHER.values()}
    for table, (kind, _) in FURTHER.items():
        assert said[table].replace("Karel Melderman", "[ouder]") in found[kind].proposal
        assert (found[kind].status, found[kind].needs_review) == (ItemStatus.PENDING_REVIEW, True)
    assert "Van de moeder alleen." not in str(compilation.items)
    assert not [code for code in compilation.not_searched if code.partition(".")[2] in dict(FURTHER.values()).values()]


def test_they_are_called_what_the_crm_calls_them(night: Night) -> None:
    """EXP-12. Where an item has several texts they are told as one."""
    answer, _ = told_of(night)
    answer.compile()
    answer.approve()
    contents = package_of(answer.now, night.context.organisation, {})
    page = contents["index.html"].decode()
    assert LABEL["nl"] in page
    assert not [column for _, column in FURTHER.values() if column in page]
    named = {f"{kind}.{column}" for kind, column in FURTHER.values()}
    assert json.loads(contents["data.json"])["words"] == dict.fromkeys(named, LABEL["nl"])
    for language, label in LABEL.items():
        assert words_of(night.connector, [kind for kind, _ in FURTHER.values()], language).told == dict.fromkeys(named, label)


def test_they_are_read_of_a_fiche_whose_caller_is_no_contact(night: Night) -> None:
    """IDN-17."""
    fiche, material = night.fiche("grooming", cf_chat="Ik bel voor mijn buurkind."), Material(kinds=night.connector.all_kinds)
    add_loose_rows(night.context, material, [("fiche", fiche)])
    assert getattr(material.fiches[fiche], "cf_chat", None) == "Ik bel voor mijn buurkind."


def test_who_is_spoken_of_in_one_of_a_file_of_others_has_a_mention(night: Night) -> None:
    """EXP-04."""
    witness = night.contact(firstname="Mina", lastname="Verstraeten (fictief)")
    child = night.contact(birthdate="2012-03-04")
    text = "Er was regen. Mina Verstraeten (fictief) zag het kind."
    night.party(child, "child", dossier=night.dossier("grooming", closed=False, fiches=0, cf_background=text))
    (item,) = [item for item in Answer(night, witness).compile().items if item.kind == "dossier"]
    assert (item.title, item.status, item.withholds) == ("mention", ItemStatus.PENDING_REVIEW, "mention")
    assert [field.name for field in item.fields] == ["cf_background"]


def test_of_a_file_limited_by_a_running_away_none_is_told_unasked() -> None:
    """RGT-09: what a column of the organisation's own says may lead to the child."""
    assert {withheld_on_behalf(kind, column) for kind, column in FURTHER.values()} == {CHILD_STATEMENTS}


def test_who_lives_on_as_a_donor_has_none_any_more(night: Night) -> None:
    """RET-20: what a contact that stays loses is read back."""
    child = night.contact(birthdate="2000-02-01", cf_profile="Groeide op in een pleeggezin.")
    dossier = night.dossier("social_card", spoken=LONG_AGO, cf_background="Alles over thuis.")
    night.party(child, "child", dossier=dossier)
    night.donation(child)
    done = night.apply(night.plan())
    assert (done.counts["skipped"], night.get("cf_dossiers", dossier)) == ({}, None)
    person = night.get("contacts", child)
    assert person is not None
    assert (person["cf_profile"], person["birthdate"]) == (None, None)


def test_whose_role_it_was_is_not_left_in_one(night: Night) -> None:
    """6.2: the information of a file stays, and whose it was goes."""
    child, witness = night.contact(birthdate="2010-05-05"), night.contact(lastname="Getuige (fictief)")
    dossier = night.dossier("sexting", closed=False, cf_background="Verzonnen.")
    night.party(child, "child", dossier=dossier)
    role = night.party(witness, "witness", dossier=dossier)
    night.patch("cf_parties", role, cf_relation="De buurvrouw van nummer 4.")
    assert granted(night, ask(night, Right.ERASURE, witness)) is not None
    row, file = night.get("cf_parties", role), night.get("cf_dossiers", dossier)
    assert row is not None
    assert file is not None
    assert (row["_cf_contactid_value"], row["cf_relation"], file["cf_background"]) == (None, None, "Verzonnen.")


def test_the_data_map_has_them_as_mapped_and_a_row_is_explained_without_what_they_say(night: Night) -> None:
    told_of(night)
    dossier = night.dossier("grooming", closed=False, cf_background="Alles over thuis.")
    fates = {place.name: (place.fate, place.why) for place in night.connector.data_map(whole=True).places}
    for table, (kind, column) in FURTHER.items():
        assert fates[f"{table}.{column}"] == (Fate.MAPPED, f"tables.{kind}.texts")
    assert [finding for finding in night.connector.check(decisions=True) if finding.is_error] == []
    (told,) = [field for field in explain_row(night.connector, "cf_dossier", dossier).fields if field.field == "cf_background"]
    assert (told.filled, told.value, told.length) == (True, None, len("Alles over thuis."))
