"""Every word of a mapping, misspelt: each is told with its line and what was meant, by itself and all at
once (R-161). The mapping has every part that there is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.mapping.loader import examine_mapping
from connectors.dynamics.mapping.schedule_check import misspelt
from connectors.dynamics.schema.checks.decisions import check_decisions
from connectors.dynamics.schema.checks.mapping import check_mapping
from connectors.dynamics.schema.checks.masks import check_masks
from connectors.dynamics.schema.checks.reference_rows import ReferenceRows
from connectors.emulator.serving.server import running
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.schedule import policy_text
from rules.policy.loader import load_policy
from tests.connectors.dynamics.reading.roles_in_columns import CHILD, SUSPECT, TABLES, connected, mapping
from tests.integration.dependent import MAPPING, dependent_environment
from tests.yaml_files import read_yaml, yaml_text

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes

ROWS = """
  measures:
    labels: {nl: Maatregelen, fr: Mesures, en: Measures, de: Maßnahmen}
    basis: b
    source: s
    unit: own_table
    type: years_after
    years: 3
    anchor: own_date
    disposition: delete
"""
MORE = """
beyond_reach: [audit_history]
stay: {cf_bill.cf_dossierid: {why: w, by: b}, account: {why: w, by: b}}
goes_along: {cf_dossier.cf_courtreference: {why: w, by: b}}
"""
FREE = ("why", "by", "owner")  # what people write in words of their own
POLICY = load_policy(policy_text(Settings())[0].replace("\ncategories:\n", f"\ncategories:{ROWS}", 1), source="p")


class Word(NamedTuple):
    """A word of the file: where it begins, on which line, in which field, and whether it is a key."""

    at: int
    text: str
    line: int
    path: tuple[str | int, ...]
    is_key: bool

    @property
    def misspelt(self) -> str:
        """The word with its middle letter twice, a number with another digit before it."""
        if self.text.isdecimal():
            return f"7{self.text}"
        middle = len(self.text) // 2
        return self.text[: middle + 1] + self.text[middle:]


def text_of_everything() -> str:

    def change(tables: dict[str, Any]) -> None:
        dossier, fiche = tables["dossier"], tables["fiche"]
        dossier |= {"only": {"cf_legalhold": ["false"]}, "more": {"opened_on": ["createdon"]}}
        dossier["without"] = ["proceedings_ended_on"]
        del dossier["columns"]["proceedings_ended_on"], dossier["personal"]["court_reference"]
        tables["recording"]["behaviour"] = {"started_on": "user_local"}
        tables["recording"] |= {"fixed": {"channel": "phone"}, "readable": ["storage_uri"]}
        del tables["recording"]["choices"], tables["recording"]["columns"]["channel"]
        fiche["anonymise"] = {"owner": "Team", "state": 1, "columns": {"cf_name": "constant", "cf_summary": "drop_text"}}

    document = read_yaml(mapping(change)) | read_yaml(MORE)
    own = read_yaml(MAPPING)["dependent"]
    own["cf_homevisit"] |= {"term": {"row": "measures", "date": "cf_visitedon"}, "readable": ["cf_report"]}
    return yaml_text(document | {"dependent": own})


def words_of(text: str) -> Iterator[Word]:
    def walk(node: Node, path: tuple[str | int, ...]) -> Iterator[Word]:
        if isinstance(node, MappingNode):
            for key, value in node.value:
                yield Word(key.start_mark.index, key.value, key.start_mark.line + 1, (*path, key.value), True)
                yield from walk(value, (*path, key.value))
        elif isinstance(node, SequenceNode):
            for at, each in enumerate(node.value):
                yield from walk(each, (*path, at))
        elif isinstance(node, ScalarNode):
            yield Word(node.start_mark.index, str(node.value), node.start_mark.line + 1, path, False)

    yield from walk(YAML(typ="safe", pure=True).compose(text), ())


TEXT = text_of_everything()
WORDS = [
    word
    for word in {word.at: word for word in words_of(TEXT)}.values()  # once, also where an alias repeats it
    if TEXT.startswith(word.text, word.at)  # not quoted
    and not set(word.path) & {"app_url", "recording_media_types", "schema", "state"}
    and (word.is_key or word.path[-1] not in FREE or "references" in word.path)
    and len(word.text) > 1
    and word.text != "employee"  # the organisation's own word, of which nobody has decided anything yet
]


class Crm:
    def __init__(self, connector: DynamicsConnector) -> None:
        self._connector = connector
        self._metadata = connector._metadata
        self._rows = ReferenceRows(connector._transport, connector._metadata, connector._directory, connector._naming)

    def told(self, text: str) -> list[tuple[int, str]]:
        """What is told of a text: line, and what was meant."""
        made, problems = examine_mapping(text, "m")
        found = [(each.line, each.suggestion) for each in problems]
        if made is None:
            return found
        metadata = self._metadata
        for finding in (
            *check_mapping(made, metadata),
            *check_masks(made, metadata),
            *check_decisions(made, metadata),
            *self._rows.check(made),
        ):
            found += [(int(finding.where.rpartition(":")[2]), finding.suggestion)]
        return [*found, *((int(slip.where.rpartition(":")[2]), slip.meant) for slip in misspelt(made, POLICY))]

    def untold(self, words: Collection[Word]) -> list[str]:
        """Misspell these words; return those that are not told by their line with what was meant."""
        text = TEXT
        for word in sorted(words, reverse=True):
            text = text[: word.at] + word.misspelt + text[word.at + len(word.text) :]
        meant = set(self.told(text))
        lacking = [word for word in words if not {(word.line, word.text), (word.line, word.text.rpartition(".")[2])} & meant]
        return [f"{word.line}: {word.misspelt} for {'.'.join(map(str, word.path))}" for word in lacking]


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    path = dependent_environment(tmp_path_factory.mktemp("crm"))
    document, more = read_yaml(path), read_yaml(TABLES)
    document["tables"] |= more["tables"]
    for table, columns in more["columns"].items():
        document["tables"][table]["columns"] |= columns
    path.write_text(yaml_text(document), encoding="utf-8")
    with running(environment=path) as emulator:
        emulator.load([("cf_subject", {"cf_subjectid": row, "cf_code": code}) for row, code in ((CHILD, "SEX"), (SUSPECT, "WEG"))])
        emulator.load([("cf_rolekind", {"cf_rolekindid": row}) for row in (CHILD, SUSPECT)])
        connector = connected(emulator, TEXT)
        yield Crm(connector)
        connector.close()


def part(word: Word) -> str:
    """Which words are misspelt in one go: a part of the file that is not known hides what stands in it, a
    table its columns, a lookup those of the table to which it points, a column its options, and a column that
    is misspelt in both of its places the second."""
    if word.is_key:
        return "options" if word.text.isdecimal() else f"keys at depth {len(word.path)}"
    if {"term", "readable", "keeps"} & set(word.path):
        return "columns named again"
    return {"table": "tables", "by": "columns of reference"}.get(str(word.path[-1]), "columns and words")


@pytest.mark.parametrize("group", sorted({part(word) for word in WORDS} - {"options"}))  # which of them was meant, others tell
def test_all_are_told_at_once(crm: Crm, group: str) -> None:
    assert crm.untold([word for word in WORDS if part(word) == group]) == []


@settings(max_examples=12)
@given(st.data())
def test_each_is_told_by_itself(crm: Crm, data: st.DataObject) -> None:
    assert crm.untold([data.draw(st.sampled_from(WORDS))]) == []


def test_an_option_is_told_by_itself(crm: Crm) -> None:
    """One of each column: where several are misspelt, which was meant is any that is free."""
    columns = {word.path[:-1]: word for word in WORDS if part(word) == "options"}
    assert crm.untold(list(columns.values())) == []
