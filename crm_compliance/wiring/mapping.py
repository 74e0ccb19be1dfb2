"""The mapping in force, and what of it is asked without a CRM."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from crm_compliance.configuration.settings import Settings
from crm_compliance.host.files import text_of
from crm_compliance.wiring.schedule import policy_digests
from rules.errors import ComplianceError

if TYPE_CHECKING:
    from connectors.dynamics.mapping.mapping import Mapping

SHIPPED: Final = "reference.yaml (shipped)"  # what messages call it


def mapped_tables(settings: Settings) -> dict[str, str]:
    """Return the tables of the mapping in force, by our word for the kind of row; several stand one after the
    other. Raises MappingError: the mapping is refused."""
    from connectors.dynamics.mapping.loader import parse_mapping

    found: dict[str, list[str]] = {}
    for table in parse_mapping(*mapping_text(settings)).tables:
        found.setdefault(table.kind, []).append(table.name)
    return {kind: " or ".join(dict.fromkeys(names)) for kind, names in found.items()}


def mapping_digest(settings: Settings) -> str:
    """Return the SHA-256 of the mapping in force, by which a plan says which one has made it."""
    return _digest(mapping_text(settings)[0])


def mapping_in_force(settings: Settings) -> tuple[Mapping, str]:
    """Return the mapping in force with its digest. The file is read once: it may be replaced while the CRM is
    waited for. Raises MappingError: the mapping is refused."""
    from connectors.dynamics.mapping.loader import parse_mapping

    text, source = mapping_text(settings)
    return parse_mapping(text, source), _digest(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def rules_in_force(settings: Settings) -> tuple[frozenset[str], str] | None:
    """Return the digests of the schedule in force and of its other versions in the folder, as a plan is
    carried out under its own (RET-06), and that of the mapping in force; None where one of them cannot be
    read."""
    try:
        return policy_digests(settings), mapping_digest(settings)
    except ComplianceError:
        return None


def mapping_text(settings: Settings) -> tuple[str, str]:
    """Return the text of the mapping in force, and its name for messages."""
    if settings.mapping is None:
        return (files("connectors.dynamics") / "mapping" / "reference.yaml").read_text(encoding="utf-8"), SHIPPED
    return text_of(settings.mapping, "mapping"), str(settings.mapping)


def named_categories(settings: Settings) -> frozenset[str] | None:
    """Return the keys of the categories that the mapping of the settings tells; None where they name none.
    Raises MappingError: it is refused."""
    from connectors.dynamics.mapping.loader import parse_mapping
    from connectors.dynamics.mapping.schedule_check import category_keys

    return category_keys(parse_mapping(*mapping_text(settings))) if settings.mapping is not None else None


def app_url_of(settings: Settings) -> str:
    """Return the address of the app that people use, if the mapping names one."""
    from connectors.dynamics.mapping.loader import parse_mapping

    return parse_mapping(*mapping_text(settings)).app_url


def link_of(crm: str, app_url: str) -> Callable[[str, str], str]:
    """Return the address of a row in the CRM's own user interface (ACC-04); `app_url` is the mapping's."""
    from connectors.dynamics.links import row_address

    organisation_url = crm.split("/api/data/")[0]
    return lambda table, row: row_address(organisation_url, app_url, table, row)
