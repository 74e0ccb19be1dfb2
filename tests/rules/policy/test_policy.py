"""The shipped schedule says what the privacy policy says (section 2.2), and the models refuse what they do
not know."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from rules.files.yaml_lines import read_yaml
from rules.model.decisions import Disposition, Flag
from rules.organisation.organisation import SAID_BY_POLICY
from rules.policy.categories import OUTCOMES, Anchor, Derivation, Mission, MonthsAfter, NoTerm, UntilAge, YearsAfter
from rules.policy.loader import load_policy
from rules.policy.policy import Policy
from rules.retention.classify import Classifier

POLICIES = Path(__file__).parents[3] / "rules" / "policy" / "schedules"
TEXT = (POLICIES / "childfocus.yaml").read_text(encoding="utf-8")
SCHEMA = json.loads((POLICIES / "schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def shipped() -> Policy:
    return load_policy(TEXT, source="childfocus.yaml")


# Section 2.2, transcribed by hand: type, number, anchors, disposition.
SCHEDULE: dict[str, tuple[type, int | None, tuple[str, ...], str]] = {
    "social_card": (MonthsAfter, 6, ("last_activity",), "delete"),
    "e_safety": (MonthsAfter, 6, ("last_activity",), "delete"),
    "civil_party": (YearsAfter, 5, ("proceedings_ended_on", "closed_on"), "delete"),
    "exploitation_organised": (UntilAge, 18, (), "anonymise"),
    "exploitation_ict": (UntilAge, 18, (), "anonymise"),
    "missing_runaway": (UntilAge, 25, (), "anonymise"),
    "missing_intl_abduction_located": (UntilAge, 25, (), "anonymise"),
    "missing_third_party_returned": (UntilAge, 25, (), "anonymise"),
    "missing_unexplained": (NoTerm, None, (), "keep"),
    "missing_intl_abduction_unlocated": (NoTerm, None, (), "keep"),
    "missing_third_party_not_returned": (NoTerm, None, (), "keep"),
    "recording": (MonthsAfter, 6, ("ended_on",), "delete"),
}


def test_the_enabled_rows_are_those_of_the_privacy_policy(shipped: Policy) -> None:
    found = {}
    for key, row in shipped.categories.items():
        if row.enabled:
            number = getattr(row, "months", None) or getattr(row, "years", None) or getattr(row, "age", None)
            found[key] = (type(row), number, tuple(map(str, row.anchors)), row.disposition.value)
    assert found == SCHEDULE


def test_only_the_six_month_dossiers_disregard_that_they_are_open(shipped: Policy) -> None:
    assert {key for key, row in shipped.categories.items() if not row.open_blocks} == {"social_card", "e_safety"}


def test_what_may_be_running_away_or_an_abduction_may_lead_to_the_child(shipped: Policy) -> None:
    """RGT-09; a disappearance that is feared, unexplained or not yet defined may turn out to be either."""
    abductions = {"international_abduction", "third_party_abduction", "national_parental_abduction"}
    may_be = {"unexplained_disappearance", "undefined_disappearance", "preventive"}
    assert shipped.derive.keys() - shipped.harmless == {"runaway", *abductions, *may_be}


def test_a_category_of_several_rows_may_lead_to_the_child_where_one_of_them_may(shipped: Policy) -> None:
    rows = {**shipped.categories, "own": shipped.categories["e_safety"], "runaway": shipped.categories["missing_runaway"]}
    line = Derivation(key="e_safety", outcomes=())
    derive = {"mixed": (line, Derivation(key="missing_runaway")), "gone": (Derivation(key="nowhere"),), "none": (), "safe": (line,)}
    found = shipped.model_copy(update={"categories": rows, "derive": derive}).harmless
    assert {"own", "safe"} <= found
    assert found.isdisjoint({"mixed", "gone", "none", "runaway"})


def test_only_recordings_have_a_unit_of_their_own(shipped: Policy) -> None:
    assert {key for key, row in shipped.categories.items() if row.enabled and row.unit != "dossier"} == {"recording"}


def test_every_row_names_its_source_and_its_basis(shipped: Policy) -> None:
    for key, row in shipped.categories.items():
        if row.enabled:
            assert row.source in ("Privacy policy §9", "Privacy policy §6.2"), key
            assert not row.suggestion, key
        else:
            assert row.suggestion, key


def test_exploitation_asks_for_ten_alike(shipped: Policy) -> None:
    assert {key for key in SCHEDULE if shipped.k_of(key) == 10} == {"exploitation_organised", "exploitation_ict"}
    assert shipped.k_of("missing_runaway") == shipped.k_of("no such row") == 5


def test_units_are_counted_under_their_mission(shipped: Policy) -> None:
    for key in SCHEDULE:
        prefix = key.partition("_")[0]
        expected = {"missing": Mission.DISAPPEARANCE, "exploitation": Mission.EXPLOITATION}.get(prefix, Mission.OTHER)
        assert shipped.mission_of(key) is expected
    assert shipped.mission_of("no such row") is Mission.OTHER


A, M, R = Flag.OUTCOME_AMBIGUOUS, Flag.OUTCOME_MISSING, Flag.RECLASSIFY
# RET-12, transcribed by hand: located, returned, found_deceased, not_located, not_returned, empty; whether
# the first key (+) or the second.
OUTCOME_TABLE = {
    "international_abduction": (
        "missing_intl_abduction_located",
        "missing_intl_abduction_unlocated",
        "+++---",
        (None, None, None, None, A, M),
    ),
    "third_party_abduction": (
        "missing_third_party_returned",
        "missing_third_party_not_returned",
        "-+----",
        (None, None, None, None, None, M),
    ),
    "unexplained_disappearance": ("missing_unexplained", "", "++++++", (R, R, R, None, None, None)),
    "runaway": ("missing_runaway", "", "++++++", (None,) * 6),
}


@pytest.mark.parametrize("crm_category", OUTCOME_TABLE)
def test_disappearances_follow_their_outcome(shipped: Policy, crm_category: str) -> None:
    first, second, signs, flags = OUTCOME_TABLE[crm_category]
    classifier = Classifier(shipped)
    for outcome, sign, flag in zip((*OUTCOMES, None), signs, flags, strict=True):
        derived = classifier.derive(crm_category, outcome)
        assert (derived.key, derived.flag) == (first if sign == "+" else second, flag), outcome


@pytest.mark.parametrize(
    ("crm_categories", "key"),
    [
        ("social_card", "social_card"),
        ("e_safety", "e_safety"),
        ("civil_party", "civil_party"),
        ("child_prostitution child_trafficking sex_tourism", "exploitation_organised"),
        ("social_networks grooming sexting sextortion", "exploitation_ict"),
    ],
)
def test_other_categories_disregard_the_outcome(shipped: Policy, crm_categories: str, key: str) -> None:
    for crm_category in crm_categories.split():
        for outcome in (*OUTCOMES, None):
            derived = Classifier(shipped).derive(crm_category, outcome)
            assert (derived.key, derived.flag) == (key, None)


def test_what_the_privacy_policy_does_not_name_stays_unconfigured_without_a_flag(shipped: Policy) -> None:
    """Section 2.3; R-020."""
    undecided = {
        "unaccompanied_minor", "national_parental_abduction", "lost_or_injured", "undefined_disappearance",
        "preventive", "csam_report", "sexual_abuse_other",
    }  # fmt: skip
    for crm_category in undecided:
        for outcome in (*OUTCOMES, None):
            derived = Classifier(shipped).derive(crm_category, outcome)
            assert (derived.key, derived.flag) == (None, None)
    assert shipped.crm_categories == tuple(shipped.derive)


def test_the_shipped_schedule_has_its_date_its_people_and_its_limits(shipped: Policy) -> None:
    assert (shipped.name, shipped.valid_from, shipped.plan_valid_hours) == ("childfocus", date(2018, 5, 25), 72)
    assert len(shipped.approvers) == 2
    assert not shipped.model_fields_set & set(SAID_BY_POLICY)  # who speaks stands in the organisation file alone
    for limit in (shipped.limits.units, shipped.limits.recordings):
        assert (limit.max, limit.factor, limit.median_from) == (200, 3, 10)
    assert (shipped.backups.beyond_use, shipped.backups.days) == (True, 28)


def test_a_script_finds_the_limits_where_it_looks_for_them() -> None:
    for word, times in (("limits:\n", 1), ("max: 200\n", 2), ("factor: 3\n", 2), ("median_from: 10\n", 2), ("plan_valid_hours: 72\n", 1)):
        assert TEXT.count(word) == times


def test_the_shipped_schedule_says_what_the_defaults_are(shipped: Policy) -> None:
    """Somebody who deletes one of these lines changes nothing."""
    for name in ("defaults", "limits", "plan_valid_hours", "statistics", "timezone"):
        said = shipped.defaults.model_copy(update={"language": None}) if name == "defaults" else getattr(shipped, name)
        assert said == Policy.model_fields[name].default


def test_the_shipped_schedule_fits_the_published_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(read_yaml(TEXT).value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("surprise",), 1),
        (("digest",), "abc"),
        (("version",), 1),
        (("categories", "social_card", "months"), "6"),
        (("categories", "social_card", "anchor"), "modified_on"),
        (("categories", "missing_unexplained", "disposition"), "keep"),
        (("categories", "social_card", "type"), "weeks_after"),
        (("derive", "runaway", 0, "outcomes"), ["found"]),
        (("limits", "units", "max"), -1),
    ],
)
def test_the_published_schema_refuses_what_the_loader_refuses(path: tuple[str | int, ...], value: object) -> None:
    data: Any = read_yaml(TEXT).value
    place = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(data))


def test_a_schedule_is_written_as_it_is_read(shipped: Policy) -> None:
    """Reports show a schedule as JSON: `retain` stays the published word, and the digest is none of the
    schedule's own keys."""
    written = shipped.model_dump_json(by_alias=True, exclude_unset=True)
    again = Policy.model_validate_json(written, strict=True)
    assert again.model_copy(update={"digest": shipped.digest}) == shipped
    assert '"disposition":"retain"' in written
    assert "digest" not in written


def test_models_are_frozen_and_refuse_unknown_keys(shipped: Policy) -> None:
    with pytest.raises(ValidationError):
        shipped.version = "2"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Policy.model_validate({**shipped.model_dump(by_alias=True), "surprise": 1})


def test_one_anchor_reads_like_a_list_of_one(shipped: Policy) -> None:
    assert shipped.categories["recording"].anchors == (Anchor.ENDED_ON,)
    assert shipped.categories["civil_party"].anchors == (Anchor.PROCEEDINGS_ENDED_ON, Anchor.CLOSED_ON)
    assert shipped.categories["missing_runaway"].anchors == ()
    assert shipped.categories["missing_unexplained"].disposition is Disposition.KEEP


def test_a_line_is_for_its_outcomes_for_any_or_for_the_empty_one() -> None:
    any_outcome = Derivation(key="a")
    empty = Derivation(key="a", outcomes=())
    located = Derivation.model_validate({"key": "a", "outcomes": ("located",)})
    assert [line.matches("located") for line in (any_outcome, empty, located)] == [True, False, True]
    assert [line.matches(None) for line in (any_outcome, empty, located)] == [True, True, False]
