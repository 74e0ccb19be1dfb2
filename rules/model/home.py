"""The country in which an organisation works: what a number or a postcode is read as that does not say of
which country it is."""

from typing import Final, NamedTuple

from rules.model.number_schemes import BELGIAN

BELGIUM: Final = "BE"


class Home(NamedTuple):
    """`country` is its ISO code, `scheme` the one of its national numbers (IDN-01, IDN-10); `called` is what
    the organisation itself is called, which is the name of nobody."""

    country: str = BELGIUM
    scheme: str = BELGIAN
    called: str = ""


IN_BELGIUM: Final = Home()


def is_region(country: str) -> bool:
    """Return whether telephone numbers of a country can be read, by its ISO code."""
    import phonenumbers  # a moment to load, and most schedules are of one country

    return country in phonenumbers.SUPPORTED_REGIONS
