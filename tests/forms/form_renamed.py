"""Huis Wilgenbos: every table under another name, one subject a row, no outcome and no recordings."""

from typing import Any

from tests.forms.form import Form, Renamed, day, narrowed, noon, renamed, same, wall
from tests.forms.rows import Row
from tests.independent.organisation import BASE

SUBJECTS, ROLES, CHANNELS = 300_000_100, 1, 10


def first(categories: str) -> str:
    """The first of several categories."""
    return categories.split(",")[0]


def _subject(categories: str) -> int:
    return int(categories) - BASE + SUBJECTS


def _from(start: int) -> Any:
    return lambda option: option - BASE + start


NOTE = Renamed("annotation", same("subject", "notetext", "objectid", "filename", "mimetype", "documentbody"))
TABLES = {
    "account": Renamed("account", same("name")),
    "contact": Renamed(
        "contact",
        same("firstname", "lastname", "birthdate", "gendercode", "emailaddress1", "mobilephone", "address1_line1", "address1_postalcode")
        | same("description", "parentcustomerid")
        | {"cf_nationalnumber": "wb_rijksregister"},
        {"birthdate": noon},
    ),
    "cf_dossier": Renamed(
        "wb_begeleiding",
        {"cf_name": "wb_kenmerk", "cf_openedon": "wb_van", "cf_closedon": "wb_tot", "cf_categories": "wb_aanleiding"}
        | {"cf_summary": "wb_verhaal", "cf_legalhold": "wb_vast"},
        {"cf_openedon": day, "cf_closedon": wall, "cf_categories": _subject},
    ),
    "cf_fiche": Renamed(
        "wb_contactmoment",
        {"cf_name": "wb_kenmerk", "cf_dossierid": "wb_begeleiding", "cf_communicatedon": "wb_wanneer", "cf_channel": "wb_weg"}
        | {"cf_categories": "wb_aanleiding", "cf_summary": "wb_verhaal", "cf_calleremail": "wb_adres"},
        {"cf_channel": _from(CHANNELS), "cf_categories": _subject},
    ),
    "cf_party": Renamed(
        "wb_betrokkenheid",
        {"cf_name": "wb_naam", "cf_contactid": "wb_wie", "cf_dossierid": "wb_begeleiding", "cf_ficheid": "wb_contactmoment"}
        | {"cf_role": "wb_als"},
        {"cf_role": _from(ROLES)},
    ),
    "cf_donation": Renamed(
        "wb_factuur", {"cf_name": "wb_naam", "cf_contactid": "wb_wie", "cf_amount": "wb_bedrag", "cf_iban": "wb_rekening"}
    ),
    "cf_statistic": Renamed(
        "wb_telling", {"cf_name": "wb_naam", "cf_year": "wb_jaar", "cf_categorykey": "wb_soort", "cf_count": "wb_aantal"}
    ),
    "annotation": NOTE,
    "phonecall": Renamed("phonecall", same("subject", "description", "phonenumber", "directioncode", "actualend", "regardingobjectid")),
    "email": Renamed("email", same("subject", "description", "sender", "torecipients", "senton", "regardingobjectid")),
    "activityparty": Renamed("activityparty", same("activityid", "partyid", "addressused", "participationtypemask")),
}


def translate(rows: list[Row]) -> list[Row]:
    """Rows of the reference environment as this organisation has them."""
    return renamed(rows, TABLES)


def narrow(rows: list[Row]) -> list[Row]:
    """Without the facts that this organisation does not record."""
    return narrowed(rows, TABLES, {"cf_categories": first})


FORM = Form(
    "renamed", translate, narrow, unasked=frozenset({"newsletter", "no_bulk_email", "no_contact", "public_alert"}), counts_less=True
)
