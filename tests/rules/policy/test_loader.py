"""The schedule is refused whole, and every error says file, line and field (RET-06, RET-12)."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.errors import PolicyError
from rules.model.decisions import Disposition
from rules.policy.loader import SHIPPED, load_policy
from rules.retention.classify import Classifier

TEXT = (Path(__file__).parents[3] / "rules" / "policy" / "schedules" / f"{SHIPPED}.yaml").read_text(encoding="utf-8")
LINES = TEXT.splitlines()


def refused(text: str) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        load_policy(text, source="bad.yaml")
    return caught.value


def changed(old: str, new: str, *, after: str = "") -> str:
    """The shipped schedule with one place changed: the first `old` after `after`."""
    start = TEXT.index(after)
    place = TEXT.index(old, start)
    return TEXT[:place] + new + TEXT[place + len(old) :]


def test_an_unknown_key_is_told_before_the_missing_ones() -> None:
    error = refused("schema: retention-schedule/1\nsurprise: 1\n")
    assert error.where == "bad.yaml:2"
    assert "refused: surprise: this key is not known (and 7 more)\n" in str(error)
    assert "\n  bad.yaml:1: approvers: this key is missing" in str(error)
    assert error.exit_code == 3
    assert error.hint


def test_the_digest_is_that_of_the_text() -> None:
    assert load_policy(TEXT, source="childfocus.yaml").digest == hashlib.sha256(TEXT.encode()).hexdigest()


def test_a_file_cannot_state_its_own_digest() -> None:
    assert "digest: this key is not known" in str(refused(TEXT + "digest: abc\n"))


def test_all_errors_are_told_top_down() -> None:
    error = refused(TEXT.replace("late_rule_months: 6 ", "late_rule_months: six ").replace("years: 5\n", "years: 0\n"))
    told = str(error).splitlines()
    assert len(told) == 5  # one in the defaults, holds of our own, three rows of five years
    assert error.where == f"bad.yaml:{1 + next(i for i, line in enumerate(LINES) if 'late_rule_months' in line)}"
    assert "own_data.hold_years" in told[1]
    assert "categories.civil_party.years" in told[2]


@pytest.mark.parametrize(
    ("text", "where", "told"),
    [
        ("", 1, "the file is empty"),
        ("# nothing\n", 1, "the file is empty"),
        ("- a\n- b\n", 1, "mapping of keys and values"),
        ("just words\n", 1, "mapping of keys and values"),
        ("schema: retention-schedule/1\ncategories:\n\trecording: 1\n", 3, "'\\t'"),
        ("name: a\nname: b\n", 2, "name: this key stands here twice, first on line 1"),
        ("name: a\n---\nname: b\n", 2, "this is not YAML"),
        ("name: [a\n", 2, "this is not YAML"),
        ("name: a: b\n", 1, "this is not YAML"),
        ("name: 'a\x07'\n", 1, "forbids"),
        ("# a file\nname: 'a\x07'\n", 2, "forbids"),
        ("schema: &x retention-schedule/1\nname: *x\n", 2, "an alias"),
        ("approvers: &x [*x]\n", 1, "an alias"),
        ("name: !!python/name:os.system x\n", 1, "the tag"),
        ("name: !secret x\n", 1, "the tag"),
        ("name:\n", 1, "there is no value"),
        ("? [a, b]\n: 1\n", 1, "a key is a single word"),
        ("plan_valid_hours: 0x48\n", 1, "digits 0 to 9"),
        ("plan_valid_hours: .inf\n", 1, "digits 0 to 9"),
        (f"plan_valid_hours: {'9' * 5000}\n", 1, "too long"),
        (f"plan_valid_hours: {'9' * 400}.0\n", 1, "too long"),
        ("[" * 1000, 1, "nested too deeply"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_line(text: str, where: int, told: str) -> None:
    error = refused(text)
    assert error.where == f"bad.yaml:{where}"
    assert told in str(error).splitlines()[0]


@pytest.mark.parametrize(
    ("old", "new", "after", "told"),
    [
        ("months: 6", "months: '6'", "  social_card:\n    labels", "categories.social_card.months: this has to be a whole number"),
        ("months: 6", "months: 6.5", "  social_card:\n    labels", "categories.social_card.months"),
        (
            "months: 6",
            "months: 0",
            "  social_card:\n    labels",
            "categories.social_card.months: this has to be greater than or equal to 1",
        ),
        ("years: 5", "years: 2031", "  civil_party:\n    labels", "categories.civil_party.years: this has to be less than or equal to 200"),
        (
            "months: 6",
            "months: 120000",
            "  social_card:\n    labels",
            "categories.social_card.months: this has to be less than or equal to 2400",
        ),
        ("months: 6", "", "  social_card:\n    labels", "categories.social_card.months: this key is missing"),
        ("own_data:", "dpo: {name: DPO, email: zie website}\nown_data:", "", "dpo.email: an e-mail address has a name, @ and a domain"),
        ("own_data:", "watch: {backlog_days: 90}\nown_data:", "", "watch.backlog_days: this has to be less than or equal to 89"),
        ("type: months_after", "type: weeks_after", "", "categories.social_card.type: this has to be one of months_after"),
        ("type: months_after", "", "", "categories.social_card: the type is missing"),
        ("anchor: last_activity", "anchor: modified_on", "", "categories.social_card.anchor: this has to be one of last_activity"),
        ("anchor: last_activity", "anchor: {a: 1}", "", "categories.social_card.anchor"),
        ("anchor: last_activity", "anchor: []", "", "categories.social_card.anchor: this is empty"),
        ("closed_on]", "later]", "", "categories.civil_party.anchor[1]: this has to be one of last_activity"),
        ("disposition: delete", "disposition: keep", "", "categories.social_card.disposition: a disposition is one of retain, delete"),
        ("disposition: delete", "disposition: 3", "", "categories.social_card.disposition"),
        ("open_blocks: false", "open_blocks: no", "", "categories.social_card.open_blocks: this has to be true or false"),
        ("    source: Privacy policy §9\n", "", "  social_card:\n    labels", "categories.social_card.source: this key is missing"),
        ("source: Privacy policy §9", "source: '  '", "", "categories.social_card.source: this is empty"),
        (
            "de: Anfrage außerhalb unserer Zuständigkeit (Sozialkarte)",
            "it: x",
            "",
            "categories.social_card.labels.it: this key is not known",
        ),
        (
            "    k: 10",
            "    k: 10\n    bypass: [webhooks]",
            "",
            "categories.exploitation_organised.bypass[0]: this has to be one of plugins or flows",
        ),
        ("    basis:", "    bases:", "", "categories.social_card.bases: this key is not known"),
        ("valid_from: 2018-05-25", "valid_from: spring", "", "valid_from: this has to be a date"),
        ("valid_from: 2018-05-25", "valid_from: 2018-02-30", "", "valid_from: this has to be a date"),
        ("valid_from: 2018-05-25", "valid_from: 20180525", "", "valid_from: this has to be a date"),
        ("valid_from: 2018-05-25\n", "", "", "valid_from: this key is missing"),
        ('version: "1.0"', "version: 1.0", "", "version: this has to be text: put it in quotes"),
        ("schema: retention-schedule/1", "schema: retention-schedule/2", "", "schema: this has to be retention-schedule/1"),
        ("  late_rule_months: 6", "  country: XX\n  late_rule_months: 6", "", "defaults.country: no telephone numbers are known of it"),
        (
            "  late_rule_months: 6",
            "  country: NL\n  late_rule_months: 6",
            "",
            "country: name the public holidays that count in NL",
        ),
        ("timezone: Europe/Brussels", "timezone: Europe/Brusels", "", "timezone: there is no such time zone"),
        ("  social_card:\n    labels", "  Social-Card:\n    labels", "", "categories.Social-Card: a key has small letters"),
        ("outcomes: [returned]", "outcomes: [returnd]", "", "derive.third_party_abduction[0].outcomes[0]: this has to be one of located"),
        ("flag: RECLASSIFY", "flag: LOOK", "", "derive.unexplained_disappearance[0].flag: this has to be one of OUTCOME_AMBIGUOUS"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_field(old: str, new: str, after: str, told: str) -> None:
    text = changed(old, new, after=after)
    error = refused(text)
    assert told in str(error)
    assert int(error.where.removeprefix("bad.yaml:")) <= len(LINES)


def test_a_schedule_of_another_country_names_its_clock_too() -> None:
    """DAT-01: days of the first country's capital are not taken for those of another."""
    home = "  country: PT\n  holidays: PT\n  national_number: none\n  late_rule_months: 6"
    text = changed("  late_rule_months: 6", home).replace("timezone: Europe/Brussels\n", "")
    assert "country: name the time zone whose days count in PT" in str(refused(text))


# R-022 is the third line: who proposes a schedule does not approve it.
@pytest.mark.parametrize(
    ("old", "new", "after", "told"),
    [
        ("- Executive director", "- board  of DIRECTORS", "", "approvers: a schedule is approved by two different persons"),
        ("  - Executive director\n", "", "", "approvers: a schedule is approved by two different persons"),
        ("approvers:", "proposed_by: executive director\napprovers:", "", "proposed_by: who proposes a schedule does not approve it"),
        ("- key: social_card", "- key: social_kard", "", "derive.social_card[0].key: there is no category social_kard"),
        ("- key: social_card", "- key: recording", "", "derive.social_card[0].key: recording is not a category of dossiers"),
        ("not_located, not_returned, found", "not_located, found", "", "derive.third_party_abduction: no line is for not_returned"),
        ("outcomes: [returned]", "outcomes: [returned, located]", "", "derive.third_party_abduction[1]: located has two lines"),
        ("      outcomes: [returned]\n", "", "", "derive.third_party_abduction[1]: located has two lines"),
        ("outcomes: [returned]", "outcomes: [returned, returned]", "", "derive.third_party_abduction[0].outcomes: an outcome stands"),
        ("  runaway:\n    - key: missing_runaway", "  runaway: []", "", "derive.runaway: no line is for the empty outcome"),
        ("unit: recording", "unit: dossier", "", "categories.recording.unit: the unit of the row recording is recording"),
        ("    unit: recording", "    unit: recording\n    enabled: false", "", "categories.recording.enabled: the row recording cannot"),
        ("disposition: delete", "disposition: anonymise", "  recording:", "categories.recording.disposition: a recording is deleted"),
        ("disposition: retain", "disposition: delete", "", "categories.missing_unexplained.disposition: a row without a term says retain"),
        (
            "disposition: delete",
            "disposition: retain",
            "",
            "categories.social_card.disposition: only a row of the type no_term says retain",
        ),
        ("anchor: last_activity", "anchor: ended_on", "", "categories.social_card.anchor: ended_on does not fit the unit dossier"),
        ("anchor: last_activity", "anchor: booked_on", "", "categories.social_card.anchor: booked_on does not fit the unit dossier"),
        ("anchor: ended_on", "anchor: last_activity", "", "categories.recording.anchor: last_activity does not fit the unit recording"),
        ("closed_on]", "proceedings_ended_on]", "", "categories.civil_party.anchor: an anchor stands here twice"),
        (
            "language: nl",
            "national_number: xx.yy\n  language: nl",
            "",
            "defaults.national_number: no check of such national numbers is known",
        ),
        ("language: nl", "holidays: XQ\n  language: nl", "", "defaults.holidays: no public holidays are known of it"),
        ("enabled: false", "enabled: true", "  volunteer:", "categories.volunteer.basis: the controller has not decided yet"),
        (
            "enabled: false",
            "enabled: true",
            "  partner_contact:",
            "categories.partner_contact.anchor: the end of a partnership is recorded",
        ),
        (
            "enabled: false",
            "enabled: true",
            "  training_participant:",
            "categories.training_participant.kinds: without kinds the row is for every enrolment, also for those of academy_participant",
        ),
        (
            "disposition: delete",
            "disposition: anonymise",
            "  volunteer:",
            "categories.volunteer.disposition: a row for the unit engagement",
        ),
        ("    unit: donation\n", "    unit: donation\n    kinds: [cash]\n", "", "categories.donor_payment.kinds: the unit donation has no"),
        ("kinds: [volunteer]", "kinds: []", "", "categories.volunteer.kinds: this is empty"),
        (
            "    unit: donation\n",
            "    unit: donation\n    approvers: [One, ' one ']\n",
            "",
            "categories.donor_payment.approvers: a row is approved by two different persons",
        ),
        ("    k: 10", "    k: 10\n    approvers: [One]", "", "categories.exploitation_organised.approvers: a row is approved"),
        (
            "type: months_after\n    months: 6\n    anchor: ended_on",
            "type: until_age\n    age: 18",
            "",
            "recording.type: the unit recording has no age",
        ),
        (
            "    unit: donation\n",
            "    unit: donation\n    leads_to_child: false\n",
            "",
            "donor_payment.leads_to_child: the unit donation is no",
        ),
        ("    k: 10", "    k: 10\n    open_blocks: false", "", "exploitation_organised.open_blocks: only a category of months"),
        (
            "    k: 10",
            "    k: 10\n    bypass: [plugins, plugins]",
            "",
            "categories.exploitation_organised.bypass: a word stands here twice",
        ),
        ("\nbackups:", "\ncontacts:\n  bypass: [flows, flows]\nbackups:", "", "contacts.bypass: a word stands here twice"),
        ("    type: no_term", "    type: no_term\n    bypass: [flows]", "", "bypass: a row without a term disposes of nothing"),
        ("    unit: contact", "    unit: contact\n    bypass: [flows]", "", "a row for contacts decides over no contact"),
        ("  missing_runaway:\n", "  total_other:\n", "", "categories.total_other: keys that begin with total_"),
        ("unit: contact", "unit: recording", "", "categories.donor_profile.unit: recordings go by the row recording alone"),
    ],
)
def test_a_schedule_that_would_not_work_is_refused(old: str, new: str, after: str, told: str) -> None:
    assert told in str(refused(changed(old, new, after=after)))


def test_a_category_that_is_derived_elsewhere_does_not_reach_the_row_of_its_own_key() -> None:
    error = refused(changed("- key: social_card", "- key: e_safety"))
    assert "categories.social_card: no line of derive leads here" in str(error)


def test_a_row_is_reached_by_the_category_of_its_own_name_where_the_mapping_has_that() -> None:
    """RET-12: which categories there are is the mapping's to tell; without one any may be."""
    text = changed("  runaway:\n    - key: missing_runaway\n", "")
    assert "missing_runaway" in load_policy(text, source="ours.yaml").crm_categories
    assert "missing_runaway" not in load_policy(text, source="ours.yaml", crm_categories={"missing_runaway"}).led_to
    with pytest.raises(PolicyError) as caught:
        load_policy(text, source="ours.yaml", crm_categories={"runaway"})
    assert "categories.missing_runaway: no line of derive leads here, and the mapping has no category missing_runaway" in str(caught.value)
    assert caught.value.where == f"ours.yaml:{text[: text.index('  missing_runaway:')].count(chr(10)) + 1}"


def test_one_mistake_is_told_once() -> None:
    error = refused(changed("    months: 6\n", "    months:\n"))
    told = "categories.social_card.months: there is no value, and the key has to be there: write one"
    assert str(error) == f"the retention schedule is refused: {told}"


def test_nobody_is_told_to_leave_out_a_key_that_has_to_be_there() -> None:
    start, end = TEXT.index("derive:\n"), TEXT.index("\ncategories:\n")
    told = "derive: there is no value, and the key has to be there: write {} where there is nothing to say"
    assert str(refused(TEXT[:start] + "derive:\n" + TEXT[end:])).endswith(told)
    told = "defaults.country: there is no value: write one, or leave the key out"
    assert told in str(refused(changed("defaults:\n", "defaults:\n  country:\n")))


def test_an_event_that_does_not_fit_is_told_under_its_own_key() -> None:
    text = changed("type: months_after\n    months: 6\n    anchor: transmitted_on", "type: until_event\n    event: held_on")
    assert "categories.csam_report.event: held_on does not fit the unit dossier" in str(refused(text))


def test_a_schedule_without_the_row_of_recordings_is_refused() -> None:
    assert "the row recording is missing" in str(refused(changed("  recording:\n    labels", "  recordings:\n    labels")))


def test_an_empty_schedule_is_refused() -> None:
    head = TEXT[: TEXT.index("derive:\n")]
    error = refused(head + "derive: {}\ncategories: {}\n")
    assert "no row is enabled" in str(error)
    assert error.where == f"bad.yaml:{head.count(chr(10)) + 2}"


def test_a_schedule_with_every_row_switched_off_is_refused() -> None:
    text = TEXT.replace("    enabled: false\n", "").replace("    disposition:", "    enabled: false\n    disposition:")
    assert "no row is enabled" in str(refused(text))


def test_the_key_of_a_crm_category_needs_no_derivation() -> None:
    """R-021: a row for csam_report, approved by two persons, works by itself."""
    text = changed("  csam_report:\n    - key: csam_report\n", "")
    text = changed_in(text, "basis: To be decided by the controller", "basis: Informing the police", after="  csam_report:\n")
    policy = load_policy(changed_in(text, "enabled: false", "enabled: true", after="  csam_report:\n"), source="ours.yaml")
    assert Classifier(policy).derive("csam_report", None).key == "csam_report"
    assert policy.categories["csam_report"].disposition is Disposition.DELETE


def changed_in(text: str, old: str, new: str, *, after: str) -> str:
    place = text.index(old, text.index(after))
    return text[:place] + new + text[place + len(old) :]


def test_a_crm_category_of_our_own_is_reached_by_a_derivation() -> None:
    text = changed("  sexual_abuse_other:\n    - key: sexual_abuse_other\n", "  our_own:\n    - key: sexual_abuse_other\n")
    assert load_policy(text, source="ours.yaml").derive["our_own"][0].key == "sexual_abuse_other"


def test_the_limits_can_be_changed_by_a_script() -> None:
    narrow = load_policy(TEXT.replace("max: 200", "max: 1"), source="narrow.yaml")
    assert (narrow.limits.units.max, narrow.limits.recordings.max) == (1, 1)
    assert load_policy(TEXT.replace("plan_valid_hours: 72", "plan_valid_hours: 1"), source="short.yaml").plan_valid_hours == 1


def test_windows_line_ends_and_a_byte_order_mark_are_read() -> None:
    assert load_policy("\ufeff" + TEXT.replace("\n", "\r\n"), source="dos.yaml").version == "1.0"


@settings(deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_read_and_nothing_else(data: st.DataObject) -> None:
    """Whatever stands in one line, the loader answers with a schedule or with a PolicyError that names a line
    of the file."""
    number = data.draw(st.integers(0, len(LINES) - 1))
    line = data.draw(st.text(max_size=30) | st.sampled_from(["", "  a: [", "- x", "? y", "key: *a", "months: -1", "    type: no_term"]))
    text = "\n".join([*LINES[:number], line, *LINES[number + 1 :]]) + "\n"
    try:
        load_policy(text, source="bad.yaml")
    except PolicyError as error:
        source, _, place = error.where.rpartition(":")
        assert source == "bad.yaml"
        assert 1 <= int(place) <= len(text.splitlines()) + 1
