"""What values on the wire stand for. A value is worked out when it is first met, and then looked up."""

from typing import Any

from connectors.dynamics.mapping.mapping import KEEPING


def meanings(field: str, keys: dict[Any, str]) -> "dict[Any, Any]":
    """Return what an option or a row of reference stands for in a field of one key."""
    return KnownOrNumber(keys) if field == "role" else Known(keys)


class Known(dict[Any, Any]):
    """Option -> key; an unmapped option counts as empty (RET-09)."""

    def __missing__(self, option: object) -> None:
        self[option] = None  # most are empty, and whatever stands here is found many times as fast


class KnownOrNumber(dict[Any, Any]):
    """Option -> key; an unmapped option stands as its number: an unknown role may be a child's."""

    def __missing__(self, option: object) -> str | None:
        found = self[option] = None if option is None else str(int(option) if isinstance(option, bool) else option)
        return found


def truths(field: str, keys: dict[Any, bool]) -> "dict[Any, Any]":
    """Return what an option stands for in a field of yes or no."""
    return KnownOrYes(keys) if field in KEEPING else Known(keys)


class KnownOrYes(dict[Any, Any]):
    """Option -> yes or no; an unmapped option counts as yes, an empty column as nothing."""

    def __missing__(self, option: object) -> bool | None:
        found = self[option] = None if option is None else True
        return found


class MultiKeys(dict[str | None, tuple[str, ...]]):
    """`"1,2"` -> keys; an option that is not mapped stands as its number, so that the unit becomes
    UNCONFIGURED (R-161)."""

    def __init__(self, keys: dict[int, str]) -> None:
        super().__init__({None: (), "": ()})
        self._keys = keys

    def __missing__(self, text: str | None) -> tuple[str, ...]:
        assert text is not None
        options = [int(part) for part in text.split(",")]
        found = self[text] = tuple(dict.fromkeys(self._keys.get(option, str(option)) for option in options))
        return found


class SingleKeys(dict[int | None, tuple[str, ...]]):
    """A single choice as a tuple of one, for organisations whose categories are not a multi-select."""

    def __init__(self, keys: dict[int, str]) -> None:
        super().__init__({None: ()})
        self._keys = keys

    def __missing__(self, option: int | None) -> tuple[str, ...]:
        found = self[option] = (self._keys.get(option, str(int(option))) if option is not None else "",)
        return found


class Referred(dict[str | None, tuple[str, ...]]):
    """Id of a row of reference -> a category as a tuple of one; an id that stands for nothing stays, and can
    be no key of the schedule (R-161)."""

    def __init__(self, keys: dict[str, str]) -> None:
        super().__init__({None: ()} | {row: (key,) for row, key in keys.items()})

    def __missing__(self, row: str | None) -> tuple[str, ...]:
        assert row is not None
        known = self.get(row.lower())
        found = self[row] = known if known is not None else (row.lower(),)
        return found
