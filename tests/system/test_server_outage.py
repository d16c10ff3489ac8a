"""The server is away while the collector collects: afterwards nothing is missing and nothing is twice."""

import time

from harness.oracle import check_no_holes, check_nothing_twice, check_serials
from harness.wait import eventually

PLUGINS = """
[plugins.test_serial]
enabled = true
interval = "200ms"
timeout = "200ms"
[plugins.sysstat]
enabled = true
interval = "500ms"
"""


def serials(server, collector):
    return [row["document"]["serial"] for row in server.metrics(collector.id, "test_serial")]


def outage(server, collector, end_server):
    eventually(lambda: serials(server, collector), 30, "the first documents")
    end_server()
    time.sleep(10)  # the outage itself: the one thing here that is about time
    server.start()
    ended = time.time()

    def caught_up():
        newest = server.metrics(collector.id, "test_serial")[0]["timestamp"]
        return newest >= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ended + 1))

    eventually(caught_up, 150, f"live data again, see {collector.log_path}")
    # The newest comes first: what was made meanwhile follows behind.
    eventually(lambda: check_no_holes(server.metrics(collector.id)) is None, 150, f"the backlog too, see {collector.log_path}")
    collector.stop()
    rows = server.metrics(collector.id)
    check_nothing_twice(rows)
    check_no_holes(rows)
    assert check_serials([row for row in rows if row["type"] == "test_serial"]) > 3 * 5 * 10


def test_server_stopped_for_ten_seconds(server, make_collector):
    collector = make_collector(PLUGINS, server=server)
    collector.register()
    collector.start()
    outage(server, collector, server.stop)


def test_server_killed_for_ten_seconds(server, make_collector):
    collector = make_collector(PLUGINS, server=server)
    collector.register()
    collector.start()
    outage(server, collector, server.kill)


def test_a_collector_that_ends_during_the_outage_delivers_later(server, make_collector):
    collector = make_collector(PLUGINS, server=server)
    collector.register()
    collector.start()
    eventually(lambda: serials(server, collector), 30, "the first documents")
    server.stop()
    time.sleep(3)
    collector.stop()
    server.start()
    collector.start()
    before = len(serials(server, collector))
    eventually(lambda: len(serials(server, collector)) > before + 30, 60, "the backlog and more")
    eventually(lambda: check_no_holes(server.metrics(collector.id)) is None, 60, "all of it")
    collector.stop()
    rows = server.metrics(collector.id)
    check_nothing_twice(rows)
    check_no_holes(rows)
    check_serials([row for row in rows if row["type"] == "test_serial"])
