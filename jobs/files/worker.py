"""The process in which files are read. It holds one file at a time, writes nothing, and may be killed at any
moment."""

import os
import resource
import signal
import sys
import threading
import time
from typing import BinaryIO, Final

import msgspec

from jobs.files.contents import bytes_only, read, shown, told
from jobs.files.limits import MEBI
from jobs.files.page_picture import drawn
from jobs.files.protocol import ANSWER, HEAD, OUT_OF_MEMORY, READY, Answer, Request
from jobs.files.result import Found, Reading
from rules.decoders import msgpack_decoder_of

_GLANCE: Final = 0.02  # seconds between two looks at its memory
_FILES: Final = 64


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Read one file after another until nobody asks any more."""
    for what, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, _FILES)):
        resource.setrlimit(what, (most, most))  # what it holds must not be on a disk
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    base, peak = _address_space(), _peak()
    is_watched = False
    answers.write(READY)
    answers.flush()
    while head := requests.read(HEAD.size):
        asked, size = HEAD.unpack(head)
        request = msgpack_decoder_of(Request).decode(requests.read(asked))
        content = requests.read(size)
        if request.watched and not is_watched:
            is_watched = True
            threading.Thread(target=_watch, args=(peak + request.limits.memory,), daemon=True).start()
        elif not request.watched:
            _limit_memory(base + request.limits.memory)
        signal.setitimer(signal.ITIMER_PROF, request.limits.seconds)
        began = time.process_time()
        answer = _answer(request, content)
        signal.setitimer(signal.ITIMER_PROF, 0)
        answer = msgspec.structs.replace(answer, seconds=time.process_time() - began, peak=_peak())
        del content
        raw = msgspec.msgpack.encode(answer)
        answers.write(ANSWER.pack(len(raw)) + raw)
        answers.flush()
        if answer.is_last:
            return


def _answer(request: Request, content: bytes) -> Answer:
    if request.what == "told":
        found = Found(request.limits)
        with found.attempt():
            return Answer(Reading("text"), told(content, request.media_type, request.name, request.limits))
        return Answer(found.reading("text"), is_last=found.is_spent)
    if request.what == "drawn":
        found = Found(request.limits)
        with found.attempt():
            return Answer(Reading("pdf"), drawn=drawn(content, request.page, found.budget))
        return Answer(found.reading("pdf"), is_last=found.is_spent)
    if request.what == "shown":
        return Answer(shown(content, request.limits))
    if request.what == "bytes":
        return Answer(bytes_only(content, request.limits))
    reading, is_spent = read(content, request.media_type, request.name, request.limits)
    return Answer(reading, is_last=is_spent)


def _address_space() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 1024 * MEBI


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _limit_memory(most: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _watch(most: int) -> None:
    while _peak() < most:
        time.sleep(_GLANCE)
    os._exit(OUT_OF_MEMORY)
