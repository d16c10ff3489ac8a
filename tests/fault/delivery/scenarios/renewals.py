"""A3: the collector dies at each step of a certificate's renewal, or the server at each of its transactions, of renewals and enrolments.

The server gives certificates for a minute, dated a minute back as all are, so that a renewal is due within seconds of the one before.
"""

import base64
import hashlib
import os
import signal
import ssl

import oracle
from faults import Faults
from network import killed_server
from network.hurry import hurry
from rig import PATIENCE_S, eventually
from scenario import scenario
from scenarios.calls import register

SHORT_LIVED = '[enrolment]\ncertificate_life = "1m"\n'
TOGETHER = 8
HURRY = 10


def renewing(rig, name, pull="1s", interval="1s"):
    return rig.collector(name, collector=f'config_pull_interval = "{pull}"\n', interval=interval)


def certificate_of(collector):
    with open(collector.certificate[0]) as certificate:
        return certificate.read()


def half_done(collector):
    """Files that are there only while a certificate is renewed."""
    return [path for path in collector.certificate if os.path.exists(path + ".next")]


def thumbprint_of(certificate_pem):
    """As the server names it: RFC 8705, section 3.1."""
    return base64.urlsafe_b64encode(hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate_pem)).digest()).rstrip(b"=").decode()


def one_value(rig, statement):
    return oracle.query(rig.site.database, statement)[0][0]


def check_identity(rig, collector):
    """It has stopped. One collector, one certificate in force, and the pair on its disk is that one or the one that comes after it."""
    ssl.create_default_context().load_cert_chain(*collector.certificate)  # raises unless key and certificate fit
    own = f"collector_id = '{collector.id}'"
    known = oracle.query(rig.site.database, "select id from pganalytics.collectors"
                                            f" where name = '{collector.name}' and created_at >= to_timestamp({rig.started})")
    assert known == [[collector.id]], f"{collector.name}: there are {known}, and it is {collector.id}"
    in_force = one_value(rig, f"select count(*) from pganalytics.certificates where {own} and first_used_at is not null and superseded_at is null")
    assert in_force == "1", f"{collector.name}: {in_force} certificates are in force"
    mine = thumbprint_of(certificate_of(collector))
    assert one_value(rig, f"select count(*) from pganalytics.certificates where {own} and thumbprint = '{mine}' and superseded_at is null") == "1", \
        f"{collector.name}: the certificate on its disk is not one that the server takes"
    assert one_value(rig, f"select late_renewals from pganalytics.collectors where id = '{collector.id}'") == "0"
    told = oracle.query(rig.site.database, f"select action from pganalytics.audit where subject = '{collector.id}' and action like 'collector.certificate%'")
    assert not told, f"{collector.name}: the audit log has {told}"


def settle_renewing(rig, collector):
    if not collector.running:
        collector.start()
    collector.wait_fresh()
    eventually(lambda: not half_done(collector), PATIENCE_S, f"nothing half done is left in {collector.state_dir}/identity", every=0.02)
    rig.settle(collector)
    check_identity(rig, collector)


def count_calls(collector):
    """How many operations on the identity's files a life has until its first renewal is done."""
    before = certificate_of(collector)
    faults = Faults(collector, file="identity/")
    collector.start(faults.environment)
    eventually(lambda: certificate_of(collector) != before and not half_done(collector), PATIENCE_S, f"a renewal, see {collector.log_path}", every=0.02)
    return faults.counts()


def start_again(rig, dying):
    """Those that have died, at once: a certificate lives for a minute. What is left: collector -> its faults."""
    for collector, faults in list(dying.items()):
        if not collector.running:
            assert collector.process.returncode == -signal.SIGKILL, f"{collector.name} ended with {collector.process.returncode}, see {collector.log_path}"
            rig.count("kills")
            rig.count("torn", faults.counts()["torn"])
            del dying[collector]
            collector.start()
    return dying


@scenario(
    row="A3",
    expect="whichever step of a renewal is its last: it starts again with a pair that the server takes, and pushes go on",
    runs={f"{operation}-{effect}": dict(operation=operation, effect=effect)
          for operation, effect in (("any", "kill"), ("any", "after"), ("write", "torn"), ("rename", "kill"))},
    short=["rename-kill"],
    limit_s=900,
    server_config=SHORT_LIVED,
)
def every_call_of_a_renewal(rig, operation, effect):
    """Each life is the first with its certificate; the next one has no faults."""
    counted = renewing(rig, "counted")
    calls = count_calls(counted)[operation]
    assert calls > 0
    for first in range(1, calls + 1, TOGETHER):
        lives = {}
        for call in range(first, min(first + TOGETHER, calls + 1)):
            collector = renewing(rig, f"call{call}")
            lives[collector] = Faults(collector, f"{operation}:{call}:{effect}", rig.random.randrange(2**32), file="identity/")
            collector.start(lives[collector].environment)
        dying = dict(lives)
        eventually(lambda: not start_again(rig, dying), PATIENCE_S, f"each came to its call, see {rig.folder}", every=0.02)
        for collector in lives:
            settle_renewing(rig, collector)
    settle_renewing(rig, counted)


@scenario(
    row="A3",
    expect="the server dies before or behind the commit of a certificate that it gives, or of its first use: renewed all the same, in time",
    runs={f"{marker}-{when}": dict(marker=marker, when=when) for marker in ("certificate_add", "certificate_used") for when in ("before", "after")},
    limit_s=900,
    server_config=SHORT_LIVED,
)
def server_killed_at_a_renewal(rig, marker, when, times=4):
    collectors = [hurry(renewing(rig, f"c{number}", pull="10s", interval="2s"), HURRY) for number in range(1, 4)]
    for collector in collectors:
        collector.start()
    for _ in range(times):
        rig.server.stop()
        killed_server.start(rig.server, FAULT_COMMIT="1", FAULT_MARKER=marker, FAULT_WHEN=when)
        killed_server.wait_until_killed(rig.server, PATIENCE_S)
        rig.count("server_kills")
        before = {collector: certificate_of(collector) for collector in collectors}
        rig.server.start()
        for collector in collectors:
            eventually(lambda: certificate_of(collector) != before[collector], PATIENCE_S, f"a renewal, see {collector.log_path}")
    for collector in collectors:
        settle_renewing(rig, collector)


@scenario(
    row="A3",
    expect="the server dies at any commit of an enrolment: the same command again makes one identity, and it works",
    runs={f"{marker}-{when}": dict(marker=marker, when=when) for marker in ("token_use", "certificate_add") for when in ("before", "after")},
    short=["token_use-after"],
    own_site=True,
)
def server_killed_at_an_enrolment(rig, marker, when, times=3):
    """The token is used and the collector known in one transaction, its certificate is kept in another, the answer comes after both."""
    for number in range(1, times + 1):
        collector = rig.collector(f"c{number}", register=False)
        token = rig.server.cli("token", "create")
        rig.server.stop()
        killed_server.start(rig.server, FAULT_COMMIT="1", FAULT_MARKER=marker, FAULT_WHEN=when)
        assert register(collector, token) != 0, "it was answered"
        killed_server.wait_until_killed(rig.server, PATIENCE_S)
        rig.count("server_kills")
        rig.server.start()
        assert register(collector, token) == 0, f"the same command again: see {rig.server.log_path}"
        settle_renewing(rig, collector)
