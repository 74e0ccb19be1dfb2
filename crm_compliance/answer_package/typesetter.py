"""Sets a letter in a process of its own. A third of a megabyte an item is what the typesetter takes, and it
keeps the person's texts for letters to come: with the process both are gone."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

import typst

from rules.errors import ComplianceError

_START: Final = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from crm_compliance.answer_package.typesetter import set_here; sys.exit(set_here())"
)
_UNPRINTABLE: Final = 3


class Unprintable(Exception):
    """A text in it has characters that the fonts lack, one by one or together."""


def letter_set(data: bytes) -> bytes:
    """Return the letter as a PDF; `data` is what the template is given, as JSON. Raises Unprintable;
    ComplianceError: its process ended before it was made."""
    paths = [str(Path(each or ".").resolve()) for each in sys.path]
    done = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-c", _START, json.dumps(paths)],
        input=data,  # a command line is for everybody on the machine to read
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what the typesetter complains of quotes the letter
        env={},
        cwd="/",
        start_new_session=True,
        check=False,
    )
    if done.returncode == _UNPRINTABLE:
        raise Unprintable
    if done.returncode != 0:
        message = f"the process that sets the letter ended before it was made ({done.returncode})"
        hint = "do it again; where it ends so again, the machine has too little memory, or a library is missing: reinstall the product"
        raise ComplianceError(message, hint=hint, code="process_ended")
    return done.stdout


def set_here() -> int:
    """Set the letter that comes in by standard input, and write it to standard output."""
    text = sys.stdin.buffer.read().decode()
    data = json.loads(text)
    try:
        made = typst.compile(
            (files("crm_compliance.answer_package") / "letter.typ").read_bytes(),
            format="pdf",
            pdf_standards=["a-2a", "ua-1"],  # an archive file, and one that a screen reader can read
            sys_inputs={"answer": text},
            ignore_system_fonts=True,
            timestamp=datetime(data["year"], data["month"], data["day"], tzinfo=UTC),
        )
    except typst.TypstError:
        return _UNPRINTABLE
    assert isinstance(made, bytes)  # a letter is one file
    sys.stdout.buffer.write(made)
    return 0
