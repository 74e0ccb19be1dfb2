"""A child and her mother, who ask: Lotte and Els. Both are fictitious."""

from typing import Any

from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import Typist

LOTTE: dict[str, Any] = {"firstname": "Lotte", "lastname": "Zandstra (fictief)", "emails": ["lotte@example.org"]}
ELS: dict[str, Any] = {"firstname": "Els", "lastname": "Vermeulen (fictief)", "emails": ["els@example.org"]}


def lotte(org: Night, born: str = "2012-03-04", **more: Any) -> str:
    known = {"birthdate": born} | more
    return org.contact(firstname="Lotte", lastname="Zandstra (fictief)", emailaddress1="lotte@example.org", **known)


def els(org: Night, **more: Any) -> str:
    return org.contact(firstname="Els", lastname="Vermeulen (fictief)", emailaddress1="els@example.org", **more)


def on_behalf(typist: Typist, child: str, parent: str, *identity: str, **more: Any) -> Asking:
    asking = Asking(typist).open(ELS, LOTTE | {"birthdate": more.pop("born", "2012-03-04")}, **more)
    return asking.identify("eid", *(identity or ("--mandate", "shown"))).confirm(child, parent)
