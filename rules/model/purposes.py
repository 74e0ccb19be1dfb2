"""What data are kept for: the codes in which an answer, and the schedule, mention it (GDPR art. 15(1)(a)).
Source: policy §3, §4.3, §6.1; section 7.1."""

from typing import Final, Literal, get_args

PurposeKey = Literal[
    "investigation", "support", "prevention", "online_safety", "referral", "civil_action", "recording", "fundraising", "accounting",
    "training", "volunteering", "employment", "partnership", "newsletter", "contact", "rights",
]  # fmt: skip
PURPOSES: Final[tuple[PurposeKey, ...]] = get_args(PurposeKey)
