"""Who may do what stands in one table, and who was denied is written down in one place."""

import ast
from collections.abc import Collection
from pathlib import Path

from rules.model.roles import Role
from tests.meta.pages import ROOT

ROLES = {role.value for role in Role}
TABLE = ROOT / "rules" / "model" / "roles.py"
# Where the word "service" is none of a role: how patient a command is, and a class of keyed references.
OTHER_SERVICES = {
    ("crm_compliance/wiring/crm.py", "service"),
    ("crm_compliance/keys/checkpoint_signer.py", "service"),
    ("crm_compliance/console/language/schedule_codes.py", "dpo"),  # the key of a schedule
    ("rules/organisation/organisation.py", "dpo"),  # a key of the file: how the officer is written to
}


def literals(path: Path, among: Collection[str]) -> set[str]:
    """Which of these texts stand in a file's code by themselves. Only a file in which one stands at all is
    parsed."""
    text = path.read_text(encoding="utf-8")
    if not any(each in text for each in among):
        return set()
    found = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return found.intersection(among)


def test_no_role_is_named_beside_the_table() -> None:
    """A role that is written out elsewhere would be a second table. The emulator knows nothing of the
    product."""
    sources = [path for package in ("rules", "jobs", "connectors", "crm_compliance") for path in (ROOT / package).rglob("*.py")]
    emulator = ROOT / "connectors" / "emulator"
    found = {
        (path.relative_to(ROOT).as_posix(), role)
        for path in sources
        if path != TABLE and not path.is_relative_to(emulator)
        for role in literals(path, ROLES)
    }
    assert found == OTHER_SERVICES


def test_a_role_is_refused_by_one_check() -> None:
    """What does so by itself could forget to record it."""
    sources = [path for package in ("jobs", "connectors", "crm_compliance") for path in (ROOT / package).rglob("*.py")]
    found = [
        path.relative_to(ROOT).as_posix()
        for path in sources
        if "refusal" in (text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.module == "rules.model.roles" and "refusal" in {each.name for each in node.names}
    ]
    assert found == ["jobs/checks/denials.py"]


def test_each_denied_attempt_is_written_down_in_one_place() -> None:
    """ACC-10."""
    writers = [
        path.relative_to(ROOT).as_posix()
        for package in ("jobs", "crm_compliance")
        for path in (ROOT / package).rglob("*.py")
        if literals(path, {"denied"})
    ]
    assert writers == ["jobs/checks/denials.py"]
