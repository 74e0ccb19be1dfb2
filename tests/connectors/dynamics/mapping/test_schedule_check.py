"""What a mapping names of the schedule and is not there: rows of dependent tables that no row in force
decides over are kept for ever (R-158, R-161)."""

from pathlib import Path

import pytest

from connectors.dynamics.mapping.loader import parse_mapping
from connectors.dynamics.mapping.schedule_check import misspelt
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from crm_compliance.wiring.schedule import policy_text
from rules.policy.loader import load_policy

DATA = Path(__file__).parents[3] / "data"
VISITS = """
  home_visits:
    labels: {nl: Huisbezoeken, fr: Visites, en: Home visits, de: Hausbesuche}
    basis: Reports are needed to account for the visits
    source: Decision of the controller of 3 March 2026
    unit: own_table
    type: years_after
    years: 3
    anchor: own_date
    disposition: delete
"""
TERM = """
dependent:
  cf_homevisit:
    belongs_to: {cf_dossierid: dossier}
    dates: [cf_on]
    term:
      row: home_visits
      date: cf_on
"""
KEPT = "the rows of cf_homevisit are kept as UNCONFIGURED"


@pytest.mark.parametrize(
    ("row", "schedule", "told", "meant"),
    [
        ("home_visits", VISITS, "", ""),
        ("home_visit", VISITS, f"the schedule has no row home_visit, and {KEPT}: add it for the unit own_table", "home_visits"),
        ("paragraphs", VISITS, f"the schedule has no row paragraphs, and {KEPT}: add it for the unit own_table", ""),
        ("home_visits", "\n", f"the schedule has no row home_visits, and {KEPT}", ""),
        ("home_visits", VISITS + "    enabled: false\n", f"the row home_visits of the schedule is not enabled, and {KEPT}", ""),
        (
            "volunteer",
            VISITS,
            f"the row volunteer of the schedule is for the unit engagement, and {KEPT}: name one for the unit own_table",
            "",
        ),
    ],
)
def test_a_row_that_decides_over_nothing_is_told_by_its_line(row: str, schedule: str, told: str, meant: str) -> None:
    text = mapping_text(Settings())[0] + TERM.replace("row: home_visits", f"row: {row}")
    policy = load_policy(policy_text(Settings())[0].replace("\ncategories:\n", f"\ncategories:{schedule}", 1), source="policy.yaml")
    found = list(misspelt(parse_mapping(text, "m.yaml"), policy))
    line = next(number for number, each in enumerate(text.splitlines(), 1) if each.strip() == f"row: {row}")
    assert [(each.where, each.meant) for each in found] == ([(f"m.yaml:{line}", meant)] if told else [])
    assert all(each.message.startswith(told) for each in found)
    assert all((f"did you mean {meant}?" in each.message) is bool(meant) for each in found)


@pytest.mark.parametrize("part", ["flags", "choices"])
def test_a_key_that_is_like_one_of_the_schedule_is_told_wherever_it_stands(part: str) -> None:
    text = mapping_text(Settings())[0].replace("100000030: runaway", "100000030: runawy")
    if part == "flags":
        fiche = text.index("  fiche:\n")
        text = text.replace("runawy", "runaway")
        text = text[:fiche] + text[fiche:].replace("      categories: cf_categories\n", "", 1).replace(
            "      categories: *categories\n", "", 1
        )
        text = text.replace(
            "    table: cf_fiche\n", "    table: cf_fiche\n    flags:\n      categories:\n        cf_isrunaway: runawy\n", 1
        )
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "runawy" in each)
    found = list(misspelt(parse_mapping(text, "m.yaml"), load_policy(policy_text(Settings())[0], source="policy.yaml")))
    assert [(each.where, each.meant) for each in found] == [(f"m.yaml:{line}", "runaway")]


@pytest.mark.parametrize(("key", "told"), [("bullying", False), ("pesten", True)])
def test_a_row_in_force_that_no_category_of_the_mapping_goes_by_is_told(key: str, told: bool) -> None:
    """It decides over nothing, and its units are kept as UNCONFIGURED (RET-12, R-161)."""
    mapping = (DATA / "second-mapping.yaml").read_text("utf-8").replace("runaway", key)
    text = (DATA / "second-policy.yaml").read_text("utf-8").replace("  pesten:\n    - key: bullying\n", "")
    found = list(misspelt(parse_mapping(mapping, "m.yaml"), load_policy(text, source="policy.yaml")))
    line = next(number for number, each in enumerate(mapping.splitlines(), 1) if f": {key}" in each)
    slips = [each.where for each in found if "goes by" in each.message and "bullying" in each.message]
    assert slips == ([f"m.yaml:{line}"] if told else [])


def test_a_row_to_which_derive_leads_from_a_category_without_an_option_is_told() -> None:
    """Units that mean it have another key, and are kept as UNCONFIGURED (RET-12, R-161)."""
    mapping = (DATA / "second-mapping.yaml").read_text("utf-8").replace("912340020: social_card", "912340020: doorverwezen")
    policy = load_policy((DATA / "second-policy.yaml").read_text("utf-8"), source="policy.yaml")
    line = next(number for number, each in enumerate(mapping.splitlines(), 1) if "912340000: runaway" in each)
    made = parse_mapping(mapping, "m.yaml")
    (slip,) = [each for each in misspelt(made, policy) if "goes by" in each.message]
    assert slip not in misspelt(made, policy, each_night=True)  # a CRM may have none such, and nobody could do anything
    assert slip == (
        f"m.yaml:{line}",
        "no category here goes by the row bullying of the schedule: derive leads there from pesten, for which no option stands here; "
        "without such files, put enabled: false there",
        "",
    )
