"""The least-privilege role as a page that an administrator works from: `docs/least-privilege-role.md`, and
`doctor --role`."""

import json
from collections.abc import Sequence
from typing import Protocol

LEVELS = {"Global": "Organization", "Basic": "User"}  # as the role editor calls the depths
LOOK_UP = "GET privileges?$select=privilegeid&$filter=name eq '{name}'"


class Line(Protocol):
    """One privilege: its name, its depth in the CRM's terms, and what it is for."""

    @property
    def name(self) -> str: ...

    @property
    def depth(self) -> str: ...

    @property
    def reason(self) -> str: ...


def role_page(lines: Sequence[Line], cleaning: Sequence[Line], answering: Sequence[Line]) -> str:
    """Return the page, in Markdown: what the jobs need, and what `cleaning` and `answering` need also."""
    return "\n".join(
        [
            "# The application user's role",
            "",
            "What the service needs and nothing else. Reading is at the level of the organisation: with less, lists are shortened without",
            "a word, and a shortened list looks like an organisation with less to keep. The service compares its rights with this list",
            "before each plan and each apply, and before anything goes; what is missing stops it (exit 4), what is too much `doctor`",
            "tells.",
            "",
            *_table(lines),
            "",
            "Whether a delete takes a right to what the CRM deletes along, in tables that the mapping does not name, is written nowhere.",
            "`doctor` warns of each such right that is missing (`goes with`): give it only where the CRM refuses a delete for want of it.",
            "",
            "## What else is cleaned",
            "",
            "With these as well, the service removes what outlives a row: its audit history, its copy in the recycle bin or in long-term",
            "retention, system jobs about it. Without one of them the night goes on, the place is recorded as not reachable, and a warning",
            "says so; a row that is still restorable keeps its unit partial until it has expired, and what was anonymised counts as",
            "pseudonymised as long as its audit history is there. `doctor` tells what lacks. Deleting audit rows by a job is allowed to",
            "System Administrators only in some organisations: what the CRM refuses counts as lacking.",
            "",
            *_table(cleaning),
            "",
            "A table that the mapping does not name and that points to dossiers, fiches, contacts or what depends on them needs to be",
            "readable too (at the level of the organisation: one that is seen in part counts as not readable), unless it is empty or",
            "its column stands under `stay` in the mapping.",
            "",
            "A column under column security asks for more than a role: a column security profile that reads it, and updates it where",
            "it is emptied. What the mapping names under `readable` and the user may not read stops the work too.",
            "",
            "## What answers to people ask for",
            "",
            "With these as well, a subject request is answered whole. Without one of them nothing stops: the answer says which place was",
            "not searched, the name of an organisation stays empty, or what was granted waits until the privilege is there.",
            "",
            *_table(answering),
            "",
            "## How to make it",
            "",
            "Never give: System Administrator, `prvActOnBehalfOfAnotherUser`, `prvBypassCustomPlugins`, nor, unless the first table names",
            "it, `prvBypassCustomBusinessLogic`: with the last two, holds that are kept as business logic would be passed by. The table",
            "names it only where the schedule says `bypass: [plugins]` of a category or of contacts; without it the service then stops.",
            "",
            "By hand: make a role in the root business unit, give it what stands in the tables above in the role editor of the Power",
            "Platform admin centre, and give the role to the application user. By the Web API, as an account that may write roles:",
            "",
            f"1. The id of each privilege: `{LOOK_UP.format(name=lines[0].name)}`. The service takes no names.",
            "2. `POST roles(ID)/Microsoft.Dynamics.CRM.AddPrivilegesRole` with an entry for each line of the tables, as below. `Depth` is",
            f"   {' and '.join(f'`{depth}` for the level {level}' for depth, level in LEVELS.items())}; what stands in two tables has",
            "   one entry, with the higher level.",
            "",
            "```json",
            json.dumps({"Privileges": [{"PrivilegeId": "00000000-0000-0000-0000-000000000000", "Depth": lines[0].depth}]}),
            "```",
            "",
        ]
    )


def _table(lines: Sequence[Line]) -> list[str]:
    rows = [f"| `{line.name}` | {LEVELS.get(line.depth, line.depth)} | {line.reason} |" for line in lines]
    return ["| privilege | level | what for |", "|---|---|---|", *rows]
