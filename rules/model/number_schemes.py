"""By which check a national number is one: of Belgium by our own rules, of another country by a module of
python-stdnum (IDN-01)."""

import re
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

BELGIAN: Final = "be"
NONE: Final = "none"  # numbers mean nothing
_MODULE: Final = re.compile(r"[a-z]{2}_?\.[a-z0-9_]+")


def is_scheme(scheme: str) -> bool:
    """Return whether there is a check of this name: `be`, `none`, or a module such as `nl.bsn`."""
    return scheme in (BELGIAN, NONE) or module_of(scheme) is not None


@lru_cache(maxsize=64)
def module_of(scheme: str) -> Any:
    """Return the module of python-stdnum that a scheme names; None where there is none."""
    if _MODULE.fullmatch(scheme) is None:
        return None
    try:
        module = import_module(f"stdnum.{scheme}")
    except ImportError:
        return None
    return module if hasattr(module, "is_valid") and hasattr(module, "compact") else None
