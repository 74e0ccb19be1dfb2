"""Who may do what stands in one table, and who was denied is written down in one place."""

from __future__ import annotations

import ast
from pathlib import Path

from rules.model.roles import Role
from tests.meta.pages import ROOT

TABLE = ROOT / "rules" / "model" / "roles.py"
# Where the word "service" is none of a role: how patient a command is, and a class of keyed references.
OTHER_SERVICES = {
    ("crm_compliance/wiring/crm.py", "service"),
    ("crm_compliance/keys/checkpoint_signer.py", "service"),
    ("crm_compliance/console/language/schedule_codes.py", "dpo"),  # the key of a schedule
    ("rules/organisation/organisation.py", "dpo"),  # a key of the file: how the officer is written to
}


def literals(path: Path) -> set[str]:
    """The texts that stand in a file's code, but for its docstrings."""
    return {
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_no_role_is_named_beside_the_table() -> None:
    """A role that is written out elsewhere would be a second table. The emulator knows nothing of the
    product."""
    sources = [path for package in ("rules", "jobs", "connectors", "crm_compliance") for path in (ROOT / package).rglob("*.py")]
    emulator = ROOT / "connectors" / "emulator"
    found = {
        (path.relative_to(ROOT).as_posix(), role)
        for path in sources
        if path != TABLE and not path.is_relative_to(emulator)
        for role in literals(path) & set(Role)
    }
    assert found == OTHER_SERVICES


def test_each_denied_attempt_is_written_down_in_one_place() -> None:
    """ACC-10."""
    writers = [
        path.relative_to(ROOT).as_posix()
        for package in ("jobs", "crm_compliance")
        for path in (ROOT / package).rglob("*.py")
        if "denied" in literals(path)
    ]
    assert writers == ["jobs/checks/denials.py"]
