"""Which recipients of data a person looks at: those that act in criminal matters, since it may harm an
investigation that something was passed on to them, and those outside the European Economic Area. Source:
section 7.1, point (c); GDPR art. 15(1)(c), 19, 44, 45; Decision of the EEA Joint Committee 154/2018."""

import re
from typing import Final

# No field of the CRM shows it, so it is determined by the name and the country: anybody who is not named, and
# every authority of another country, counts as one.
_CRIMINAL = re.compile(
    r"politi|police|polizei|policía|polizia|policja|gendarm|marechaussee|recherche|sheriff|constabul|"
    r"\bpz\b|\bzp\b|\bfgp\b|\bpjf\b|\br?f?ccu\b|\bdjso\b|\bbka\b|\blka\b|\bfbi\b|\bnca\b|\bhsi\b|\bocrvp\b|interpol|europol|eurojust|"
    r"parket|parquet|auditoraat|auditorat|staatsanwalt|generalanwalt|prosecut|procureur|magistra|"
    r"rechtbank|rechtspraak|tribunal|gericht|\bcourts?\b|\bcour\b|\bhof\b|onderzoeksrechter|untersuchungsrichter|juge\b|judge|jeugdrechter|"
    r"jugendrichter|justiti|justice|justiz|\bncmec\b|\bncecc\b|missing (?:and|&) exploited|cybertip|meldpunt|inhope|hotline|"
    r"authorit|autorit|autoriteit|behörde|ministeri|ministère|ministry|douane|customs|zoll|staatsveiligheid|sûreté",
    re.IGNORECASE,
)


def acts_in_criminal_matters(name: str | None, country: str | None, home: str) -> bool:
    """Return whether a recipient is, or may be, one of police, prosecutors, courts, foreign authorities and
    clearing houses such as NCMEC; foreign are those of another country than `home`."""
    named = (name or "").strip()
    abroad = (country or "").strip().upper() not in ("", home)
    return not named or abroad or bool(_CRIMINAL.search(named))


# The countries to which personal data may go as if they stayed at home, by ISO 3166-1 alpha-2.
EEA: Final = frozenset(
    {
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV",
        "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
    }
)  # fmt: skip


def is_outside(country: str | None) -> bool:
    """Return whether a country is outside the EEA: empty is our own, what is not a code counts as outside."""
    code = (country or "").strip().upper()
    return bool(code) and code not in EEA
