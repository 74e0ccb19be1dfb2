"""Every code by which a plan waits, a run alarms or a unit is put off is explained to people."""

import ast
import re
from importlib import import_module

from crm_compliance.reports.parts.sentences import ALARMS, SKIPS, WHY
from jobs.plans.alarms import approval_reasons
from jobs.restores.detect import RESTORED
from jobs.runs import quarantine
from tests.meta.pages import OPERATIONS, ROOT


def alarmed() -> set[str]:
    """Return the codes of all alarms that a file of `jobs` makes."""
    codes = set[str]()
    for path in sorted((ROOT / "jobs").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "Alarm" in text else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Alarm", "Alarm.of"):
                code = node.args[0]
                assert isinstance(code, ast.Name | ast.Subscript), f"{path}:{node.lineno}: the code of an alarm has a name"
                names = vars(import_module(".".join(path.relative_to(ROOT).with_suffix("").parts)))
                codes |= {names[code.id]} if isinstance(code, ast.Name) else set(names[ast.unparse(code.value)].values())
    return codes


def test_every_reason_for_two_approvals_has_a_sentence_and_stands_in_the_documents() -> None:
    assert list(WHY) == list(approval_reasons.WHY)
    assert [code for code in WHY if f"`{code}`" not in OPERATIONS] == []


def test_every_alarm_has_a_sentence_and_stands_in_the_documents() -> None:
    assert ALARMS.keys() - alarmed() == {RESTORED}  # stands in the ledger alone
    assert alarmed() <= ALARMS.keys()
    listed = re.findall(r"`([A-Z_0-9]+)`", " ".join(re.findall(r"^\| (`[^|]+) \|", OPERATIONS, re.MULTILINE)))
    assert sorted(alarmed() - set(listed)) == []


def test_every_code_of_a_unit_that_is_put_off_has_a_sentence_and_stands_in_the_documents() -> None:
    assert SKIPS.keys() >= quarantine.PUT_OFF
    assert [code for code in sorted(quarantine.PUT_OFF) if f"`{code}`" not in OPERATIONS] == []
