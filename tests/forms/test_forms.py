"""The same people and facts once in the reference environment and once in another organisation's form: plans,
disposals, certificates, answers and what is left agree row by row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.forms import form_connected, form_deep, form_renamed, form_scattered
from tests.forms.comparing import Story, certified, counted, differences, fates, lines_under, shared, story_of, without_answers
from tests.forms.facts import plant
from tests.forms.form import REFERENCE, Form
from tests.forms.house import house
from tests.forms.rows import PARTICIPANT, Link, texts
from tests.in_process import emulators_in_process

FORMS = (form_renamed.FORM, form_connected.FORM, form_scattered.FORM, form_deep.FORM)
pytestmark = pytest.mark.timeout(1800)  # two whole organisations are set up for each form
QUARANTINE = "\nquarantine: {days: 14, categories: [e_safety], notice: note}\n"


class World:
    """The reference organisation: once with all facts, and once for each form that has no place for some of
    them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with house(folder / "facts", REFERENCE) as here:
            self.facts = plant(here.api, here.folder / "objects")
            self.rows = here.rows()
            self.policy = folder / "policy.yaml"
            here.ask("policy", "show", "--output", self.policy)
        self.policy.write_text(self.policy.read_text(encoding="utf-8") + QUARANTINE, encoding="utf-8")
        self._told: dict[Any, Story] = {}

    def reference(self, form: Form) -> Story:
        if form.narrow not in self._told:
            rows = form.narrow(self.rows) if form.narrow else self.rows
            with house(self.folder / f"reference-{len(self._told)}", REFERENCE, POLICY=str(self.policy)) as here:
                here.load(rows)
                self._told[form.narrow] = story_of(here, self.facts.askers, self.facts.holds)
        return self._told[form.narrow]

    def both(self, form: Form) -> Both:
        reference = self.reference(form)
        made = form.translate(reference.before)
        places = {row.id: row.table for row in made}
        with house(self.folder / form.name, form.schema, POLICY=str(self.policy), MAPPING=str(form.mapping)) as here:
            here.load(made)
            data_map = here.ask("datamap", code=None)
            other = story_of(here, self.facts.askers, [replace(hold, table=places[hold.id]) for hold in self.facts.holds])
        canaries = [(canary.value, (canary.table, canary.row_id)) for canary in self.facts.organisation.canaries]
        return Both(form, canaries, reference, other, data_map)


@dataclass(frozen=True)
class Both:
    """The same facts twice, and what became of each."""

    form: Form
    canaries: list[tuple[str, Link]]
    reference: Story
    other: Story
    data_map: list[dict[str, Any]]  # of the other, before anything has gone


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with emulators_in_process():
        yield World(tmp_path_factory.mktemp("forms"))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_check_of_a_form(world: World, form: Form, subtests: pytest.Subtests) -> None:
    """One test for each form: what it takes is the two organisations, and processes that share the tests
    would each set up their own."""
    both = world.both(form)
    for check in CHECKS:
        with subtests.test(check.__name__):
            check(both)
    for who in ("child", "reporter", "suspect"):
        with subtests.test(who_asks_is_answered_alike.__name__, who=who):
            who_asks_is_answered_alike(both, who)


def the_facts_have_every_reason_and_category(both: Both) -> None:
    """What no unit has could not disagree."""
    lines = both.reference.lines.values()
    reasons = {reason for line in lines for reason in line["reasons"]}
    assert reasons >= {"EXPIRED", "NOT_EXPIRED", "NOT_STARTED", "OPEN_DOSSIER", "NO_TERM", "UNCONFIGURED", "DATA_ERROR", "ORPHAN_CONTACT"}
    assert reasons >= {"HOLD_LEGAL", "HOLD_JUDICIAL", "HOLD_COMPLAINT"}
    assert both.reference.run["skipped"].keys() == {"QUARANTINED"}
    categories = {category for line in lines for category in line["categories"]}
    assert categories >= {"social_card", "e_safety", "civil_party", "exploitation_ict", "exploitation_organised", "missing_runaway"}
    assert categories >= {"missing_unexplained", "missing_third_party_not_returned", "missing_intl_abduction_unlocated", "recording"}
    assert categories >= {"lost_or_injured", "preventive", "unaccompanied_minor", "csam_report", "sexual_abuse_other"}


def every_line_of_the_plan_is_the_same(both: Both) -> None:
    places = {row.id: row.key for row in both.form.translate(both.reference.before)}
    expected = lines_under(both.reference.lines, lambda unit: places[unit[1]])
    assert differences(lines_under(both.other.lines, lambda unit: unit), expected) == []


def every_row_has_the_same_fate(both: Both) -> None:
    """Translated after the night, the reference organisation is what the other one has become."""
    known = {row.id for row in both.form.translate(both.reference.before)}
    expected, found = fates(both.form.translate(both.reference.after), known), fates(both.other.after, known, both.form.beside)
    assert differences(found.own, expected.own) == []
    assert differences(found.made, expected.made) == []
    there = {row.key for row in both.other.after}
    assert [row for row in both.other.after if row.table in both.form.beside and not there.issuperset(row.links.values())] == []
    assert counted(found.statistics) == counted(expected.statistics)
    if not both.form.counts_less:
        assert found.statistics == expected.statistics


def the_run_and_its_certificates_say_the_same(both: Both) -> None:
    names = ("state", "deleted", "anonymised", "skipped", "partial", "failed", "disposed", "by_category", "flags", "trimmed", "alarms")
    found, expected = ({name: story.run[name] for name in names} for story in (both.other, both.reference))
    assert differences(found, expected) == []
    assert both.reference.run["state"] == "done"
    elsewhere = both.form.told_elsewhere
    told, wanted = (certified(story.certificates, told_elsewhere=bool(elsewhere)) for story in (both.other, both.reference))
    assert differences(told, wanted) == []
    known = {row.id for row in both.form.translate(both.reference.before)} | {row.id for row in both.reference.before}
    for story in (both.reference, both.other):
        assert story.run["rows"] == _gone(story, known)


def _gone(story: Story, known: set[str]) -> dict[str, int]:
    there = {row.key for row in story.after}
    return dict(Counter(row.table for row in story.before if row.id in known and row.key not in there and row.table != PARTICIPANT))


def nothing_is_unaccounted_for(both: Both) -> None:
    assert [row for row in both.data_map if row["fate"] == "unaccounted" and row["rows"]] == []


def the_words_of_what_went_are_gone_and_those_of_what_is_kept_are_there(both: Both) -> None:
    for story in (both.reference, both.other):
        before, kept = ("\n".join(text for row in rows for text in texts(row)) for rows in (story.before, story.after))
        words = {value for value, _ in both.canaries if value in before}
        assert len(words) > 300
        assert {word for word in words if word in story.left} == {word for word in words if word in kept}


def the_same_contents_outside_the_crm_are_left(both: Both) -> None:
    assert both.other.objects == both.reference.objects


def who_asks_is_answered_alike(both: Both, who: str) -> None:
    unasked, elsewhere = both.form.unasked, both.form.told_elsewhere
    items, wanted = both.other.items[who], without_answers(both.reference.items[who], unasked)
    package, expected = both.other.packages[who], without_answers(both.reference.packages[who], unasked)
    if elsewhere:
        told, also = (json.dumps(each["data"], ensure_ascii=False) for each in (package, expected))
        assert {word for word, _ in both.canaries if word in told} == {word for word, _ in both.canaries if word in also}
        package["data"].pop("words", None)
    else:
        assert package["files"] == expected["files"]
    assert differences(shared(items, elsewhere), shared(wanted, elsewhere)) == []
    package, expected = (each["data"] | {"items": shared(each["data"].get("items", ()), elsewhere)} for each in (package, expected))
    assert differences(package, expected) == []


CHECKS = (
    the_facts_have_every_reason_and_category,
    every_line_of_the_plan_is_the_same,
    every_row_has_the_same_fate,
    the_run_and_its_certificates_say_the_same,
    nothing_is_unaccounted_for,
    the_words_of_what_went_are_gone_and_those_of_what_is_kept_are_there,
    the_same_contents_outside_the_crm_are_left,
)
