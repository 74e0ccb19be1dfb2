"""The codes of errors as the source has them: of the classes below ComplianceError, and of where one is made
with a code of its own."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from rules.errors import ComplianceError
from tests.suites import ROOT

PACKAGES = ("connectors", "crm_compliance", "jobs", "rules")
MAKERS = {"refused"}  # functions that make an error of the code that they are given first


def codes_of_errors() -> dict[str, str]:
    """Return each code, with a place where it stands."""
    sources = [path.relative_to(ROOT) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    texts = {place: (ROOT / place).read_text() for place in sources if "emulator" not in place.parts}  # that is another program
    modules = {place: import_module(_name(place)) for place, text in texts.items() if "code" in text}
    errors = {each.code: f"{each.__module__}.{each.__name__}" for each in _below(ComplianceError)}
    made_by = {each.__name__ for each in _below(ComplianceError)} | {"_wrong"}
    for place, module in modules.items():
        for node, line in _codes(ast.parse(texts[place]), made_by):
            for code in _read(node, module):
                errors.setdefault(code, f"{place}:{line}")
    return errors


def _codes(tree: ast.Module, made_by: set[str]) -> Iterator[tuple[ast.expr, int]]:
    """Yield what is given as the code of an error: by its name, or first."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id in MAKERS and node.args:
            yield node.args[0], node.lineno
        elif node.func.id in made_by:
            yield from ((each.value, node.lineno) for each in node.keywords if each.arg == "code")


def _read(node: ast.expr, module: ModuleType) -> list[str]:
    """Return the texts that an expression can be; none where only a run knows."""
    if isinstance(node, ast.IfExp):
        return [*_read(node.body, module), *_read(node.orelse, module)]
    try:
        found = eval(compile(ast.Expression(node), str(module.__file__), "eval"), vars(module))  # our own source
    except (NameError, AttributeError):
        return []
    return [str(found)] if isinstance(found, str) and found else []


def _below(error: type[ComplianceError]) -> Iterator[type[ComplianceError]]:
    yield error
    for each in error.__subclasses__():
        yield from _below(each)


def _name(place: Path) -> str:
    return ".".join(place.with_suffix("").parts).removesuffix(".__init__")
