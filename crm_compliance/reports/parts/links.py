"""Addresses that a report may carry: web addresses of the CRM and nothing else."""

from urllib.parse import urlsplit


def safe_link(address: str) -> str:
    """Return the address if a browser opens it as a web page, else an empty string. A report never carries
    `javascript:` or a file path."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in {"http", "https"} and parts.netloc else ""
