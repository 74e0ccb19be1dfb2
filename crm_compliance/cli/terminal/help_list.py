"""Lists that follow a command's help from a registry, which is loaded only where the help is asked for."""

from collections.abc import Callable, Iterable
from typing import Any

from typer.core import TyperCommand


def listing(title: str, rows: Callable[[], Iterable[tuple[str, str]]]) -> type[TyperCommand]:
    """Make a kind of command whose help ends with a list of two columns."""

    class Listing(TyperCommand):
        def format_epilog(self, ctx: Any, formatter: Any) -> None:
            super().format_epilog(ctx, formatter)
            with formatter.section(title):
                formatter.write_dl(list(rows()))

    return Listing
