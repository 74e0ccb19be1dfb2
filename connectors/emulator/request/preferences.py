"""The `Prefer` header: what a caller would like, and which of it was granted."""

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

MAX_PAGE = 5_000
FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOOKUP_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"
COUNT = "Microsoft.Dynamics.CRM.totalrecordcount"
ERROR_DETAILS = "Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus"
_PREFERENCE = re.compile(r'\s*([\w.\-]+)\s*(?:=\s*("[^"]*"|[^,\s;]+))?\s*(?:[,;]|$)')


@dataclass
class Preferences:
    representation: bool = False
    page_size: int = 0  # 0: not asked for
    annotations: tuple[str, ...] = ()
    continue_on_error: bool = False
    applied: list[str] = field(default_factory=list)

    def wants(self, annotation: str) -> bool:
        """Return whether an annotation is covered by the requested list; a name may end in an asterisk."""
        return any(annotation.startswith(pattern[:-1]) if pattern.endswith("*") else annotation == pattern for pattern in self.annotations)


def parse_preferences(header: str | None) -> Preferences:
    """Read preferences; unknown ones are ignored, as RFC 7240 requires."""
    found = _parsed(header or "")
    return replace(found, applied=found.applied.copy())


@lru_cache(maxsize=64)  # a client says the same with most requests
def _parsed(header: str) -> Preferences:
    found = Preferences()
    for name, quoted in _PREFERENCE.findall(header):
        value = quoted.strip('"')
        if name == "return" and value == "representation":
            found.representation = True
            found.applied.append("return=representation")
        elif name == "odata.maxpagesize" and re.fullmatch(r"0*[1-9][0-9]{0,8}", value):
            found.page_size = min(int(value), MAX_PAGE)
            found.applied.append(f"odata.maxpagesize={value}")
        elif name == "odata.include-annotations" and value:
            found.annotations = tuple(pattern.strip() for pattern in value.split(",") if pattern.strip())
            found.applied.append(f'odata.include-annotations="{value}"')
        elif name == "odata.continue-on-error" and value.lower() != "false":
            found.continue_on_error = True
            found.applied.append("odata.continue-on-error")
    return found
