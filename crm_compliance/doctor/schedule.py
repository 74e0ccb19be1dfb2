"""The retention schedule in force, and how long our own data are kept by it."""

from rules.policy.policy import Policy
from rules.redaction.country_formats import is_known


def about_schedule(policy: Policy) -> str:
    """Return the schedule in force, and how long our own data are kept by it."""
    own = policy.own_data
    terms = (
        f"own data (ACC-07): lines of plans {own.plan_lines_days} days, journals of runs {own.run_log_months} months, holds "
        f"{own.hold_years} years after their end, register of requests {policy.defaults.register_years} years, certificates and schedules "
        f"{own.certificate_years} years; log lines are yours to remove after {own.technical_log_months} months"
    )
    told = [f"{policy.name} {policy.version}", terms]
    if not is_known(country := policy.home.country):
        told.append(
            f"of {country} it is not known how number plates, mobile numbers without a zero and postcodes are written: in texts a plate "
            "is found beside a word for it, a number with its zero or country code, a postcode of four or five digits before a town"
        )
    return "\n".join(told)
