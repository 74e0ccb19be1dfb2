"""Which recipients act in criminal matters: that something was passed on to them may harm an investigation,
so a person looks at each.

No field of the CRM shows it, so it is determined by the name and the country: anybody who is not named, and
every authority of another country, counts as one. Source: section 7.1, point (c); GDPR art. 15(1)(c), 19."""

import re

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
