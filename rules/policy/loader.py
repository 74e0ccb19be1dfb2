"""YAML text -> Policy; every error names file, line and field (RET-06).

Reading the file is the caller's work. A schedule is refused whole: nothing is guessed, and all its errors are
told at once.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from hashlib import sha256

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rules.errors import PolicyError
from rules.policy.checks import check_policy
from rules.policy.policy import Policy, PolicyFile
from rules.policy.suggestions import meant
from rules.policy.yaml_lines import Document, Path, Problem, read_yaml, refusal

SHIPPED = "childfocus"  # the schedule that the product comes with: rules/policy/schedules/childfocus.yaml

HINT = "Correct the file and run `policy check` on it; docs/policy.md tells what each key means."

# Words that pydantic puts into the place of an error to say which kind of row or value it tried: no file has
# them there.
_KINDS = {"months_after", "years_after", "until_age", "end_of_calendar_year_after", "until_event", "no_term", "one", "several", "all"}

_TEXTS = {
    "extra_forbidden": "this key is not known",
    "missing": "this key is missing",
    "string_type": "this is text: put it in quotes",
    "int_type": "this is a whole number",
    "bool_type": "this is true or false",
    "string_too_short": "this is empty",
    "too_short": "this is empty",
    "string_pattern_mismatch": "a key has small letters, digits and underscores, and begins with a letter",
    "union_tag_not_found": "the type is missing",
    "model_type": "this is a mapping of keys and values",
    "model_attributes_type": "this is a mapping of keys and values",
    "dict_type": "this is a mapping of keys and values",
    "tuple_type": "this is a list",
    "date_parsing": "this is a date, written 2018-05-25",
    "date_from_datetime_parsing": "this is a date, written 2018-05-25",
    "date_type": "this is a date, written 2018-05-25",
}


def load_policy(text: str, *, source: str) -> Policy:
    """Read a retention schedule from the text of its file; `source` is what messages call the file.

    `Policy.digest` is the SHA-256 of the text in UTF-8, so a plan can say which schedule decided, byte for
    byte.

    Raises:
        PolicyError: the schedule is not usable. `where` is the place of the first error, the message lists
            them all: first what is wrong in a line, top down, then what is missing.

    Source: RET-06, RET-12, ACC-02; R-021, R-022.
    """
    found = _read(text)
    if isinstance(found, Policy):
        return found
    raise refusal(PolicyError, "the retention schedule is refused", found, source=source, hint=HINT)


@lru_cache(maxsize=4)  # a schedule is read anew for every job, and is the same nearly always
def _read(text: str) -> Policy | list[Problem]:
    """The schedule, or all that is wrong with it in the order in which it is told."""
    document = read_yaml(text)
    problems = sorted(document.problems)
    if document.value is not None and not isinstance(document.value, dict):
        problems = [Problem(1, "", "a retention schedule is a mapping of keys and values")]
    elif document.value is not None:
        written = json.dumps(document.value)
        try:
            # Strict: "6" is not the number 6. As JSON, because there a date is text and a list may become a
            # tuple even when strict.
            policy_file = PolicyFile.model_validate_json(written, strict=True)
        except ValidationError as error:
            problems = _ordered(document, error.errors(include_url=False))
        else:
            problems = sorted(document.problems + [document.problem(path, found) for path, found in check_policy(policy_file)])
        if not problems:
            digest = sha256(text.encode()).hexdigest()
            return Policy.model_validate_json(json.dumps({**document.value, "digest": digest}), strict=True)
    return problems


@cache
def _known_keys() -> frozenset[str]:
    """Every key that a schedule can have, wherever it stands."""
    schema = PolicyFile.model_json_schema()
    models = [schema, *schema.get("$defs", {}).values()]
    return frozenset(name for model in models for name in model.get("properties", {}))


def _ordered(document: Document, errors: list[ErrorDetails]) -> list[Problem]:
    """Errors as problems: those that stand in a line top down, then missing keys. One a field, since one
    mistake can break two rules."""
    placed = [(False, problem) for problem in document.problems]
    broken = {problem.path for problem in document.problems}
    for error in errors:
        problem = document.problem(*_told(document, error))
        if problem.path not in broken:
            broken.add(problem.path)
            placed.append((error["type"] == "missing", problem))
    return [problem for _, problem in sorted(placed)]


def _told(document: Document, error: ErrorDetails) -> tuple[Path, str]:
    """The field that an error is about, as the file has it, and what to tell."""
    path: Path = ()
    for part in error["loc"]:
        if part == "[key]" or (part in _KINDS and (*path, part) not in document.lines):
            continue
        path = (*path, part)
    kind, message = error["type"], error["msg"].replace("'", "")
    if kind == "extra_forbidden":
        return path, _TEXTS[kind] + meant(str(path[-1]), _known_keys())
    if kind == "union_tag_invalid":
        return (*path, "type"), f"this is one of {error['ctx']['expected_tags']}".replace("'", "")
    if kind in ("enum", "literal_error"):
        told = message.replace("Input should be", "this is one of" if " or " in message else "this is")
        return path, told + meant(str(error["input"]), re.findall(r"'([^']*)'", error["msg"]))
    return path, _TEXTS.get(kind, message.removeprefix("Value error, ").replace("Input should be", "this is"))
