"""What a job has cost the CRM."""

from typing import NamedTuple


class CrmCost(NamedTuple):
    """Requests that were sent; those of them that repeated another one; answers that refused because of the
    CRM's limits; seconds that were waited to keep to these."""

    requests: int
    retries: int
    throttled: int
    waited_s: float
