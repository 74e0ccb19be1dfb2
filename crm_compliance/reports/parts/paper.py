"""A terminal of 80 columns as our reports write on it: headings, paragraphs, commands, tables, panels."""

from collections.abc import Iterable, Sequence

from rich.box import ASCII2, SIMPLE_HEAD, Box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from crm_compliance.reports.parts.sentences import grouped


class Paper:
    """A console with the few things that our reports are made of; plain ASCII where it must be."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.plain = not console.encoding.lower().startswith("utf")

    def number(self, number: int) -> str:
        text = grouped(number)
        return text.replace("\u202f", " ") if self.plain else text

    def heading(self, text: str) -> None:
        self.console.print(Text(text, style="bold"))

    def line(self, text: str | Text = "") -> None:
        """Print one paragraph. Text is never read as markup: a category key may hold brackets."""
        self.console.print(text if isinstance(text, Text) else Text(text))

    def command(self, command: str) -> None:
        """Print a command on its own line, never broken, so that it can be copied."""
        self.console.print(Text("  " + command, style="cyan"), soft_wrap=True)

    def table(self, title: str, *columns: str, numbers: int = 1) -> Table:
        """Return a table whose last `numbers` columns are numbers; the first wrap to fit 80 columns."""
        box: Box = ASCII2 if self.plain else SIMPLE_HEAD
        table = Table(title=title, title_justify="left", title_style="bold", box=box, pad_edge=False, show_edge=self.plain)
        for place, column in enumerate(columns):
            numeric = place >= len(columns) - numbers
            table.add_column(column, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
        return table

    def rows(self, title: str, *columns: str, of: Iterable[Sequence[str | Text | int]], numbers: int = 1, caption: str = "") -> None:
        """Print such a table of these rows, if there are any."""
        table = self.table(title, *columns, numbers=numbers)
        table.caption, table.caption_justify = caption or None, "left"
        for row in of:
            cells = (self.number(cell) if isinstance(cell, int) else cell for cell in row)
            table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in cells))
        if table.row_count:
            self.console.print()
            self.console.print(table)

    def panel(self, title: str, body: str) -> None:
        self.console.print()
        box = {"box": ASCII2} if self.plain else {}
        self.console.print(Panel(Text(body), title=Text(title), title_align="left", border_style="red", **box))  # type: ignore[arg-type]
