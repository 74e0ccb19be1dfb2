"""What the controller says of its processing beside terms: the legal basis of each purpose, and who processes
for it. Source: GDPR art. 6, 9, 15(1)(a) and (c), 28; policy §1, §3, §4.1, §7.3; section 7.1, ACC-11."""

from rules.files.model import Model
from rules.model.purposes import PurposeKey
from rules.policy.categories import Labels


class PurposeBasis(Model):
    """The legal basis of one purpose, as it is stated to requesters."""

    basis: Labels | None = None
    """The ground of Article 6 GDPR; without it, that of the row of the schedule is told."""
    special: Labels | None = None
    """The ground of Article 9(2) GDPR on which special categories of data are processed for this purpose."""


class Processor(Model):
    """Somebody who processes personal data for the controller under a contract (GDPR art. 28)."""

    name: str = ""
    """The name of the company, as people who ask are told it; empty while the controller has not filled it
    in."""
    task: Labels
    """What it does for the controller."""
    purposes: tuple[PurposeKey, ...] = ()
    """The purposes for which it gets data; without them, all."""
    country: str = ""
    """The ISO code of its country, where that is outside the European Economic Area."""
    safeguard: Labels | None = None
    """The ground on which data go there (GDPR art. 46)."""
