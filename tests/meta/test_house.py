"""What holds for the whole house: one place that writes, no prints, the wheel, the lock files, the
storeys."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import distributions, packages_distributions
from pathlib import Path
from types import MappingProxyType, ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from crm_compliance.host.logs import ALLOWED

ROOT = Path(__file__).parents[2]
PACKAGES = ("crm_compliance", "jobs", "connectors", "rules")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
PINS = re.compile(r"^([\w.-]+)(?:\[\S+\])?==(\S+)", re.MULTILINE)
IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w.]+(?:[ \t]*,[ \t]*[\w.]+)*))", re.MULTILINE)


@cache
def sources() -> dict[Path, str]:
    """Every module of the product, with its text."""
    return {path: path.read_text(encoding="utf-8") for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call of what has one of these names, with its file. Only a file in which one is written is
    parsed."""
    for path, text in sources().items():
        if any(f"{name}(" in text for name in names):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", None)) in names:
                    yield path.relative_to(ROOT).as_posix(), node


def test_one_place_alone_writes_to_the_crm() -> None:
    """`Connector.change` is called by jobs/writing/send.py and by nobody else."""
    found = {path for path, call in calls("change") if isinstance(call.func, ast.Attribute)}
    assert found == {"jobs/writing/send.py"}


def test_what_a_line_of_the_log_tells_is_on_the_list() -> None:
    """What is not is dropped: a line would say less than is written where it is made."""
    lines = [call for _, call in calls("debug", "info", "warning", "error", "bind") if re.match(r"(log|bound)\.", ast.unparse(call.func))]
    told = {keyword.arg for call in lines for keyword in call.keywords if keyword.arg is not None}
    assert {"job", "code"} <= told <= ALLOWED | {"exc_info"}


def test_types_are_decoded_in_one_place() -> None:
    """Two threads that meet a struct for the first time must not see it half made: `rules/decoders.py`. The
    emulator has none of the product; its one decoder is made with its module."""
    found = {
        path
        for path, call in calls("convert", "Decoder", "decode")
        if re.fullmatch(r"(msgspec\.)?(convert|(json|yaml|toml|msgpack)\.Decoder|Decoder)", name := ast.unparse(call.func))
        or (re.fullmatch(r"(msgspec\.)?(json|yaml|toml|msgpack)\.decode", name) and (len(call.args) > 1 or call.keywords))
    }
    assert found == {"rules/decoders.py", "connectors/emulator/schema/alterations.py"}


def test_templates_are_read_in_environments_of_one_factory() -> None:
    """In all of them, of reports, answers, messages and the console, a missing value is an error and every
    other is escaped."""
    makers = calls("Environment", "NativeEnvironment", "SandboxedEnvironment", "Template")
    assert {path for path, _ in makers if "jinja2" in sources()[ROOT / path]} == {"crm_compliance/reports/parts/template.py"}


def modules() -> dict[str, ModuleType]:
    """Every module of the product, imported, by the name that its file gives it."""
    run = {"crm_compliance/__main__.py", "crm_compliance/store/migrations/env.py"}
    paths = {path.relative_to(ROOT).with_suffix("") for path in sources() if path.relative_to(ROOT).as_posix() not in run}
    names = {".".join(path.parts).removesuffix(".__init__") for path in paths}
    return {name: importlib.import_module(name) for name in names}


def test_every_module_can_be_imported() -> None:
    """Names that are there for types alone are looked up when a module is imported, unless it puts its
    annotations off. Neither mypy nor ruff tells where that is forgotten, and few commands import all."""
    assert [name for name, module in modules().items() if module.__name__ != name] == []


def test_no_default_is_one_that_python_311_refuses() -> None:
    """A view of a mapping has a hash since 3.12 alone. A dataclass refuses a default that has none: with 3.11
    nothing that imports it would start."""
    classes = {each for module in modules().values() for each in vars(module).values() if isinstance(each, type) and is_dataclass(each)}
    found = [(each, field.name) for each in classes for field in fields(each) if isinstance(field.default, MappingProxyType)]
    assert (len(classes) > 100, found) == (True, [])


def test_nothing_prints() -> None:
    """Results go through crm_compliance/cli/terminal/output.py, everything else through the log."""
    assert [path for path, call in calls("print") if isinstance(call.func, ast.Name)] == []


def test_every_module_says_what_it_is() -> None:
    """A string of three quotes is the first that stands in it."""
    assert [path for path, text in sources().items() if not re.match(r'(#.*\n|\s)*r?"""\s*[^\s"]', text)] == []


def test_an_init_is_a_docstring() -> None:
    for path, text in sources().items():
        if path.name == "__init__.py":
            assert len(ast.parse(text).body) == 1, path


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", *(f"requirements-{extra}.lock" for extra in EXTRAS)])
def test_a_lock_file_holds_names_versions_and_hashes_only(name: str) -> None:
    """No address of an index: whoever installs uses the one of his machine."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert all(re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+", pin) for pin in pins)
    assert text.count("--hash=sha256:") >= len(pins)


def test_every_dependency_is_locked() -> None:
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    names = [re.split(r"[\[>=<~!]", dependency)[0].replace(".", "-") for dependency in PROJECT["project"]["dependencies"]]
    assert [name for name in names if not re.search(rf"^{re.escape(name)}(\[\S+\])?==", locked, re.MULTILINE | re.IGNORECASE)] == []


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_has_a_lock_file_of_what_it_adds(extra: str) -> None:
    """In the versions that are tested, to be installed by hashes beside requirements.lock; whatever one of
    its packages requires stands in either."""
    added = dict(PINS.findall((ROOT / f"requirements-{extra}.lock").read_text("utf-8")))
    base, tested = (dict(PINS.findall((ROOT / name).read_text("utf-8"))) for name in ("requirements.lock", "requirements-dev.lock"))
    assert added.items() <= tested.items()
    assert not added.keys() & base.keys()
    wanted = {re.split(r"[\[>=<~!]", each)[0] for each in EXTRAS[extra]}
    assert wanted <= added.keys()
    there = {canonicalize_name(name) for name in (*added, *base)}
    for found in distributions():
        if canonicalize_name(found.name) in added:
            required = [Requirement(each) for each in found.requires or ()]
            names = {canonicalize_name(each.name) for each in required if each.marker is None or each.marker.evaluate({"extra": ""})}
            assert names <= there, found.name


def test_the_storeys_stand() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_wheel_holds_four_packages_and_their_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Built by hatchling itself, as pip does; every file of the packages is in it, and nothing else."""
    from hatchling.builders.wheel import WheelBuilder

    monkeypatch.chdir(ROOT)
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == set(PACKAGES)
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert sorted(wanted ^ {name for name in names if ".dist-info/" not in name}) == []
    for part in (
        r"rules/policy/schedules/childfocus\.yaml",
        r"rules/policy/schedules/.*schema\.json",
        r"connectors/dynamics/mapping/reference\.yaml",
        r"connectors/emulator/.*\.yaml",
        r"crm_compliance/reports/templates/.*\.html\.j2",
        r"crm_compliance/store/migrations/versions/0001_\w+\.py",
    ):
        assert any(re.fullmatch(part, name) for name in names), part


def test_the_version_is_told_once() -> None:
    from importlib.metadata import version

    assert version("crm-compliance") == PROJECT["project"]["version"]


def test_everything_that_the_product_imports_is_a_dependency_of_its_own() -> None:
    """The tests' environment has more, and what another package brings may be gone with its next version."""
    extras = PROJECT["project"]["optional-dependencies"].values()
    named = (*PROJECT["project"]["dependencies"], *(each for extra in extras for each in extra))
    allowed = {re.sub(r"[._]", "-", re.split(r"[\[>=<]", each)[0].lower()) for each in named}
    allowed |= {"azure-core", "pydantic-core"}  # of which the packages that are named choose the version
    owners = packages_distributions()  # of an extra that the tests do without nothing is known: its name is what is imported
    missing = set()
    for path, text in sources().items():
        names = {name.strip() for found in IMPORT.findall(text) for name in "".join(found).split(",")}
        for top in {name.split(".")[0] for name in names if not name.startswith(".")} - sys.stdlib_module_names - set(PACKAGES):
            if allowed.isdisjoint(re.sub(r"[._]", "-", owner.lower()) for owner in owners.get(top, (top,))):
                missing.add((path.name, top))
    assert missing == set()
