"""policy: versions in a folder, differences in words, simulation and the yearly review."""

import csv
import json
from datetime import date
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from crm_compliance.reports.policy_changes import COLUMNS, NEW_COLUMNS
from tests.drivers.night import Night, approve_where_needed, brussels_noon
from tests.drivers.organisation import set_faults
from tests.drivers.typist import LONG_AGO, Typist, limited, people_and_cases, schedule_text, without_first_look

DATA = Path(__file__).parents[3] / "data"

SHIPPED_AGE = "rule: RET-08\n    type: until_age\n    age: 25\n    disposition: anonymise\n    mission: disappearance\n  missing_intl"


def changed(typist: Typist, name: str, *pairs: tuple[str, str], folder: Path | None = None) -> Path:
    """The shipped schedule with changes, in a file."""
    text = schedule_text(typist)
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = (folder or typist.folder) / name
    path.write_text(text, encoding="utf-8")
    return path


SHORTER = (SHIPPED_AGE, SHIPPED_AGE.replace("age: 25", "age: 21"))
NEXT = ('version: "1.0"\nvalid_from: 2018-05-25', 'version: "2.0"\nvalid_from: 2026-12-01')


def two_versions(typist: Typist, difference: tuple[str, str]) -> Path:
    """A folder with the shipped version, in force, and one from December on with a difference."""
    versions = typist.folder / "versions"
    versions.mkdir()
    changed(typist, "first.yaml", folder=versions)
    changed(typist, "second.yaml", NEXT, difference, folder=versions)
    typist.set(POLICY=str(versions))
    return versions


@pytest.fixture
def folder(typist: Typist) -> Path:
    """Two versions: one in force, one from December on in which running away ends at 21."""
    return two_versions(typist, SHORTER)


def ready_on_the_last_night(typist: Typist, org: Night) -> str:
    """An approved plan of the first version's last evening, to be applied under the second."""
    typist.set(CLOCK="2026-11-30T20:00:00Z")
    plan: str = typist.ask("plan")["plan"]
    approve_where_needed(org.store, plan, brussels_noon(date(2026, 11, 30)).replace(hour=20), org.key)
    typist.set(CLOCK="2026-12-01T08:00:00Z")
    return plan


def test_the_version_of_the_day_is_in_force(typist: Typist, folder: Path) -> None:
    """RET-06, ACC-01: of several versions the one with the latest first day up to the day."""
    document = typist.ask("policy", "show")
    assert (document["version"], document["source"]) == ("1.0", str(folder / "first.yaml"))
    assert [(one["version"], one["in_force"]) for one in document["versions"]] == [("1.0", True), ("2.0", False)]
    typist.set(CLOCK="2026-11-30T23:00:00Z")  # midnight of 1 December in Brussels
    assert typist.ask("policy", "check")["version"] == "2.0"
    typist.set(CLOCK="2026-11-30T22:59:59Z")
    assert typist.ask("policy", "check")["version"] == "1.0"


def test_a_plan_goes_by_the_version_of_the_day_that_it_looks_at(typist: Typist, org: Night, folder: Path) -> None:
    child = org.contact(birthdate="2005-01-01")
    dossier = org.dossier("runaway", spoken=date(2020, 1, 10))
    org.party(child, "child", dossier=dossier)
    assert typist.ask("plan")["policy_version"] == "1.0"
    later = typist.ask("plan", "--as-of", "2026-12-01")
    assert (later["policy_version"], later["dispose"]["anonymise"]) == ("2.0", 1)
    assert typist.ask("why", "cf_dossier", dossier)["policy_version"] == "1.0"


def test_a_run_keeps_the_version_of_its_plan(typist: Typist, org: Night, folder: Path) -> None:
    """A plan of the last night of a version is applied under it although another is in force by then; not
    where its file has gone."""
    org.dossier("social_card", spoken=LONG_AGO)
    typist.set(CLOCK="2026-11-30T20:00:00Z")
    plans = [typist.ask("plan")["plan"] for _ in range(2)]
    for plan in plans:
        approve_where_needed(org.store, plan, brussels_noon(date(2026, 11, 30)).replace(hour=20), org.key)
    typist.set(CLOCK="2026-12-01T08:00:00Z")
    assert {(each["of_no_use"], each["applicable"]) for each in typist.ask("plans", "list")} == {("", True)}
    run = typist.ask("apply", plans[0])
    assert (run["state"], run["deleted"]) == ("done", 1)
    assert typist.ask("plan")["policy_version"] == "2.0"
    (folder / "first.yaml").unlink()
    assert [each["of_no_use"] for each in typist.ask("plans", "list") if each["plan"] == plans[1]] == ["rules_changed"]
    assert "the schedule (1.0, now 2.0) changed" in typist.refused("apply", plans[1], code=5)["message"]


def test_what_the_version_in_force_by_now_keeps_stays(typist: Typist, org: Night) -> None:
    """Erasing too early cannot be repaired: a plan of the last night of a shorter term takes nothing that the
    longer one keeps."""
    two_versions(typist, ("    type: months_after\n    months: 6", "    type: months_after\n    months: 12"))
    kept, gone = org.dossier("social_card", spoken=date(2026, 2, 1)), org.dossier("social_card", spoken=LONG_AGO)
    run = typist.ask("apply", ready_on_the_last_night(typist, org))
    assert (run["deleted"], run["skipped"]) == (1, {"NOT_EXPIRED": 1})
    assert (org.get("cf_dossiers", gone), org.get("cf_dossiers", kept) is not None) == (None, True)


def test_what_the_version_in_force_by_now_counts_is_not_deleted_uncounted(typist: Typist, org: Night) -> None:
    """Nobody counts what is gone: it waits for a plan by the version that anonymises it."""
    two_versions(typist, ("    anchor: last_activity\n    disposition: delete", "    anchor: last_activity\n    disposition: anonymise"))
    org.dossier("social_card", spoken=LONG_AGO)
    run = typist.ask("apply", ready_on_the_last_night(typist, org))
    assert (run["deleted"], run["skipped"]) == (0, {"CHANGED": 1})
    assert typist.ask("plan")["dispose"] == {"delete": 0, "anonymise": 1}


def test_a_run_that_goes_on_under_another_version_takes_nothing_that_it_keeps(typist: Typist, org: Night) -> None:
    """The CRM was away in the last night of a shorter term, and the run goes on under the longer one."""
    two_versions(typist, ("    type: months_after\n    months: 6", "    type: months_after\n    months: 12"))
    kept, gone = org.dossier("social_card", spoken=date(2026, 2, 1)), org.dossier("social_card", spoken=LONG_AGO)
    plan = ready_on_the_last_night(typist, org)
    typist.set(CLOCK="2026-11-30T20:00:00Z")
    set_faults(org.emulator, {"match": {"path": "cf_fiches"}, "do": "status", "status": 503})
    assert typist.type("apply", plan).code == 4
    set_faults(org.emulator)
    typist.set(CLOCK="2026-12-01T08:00:00Z")
    run = typist.ask("apply", plan)
    assert (run["deleted"], run["skipped"]) == (1, {"NOT_EXPIRED": 1})
    assert (org.get("cf_dossiers", gone), org.get("cf_dossiers", kept) is not None) == (None, True)


def test_what_the_version_in_force_by_now_masks_is_not_deleted(typist: Typist, org: Night) -> None:
    two_versions(typist, ("limits:\n", "anonymise: {how: in_place}\nlimits:\n"))
    org.create("teams", "teamid", name="Geanonimiseerd")
    dossier = org.dossier("sexting", spoken=LONG_AGO)
    org.party(org.contact(birthdate="2000-02-01"), "child", dossier=dossier)
    run = typist.ask("apply", ready_on_the_last_night(typist, org))
    assert (run["anonymised"], run["skipped"]["CHANGED"]) == (0, 1)
    assert org.get("cf_dossiers", dossier) is not None


@pytest.mark.parametrize("keeps", ["quarantine", "canary"])
def test_what_waits_by_the_version_in_force_by_now_stays(typist: Typist, org: Night, keeps: str) -> None:
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    said = {
        "quarantine": "quarantine: {days: 14, categories: all, notice: none}\n",
        "canary": f"canaries: [{{table: cf_dossier, id: {dossier}, due: true}}]\n",
    }
    two_versions(typist, ("limits:\n", f"{said[keeps]}limits:\n"))
    run = typist.ask("apply", ready_on_the_last_night(typist, org))
    assert (run["deleted"], run["skipped"]) == (0, {"QUARANTINED" if keeps == "quarantine" else "CANARY": 1})
    assert org.get("cf_dossiers", dossier) is not None


def test_a_recording_that_the_version_in_force_by_now_keeps_does_not_go_with_its_fiche(typist: Typist, org: Night) -> None:
    """RET-03: it has a term of its own, so it loses its link alone."""
    fiche = org.fiche("social_card", spoken=LONG_AGO)
    recording = org.recording(date(2026, 3, 1), fiche=fiche)
    two_versions(typist, ("months: 6\n    anchor: ended_on", "months: 12\n    anchor: ended_on"))
    run = typist.ask("apply", ready_on_the_last_night(typist, org))
    assert org.get("cf_fiches", fiche) is None
    left = org.get("cf_recordings", recording)
    assert left is not None
    assert left["_cf_ficheid_value"] is None
    assert run["skipped"] == {"NOT_EXPIRED": 1}


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        (('version: "1.0"\nvalid_from: 2018-05-25', 'version: "1.0"\nvalid_from: 2026-12-01'), "has the same version: 1.0"),
        (('version: "1.0"', 'version: "2.0"'), "has the same valid_from: 2018-05-25"),
        (('name: childfocus\nversion: "1.0"\nvalid_from: 2018', 'name: other\nversion: "2.0"\nvalid_from: 2019'), "schedule other"),
    ],
)
def test_versions_that_nobody_could_tell_apart_are_refused(typist: Typist, folder: Path, pair: tuple[str, str], told: str) -> None:
    (folder / "second.yaml").write_text((folder / "first.yaml").read_text(encoding="utf-8").replace(*pair), encoding="utf-8")
    error = typist.refused("policy", "check", code=3)
    assert told in error["message"]
    assert error["where"].endswith("second.yaml")


def test_a_mistake_in_a_version_names_its_file_and_line(typist: Typist, folder: Path) -> None:
    path = folder / "second.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("    months: 6\n", "    months: six\n", 1), encoding="utf-8")
    line = text.splitlines().index("    months: 6") + 1
    assert typist.refused("policy", "check", folder, code=3)["where"] == f"{path}:{line}"


def test_the_first_of_two_mistakes_in_one_line_has_its_place_too(typist: Typist) -> None:
    labels = "labels: {nl: E-safety, fr: E-safety (sécurité en ligne), en: Online-safety question, de: E-Safety (Online-Sicherheit)}"
    path = changed(typist, "labels.yaml", (labels, "labels: {nl: E-safety}"))
    said = typist.type("policy", "check", path)
    assert said.code == 3
    place = f"{path}:{next(at for at, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1) if 'nl: E-safety}' in line)}"
    assert [line.partition(": ")[0] for line in said.err.removeprefix("error: ").splitlines()[:3]] == [place, f"  {place}", f"  {place}"]


def test_what_the_controller_has_yet_to_fill_in_is_named(typist: Typist) -> None:
    """ACC-01: a schedule that is in order may still lack what answers tell people."""
    lacking = typist.ask("policy", "check")["unfilled"]
    assert "purposes.fundraising.basis" in lacking
    said = typist.type("policy", "check")
    assert said.code == 0
    assert all(key in said.out for key in lacking)
    basis = dict.fromkeys(("nl", "fr", "en", "de"), "Verzonnen grondslag")
    text = (files("rules") / "organisation" / "shipped" / "childfocus.yaml").read_text(encoding="utf-8")
    filled = typist.folder / "organisation.yaml"
    filled.write_text(text.replace("  fundraising:", f"  fundraising:\n    basis: {json.dumps(basis)}"), encoding="utf-8")
    typist.set(ORGANISATION=str(filled))
    assert typist.ask("policy", "check")["unfilled"] == [key for key in lacking if key != "purposes.fundraising.basis"]


def test_an_empty_folder_is_no_schedule(typist: Typist) -> None:
    empty = typist.folder / "empty"
    empty.mkdir()
    assert typist.refused("policy", "check", empty, code=3)["where"] == str(empty)


def test_a_row_that_nobody_decided_upon_cannot_be_enabled(typist: Typist) -> None:
    """RET-06: a basis that is still to be decided is none; the line is named."""
    text = schedule_text(typist)
    start = text.index("\n  volunteer:\n")
    path = typist.folder / "on.yaml"
    path.write_text(text[:start] + text[start:].replace("enabled: false", "enabled: true", 1), encoding="utf-8")
    error = typist.refused("policy", "check", path, code=3)
    assert "categories.volunteer.basis" in error["message"]
    line = text[:start].count("\n") + text[start:].split("basis:")[0].count("\n") + 1
    assert error["where"] == f"{path}:{line}"


def test_a_row_that_no_category_of_the_named_mapping_goes_by_is_refused(typist: Typist) -> None:
    """RET-12: it would decide over nothing. Which categories there are is said by the mapping alone."""
    line = "  pesten:\n    - key: bullying\n"
    path, mapping = typist.folder / "policy.yaml", typist.folder / "mapping.yaml"
    path.write_text((DATA / "second-policy.yaml").read_text("utf-8").replace(line, ""), encoding="utf-8")
    assert typist.ask("policy", "check", path)["ok"] is True
    mapping.write_text((DATA / "second-mapping.yaml").read_text("utf-8"), encoding="utf-8")
    typist.set(MAPPING=str(mapping))
    error = typist.refused("policy", "check", path, code=3)
    assert "categories.bullying: no line of derive leads here, and the mapping has no category bullying" in error["message"]
    assert error["where"].startswith(f"{path}:")
    mapping.write_text(mapping.read_text("utf-8").replace("runaway", "bullying"), encoding="utf-8")
    assert typist.ask("policy", "check", path)["ok"] is True


def test_a_difference_is_told_in_words_with_its_direction(typist: Typist) -> None:
    old, new = changed(typist, "old.yaml"), changed(typist, "new.yaml", SHORTER, ("max: 200", "max: 50"))
    document = typist.ask("policy", "diff", old, new)
    assert document["changes"] == [
        {
            "where": "categories.missing_runaway.age",
            "old": 25,
            "new": 21,
            "sentence": "missing_runaway: kept until 25 → until 21; affects units with runaway",
            "direction": "earlier",
        },
        {
            "where": "limits.units.max",
            "old": 200,
            "new": 50,
            "sentence": "units that a plan may dispose of without two approvals: 200 → 50",
            "direction": "later",
        },
    ]
    said = typist.type("policy", "diff", old, new)
    assert said.code == 0
    assert said.out.index("erases EARLIER (1)") < said.out.index("keeps longer (1)")
    assert "The two say the same." in typist.type("policy", "diff", old, old).out


def test_a_change_without_another_version_is_told(typist: Typist) -> None:
    """Plans and certificates name the version: one name for two schedules would say nothing."""
    old, same, raised = changed(typist, "old.yaml"), changed(typist, "same.yaml", SHORTER), changed(typist, "raised.yaml", SHORTER, NEXT)
    assert "Both are version 1.0 of childfocus: raise the version" in typist.type("policy", "diff", old, same).out
    assert "Both are" not in typist.type("policy", "diff", old, raised).out
    assert "Both are" not in typist.type("policy", "diff", old, old).out


def test_a_simulation_tells_what_would_change_and_writes_nothing(typist: Typist, org: Night) -> None:
    """R-061: not to the CRM, not to the store."""
    case = people_and_cases(org)
    child = org.contact(birthdate="2003-01-01")
    runaway = org.dossier("runaway", spoken=date(2015, 1, 10))
    org.party(child, "child", dossier=runaway)
    new = changed(typist, "new.yaml", SHORTER)
    plan = typist.ask("plan")
    before, stored = org.writes(), (len(list(org.store.ledger.entries())), len(org.store.plans.all()), len(org.store.runs.all()))
    output = typist.folder / "changed.jsonl"
    document = typist.ask("policy", "simulate", new, "--output", output)
    assert (org.writes(), (len(list(org.store.ledger.entries())), len(org.store.plans.all()), len(org.store.runs.all()))) == (
        before,
        stored,
    )
    assert document["changed"] == {"would_go": 1, "would_stay": 0, "disposition": 0, "end_moves": 0, "reason": 0}
    assert document["by_category"] == {"missing_runaway": document["changed"]}
    assert document["by_month"] == {"2024-01": document["changed"]}
    (unit,) = document["units_changed"]
    assert (unit["table"], unit["id"], unit["change"]) == ("cf_dossier", runaway, "would_go")
    assert (unit["old"]["outcome"], unit["old"]["retention_end"], unit["old"]["reason"]) == ("retain", "2028-01-01", "NOT_EXPIRED")
    assert (unit["new"]["outcome"], unit["new"]["disposition"], unit["new"]["retention_end"]) == ("dispose", "anonymise", "2024-01-01")
    contacts = sum(1 for line in org.lines(org.store.plans.get(plan["plan"])).values() if line.table == "contact")
    assert document["units"] == plan["units"] - contacts
    disposed = sum(plan["dispose"].values()) - 1  # one of them is the contact of the anonymised dossier
    assert sum(document["dispose"][name]["old"] for name in ("units", "recordings")) == disposed
    assert document["dispose"]["contacts"] == {"old": 1, "new": 2}
    assert [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()] == document["units_changed"]
    assert case["anonymise"] not in output.read_text(encoding="utf-8")


def test_a_simulation_foresees_two_years(typist: Typist, org: Night) -> None:
    """A unit goes in the month of the day after its end; what is due by now goes in this one (DAT-02)."""
    org.dossier("social_card", spoken=LONG_AGO)
    org.dossier("social_card", spoken=date(2026, 7, 31))  # ends 2027-01-31, so it goes in February
    org.dossier("grooming", spoken=LONG_AGO, closed=False)
    new = changed(typist, "new.yaml", ("    type: months_after\n    months: 6", "    type: months_after\n    months: 12"))
    forecast = typist.ask("policy", "simulate", new)["forecast"]
    assert [one["month"] for one in forecast][:2] == ["2026-11", "2026-12"]
    assert (len(forecast), forecast[-1]["month"]) == (24, "2028-10")
    assert [(one["month"], one["old"], one["new"]) for one in forecast if one["old"] or one["new"]] == [
        ("2026-11", 1, 1),
        ("2027-02", 1, 0),
        ("2027-08", 0, 1),
    ]


def test_a_simulation_shows_what_a_row_for_gifts_would_do(typist: Typist, org: Night) -> None:
    donor = org.contact()
    bind = {"cf_ContactId@odata.bind": f"/contacts({donor})"}
    gift = org.create("cf_donations", "cf_donationid", cf_name="gift", cf_bookedon="2014-01-01T11:00:00Z", **bind)
    text = schedule_text(typist)
    at = text.index("\n  donor_payment:\n")
    new = typist.folder / "new.yaml"
    new.write_text(text[:at] + text[at:].replace("enabled: false", "enabled: true", 1), encoding="utf-8")
    document = typist.ask("policy", "simulate", new)
    (unit,) = document["units_changed"]
    assert (unit["id"], unit["change"], unit["old"]["reason"]) == (gift, "would_go", "UNCONFIGURED")
    assert document["dispose"]["contacts"] == {"old": 0, "new": 1}
    assert org.get("cf_donations", gift) is not None


def test_the_units_that_change_are_written_as_csv(typist: Typist, org: Night) -> None:
    runaway = org.dossier("runaway", spoken=date(2015, 1, 10))
    org.party(org.contact(birthdate="2003-01-01"), "child", dossier=runaway)
    new, path = changed(typist, "new.yaml", SHORTER), typist.folder / "changed.csv"
    said = typist.type("policy", "simulate", new, "--output", path)
    assert said.code == 0
    assert said.last == f"written: {path}"
    assert "kept now, would go" in said.out
    assert max(map(len, said.out.replace(str(path), "").splitlines())) <= 80
    head, row = csv.reader(path.read_text(encoding="utf-8").splitlines())
    assert tuple(head) == (*COLUMNS, *NEW_COLUMNS, "link")
    unit = dict(zip(head, row, strict=True))
    assert unit["new_end"] == "2024-01-01"
    assert unit["link"].startswith("http")
    assert f"etn=cf_dossier&id={runaway}" in unit["link"]
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("line", ["policy simulate NEW --output x.html", "policy review --output x.csv", "policy review"])
def test_an_unknown_format_costs_no_reading(typist: Typist, line: str) -> None:
    typist.set(CRM_URL="http://127.0.0.1:9/api/data/v9.2/")
    typist.refused(*line.replace("NEW", str(changed(typist, "n.yaml"))).split(), code=2)


class Text(HTMLParser):
    """What a reader of the page sees, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name == "href"]


def test_the_yearly_review_tells_what_is_left_to_decide(typist: Typist, org: Night) -> None:
    """RET-14, RET-15, RET-24, ACC-01."""
    older, newer = (
        org.dossier("unexplained_disappearance", spoken=date(2015, 3, 1)),
        org.dossier("unexplained_disappearance", spoken=date(2019, 7, 1)),
    )
    org.dossier("unexplained_disappearance", spoken=date(2024, 1, 10))
    org.dossier("csam_report", spoken=LONG_AGO)
    org.fiche(None, spoken=LONG_AGO)
    org.dossier("runaway", spoken=LONG_AGO)  # without a child: its birth date is unknown
    org.dossier("social_card", spoken=LONG_AGO)
    limited(typist, max=0)
    plan = typist.ask("plan")["plan"]
    approve_where_needed(org.store, plan, brussels_noon(date(2026, 11, 25)), org.key)
    path = typist.folder / "review.json"
    before, stored = org.writes(), len(list(org.store.ledger.entries()))
    document = typist.ask("policy", "review", "--output", path)
    assert (org.writes(), len(list(org.store.ledger.entries()))) == (before, stored)
    assert json.loads(path.read_text(encoding="utf-8")) | {"files": [str(path)]} == document
    assert {row["category"]: row["units"] for row in document["without_term"]} == {
        "missing_unexplained": 3,
        "missing_intl_abduction_unlocated": 0,
        "missing_third_party_not_returned": 0,
    }
    assert document["unconfigured"] == [{"category": "", "units": 1}, {"category": "csam_report", "units": 1}]
    assert [(row["id"], row["due"]) for row in document["reviews_due"]] == [(older, "2020-03"), (newer, "2024-07")]
    assert "civil_party" in document["unused"]
    assert "missing_runaway" not in document["unused"]
    assert document["in_doubt"]["BIRTHDATE_UNKNOWN"] == 1
    assert document["unfilled"] == typist.ask("policy", "check")["unfilled"]
    (override,) = document["overrides"]
    assert (override["plan"], sorted(override["roles"])) == (plan, ["crm_admin", "dpo"])
    (version,) = document["versions"]
    assert (version["version"], version["plans"], version["first_used_on"]) == ("1.0", 1, "2026-11-25")


def test_the_yearly_review_can_be_read_in_a_meeting(typist: Typist, org: Night) -> None:
    """ACC-04: ids are links into the CRM, and nobody is named."""
    dossier = org.dossier("unexplained_disappearance", spoken=date(2015, 3, 1))
    org.party(org.contact(birthdate="2003-01-01"), "child", dossier=dossier)
    path = typist.folder / "review.html"
    said = typist.type("policy", "review", "--output", path)
    assert (said.code, said.last) == (0, f"written: {path}")
    page = path.read_text(encoding="utf-8")
    reader = Text()
    reader.feed(page)
    words = " ".join(reader.words)
    assert "Due since 2020-03" in words
    assert "Yet to be filled in by the controller" in words
    assert all(key in words for key in typist.ask("policy", "check")["unfilled"])
    assert [link for link in reader.links if dossier in link]
    assert all(link.startswith(("#", "http")) for link in reader.links)
    assert "Peeters" not in page
    assert "2003-01-01" not in page
    assert "<script" not in page


def test_only_a_guard_that_people_overruled_is_an_override(typist: Typist, org: Night) -> None:
    """The first look at a category (9.4) overrules nothing, and neither does a plan that was rejected."""
    org.dossier("social_card", spoken=LONG_AGO)
    path = typist.folder / "review.json"
    first = typist.ask("plan")["plan"]
    approve_where_needed(org.store, first, brussels_noon(date(2026, 11, 25)), org.key)
    assert typist.ask("policy", "review", "--output", path)["overrides"] == []
    limited(typist, max=0)
    plan = typist.ask("plan")["plan"]
    assert typist.ask("policy", "review", "--output", path)["overrides"] == []
    assert typist.type("plans", "reject", plan, "--as", "ben", "--role", "dpo", "--comment", "wrong").code == 0
    assert typist.ask("policy", "review", "--output", path)["overrides"] == []


def test_approvals_count_no_longer_than_by_the_version_in_force(typist: Typist, org: Night) -> None:
    """RET-24: two people have looked twelve hours ago, and the second version believes them for four."""
    two_versions(typist, ("first_run: true\n  valid_hours: 72", "first_run: true\n  valid_hours: 4"))
    fiche = org.fiche("social_card", spoken=LONG_AGO)
    error = typist.refused("apply", ready_on_the_last_night(typist, org), code=5)
    assert (error["code"], "has approvals that count no more by 2.0" in error["message"]) == ("rules_changed", True)
    assert org.get("cf_fiches", fiche) is not None


@pytest.mark.parametrize(
    ("difference", "told"),
    [
        (("max: 200", "max: 1"), "disposes of what does not go without approval by"),
        (("limits:\n", "limits:\n  categories:\n    social_card: {max: 1}\n"), "disposes of what does not go without approval by"),
        (("limits:\n", "limits:\n  categories:\n    social_card: {percent: 50}\n"), "disposes of what does not go without approval by"),
        (("first_run: false", "first_run: true"), "disposes of what does not go without approval by"),
        (("plan_valid_hours: 72", "plan_valid_hours: 4"), "has expired by"),
    ],
)
def test_a_plan_of_an_earlier_version_gives_way_to_the_limits_of_the_one_in_force(
    typist: Typist, org: Night, difference: tuple[str, str], told: str
) -> None:
    """RET-24: a plan that nobody had to approve, too large for the second version or too old by it."""
    fiches = [org.fiche("social_card", spoken=LONG_AGO) for _ in range(2)]
    without_first_look(typist)
    two_versions(typist, difference)
    typist.set(CLOCK="2026-11-30T20:00:00Z")
    plan = typist.ask("plan")
    assert plan["approvals"]["needed"] == []
    typist.set(CLOCK="2026-12-01T08:00:00Z")
    error = typist.refused("apply", plan["plan"], code=5)
    assert (error["code"], told in error["message"]) == ("rules_changed", True)
    assert org.get("cf_fiches", fiches[0]) is not None
