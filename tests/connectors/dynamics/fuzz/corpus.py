"""The seed corpus: answers as the service and the gateways before it write them, one raw HTTP answer a file.

Headers that begin with `X-` are ours: what the test expects of the body.
"""

from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "data" / "corpus"


@dataclass(frozen=True)
class Entry:
    name: str
    status: int
    headers: Message
    body: bytes

    @property
    def content_type(self) -> str:
        return str(self.headers["Content-Type"])

    def words(self, header: str) -> list[str]:
        return str(self.headers.get(header, "")).split()


def entries(kind: str) -> list[Entry]:
    """All entries of one folder, by name."""
    return [_entry(path) for path in sorted((FOLDER / kind).glob("*.http"))]


def _entry(path: Path) -> Entry:
    first, _, rest = path.read_bytes().partition(b"\r\n")
    head, _, body = rest.partition(b"\r\n\r\n")
    return Entry(path.stem, int(first.split()[1]), BytesHeaderParser().parsebytes(head), body)
