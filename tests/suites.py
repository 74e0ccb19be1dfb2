"""Which test modules are the deep ones: `make test` runs the others in minutes, `make test-deep` these, and
`make test-all` both, as CI does.

A module, or all of a folder, is deep where it plays whole organisations or nights over and over: acceptance
from outside, a death or an outage at every request, an attack on every stored field, programs of others, two
worlds compared, corpora, a browser. Nothing in it is sampled or skipped, and what is not named here is quick.
"""

from pathlib import Path

ROOT = Path(__file__).parent.parent
SUITES = ("quick", "deep")
DEEP = (
    # acceptance from outside: scenarios, random organisations against a second evaluation, chaos, conformance
    "tests/independent",
    "tests/crm_compliance/demo",
    "tests/jobs/plans/test_one_by_one.py",
    "tests/jobs/plans/questions/test_simulate.py",
    "tests/jobs/reading/tables/test_whole_tables.py",
    "tests/rules/law/test_equality.py",
    "tests/benchmarks/test_budgets.py",
    # programs of others, and a browser
    "tests/integration/clients",
    "tests/integration/test_foreign_odata.py",
    "tests/integration/test_mixed_organisation.py",
    "tests/integration/test_new_organisation.py",
    "tests/integration/test_own_words.py",
    "tests/crm_compliance/answer_package/test_page.py",
    "tests/crm_compliance/connections/test_cluster.py",
    "tests/crm_compliance/cli/requests/test_review.py",
    "tests/crm_compliance/console/pages/holds/test_in_a_browser.py",
    "tests/crm_compliance/console/pages/plans/test_in_a_browser.py",
    "tests/crm_compliance/console/pages/requests/test_in_a_browser.py",
    "tests/crm_compliance/console/pages/review/test_in_a_browser.py",
    "tests/crm_compliance/console/test_accessible.py",
    "tests/crm_compliance/console/test_main_paths.py",
    "tests/crm_compliance/console/test_questions.py",
    # a death, an outage or somebody else's deed at every moment of a run
    "tests/jobs/runs/test_bulk_delete_run.py",
    "tests/jobs/holds/test_holds_meanwhile.py",
    "tests/jobs/holds/test_holds_property.py",
    "tests/jobs/runs/test_interrupted.py",
    "tests/jobs/runs/test_late_writes.py",
    "tests/jobs/runs/test_kill_and_resume.py",
    "tests/jobs/restores/test_lost_places.py",
    "tests/jobs/runs/test_outage.py",
    "tests/jobs/requests/decisions/test_interrupted.py",
    # copies of a CRM that were put back, and what is out of reach
    "tests/crm_compliance/store/test_register_of_erasures.py",
    "tests/jobs/residual/test_clean.py",
    "tests/jobs/residual/test_clean_history.py",
    "tests/jobs/runs/test_last_truth.py",
    "tests/jobs/residual/test_purge_retained.py",
    "tests/jobs/residual/test_purge_interrupted.py",
    "tests/jobs/restores/test_detect.py",
    "tests/jobs/restores/test_lost_register.py",
    "tests/jobs/restores/test_replay.py",
    # every stored field altered, every input spoilt
    "tests/crm_compliance/console/api/test_described.py",
    "tests/crm_compliance/console/test_attacks.py",
    "tests/integration/test_attacks_on_the_journal.py",
    "tests/integration/test_attacks_on_the_ledger.py",
    "tests/integration/test_attacks_on_what_waits.py",
    "tests/jobs/checks/drift",
    "tests/jobs/checks/test_ledger_drift.py",
    "tests/integration/wrong_inputs",
    # two worlds that must look alike
    "tests/connectors/dynamics/lake/test_lake.py",
    "tests/forms",
    "tests/crm_compliance/cli/requests/test_seen_by_others.py",
    "tests/crm_compliance/cli/requests/test_side_by_side.py",
    # every right from the request to what is sent out
    "tests/crm_compliance/cli/requests/test_answer_closed.py",
    "tests/crm_compliance/cli/requests/test_answer_others.py",
    "tests/crm_compliance/cli/requests/test_answer_rights.py",
    "tests/crm_compliance/cli/requests/test_decide.py",
    "tests/crm_compliance/cli/requests/test_decided_again.py",
    "tests/crm_compliance/cli/requests/test_decided_letters.py",
    "tests/crm_compliance/cli/requests/test_notices.py",
    "tests/crm_compliance/cli/requests/test_release.py",
    "tests/crm_compliance/cli/requests/test_sent_back.py",
    "tests/jobs/requests/answer/test_compile.py",
    "tests/jobs/requests/answer/test_as_proposed.py",
    "tests/jobs/requests/decisions/test_plan_erasure.py",
    "tests/jobs/requests/decisions/test_notice_recipients.py",
    "tests/jobs/requests/decisions/test_carry_out.py",
    "tests/jobs/requests/decisions/test_objection_and_consent.py",
    "tests/jobs/requests/decisions/test_rectification.py",
    "tests/jobs/requests/context/test_contexts.py",
    # corpora
    "tests/connectors/dynamics/fuzz",
    "tests/crm_compliance/answer_package/test_any_text.py",
    "tests/crm_compliance/answer_package/test_leak_surnames.py",
    "tests/jobs/fuzz",
    "tests/rules/redaction/test_redaction_cost.py",
)


def suite_of(module: Path) -> str:
    """The suite to which a test module belongs."""
    parts = module.relative_to(ROOT).parts
    return "deep" if any("/".join(parts[:depth]) in DEEP for depth in range(1, len(parts) + 1)) else "quick"


def is_left_out(place: Path, asked: str | None) -> bool:
    """Whether a run of this suite leaves a module or a folder alone; without a suite none is. The quick suite
    does not even import what the tests of a deep folder share."""
    if asked is None:
        return False
    if place.name.startswith("test_") and place.suffix == ".py":
        return suite_of(place) != asked
    return asked == "quick" and place.is_dir() and place.is_relative_to(ROOT / "tests") and suite_of(place) == "deep"
