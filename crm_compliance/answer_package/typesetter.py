"""Sets a letter in a process of its own. A third of a megabyte an item is what the typesetter takes, and it
keeps the person's texts for letters to come: with the process both are gone."""

import subprocess
import sys
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from crm_compliance.answer_package.letter_process import UNPRINTABLE
from rules.errors import ComplianceError

PROCESS: Final = Path(__file__).with_name("letter_process.py")
TEMPLATE: Final = PROCESS.with_name("letter.typ")


class Unprintable(Exception):
    """A text in it has characters that the fonts lack, one by one or together."""


def letter_set(data: bytes, on: date) -> bytes:
    """Return the letter as a PDF; `data` is what the template is given, as JSON. Raises Unprintable;
    ComplianceError: its process ended before it was made."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(PROCESS), _library(), str(TEMPLATE)],
        input=f"{on:%Y%m%d}".encode() + data,  # a command line is for everybody on the machine to read
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what the typesetter complains of quotes the letter
        env={},
        cwd="/",
        start_new_session=True,
        check=False,
    )
    if done.returncode == UNPRINTABLE:
        raise Unprintable
    if done.returncode != 0:
        message = f"the process that sets the letter ended before it was made ({done.returncode})"
        hint = "do it again; where it ends so again, the machine has too little memory, or a library is missing: reinstall the product"
        raise ComplianceError(message, hint=hint, code="process_ended")
    return done.stdout


def _library() -> str:
    """Return the folder in which the typesetter is installed; empty where it is not."""
    found = find_spec("typst")
    return str(Path(found.origin).resolve().parents[1]) if found is not None and found.origin else ""
