#!/usr/bin/env python3
"""A TCP proxy that is a bad network on demand: slow, jittery, narrow, slicing, cutting, resetting, deaf, corrupting.

FaultProxy runs in a thread of the caller's; the same as a program, told over its stdin: `proxy.py --upstream HOST:PORT [--seed N]`
prints its address and takes one JSON object a line, {"fault": {...}} | {"transparent": true} | {"refuse": true} | {"accept": true} |
{"drop": true}, each answered by one line.

What it does to a connection is a Fault, drawn when the connection is accepted. It knows TLS from outside only (tls_phase.py), so
that "after the server has committed, before the answer" is an exact place: the first byte of the answer to the n-th request.
"""

import argparse
import asyncio
import json
import os
import random
import socket
import struct
import sys
import threading
from collections import deque
from dataclasses import asdict, dataclass

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # as a program it is no package

from network.tls_phase import Phases  # noqa: E402

PHASES = ("connect", "hello", "handshaken", "request", "answer")
ACTS = ("reset", "cut", "deaf", "corrupt")
CHUNK_BYTES = 64 * 1024
QUEUED_PIECES = 256


@dataclass(frozen=True)
class Fault:
    """One connection's bad luck. The default is a good network."""

    # Of the way, both directions.
    latency_s: float = 0.0
    jitter_s: float = 0.0            # up to this much more, drawn for each piece; the order stays
    bytes_per_second: float = 0.0    # 0: as fast as it goes
    slice_bytes: int = 0             # pieces of this size; 0: as they come
    coalesce_s: float = 0.0          # what comes within this time goes on in one piece
    swallow_fin: bool = False        # one side closes, the other is not told
    # What happens once: `act` when `after_bytes` of `phase` (of the `exchange`-th request or answer) have passed.
    act: str = ""
    phase: str = "connect"
    exchange: int = 1
    after_bytes: int = 0

    def __post_init__(self):
        assert self.act in ("", *ACTS) and self.phase in PHASES, self


GOOD = Fault()


class FaultProxy:
    """Listens on 127.0.0.1 (or `host`) from start() to close(). Every method may be called from any thread."""

    def __init__(self, upstream, seed=0, host="127.0.0.1", port=0):
        self.upstream = upstream  # (host, port); may be changed while it runs
        self.host, self.port = host, port
        self.connections = 0      # accepted so far
        self.happened = 0         # faults that came to their act
        self.bytes_up = self.bytes_down = 0
        self._random = random.Random(seed)
        self._faults = deque()
        self._constant = GOOD
        self._open = set()
        self._loop = asyncio.new_event_loop()
        self._server = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault proxy", daemon=True)
        self._thread.start()
        self.accept()

    # --- what a test tells it ---------------------------------------------------------------------------------------

    def once(self, *faults):
        """The next connections get these, one each; the ones after them what is constant."""
        self._loop.call_soon_threadsafe(self._faults.extend, faults)

    @property
    def pending(self):
        """How many faults still wait for a connection."""
        return len(self._faults)

    def always(self, fault):
        """Every new connection from now on. GOOD: a good network again."""
        def change():
            self._faults.clear()
            self._constant = fault
        self._loop.call_soon_threadsafe(change)

    def refuse(self):
        """Nobody listens here: connections are refused, those that are open stay."""
        self._call(self._stop_listening())

    def accept(self):
        self._call(self._listen())

    def drop(self):
        """Reset what is open."""
        self._call(self._reset_all())

    def move(self, host):
        """The same port at another address."""
        self.refuse()
        self.host = host
        self.accept()

    def close(self):
        self._call(self._stop_listening())
        self._call(self._reset_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # --- inside: all on the loop's thread -----------------------------------------------------------------------------

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self):
        if self._server is not None:
            return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        listener.listen(256)
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        self._server = (listener, self._loop.create_task(self._accept_all(listener)))

    async def _stop_listening(self):
        if self._server is None:
            return
        listener, task = self._server
        self._server = None
        task.cancel()
        await asyncio.wait([task])
        listener.close()

    async def _accept_all(self, listener):
        while True:
            client, _ = await self._loop.sock_accept(listener)
            self.connections += 1
            fault = self._faults.popleft() if self._faults else self._constant
            connection = Connection(self, client, fault, random.Random(self._random.random()))
            self._open.add(connection)
            connection.task = self._loop.create_task(connection.run())
            connection.task.add_done_callback(lambda _, gone=connection: self._open.discard(gone))

    async def _reset_all(self):
        tasks = [connection.task for connection in self._open]
        for connection in list(self._open):
            connection.reset()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


class Over(Exception):
    """The connection has come to its end."""


async def together(*coroutines):
    """All of them to their ends; the first that fails ends the others."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def reset(sock):
    """RST instead of FIN: a linger time of 0 (socket(7))."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    except OSError:
        pass  # gone already


class Connection:
    def __init__(self, proxy, client, fault, chance):
        self.proxy, self.fault, self.chance = proxy, fault, chance
        self.loop = proxy._loop
        self.client, self.server = client, None
        self.phases = Phases()
        self.passed = {"up": 0, "down": 0}  # bytes of each direction that went on
        self.acted = self.deaf = False
        self.task = None

    def reset(self):
        for end in (self.client, self.server):
            if end is not None:
                reset(end)

    async def run(self):
        try:
            self.client.setblocking(False)
            if self.fault.act and self.fault.phase == "connect":
                await self.do_act()
            self.server = socket.socket()
            self.server.setblocking(False)
            await self.loop.sock_connect(self.server, self.proxy.upstream)
            for end in (self.client, self.server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await together(self.way("up", self.client, self.server), self.way("down", self.server, self.client))
        except (Over, OSError):
            self.reset()
        finally:
            for end in (self.client, self.server):
                if end is not None:
                    end.close()

    async def way(self, direction, source, sink):
        """One direction: read, wait as long as the way is, pass on."""
        queue = asyncio.Queue(QUEUED_PIECES)
        await together(self.read_all(source, queue), self.send_all(direction, queue, sink))

    async def read_all(self, source, queue):
        data = b"more"
        while data:
            data = await self.loop.sock_recv(source, CHUNK_BYTES)
            await queue.put((self.due(), data))

    def due(self):
        return self.loop.time() + self.fault.latency_s + self.chance.random() * self.fault.jitter_s

    async def send_all(self, direction, queue, sink):
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0.0, due - self.loop.time()))
            if self.fault.coalesce_s and data:
                await asyncio.sleep(self.fault.coalesce_s)
                while not queue.empty() and queue._queue[0][1]:
                    data += queue.get_nowait()[1]
            if not data:
                if self.fault.swallow_fin or self.deaf:
                    await asyncio.sleep(3600)  # until the proxy ends, or the other side resets
                sink.shutdown(socket.SHUT_WR)
                return
            self.phases.feed(direction, data)
            await self.pass_on(direction, data, sink)

    async def pass_on(self, direction, data, sink):
        at = self.act_at(direction)
        if at is not None and at < self.passed[direction] + len(data):
            before = max(0, at - self.passed[direction])
            await self.write(direction, data[:before], sink)
            data = data[before:]
            if self.fault.act == "corrupt":
                self.acted = True
                self.proxy.happened += 1
                data = bytes([data[0] ^ 0x20]) + data[1:]
            else:
                await self.do_act()
        await self.write(direction, data, sink)

    def act_at(self, direction):
        """The offset of the byte in this direction at which the act comes; None: not known yet, or in the other direction."""
        if not self.fault.act or self.acted:
            return None
        start = self.phases.starts.get((self.fault.phase, self.fault.exchange if self.fault.phase in ("request", "answer") else 0))
        return start[1] + self.fault.after_bytes if start and start[0] == direction else None

    async def do_act(self):
        self.acted = True
        self.proxy.happened += 1
        if self.fault.act == "deaf":  # nothing is passed on any more, nobody is told
            self.deaf = True
            await asyncio.sleep(3600)
        if self.fault.act == "cut":  # what was passed on arrives, then the end
            for end in (self.client, self.server):
                if end is not None:
                    end.shutdown(socket.SHUT_WR)
            await asyncio.sleep(0.05)
        raise Over()

    async def write(self, direction, data, sink):
        size = self.fault.slice_bytes or len(data)
        for start in range(0, len(data), size or 1):
            piece = data[start : start + size]
            if self.fault.bytes_per_second:
                await asyncio.sleep(len(piece) / self.fault.bytes_per_second)
            await self.loop.sock_sendall(sink, piece)
            self.passed[direction] += len(piece)
            if self.fault.slice_bytes:
                await asyncio.sleep(0)  # to the other connections
        if direction == "up":
            self.proxy.bytes_up += len(data)
        else:
            self.proxy.bytes_down += len(data)


def obey(proxy, command):
    if "fault" in command:
        proxy.once(Fault(**command["fault"])) if command.get("once") else proxy.always(Fault(**command["fault"]))
    for name in ("refuse", "accept", "drop"):
        if command.get(name):
            getattr(proxy, name)()
    if command.get("transparent"):
        proxy.always(GOOD)
    return {"connections": proxy.connections, "happened": proxy.happened}


def main():
    parser = argparse.ArgumentParser(description="A TCP proxy that is a bad network on demand; commands as JSON lines on stdin.")
    parser.add_argument("--upstream", required=True, help="HOST:PORT")
    parser.add_argument("--listen", default="127.0.0.1:0", help="HOST:PORT; port 0 chooses one")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    (upstream, upstream_port), (host, port) = (text.rsplit(":", 1) for text in (arguments.upstream, arguments.listen))
    proxy = FaultProxy((upstream, int(upstream_port)), arguments.seed, host, int(port))
    print(json.dumps({"listen": f"{proxy.host}:{proxy.port}", "faults": list(asdict(GOOD))}), flush=True)
    for line in sys.stdin:
        try:
            answer = obey(proxy, json.loads(line))
        except (ValueError, TypeError, AssertionError) as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)
    proxy.close()


if __name__ == "__main__":
    main()
