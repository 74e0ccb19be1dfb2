"""What is read of a file, and a fictitious person of whom files speak."""

from jobs.files.supervisor import SHARED

WHO = "Żaneta D'Hondt-Müller"


def said(content: bytes, media_type: str = "") -> str:
    return "\n".join(SHARED.read(content, media_type).texts)
