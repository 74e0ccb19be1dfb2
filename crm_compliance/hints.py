"""What a person can do next, in the words of the command line: the only place below the commands where one is
written."""

import tomllib
from functools import cache
from importlib.resources import files

from rules.hints import Hint


@cache
def texts() -> dict[str, str]:
    """Return the words of each hint, with its facts in braces."""
    return tomllib.loads(files(__package__).joinpath("hints.toml").read_text(encoding="utf-8"))


def in_words(hint: str | Hint) -> str:
    """Return the words of a hint; one in words stays as it is."""
    return hint if isinstance(hint, str) else texts()[hint.code].format_map(hint.facts)


def with_place(told: str, place: str) -> str:
    """Return a message behind the place that it is about, unless it begins with a place itself or a list of
    places follows. Only the first line is looked at: a further mistake may stand in the same line of a
    file."""
    first = told.partition("\n")[0]
    return told if not place or place in first or first.endswith(":") else f"{place}: {told}"


def option(field: str) -> str:
    """Return the option by which a field is given; empty for none."""
    return f"--{field.replace('_', '-')}" if field else ""


def commands_after(hint: Hint | None) -> str:
    """Return the commands that come next; empty where nothing does."""
    return in_words(hint).removeprefix("next: ") if hint is not None else ""
