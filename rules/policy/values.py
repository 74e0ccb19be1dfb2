"""Values that stand in a schedule: ids, countries, time zones."""

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from rules.dates.calendar import are_known, is_zone
from rules.model.home import BELGIUM, is_region
from rules.model.number_schemes import is_scheme

GUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
HOLIDAYS = r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"


def _guid(value: str) -> str:
    if re.match(GUID, value) is None:
        raise ValueError("this has to be the id of a row: lower-case hexadecimal digits in five groups, without braces")
    return value


def _holidays(value: str) -> str:
    if re.match(HOLIDAYS, value) is None or not are_known(value):
        raise ValueError("no public holidays are known of it: this has to be the ISO code of a country, or of a part, such as BE or DE-NW")
    return value


def _zone(value: str) -> str:
    if not is_zone(value):
        raise ValueError("there is no such time zone: this has to be a name of the IANA time zone database, such as Europe/Brussels")
    return value


def _country(value: str) -> str:
    if value != BELGIUM and not is_region(value):
        raise ValueError("no telephone numbers are known of it: this has to be the ISO code of a country, such as BE")
    return value


def _scheme(value: str) -> str:
    if not is_scheme(value):
        raise ValueError("no check of such national numbers is known: write be, none, or a module of python-stdnum such as nl.bsn")
    return value


Guid = Annotated[str, AfterValidator(_guid), WithJsonSchema({"type": "string", "pattern": GUID})]
Country = Annotated[str, AfterValidator(_country), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$"})]
Holidays = Annotated[str, AfterValidator(_holidays), WithJsonSchema({"type": "string", "pattern": HOLIDAYS})]
NumberScheme = Annotated[str, AfterValidator(_scheme)]
Zone = Annotated[str, AfterValidator(_zone)]
