"""The organisation file: what it says, and how its mistakes are told."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from crm_compliance.configuration.organisation import organisation_of, product_texts
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.schedule import policy_of
from rules.errors import OrganisationError
from rules.files.yaml_lines import read_yaml
from rules.model.languages import LANGUAGES
from rules.organisation.loader import load_organisation
from rules.organisation.organisation import Organisation
from rules.organisation.words import ONLY, OPEN_TABLES
from rules.policy.loader import load_policy

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "rules" / "organisation" / "shipped"
TEXT = (SHIPPED / "childfocus.yaml").read_text(encoding="utf-8")
SCHEMA = json.loads((SHIPPED / "schema.json").read_text(encoding="utf-8"))
LEAST = """\
schema: organisation/1
languages: [nl]
controller: {name: Stichting Voorbeeld (fictief)}
dpo: {name: DPO (fictief)}
authority:
  name: {nl: de toezichthouder}
  complain_to: {nl: bij de toezichthouder}
  address: {nl: Voorbeeldplein 1}
"""


def read(text: str) -> Organisation:
    return load_organisation(text, source="ours.yaml", texts=product_texts("nl"), is_shipped=False)


def refused(text: str) -> OrganisationError:
    with pytest.raises(OrganisationError) as caught:
        read(text)
    assert caught.value.exit_code == 3
    return caught.value


def test_the_shipped_organisation() -> None:
    found = organisation_of(Settings())
    assert (found.controller.name, found.controller.address) == ("Child Focus", "Houba de Strooperlaan 292, 1020 Brussel")
    assert found.dpo.email == "116000@childfocus.org"
    assert found.languages == LANGUAGES
    assert found.unfilled(policy_of(Settings())) == ("purposes.fundraising.basis", "processors[0].name", "processors[1].name")


def test_that_nobody_can_be_written_to_is_named() -> None:
    policy = policy_of(Settings())
    shipped = organisation_of(Settings())
    silent = {
        name: getattr(shipped, name).model_copy(update={"address": "", "address_labels": None, "email": ""})
        for name in ("controller", "dpo")
    }
    assert shipped.model_copy(update=silent).unfilled(policy) == (*shipped.unfilled(policy), "dpo.email")


def test_a_row_of_which_nothing_says_what_data_are_kept_for_is_named() -> None:
    """A letter would say that a file of debts is there to support a child."""
    policy = policy_of(Settings())
    rows = {key: row.model_copy(update={"purposes": ()}) for key, row in policy.categories.items()}
    silent = policy.model_copy(update={"categories": rows})
    assert set(organisation_of(Settings()).unfilled(silent)) - set(organisation_of(Settings()).unfilled(policy)) == {
        f"categories.{key}.purposes" for key in ("social_card", "e_safety", "civil_party")
    }


def test_a_file_that_was_read_is_not_read_again_for_every_job(monkeypatch: pytest.MonkeyPatch) -> None:
    first = read(LEAST)
    monkeypatch.setattr("rules.organisation.loader.read_yaml", None)
    assert read(LEAST) is first


def test_the_shipped_file_and_the_least_one_fit_the_schema() -> None:
    for text in (TEXT, LEAST):
        jsonschema.validate(read_yaml(text).value, SCHEMA)


def test_what_is_left_out_is_not_made_up() -> None:
    found = read(LEAST)
    assert (found.helpline, found.purposes, found.processors, found.words) == (None, {}, (), {})
    assert found.dpo.address_in("nl") == ""


@pytest.mark.parametrize(
    ("change", "where", "told"),
    [
        (("controller:", "controler:"), "ours.yaml:3", "controler: this key is not known; did you mean controller?"),
        (("languages: [nl]", "languages: [nl, es]"), "ours.yaml:2", "languages[1]: this has to be one of nl, fr, de or en"),
        (("languages: [nl]", "languages: [nl, nl]"), "ours.yaml:2", "languages[1]: this language stands twice: nl"),
        (
            ("dpo: {name: DPO (fictief)", "dpo: {email: dpo.example.org, name: DPO (fictief)"),
            "ours.yaml:4",
            "dpo.email: an e-mail address has",
        ),
        (("languages: [nl]", "languages: [nl, fr]"), "ours.yaml:6", "authority.name: this text is missing in fr"),
        (("  address: {nl: Voorbeeldplein 1}\n", ""), "ours.yaml:5", "authority.address: this key is missing"),
        (("{nl: Voorbeeldplein 1}", "Voorbeeldplein 1"), "ours.yaml:8", "authority.address: this has to be a mapping of keys and values"),
    ],
    ids=[
        "unknown key",
        "unknown language",
        "language twice",
        "no e-mail address",
        "text without a language",
        "missing key",
        "text for a mapping",
    ],
)
def test_a_mistake_is_told_with_its_place(change: tuple[str, str], where: str, told: str) -> None:
    error = refused(LEAST.replace(*change))
    assert error.where == where
    assert told in str(error)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("  kindd: {fiche: {nl: Verslag}}", "did you mean kind"),
        (
            "  kind: {fische: {nl: Verslag}}",
            "words.kind.fische: this sentence is not known, or is not the organisation's to word; did you mean fiche?",
        ),
        ("  letter: {scope: {nl: Alles}}", "words.letter.scope: this sentence is not known, or is not the organisation's to word"),
        ("  neutral: {text: {nl: Wij weten niets}}", "words.neutral"),
        ("  child: {call: {nl: Bel ons}}", "words.child.call.nl: write {phone} where the product puts something in"),
        ("  child: {hello: {nl: 'Dag {name},'}}", "words.child.hello.nl: the product puts nothing in here: write nothing in braces"),
        ("  child: {call: {nl: 'Bel {phone} }'}}", "a brace { or } stands alone here"),
        ("  child: {call: {nl: 'Bel {phone.x}'}}", "write {phone} where the product puts something in"),
    ],
    ids=["table", "key", "letter", "law", "place", "unknown place", "brace", "part of a place"],
)
def test_a_sentence_that_is_not_the_organisations_to_word_is_refused(words: str, told: str) -> None:
    """What the law has every answer say is the same for everybody (SUS-04, SUS-12)."""
    error = refused(f"{LEAST}words:\n{words}\n")
    assert error.where == "ours.yaml:10"
    assert told in str(error)


def test_all_mistakes_are_told_at_once() -> None:
    error = refused(LEAST.replace("controller:", "controler:").replace("name: {nl", "naam: {nl"))
    assert "(and 3 more)" in str(error)


def test_what_may_be_worded_is_there_to_be_worded() -> None:
    """Each table and key that the form allows is one of the product's texts, in every language."""
    tables = SCHEMA["properties"]["words"]["propertyNames"]["enum"]
    for language in LANGUAGES:
        texts = product_texts(language)
        assert set(tables) <= set(texts)
        assert all(set(keys) <= set(texts[table]) for table, keys in ONLY.items())
    assert set(tables) >= {*OPEN_TABLES, *ONLY}


def a_policy(**changes: Any) -> str:
    text = (ROOT / "rules" / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8")
    return text + "".join(f"{key}: {json.dumps(value)}\n" for key, value in changes.items())


def test_a_schedule_of_before_still_says_who_it_is_where_no_file_is_named() -> None:
    """Never in the name of the shipped organisation, nor in its words."""
    theirs = {"name": "Stichting Voorbeeld (fictief)", "address": "Voorbeeldlaan 1"}
    policy = load_policy(a_policy(controller=theirs, dpo=theirs), source="policy.yaml")
    shipped = organisation_of(Settings())
    found = shipped.under(policy)
    assert found.controller.name == found.dpo.name == "Stichting Voorbeeld (fictief)"
    assert (found.helpline, found.words, found.purposes, found.processors) == (None, {}, {}, ())
    assert found.digest != shipped.digest
    assert read(LEAST).under(policy) == read(LEAST)


def test_a_schedule_of_before_keeps_its_purposes() -> None:
    policy = load_policy(a_policy(purposes={"newsletter": {"basis": dict.fromkeys(LANGUAGES, "ja")}}), source="policy.yaml")
    found = organisation_of(Settings()).under(policy)
    assert list(found.purposes) == ["newsletter"]
    assert found.purposes["newsletter"].basis is not None
    assert found.purposes["newsletter"].basis.nl == "ja"
    assert found.purposes["newsletter"].name is not None
    assert found.words
    assert found.helpline is not None


def test_a_schedule_that_says_nothing_of_it_changes_nothing() -> None:
    shipped = organisation_of(Settings())
    assert shipped.under(policy_of(Settings())) is shipped
