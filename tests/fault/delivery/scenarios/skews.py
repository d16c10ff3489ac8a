"""C2, C3: the clocks of a collector and its servers disagree, and what was over when a machine woke up. Certificates are dated a minute back, tokens
are taken thirty seconds early or late (docs/SECURITY.md): within that nobody notices; beyond it somebody says why, and nothing is lost."""

import os
import shutil
import signal

import oracle
from harness.server import Server
from network.hurry import hurry
from network.proxy import FaultProxy
from rig import BINARIES, PATIENCE_S, SERVER_LIMITS, eventually
from scenario import scenario
from scenarios.clocks import HOUR, Clock
from scenarios.renewals import certificate_of

HURRY = 10
SKEWS = {"plus-30s": 30, "minus-30s": -30, "plus-5m": 300, "minus-5m": -300}
NOT_YET = "not yet valid"  # a certificate, as TLS says it


def offset_s(collector):
    """The server's clock less its own, as the collector sees it; None while it has not been told."""
    status = collector.status()
    offset = status and status["delivery"].get("clock_offset_ms")
    return None if offset is None else offset / 1000


def hurried(rig, name="c1", **options):
    return hurry(rig.collector(name, interval="3s", **options), HURRY)


def restart(server):
    server.stop()
    server.start()


@scenario(
    row="C3",
    expect="the server's clock is wrong: taken up to the leeway, told clearly beyond it, and all of it arrives when the clock is right",
    runs={name: dict(skew_s=skew_s) for name, skew_s in SKEWS.items()},
    short=["plus-5m"],
    own_site=True,
)
def skewed_server(rig, skew_s):
    """One collector has its certificate from before, another gets one by the wrong clock. Five minutes back, nobody has one that is valid: the CA is
    as old as its site, a few seconds."""
    clock = Clock(rig.server, "server")
    restart(rig.server)
    known = hurried(rig, "known")
    known.start()
    known.wait_fresh()
    clock.set(skew_s)
    rig.count("faults")
    restart(rig.server)
    if skew_s > -60:
        known.wait_fresh()
        eventually(lambda: abs((offset_s(known) or 0) - skew_s) < 10, PATIENCE_S, f"the collector sees {skew_s} s, see {known.log_path}")
        rig.settle(rig.collector("late"))
    else:
        eventually(lambda: "client certificate" in known.log(), PATIENCE_S, f"it says that its certificate is not taken, see {known.log_path}")
        assert known.running
    clock.true_again()
    restart(rig.server)
    assert rig.settle(known).counted_lost == 0


@scenario(
    row="C3",
    expect="the collector's clock is wrong when it meets a new server: taken up to the leeway, told clearly beyond it, and all of it arrives",
    runs={name: dict(skew_s=skew_s) for name, skew_s in SKEWS.items()},
    own_site=True,
)
def skewed_collector(rig, skew_s):
    """The server's certificate is as old as its site: a few seconds."""
    collector = hurried(rig)
    clock = Clock(collector)
    clock.set(skew_s)
    collector.start()
    rig.count("faults")
    if skew_s > -60:
        collector.wait_fresh()
        eventually(lambda: abs((offset_s(collector) or 0) + skew_s) < 10, PATIENCE_S, f"it sees {-skew_s} s, see {collector.log_path}")
    else:
        eventually(lambda: NOT_YET in collector.log(), PATIENCE_S, f"it says what is wrong, see {collector.log_path}")
        assert collector.running
        clock.true_again()
    assert rig.settle(collector).counted_lost == 0


def second_server(rig):
    """Another server on the same database, with the same keys and CA, as behind a load balancer."""
    folder = os.path.join(rig.folder, "second")
    os.mkdir(folder)
    os.chmod(folder, 0o755)
    server = Server(BINARIES, folder, f'log_level = "debug"\n[database]\nurl = "{rig.site.database}"\n[limits]\n{SERVER_LIMITS}')
    shutil.copytree(rig.server.data_dir, server.data_dir)
    owner = os.stat(rig.server.data_dir)
    for path in [server.data_dir, *(os.path.join(server.data_dir, name) for name in os.listdir(server.data_dir))]:
        os.chown(path, owner.st_uid, owner.st_gid)
    rig.to_close.append(server.close)
    return server


TOKEN_LIFE_S = 15 * 60
CLOCKS = {  # the second server's clock less the first one's, and whether it takes the first one's token
    "token-25s-early": (-25, True), "token-5m-early": (-300, False), "token-just-over": (TOKEN_LIFE_S + 1, True), "token-1m-over": (TOKEN_LIFE_S + 60, False),
}


def status_of_foreign_token(first, second, collector):
    """What the second server answers to a token that the first one has just given."""
    given = first.request("POST", f"/api/v1/collectors/{collector.id}/token", certificate=collector.certificate)
    assert given.status == 200, given.text
    answer = second.request("GET", f"/api/v1/config/{collector.id}", headers={"Authorization": "Bearer " + given.json["token"]}, certificate=collector.certificate)
    return answer.status


@scenario(
    row="C3",
    expect="two servers whose clocks disagree: a token is taken a minute early and 30 s late, beyond that the collector gets another; nothing is lost or stored twice",
    runs={name: dict(clocks=name) for name in CLOCKS},
    own_site=True,
)
def servers_disagree(rig, clocks, times=5):
    skew_s, is_taken = CLOCKS[clocks]
    proxy = FaultProxy(("127.0.0.1", rig.server.port))
    rig.to_close.append(proxy.close)
    second = second_server(rig)
    clock = Clock(second, "second")
    if skew_s < 0:  # the collector's certificate would be too new for it: this way round it is the token's first server that is ahead
        first_clock = Clock(rig.server, "server")
        restart(rig.server)
    collector = hurried(rig, url=f"https://127.0.0.1:{proxy.port}")
    second.start()
    if skew_s < 0:
        first_clock.set(-skew_s)
    else:
        clock.set(skew_s)
    rig.count("faults")
    status = status_of_foreign_token(rig.server, second, collector)
    assert (status != 401) == is_taken, f"the other server answered {status}"
    assert ("an access token of" in second.log()) != is_taken, second.log()[-1000:]
    collector.start()
    for number in range(times):
        collector.wait_fresh()
        proxy.upstream = ("127.0.0.1", (second if number % 2 == 0 else rig.server).port)
        proxy.drop()
    collector.wait_fresh()
    if skew_s < 0:
        first_clock.true_again()
    assert rig.settle(collector).counted_lost == 0


@scenario(
    row="C2",
    expect="what was over when the machine woke up is renewed: the token, or the certificate in time or late; pushes go on",
    runs={"token": dict(life="7d", renewed=False), "certificate-at-its-half": dict(life="12h"), "certificate-over": dict(life="4h", late=True)},
    own_site=True,
    limit_s=400,
)
def machine_wakes(rig, life, renewed=True, late=False):
    """8 h later for collector and server; the collector stood still meanwhile, its monotonic clock too."""
    with open(rig.server.config, "a") as config:
        config.write(f'[enrolment]\ncertificate_life = "{life}"\n')
    server_clock = Clock(rig.server, "server")
    restart(rig.server)
    collector = hurried(rig, collector='config_pull_interval = "20s"\n')
    clock = Clock(collector)
    collector.start()
    collector.wait_fresh()
    before = certificate_of(collector)
    collector.process.send_signal(signal.SIGSTOP)
    for one in (clock, server_clock):
        one.set(8 * HOUR)
    rig.count("faults")
    collector.process.send_signal(signal.SIGCONT)
    collector.wait_fresh(200)  # a 401 costs ten minutes of its time at most
    eventually(lambda: (certificate_of(collector) != before) == renewed, PATIENCE_S, f"renewed: {renewed}, see {collector.log_path}")
    count = oracle.query(rig.site.database, f"select late_renewals from pganalytics.collectors where id = '{collector.id}'")[0][0]
    assert count == str(int(late)), f"{count} renewals were late"
    assert ("renewed late" in collector.log()) == late
    assert rig.settle(collector).counted_lost == 0
