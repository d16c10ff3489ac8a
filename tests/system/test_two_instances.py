"""Two servers on one database, with one data_dir between them, as docs/DEPLOYMENT.md says: what one knows the other knows, and one of them may die.

Not here: servers with copies of the keys (tests/abuse/api/test_revocation.py), which of two rolls up what is late (test_rollups.py)."""

import os
import time

import pytest

from harness.pusher import PLUGIN, Pusher, check_refused_politely, check_stored_once
from harness.server import Server
from harness.wait import eventually

CONFIG = """[database]
url = "{url}"
[limits]
push_per_second = 1000
push_burst = 1000
read_per_second = 1000
read_burst = 1000
"""
# Samples in all buckets of five minutes; a bucket of one sample does not count it.
ROLLED_UP = f"""select coalesce(sum(coalesce(r.n[1], 1)), 0) from pganalytics.rollups r join pganalytics.series s on s.id = r.series_id
join pganalytics.families f on f.id = s.family_id where r.width_s = 300 and f.view = '{PLUGIN}'"""


@pytest.fixture
def sql(postgres):
    postgres.sql("create database pganalytics")
    return lambda statement: postgres.sql(statement, "pganalytics")


@pytest.fixture
def servers(binaries, folder, postgres, sql):
    running = []
    for name in ("one", "two"):
        own_folder = os.path.join(folder, name)
        os.mkdir(own_folder, 0o755)
        running.append(Server(binaries, own_folder, CONFIG.format(url=postgres.conninfo("pganalytics")), data_dir=running[0].data_dir if running else None))
        running[-1].start()
    yield running
    for server in running:
        server.close()


def more_of_each(pushers):
    before = [pusher.acknowledged for pusher in pushers]
    eventually(lambda: all(p.acknowledged >= b + 10 for p, b in zip(pushers, before)), 60, lambda: f"ten pushes more of each: {[p.answers[-3:] for p in pushers]}")


def test_one_is_killed_while_pushes_arrive_through_both(servers, sql):
    one, two = servers
    pushers = [Pusher(order, age_s=1800).start() for order in (servers, servers[::-1])]

    def kill(server):
        more_of_each(pushers)
        server.kill()
        more_of_each(pushers)

    # Whoever is left rolls up what came, also what the other had begun.
    kill(one)
    wanted = sum(pusher.acknowledged for pusher in pushers)
    eventually(lambda: int(sql(ROLLED_UP)) >= wanted, 60, lambda: f"{wanted} samples rolled up by {two.url}: {sql(ROLLED_UP)}")
    one.start()
    kill(two)
    for pusher in pushers:
        pusher.finish()
        assert 0 in pusher.statuses(), "it never met the server that was killed"
    check_refused_politely(pushers, 25, unanswered=True)
    check_stored_once(pushers, sql)
    total = sum(pusher.acknowledged for pusher in pushers)
    eventually(lambda: int(sql(ROLLED_UP)) == total, 60, lambda: f"{total} samples rolled up by {one.url}, none twice: {sql(ROLLED_UP)}")


def test_what_one_is_told_the_other_knows(servers):
    one, two = servers
    pusher = Pusher([one])

    def ask(server):
        body = {"type": PLUGIN, "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        return pusher.ask(server, "POST", "/api/v1/metrics/push", body)

    # Enrolled by one, with its certificate and its token.
    assert ask(one).status == ask(two).status == 200
    assert two.get(f"/api/v1/collectors/{pusher.id}")["id"] == pusher.id
    # A signing key that replaced another: tokens of before and after are good with both.
    one.cli("key", "rotate-signing")
    assert ask(one).status == ask(two).status == 200
    before = pusher.token
    pusher.token = pusher.ask(one, "POST", f"/api/v1/collectors/{pusher.id}/token").json["token"]
    assert pusher.token != before
    assert ask(two).status == ask(one).status == 200
    # Configuration.
    path = f"/api/v1/config/{pusher.id}"
    assert one.request("PUT", path, {"retention_days": 7}, role="admin").status == 200
    assert pusher.ask(two, "GET", path).json["retention_days"] == 7
    # Revoked through one: within five seconds with both.
    assert two.request("DELETE", f"/api/v1/collectors/{pusher.id}", role="admin").status == 204
    revoked = time.monotonic()
    eventually(lambda: ask(one).status == ask(two).status == 403, 10, "both refuse it")
    assert time.monotonic() - revoked < 5
