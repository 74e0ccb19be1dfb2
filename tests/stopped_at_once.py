"""What a process that starts and stops a thousand servers need not wait for.

uvicorn looks ten times a second whether it shall end, and then waits a tenth of a second more for
connections that may have something to say. Here it is woken when it shall end, and waits only while a
connection or a task is at work."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import uvicorn

SHUT_DOWN = uvicorn.Server.shutdown  # the usual end
TICK_S = 1.0
TURNS = 5  # of the loop, until connections that were closed are gone


class _Ending:
    """Whether a server shall end: the attribute that uvicorn looks at, which wakes it as well."""

    def __get__(self, server: Any, _: Any = None) -> bool:
        return bool(server.__dict__.get("shall_end", False))

    def __set__(self, server: Any, value: bool) -> None:
        server.__dict__["shall_end"] = value
        if value and (waking := server.__dict__.get("waking")):
            loop, woken = waking
            with suppress(RuntimeError):  # the loop has ended by itself
                loop.call_soon_threadsafe(woken.set)


async def _until_it_shall_end(server: Any) -> None:
    woken = asyncio.Event()
    server.__dict__["waking"] = asyncio.get_running_loop(), woken
    while not await server.on_tick(0):
        with suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), TICK_S)


async def _end(server: Any, sockets: list[socket.socket] | None = None) -> None:
    state = server.server_state
    for connection in list(state.connections):
        cycle = getattr(connection, "cycle", None)
        if cycle is None or cycle.response_complete:
            connection.shutdown()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    if state.connections or state.tasks or server.config.lifespan != "off":
        await SHUT_DOWN(server, sockets)
        return
    for each in server.servers:
        each.close()
    for taken in sockets or []:
        taken.close()
    for each in server.servers:
        await each.wait_closed()


@contextmanager
def servers_stopped_at_once() -> Iterator[None]:
    """While it lasts, servers of this process end as soon as they are told to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn.Server, "should_exit", _Ending(), raising=False)
        patch.setattr(uvicorn.Server, "main_loop", _until_it_shall_end)
        patch.setattr(uvicorn.Server, "shutdown", _end)
        yield
