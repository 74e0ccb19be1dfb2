"""The one border behind which files of other people are read: a process of its own, kept within limits,
killed and started again.

What a file holds cannot stop an answer: an error, a crash, a loop or a hunger for memory of whatever parses
it ends that process and makes the file one that cannot be read, which a person has to look at. Source:
EXP-06, EXP-07, EXP-14."""

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import msgspec

from jobs.files.limits import MEBI, Limits, Unread
from jobs.files.protocol import ANSWER, HEAD, OUT_OF_MEMORY, READY, Answer, Request
from jobs.files.result import Drawn, Reading, Told
from rules.decoders import msgpack_decoder_of
from rules.errors import ComplianceError
from rules.model.media_types import is_seen_or_heard

_START: Final = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from jobs.files.worker import serve; serve(sys.stdin.buffer, sys.stdout.buffer)"
)
_GLANCE: Final = MEBI  # bytes at either end of a file that is too large to be read
_KEEPS_NO_LIMIT: Final = ("darwin",)  # macOS takes RLIMIT_AS and does not mind it


class ReaderMissing(ComplianceError):
    """The process that reads files cannot be started: nothing is wrong with a file, but with this
    installation."""

    code = "reader"


class Reader:
    """Reads files, one at a time, in a process that is started when the first one comes and serves many."""

    def __init__(self, limits: Limits | None = None, *, watched: bool = sys.platform in _KEEPS_NO_LIMIT) -> None:
        """Create a reader. `watched`: the process checks its own memory, where systems set no limit."""
        self.limits = limits if limits is not None else Limits()
        self._watched = watched
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self.seconds = 0.0  # of the processor, over all files whose reading was not cut off
        self.peak = 0  # bytes of memory, the most that a process ever had

    def told(self, content: bytes, media_type: str, name: str) -> Told | None:
        """Return what a text file says, without markup; None where it is not a text, too long to be told as
        one, or cannot be read. Raises ReaderMissing: no process can be started."""
        answer = self._asked("told", content, media_type, name)
        return answer.told if isinstance(answer, Answer) and not answer.reading.why else None

    def read(self, content: bytes, media_type: str = "", name: str = "") -> Reading:
        """Read everything in a file that somebody, or a program, could read as words; `why` states why that
        is not everything. Raises ReaderMissing: no process can be started."""
        if len(content) > self.limits.content:
            is_heard = is_seen_or_heard(media_type)
            ends = self._at_least(content[:_GLANCE] + b"\n" + content[-_GLANCE:])
            return msgspec.structs.replace(ends, kind="sound") if is_heard and not ends.why else _because(Unread.LARGE, ends.texts)
        answer = self._asked("read", content, media_type, name)
        reading = answer.reading if isinstance(answer, Answer) else _because(answer, ())
        if not reading.why or reading.texts:
            return reading
        return msgspec.structs.replace(reading, texts=self._at_least(content).texts)

    def shown(self, content: bytes) -> Reading:
        """Read what is shown of a PDF that we made ourselves. Raises ReaderMissing."""
        answer = self._asked("shown", content, "", "")
        return answer.reading if isinstance(answer, Answer) else _because(answer, ())

    def drawn(self, content: bytes, page: int) -> Drawn:
        """Draw a page of a PDF, counted from 0; `why` states why there is no picture. Raises
        ReaderMissing."""
        if len(content) > self.limits.content:
            return Drawn(why=Unread.LARGE.value)
        answer = self._asked("drawn", content, "application/pdf", "", page)
        if not isinstance(answer, Answer):
            return Drawn(why=answer.value)
        return answer.drawn or Drawn(why=answer.reading.why or Unread.DAMAGED.value)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _at_least(self, content: bytes) -> Reading:
        """Return what can be read among the bytes of a file that is not read as its kind."""
        answer = self._asked("bytes", content, "", "")
        return answer.reading if isinstance(answer, Answer) else _because(answer, ())

    def _asked(self, what: str, content: bytes, media_type: str, name: str, page: int = 0) -> Answer | Unread:
        """Process a file; return the reason if the process died before it answered."""
        request = msgspec.msgpack.encode(Request(what, media_type, name, self.limits, self._watched, page))
        with self._lock:
            process = self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            is_late = threading.Event()
            clock = threading.Timer(self.limits.wall, _kill, (process, is_late))
            clock.daemon = True
            clock.start()
            try:
                process.stdin.write(HEAD.pack(len(request), len(content)))
                process.stdin.write(request)
                process.stdin.write(content)
                process.stdin.flush()
                head = process.stdout.read(ANSWER.size)
                raw = process.stdout.read(ANSWER.unpack(head)[0]) if len(head) == ANSWER.size else b""
                answer = msgpack_decoder_of(Answer).decode(raw)
            except (OSError, msgspec.DecodeError):
                code = self._end()
                return Unread.SLOW if is_late.is_set() or code == -signal.SIGPROF else _ended_by(code)
            except BaseException:
                self._end()
                raise
            finally:
                clock.cancel()
            self.seconds, self.peak = self.seconds + answer.seconds, max(self.peak, answer.peak)
            if answer.is_last:
                self._end()
            return answer

    def _started(self) -> subprocess.Popen[bytes]:
        """Return the process; start another one where it has ended meanwhile or belongs to another process
        than this."""
        if self._process is not None and self._owner == os.getpid() and self._process.poll() is None:
            return self._process
        if self._owner == os.getpid():
            self._end()
        paths = [str(Path(each or ".").resolve()) for each in sys.path]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-W", "ignore", "-c", _START, json.dumps(paths)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # what a library complains of quotes the file
                env={},  # no secret of ours is where a file may have taken over
                cwd="/",
                start_new_session=True,
            )
        except OSError as problem:
            raise ReaderMissing(f"the process that reads files cannot be started: {problem.strerror}") from None
        self._owner = os.getpid()
        assert self._process.stdout is not None
        if self._process.stdout.read(len(READY)) != READY:
            self._end()
            raise ReaderMissing(
                "the process that reads files ended before it read one", hint="reinstall the product: a library may be missing"
            )
        return self._process

    def _end(self) -> int:
        """End the process if there is one, and give how it ended."""
        process, self._process = self._process, None
        if process is None:
            return 0
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            return process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def _kill(process: subprocess.Popen[bytes], is_late: threading.Event) -> None:
    is_late.set()
    process.kill()


def _ended_by(code: int) -> Unread:
    return Unread.MEMORY if code == OUT_OF_MEMORY else Unread.STOPPED


def _because(why: Unread, texts: tuple[str, ...]) -> Reading:
    return Reading("bytes", texts, why.value)


SHARED: Final = Reader()
atexit.register(SHARED.close)
