"""How one unit came to its outcome, step by step, for a person who asks why."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from crm_compliance.reports.parts.paper import Paper
from crm_compliance.reports.parts.sentences import RULES, advice, anchor_name, reason_sentence, table_name
from rules.model.decisions import Reason, Step

LIST_EDGE = 5  # items shown of each end of a long list, such as the fiches of a dossier; `--json` has them all

# What of a step would tell when somebody was born: nobody needs it to follow the decision (ACC-04).
_OF_BIRTH: Final = frozenset({"birth_date", "recorded", "latest_birth_on"})
_OF_HOLDS: Final = frozenset({"holds"})


def hidden_from(*, sees_holds: bool) -> frozenset[str]:
    """Return the names in a step that are left out for people who are shown it over the network."""
    return _OF_BIRTH if sees_holds else _OF_BIRTH | _OF_HOLDS


def without(value: object, hidden: frozenset[str]) -> object:
    """Return a JSON value without the parts of these names, at any depth."""
    if isinstance(value, Mapping):
        return {name: without(part, hidden) for name, part in value.items() if name not in hidden}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [without(each, hidden) for each in value]
    return value


def print_why(
    line: Mapping[str, object],
    steps: Iterable[Step],
    console: Console,
    called: Mapping[str, str] = MappingProxyType({}),
    *,
    named: Callable[[str], str] = table_name,
    own: Callable[[str], str] = str,
) -> None:
    """Print the outcome of one unit, its reasons and flags in words, then every step of the decision in
    order. `line` is the plan line as JSON, `called` what the CRM calls categories that no key stands for;
    `named` says what a unit of a table is called, `own` puts the organisation's words into a sentence.
    Each step shows its rule, its input and its output, as the engine recorded them (ACC-02)."""
    paper = Paper(console)
    paper.heading(f"{named(str(line.get('table', '')))} {line.get('id', '')}")
    paper.line(_verdict(line))
    paper.line(_ends(line))
    for code in _codes(line.get("reasons")):
        unlinked = code == Reason.EXPIRED and not line.get("retention_end")  # a contact has no end of its own (RET-04, RET-20)
        paper.line(_coded(code, "Nothing that stays refers to it any more." if unlinked else own(reason_sentence(code))))
    for flag in _codes(line.get("flags")):
        known = advice(flag)
        paper.line(_coded(flag, own(f"{known.sentence} {known.action}".strip())))
    for category, name in called.items():
        paper.line(f"The CRM calls the category {category} {name!r}; no key of the mapping stands for it.")
    paper.line()
    paper.heading("How this came about")
    count = 0
    for count, step in enumerate(steps, start=1):
        title = own(RULES.get(step.rule, ""))
        paper.line(Text.assemble(f"{count:>3}. ", (step.rule, "bold cyan"), f"  {title}" if title else ""))
        for name, value in step.inputs.items():
            shown = name if " " in name else name.replace("_", " ")  # a row's table and id stay as the CRM has them
            _indented(paper, f"{shown}: {_said(value)}")
        _indented(paper, f"so: {_said(step.result)}", "bold")
    if not count:
        paper.line("No step was recorded.")


def _verdict(line: Mapping[str, object]) -> Text:
    if line.get("outcome") == "dispose":
        disposition = str(line.get("disposition"))
        return Text.assemble("To ", (disposition, "red" if disposition == "delete" else "yellow"), f", by {line.get('rule', '')}.")
    return Text.assemble(("Kept", "green"), f", by {line.get('rule', '')}.")


def _ends(line: Mapping[str, object]) -> str:
    end = line.get("retention_end")
    if not end:
        return "It has no retention end."
    anchor, anchor_on = line.get("anchor"), line.get("anchor_on")
    since = f", counted from {anchor_name(str(anchor))}{f' {anchor_on}' if anchor_on else ''}" if anchor else ""
    return f"Retention end {end} (the last day kept){since}."


def _coded(code: str, sentence: str) -> Text:
    return Text.assemble("- ", (code, "bold"), f": {sentence}" if sentence else "")


def _indented(paper: Paper, text: str, style: str = "") -> None:
    paper.console.print(Padding(Text(text, style=style), (0, 0, 0, 5)))


def _codes(value: object) -> list[str]:
    return [str(code) for code in value] if isinstance(value, Sequence) and not isinstance(value, str) else []


def _said(value: object) -> str:
    """Return a JSON value as a person reads it; of a long list the beginning and the end."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(part)}" for key, part in value.items() if part != "") or "nothing"
    if isinstance(value, Sequence) and not isinstance(value, str):
        left_out = len(value) - 2 * LIST_EDGE
        if left_out > 1:
            return "; ".join([*map(_said, value[:LIST_EDGE]), f"({left_out} more)", *map(_said, value[-LIST_EDGE:])])
        return "; ".join(map(_said, value)) or "nothing"
    return str(value)
