"""The parts of `docs/rights.md` that follow from the rules: the matrix in words, and what two people may
override. Source: section 6.2."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rules.model.requests import ARTICLES, RIGHT_NAMES
from rules.rights.entitlement import OVERRIDABLE
from rules.rights.matrix import CONDITIONS, MATRIX, Availability, Row

_ROWS: Final[Mapping[Row, str]] = MappingProxyType(
    {
        Row.CHILD: "child of 12 or older",
        Row.CHILD_UNDER_MATURITY: "child under 12",
        Row.FORMER_CHILD: "former child, now an adult",
        Row.PARENT_FOR_CHILD: "parent or guardian, for the child",
        Row.PARENT_SELF: "parent or guardian, for own data",
        Row.WITNESS: "witness, reporter, professional, anybody else in a file",
        Row.DONOR: "donor",
        Row.TRAINING: "participant of a training",
        Row.VOLUNTEER: "volunteer, trainee, employee",
        Row.PARTNER: "contact at a partner organisation",
        Row.NEWSLETTER: "subscriber to the newsletter",
        Row.SUSPECT: "suspect, in the file of the suspicion",
    }
)

_DECISIONS: Final[Mapping[Availability, str]] = MappingProxyType(
    {
        Availability.YES: "yes",
        Availability.CONDITIONAL: "on conditions",
        Availability.DPO: "the DPO decides",
        Availability.NOT_AVAILABLE: "does not exist here",
        Availability.NEUTRAL: "neutral answer",
    }
)


def matrix_part() -> str:
    """Write a table a right: who, what is decided, on which conditions, and the code of a refusal."""
    tables = []
    for right, name in RIGHT_NAMES.items():
        lines = [
            f"### {name} (`{right}`, art. {ARTICLES[right]})",
            "",
            "| who | decision | conditions | refused with |",
            "|---|---|---|---|",
        ]
        for row, who in _ROWS.items():
            cell = MATRIX[right][row]
            conditions = "; ".join(CONDITIONS[condition] for condition in cell.conditions)
            lines.append(f"| {who} | {_DECISIONS[cell.decision]} ({cell.decision}) | {conditions or '–'} | {cell.refusal or '–'} |")
        tables.append("\n".join(lines))
    return "\n\n".join(tables) + "\n"


def overridable_part() -> str:
    """Write what two people may override, and what they say by it."""
    lines = ["| rule | what the two say |", "|---|---|"]
    lines += [f"| `{rule}` | {words} |" for rule, words in OVERRIDABLE.items()]
    return "\n".join(lines) + "\n"
