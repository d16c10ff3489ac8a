"""Twelve thousand connections that say nothing, and good clients beside them."""

import os
import resource
import socket
import ssl
import time

import pytest

from site_of_abuse import DOCUMENT, MOST_MIB
from wire import request_bytes

WANTED = int(os.environ.get("PGANALYTICS_IDLE_CONNECTIONS", "12000"))
HAND_SHAKES_OPEN = 60  # of one address at a time, below the limit for strangers


@pytest.fixture(scope="module")
def crowd(make_site):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < WANTED + 500:
        pytest.skip(f"this user may open {hard} files, {WANTED} connections need more")
    site = make_site(config='[limits]\nidle_timeout = "10m"\nstranger_timeout = "10m"\n')
    yield site
    site.check_health()
    site.close()


def latency_ms(site, own, times=20):
    """The quickest of some pushes: what the server needs, not what else the machine does."""
    taken = []
    for i in range(times):
        begin = time.monotonic()
        assert own.push({**DOCUMENT, "i": i}).status == 200
        taken.append((time.monotonic() - begin) * 1000)
    return min(taken)


def test_twelve_thousand_idle_connections(crowd):
    own = crowd.enrol("good")
    before_mib, before_ms = crowd.rss_mib(), latency_ms(crowd, own)
    context = ssl.create_default_context(cafile=crowd.ca_file)
    begin, held = time.monotonic(), []
    try:
        # Strangers from as many addresses as it takes, 60 each: what the limit per address (64) lets through.
        while len(held) < WANTED - 50:
            source = f"127.1.{len(held) // HAND_SHAKES_OPEN // 250}.{len(held) // HAND_SHAKES_OPEN % 250 + 1}"
            plain = socket.create_connection(("127.0.0.1", crowd.port), 30, source_address=(source, 0))
            held.append(context.wrap_socket(plain, server_hostname="127.0.0.1"))
        opened_s = time.monotonic() - begin
        full_mib, full_ms = crowd.rss_mib(), latency_ms(crowd, own)
        print(f"{len(held)} idle connections in {opened_s:.0f} s: server {before_mib:.0f} -> {full_mib:.0f} MiB "
              f"({(full_mib - before_mib) * 1024 / len(held):.1f} KiB each); a push {before_ms:.0f} -> {full_ms:.0f} ms")
        assert full_mib < MOST_MIB
        deadline = time.monotonic() + 60
        while full_ms >= max(4 * before_ms, 250):
            assert time.monotonic() < deadline, full_ms
            full_ms = latency_ms(crowd, own)
        # They are all still good for a request.
        for connection in held[:: len(held) // 20]:
            connection.sendall(request_bytes("GET", "/api/v1/health"))
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
    finally:
        for connection in held:
            connection.close()
    deadline = time.monotonic() + 60
    while len(os.listdir(f"/proc/{crowd.server.process.pid}/fd")) > 200 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert len(os.listdir(f"/proc/{crowd.server.process.pid}/fd")) < 200
