"""The process that sets one letter. It loads the typesetter and next to nothing else: to load more of the
product took about as long as to set a letter of a few pages. Its arguments are the folder of the typesetter
and the template; by standard input comes the date of the letter (YYYYMMDD), and after it what the template is
given, as JSON."""

import sys
from datetime import UTC, datetime

UNPRINTABLE = 3


def set_letter(library: str, template: str) -> int:
    """Write the letter to standard output; return the code to exit with."""
    sys.path.append(library)
    import typst

    day, text = sys.stdin.buffer.read(8).decode(), sys.stdin.buffer.read().decode()
    with open(template, "rb") as source:
        letter = source.read()
    try:
        made = typst.compile(
            letter,
            format="pdf",
            pdf_standards=["a-2a", "ua-1"],  # an archive file, and one that a screen reader can read
            sys_inputs={"answer": text, "on": day},
            ignore_system_fonts=True,
            timestamp=datetime(int(day[:4]), int(day[4:6]), int(day[6:]), tzinfo=UTC),
        )
    except typst.TypstError:
        return UNPRINTABLE
    assert isinstance(made, bytes)  # a letter is one file
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(set_letter(*sys.argv[1:]))
