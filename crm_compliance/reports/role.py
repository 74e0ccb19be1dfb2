"""The least-privilege role as a page that an administrator works from: `docs/least-privilege-role.md`, and `doctor --role`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

LEVELS = {"Global": "Organization", "Basic": "User"}  # as the role editor calls the depths


class Line(Protocol):
    """One privilege: its name, its depth in the CRM's word, and what it is for."""

    @property
    def name(self) -> str: ...

    @property
    def depth(self) -> str: ...

    @property
    def reason(self) -> str: ...


def role_page(lines: Sequence[Line]) -> str:
    """The page, in Markdown."""
    rows = [f"| `{line.name}` | {LEVELS.get(line.depth, line.depth)} | {line.reason} |" for line in lines]
    body = {"Privileges": [{"PrivilegeName": line.name, "Depth": line.depth} for line in lines]}
    return "\n".join(
        [
            "# The application user's role",
            "",
            "What the service needs and nothing else. Reading is at the level of the organisation: with less, lists are shortened without",
            "a word, and a shortened list looks like an organisation with less to keep. The service compares its rights with this list",
            "before each plan and each apply; what is missing stops it (exit 4), what is too much `doctor` tells.",
            "",
            "| privilege | level | what for |",
            "|---|---|---|",
            *rows,
            "",
            "Never give: System Administrator, `prvActOnBehalfOfAnotherUser`, `prvBypassCustomBusinessLogic`, `prvBypassCustomPlugins`:",
            "with the last two, holds that are kept as business logic would be passed by.",
            "",
            "To make the role: create it in the root business unit, add the privileges by",
            "`POST roles(ID)/Microsoft.Dynamics.CRM.AddPrivilegesRole` with the body below (the service also takes each `PrivilegeId`",
            "instead of its name), and give it to the application user.",
            "",
            "```json",
            json.dumps(body, indent=1),
            "```",
            "",
        ]
    )
