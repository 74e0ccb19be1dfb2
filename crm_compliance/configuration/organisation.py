"""The organisation in whose name the product speaks: the file that a setting names, held against the
product's own texts, some of which it words itself."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from rules.model.languages import USUAL

if TYPE_CHECKING:
    from crm_compliance.configuration.settings import Settings
    from rules.organisation.organisation import Organisation


def organisation_of(settings: Settings) -> Organisation:
    """Return the organisation that the settings name, or the shipped one.

    Raises:
        OrganisationError: the file is refused, with file, line and field.
        UsageError: it cannot be read.
    """
    from rules.organisation.loader import load_organisation

    text, source = organisation_text(settings)
    return load_organisation(text, source=source, texts=product_texts(USUAL), is_shipped=settings.organisation is None)


def organisation_text(settings: Settings) -> tuple[str, str]:
    """Return the text of the file that the settings name, or of the shipped one, and its name for messages.
    Raises UsageError: it cannot be read."""
    from rules.organisation.loader import SHIPPED

    named = settings.organisation
    if named is not None:
        from crm_compliance.host.files import text_of

        return text_of(named, "organisation"), str(named)
    return (files("rules") / "organisation" / "shipped" / f"{SHIPPED}.yaml").read_text(encoding="utf-8"), f"{SHIPPED}.yaml (shipped)"


@lru_cache(maxsize=4)
def product_texts(language: str) -> Mapping[str, Any]:
    """Return the product's own texts in a language, table by table; `locale` is none of them."""
    return tomllib.loads((files("crm_compliance") / "answer_package" / "texts" / f"{language}.toml").read_text(encoding="utf-8"))
