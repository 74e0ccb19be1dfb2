"""What the catalogs have to say: every message of templates, code and codes. As a command it writes, for one
language, the entries that lack, as a catalog has them: `python -m crm_compliance.console.language.messages
nl`."""

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import write_po

from crm_compliance.console.language.catalogs import catalogs
from crm_compliance.console.language.codes import messages as of_codes
from crm_compliance.console.layout.navigation import ENTRIES
from crm_compliance.console.layout.notes import NOTES
from rules.model.languages import UiLanguage
from rules.policy.loader import SHIPPED, load_policy

Message = str | tuple[str, str]  # with its plural, where it counts something
_ERRORS: Final = ("UsageError", "Refused")  # whose codes say no more than that something is wrong
KEYWORDS: Final = {"_": None, "gettext": None, "ngettext": (1, 2), "say": None, "say_counted": (1, 2)}
_JINJA: Final = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}


def messages() -> dict[Message, str]:
    """Return all messages, each with the file that it comes from."""
    found: dict[Message, str] = {}
    for file, path in _walk(files("crm_compliance.console"), ""):
        options: Mapping[str, str]
        if path.startswith("api/"):  # a program asks there, in English
            continue
        if path.endswith(".j2"):
            method, options = "jinja2.ext:babel_extract", _JINJA
        elif path.endswith(".py"):
            method, options = "python", {}
        else:
            continue
        if path.endswith(".py"):
            found.update(dict.fromkeys(_raised(file.read_text(encoding="utf-8")), path))
        for _, message, _, _ in extract(method, BytesIO(file.read_bytes()), keywords=KEYWORDS, options=options):
            found.setdefault(message if isinstance(message, str) else (message[0], message[1]), path)
    found.update(dict.fromkeys(of_codes(), "codes"))
    found.update(dict.fromkeys(_of_schedule(), "schedule"))
    found.update(dict.fromkeys((*(each.name for each in ENTRIES), *NOTES.values()), "navigation.py"))
    return found


@cache
def _of_schedule() -> tuple[str, ...]:
    """Return the texts of the shipped schedule that have no labels of their own: where a period is published,
    why the data are needed, what the controller may want to decide. As long as an organisation's schedule
    says them as that one does, pages say them in their own language."""
    text = (files("rules.policy") / "schedules" / f"{SHIPPED}.yaml").read_text(encoding="utf-8")
    rows = load_policy(text, source=SHIPPED).categories.values()
    found = {said for row in rows for said in (row.source, row.suggestion, row.basis if row.basis_labels is None else "")}
    return tuple(sorted(found - {""}))


def _raised(source: str) -> Iterator[str]:
    """Yield what a page refuses with in so many words, where its code says no more than that."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ERRORS):
            continue
        if any(given.arg == "code" for given in node.keywords):
            continue
        for given in (*node.args, *(each.value for each in node.keywords if each.arg == "hint")):
            if isinstance(given, ast.Constant) and isinstance(given.value, str) and given.value:
                yield given.value


def missing(language: UiLanguage) -> dict[Message, str]:
    """Return the messages that no catalog of a language says, or says with doubt."""
    said: set[str] = set()
    for catalog in catalogs(language).values():
        for entry in catalog:
            texts = entry.string if isinstance(entry.string, tuple | list) else (entry.string,)
            if entry.id and all(texts) and not entry.fuzzy:
                said.add(_first(entry.id))
    return {message: path for message, path in messages().items() if _first(message) not in said}


def _first(message: Sequence[str]) -> str:
    return message if isinstance(message, str) else message[0]


def _walk(folder: Traversable, path: str) -> Iterator[tuple[Traversable, str]]:
    for each in sorted(folder.iterdir(), key=lambda one: one.name):
        name = f"{path}{each.name}"
        if each.is_dir():
            yield from _walk(each, f"{name}/")
        else:
            yield each, name


def main(language: UiLanguage) -> int:
    """Write what lacks; 1 where something does."""
    catalog = Catalog(locale=language)
    for message, path in missing(language).items():
        catalog.add(message, locations=[(path, 0)])
    write_po(out := BytesIO(), catalog, omit_header=True, width=120)
    sys.stdout.write(out.getvalue().decode())
    return 1 if len(catalog) else 0


if __name__ == "__main__":
    sys.exit(main("fr" if sys.argv[1:] == ["fr"] else "nl"))
