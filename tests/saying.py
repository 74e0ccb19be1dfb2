"""The organisation that the product comes with, and texts in its words."""

from crm_compliance.answer_package.content import wording
from crm_compliance.configuration import organisation
from crm_compliance.configuration.settings import Settings

SHIPPED = organisation.organisation_of(Settings())


def texts_in(language: str, *, on_behalf: bool = False) -> wording.Texts:
    return wording.texts_in(language, SHIPPED, on_behalf=on_behalf)
