"""Where a connection through the proxy is, seen from outside: in the ClientHello, after the handshake, in the n-th request, in its answer.

TLS 1.3 hides everything but the records' types and lengths (RFC 8446, section 5.1), which is enough: a client's last handshake record
is its Finished, of 32 or 48 bytes of hash and 21 bytes around; after it, who speaks decides whether it is a request or an answer.
Not here: decrypting anything.
"""

HANDSHAKE, APPLICATION_DATA = 22, 23
RECORD_HEADER_BYTES = 5
FINISHED_BYTES = (4 + 32 + 1 + 16, 4 + 48 + 1 + 16)  # message header, hash, inner type, AEAD tag


class Records:
    """One direction, cut into records as bytes arrive. Yields (type, offset of the record's first byte, length of its payload)."""

    def __init__(self):
        self.offset = 0  # of the next byte that arrives
        self._header = b""
        self._left = 0  # of the payload under way

    def feed(self, data):
        position = 0
        while position < len(data):
            if self._left:
                taken = min(self._left, len(data) - position)
                self._left -= taken
                position += taken
                continue
            taken = min(RECORD_HEADER_BYTES - len(self._header), len(data) - position)
            self._header += data[position : position + taken]
            position += taken
            if len(self._header) == RECORD_HEADER_BYTES:
                kind, length = self._header[0], int.from_bytes(self._header[3:5], "big")
                yield kind, self.offset + position - RECORD_HEADER_BYTES, length
                self._header, self._left = b"", length
        self.offset += len(data)


class Phases:
    """Both directions. `starts` tells at which offset of which direction a phase begins, as soon as that is known:
    ("hello", 0), ("handshaken", 0), ("request", 1), ("answer", 1), ("request", 2) ..."""

    def __init__(self):
        self._records = {"up": Records(), "down": Records()}
        self.starts = {("hello", 0): ("up", 0)}
        self.exchange = 0  # requests begun
        self._handshaken = self._answering = False

    def feed(self, direction, data):
        for kind, offset, length in self._records[direction].feed(data):
            if kind != APPLICATION_DATA:
                continue
            if direction == "up":
                self._client_record(offset, length)
            elif self.exchange > 0 and not self._answering:
                self._answering = True
                self.starts["answer", self.exchange] = ("down", offset)

    def _client_record(self, offset, length):
        if not self._handshaken:
            if length in FINISHED_BYTES:
                self._handshaken = True
                self.starts["handshaken", 0] = ("up", offset + RECORD_HEADER_BYTES + length)
        elif self.exchange == 0 or self._answering:
            self.exchange += 1
            self._answering = False
            self.starts["request", self.exchange] = ("up", offset)
