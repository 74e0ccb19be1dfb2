"""The templates of reports, answers, pages and messages: a missing value is an error, and every one is
escaped but in plain text."""

from collections.abc import Sequence
from functools import cache

from jinja2 import BaseLoader, Environment, PackageLoader, StrictUndefined, Template, select_autoescape

from crm_compliance.reports.parts.sentences import advice, anchor_name, grouped, reason_sentence


def template(name: str) -> Template:
    """Return a template of `templates/` by its file name."""
    return environment().get_template(name)


@cache
def environment() -> Environment:
    """Return the environment, for a template that is elsewhere too."""
    return new_environment(PackageLoader("crm_compliance.reports"))


def new_environment(loader: BaseLoader, extensions: Sequence[str] = ()) -> Environment:
    """Make an environment for templates that are elsewhere, as strict as this one."""
    made = Environment(
        loader=loader,
        autoescape=select_autoescape(disabled_extensions=("txt.j2",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=extensions,
    )
    made.filters.update(
        grouped=grouped,
        sentence=reason_sentence,
        advice=advice,
        anchor_name=anchor_name,
        listed=_listed,
        at=_length,
    )
    return made


def _listed(values: Sequence[str]) -> str:
    return ", ".join(values)


def _length(units: float) -> str:
    """Write a length of a picture."""
    return f"{units:.2f}".rstrip("0").rstrip(".")
