"""Many light clients of one collector's identity that all want back in: each a connection with a handshake, then requests on it now and then.

They are threads' coroutines on one loop, bounded so that two cores bear them beside the server: TLS costs more than anything they ask for.
"""

import asyncio
import random
import ssl
import threading
import time

PAUSE_S = (1.0, 3.0)  # between a client's requests
ADDRESSES = 250  # connections come from 127.3.0.1 and on: limits are for each address


class Storm:
    def __init__(self, server, collector, clients):
        self.server, self.clients = server, clients
        self.context = ssl.create_default_context(cafile=server.ca_file)
        self.context.load_cert_chain(*collector.certificate)
        self.request = f"GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
        self.answers = {}  # client -> [(when, how long from the wish to the answer)]
        self.stopping = False
        self.thread = threading.Thread(target=lambda: asyncio.run(self._all()), daemon=True)

    def start(self):
        self.thread.start()

    def close(self):
        self.stopping = True
        if self.thread.is_alive():
            self.thread.join(30)

    def served_since(self, moment):
        """How many clients got an answer to something that they wanted after that moment."""
        return sum(1 for answers in list(self.answers.values()) if answers and answers[-1][0] - answers[-1][1] >= moment)

    def slowest_since(self, moment):
        """The 99th percentile."""
        times = sorted(took for answers in list(self.answers.values()) for when, took in list(answers) if when - took >= moment)
        return times[int(len(times) * 0.99)] if times else 0.0

    async def _all(self):
        await asyncio.gather(*(self._client(number) for number in range(self.clients)))

    async def _client(self, number):
        self.answers[number] = []
        reader = writer = None
        while not self.stopping:
            began = time.monotonic()
            try:
                if writer is None:
                    local = (f"127.3.{number // ADDRESSES}.{number % ADDRESSES + 1}", 0)
                    reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", self.server.port, ssl=self.context, local_addr=local), 30)
                writer.write(self.request)
                await asyncio.wait_for(self._answer(reader), 30)
                self.answers[number].append((time.monotonic(), time.monotonic() - began))
                await asyncio.sleep(random.uniform(*PAUSE_S))
            except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, EOFError):
                if writer is not None:
                    writer.transport.abort()
                reader = writer = None
                await asyncio.sleep(random.uniform(0, 0.5))  # all at once is the point
        if writer is not None:
            writer.transport.abort()

    async def _answer(self, reader):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200"):
            raise EOFError(head.split(b"\r\n")[0])
