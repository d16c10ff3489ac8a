"""Configurations of the server that must not stay: each is refused or taken back within its probation, the server is told why, and
what was good before goes on collecting without a hole.

What pganalytics-server lets pass goes through it; what it would never store comes from a scripted one."""

import concurrent.futures
import json
import os
import re
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime

import pytest

from cell import BINARIES, PLUGINS, SANITIZED, SANITIZER_OPTIONS
from harness.collector import Collector
from harness.server import Server
from harness.wait import eventually
from scripted_backend import ScriptedBackend

PROBATION_S = 6 if not SANITIZED else 12
SHORT_PROBATION_S = 3 if not SANITIZED else 12  # where a trial must end, or where many follow each other
PATIENCE_S = 90 if not SANITIZED else 180
GRACE_S = 20  # for a busy machine, beside what a trial may take
AT_ONCE = 12  # most of a case's time is waiting
LOCAL = """
[plugins.fault_moody]
interval = "500ms"
timeout = "500ms"
memory_max = "64MiB"
cpu_max = "off"
labels = ["local"]
pin = ["labels"]
[plugins.fault_neighbour]
interval = "500ms"
timeout = "500ms"
do = "nothing"
pin = true
"""


def collector_config(probation_s=PROBATION_S):
    return f'config_pull_interval = "1s"\nconfig_probation = "{probation_s}s"\nbackup_interval = "0s"\n'


def moody(**keys):
    return {"plugins": {"fault_moody": keys}}


@dataclass(frozen=True)
class Bad:
    name: str
    document: object          # bytes: as they are; dict: "version" is put in unless it has one
    reason: str               # regular expression: what the server is told
    state: str = "rejected"
    etag: str = None


def nested(depth):
    return b'{"version":2,"plugins":{"fault_moody":{"labels":' + b"[" * depth + b"]" * depth + b"}}}"


# Through the real server: it does not know the plugins' schemas, and no schema knows what a plugin makes of a key.
THROUGH_THE_SERVER = [
    Bad("unknown_key", moody(nummber=2), r"plugins\.fault_moody\.nummber: unknown key"),
    Bad("wrong_type", moody(number="two"), r"plugins\.fault_moody\.number"),
    Bad("null", moody(number=None), r"number"),
    Bad("below_the_minimum", moody(number=-1), r"plugins\.fault_moody\.number"),
    Bad("above_the_maximum", moody(number=1001), r"plugins\.fault_moody\.number"),
    Bad("fraction_for_a_whole_number", moody(number=1.5), r"plugins\.fault_moody\.number"),
    Bad("number_too_large", moody(number=10**18), r"plugins\.fault_moody\.number"),
    Bad("object_for_a_number", moody(number={"a": 1}), r"plugins\.fault_moody\.number"),
    Bad("no_such_mood", moody(mood="bored"), r"plugins\.fault_moody\.mood"),
    Bad("a_path_by_its_schema", moody(watch=["/etc/shadow"]), r"plugins\.fault_moody\.watch: may be set on the host only"),
    Bad("local_by_its_schema", moody(mine="x"), r"plugins\.fault_moody\.mine: may be set on the host only"),
    Bad("plugin_not_installed", {"intervals": {"exec": "30s"}}, r"intervals\.exec: no plugin 'exec' is installed here"),
    Bad("key_of_another_plugin", moody(tables_max=5), r"unknown key"),
    Bad("refused_by_the_plugin", moody(mood="refuse"), r"fault_moody: .*not in this mood"),
    Bad("crash_in_the_dry_run", moody(mood="dry_crash"), r"fault_moody: its worker"),
    Bad("hang_in_the_dry_run", moody(mood="dry_hang"), r"fault_moody: .*(in time|hung)"),
    Bad("refused_at_last", moody(mood="refuse_at_last"), r"fault_moody: .*not in this mood", "reverted"),
    Bad("crash_at_configure", moody(mood="crash_at_last"), r"fault_moody: its worker", "reverted"),
    Bad("hang_at_configure", moody(mood="hang_at_last"), r"fault_moody: ", "reverted"),
    Bad("runs_fail", moody(mood="fail"), r"fault_moody: 2 runs in a row failed: .*no_such", "reverted"),
    Bad("runs_say_wrong_configuration", moody(mood="wrong"), r"fault_moody: .*no_such", "reverted"),
    Bad("runs_crash", moody(mood="crash"), r"fault_moody: its worker", "reverted"),
    Bad("runs_exit", moody(mood="exit"), r"fault_moody: its worker", "reverted"),
    Bad("runs_hang", moody(mood="hang"), r"fault_moody: ", "reverted"),
    Bad("runs_spin", moody(mood="spin"), r"fault_moody: ", "reverted"),
    Bad("memory_above_the_ceiling", moody(mood="leak"), r"fault_moody: ", "reverted"),
    Bad("documents_against_the_schema", moody(mood="bad_document"), r"fault_moody: 2 runs in a row failed", "reverted"),
]

# What the server would refuse, or never say.
SCRIPTED = [
    Bad("no_json", b"<html>portal</html>", "remote configuration: .*", etag='"2"'),
    Bad("empty", b" ", "remote configuration: .*", etag='"2"'),
    Bad("cut_off", b'{"version":2,"plugins":{"fault_moody":{"number":', "remote configuration: .*", etag='"2"'),
    Bad("not_an_object", b"[1,2,3]", "is not an object", etag='"2"'),
    Bad("nan", b'{"version":2,"plugins":{"fault_moody":{"number":NaN}}}', "remote configuration: .*", etag='"2"'),
    Bad("duplicate_keys", b'{"version":2,"compression":true,"compression":false}', "duplicate|twice", etag='"2"'),
    Bad("broken_utf8", b'{"version":2,"log_filters":["\xff\xfe"]}', "remote configuration: .*", etag='"2"'),
    Bad("deep", nested(1000), "remote configuration: .*", etag='"2"'),
    Bad("huge", b'{"version":2,"plugins":{"fault_moody":{"labels":["' + b"x" * 300_000 + b'"]}}}', "remote configuration: .*", etag='"2"'),
    Bad("two_documents", b'{"version":2}{"version":3}', "remote configuration: .*", etag='"2"'),
    Bad("no_version", {"version": None, "plugins": {}}, "version", etag='"2"'),
    Bad("version_as_text", {"version": "2"}, "version", etag='"2"'),
    Bad("version_negative", {"version": -2}, "version", etag='"2"'),
    Bad("version_beyond_64_bits", b'{"version":99999999999999999999}', "version", etag='"2"'),
    Bad("the_same_version_otherwise", {"version": 1, "retention_days": 3}, "version 1 is not above 1"),
    Bad("an_old_version", {"version": 0}, "version 0 is not above 1"),
    Bad("unknown_section", {"colour": "blue"}, "colour: unknown key"),
    Bad("another_collectors_id", {"collector_id": "0192f0c1-0000-7000-8000-000000000001"}, "collector_id: unknown key"),
    Bad("backend_url", {"backend": {"url": "https://evil.example"}}, "backend: may be set on the host only"),
    Bad("ca_file", {"ca_file": "/tmp/evil.pem"}, "ca_file: may be set on the host only"),
    Bad("plugin_folders", {"plugin_dirs": ["/tmp"]}, "plugin_dirs: may be set on the host only"),
    Bad("state_folder", {"state_dir": "/tmp"}, "state_dir: may be set on the host only"),
    Bad("a_path", moody(watch=["/etc/shadow"]), r"fault_moody\.watch: may be set on the host only"),
    Bad("a_command", {"plugins": {"fault_moody": {"labels": [{"command": "id"}]}}}, r"labels\.0\.command: may be set on the host only"),
    Bad("rights", moody(sandbox=False), r"fault_moody\.sandbox: may be set on the host only"),
    Bad("another_user", moody(user="root"), r"fault_moody\.user: may be set on the host only"),
    Bad("interval_too_short", {"intervals": {"fault_moody": "10ms"}}, r"intervals\.fault_moody: 10ms is out of range"),
    Bad("interval_too_long", {"intervals": {"fault_moody": "2d"}}, r"intervals\.fault_moody: 2d is out of range"),
    Bad("interval_of_nothing", {"intervals": {"fault_moody": 0}}, r"intervals\.fault_moody: 0 is out of range"),
    Bad("unknown_plugin", {"enabled_collectors": ["no_such"]}, "enabled_collectors: no plugin 'no_such'"),
    Bad("no_such_severity", {"log_filters": ["LOUD"]}, "log_filters: 'LOUD'"),
    Bad("no_such_compression", {"compression": "lzma"}, "compression: 'lzma'"),
    Bad("copies_each_second", {"backup_interval": "1s"}, "backup_interval: is out of range"),
    Bad("retention_as_text", {"retention_days": "long"}, "retention_days"),
    Bad("encoding_that_the_server_refuses", {"compression": "gzip"}, "not packed like this", "reverted"),
]


class Site:
    """One collector with its server, real or scripted, in a folder of its own."""

    def __init__(self, server=None, probation_s=PROBATION_S):
        self.folder = tempfile.mkdtemp(prefix="pga-config-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.plugins = os.path.join(self.folder, "plugins")
        os.mkdir(self.plugins, 0o755)
        for plugin in ("fault_moody", "fault_neighbour"):
            shutil.copy(os.path.join(PLUGINS, plugin + ".so"), self.plugins)
        self.real = server
        self.backend = None if server else ScriptedBackend(self.folder)
        self.collector = Collector(BINARIES, self.folder, LOCAL, server=server or self.backend, collector_config=collector_config(probation_s),
                                   plugin_dirs=[self.plugins], first_party=False, environment=SANITIZER_OPTIONS if SANITIZED else None)
        if server:
            self.id = self.collector.register()
        else:
            self.id = self.backend.make_identity(self.collector.state_dir)
        self.collector.start()

    def close(self):
        self.collector.close()
        if self.backend:
            self.backend.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def give(self, document, version, etag=None):
        if self.backend:
            if isinstance(document, dict):
                document = {"version": version, **document}
            self.backend.serve(document, version, etag)
            return
        answer = self.real.request("PUT", f"/api/v1/config/{self.id}", document, role="admin")
        assert answer.status == 200 and answer.json["version"] == version, answer.text

    def said(self):
        """The collector's newest word on its configuration."""
        if self.backend:
            with self.backend.lock:
                return self.backend.reports[-1] if self.backend.reports else {}
        return self.real.get(f"/api/v1/collectors/{self.id}")["config"] or {}

    def documents(self, plugin):
        if self.backend:
            with self.backend.lock:
                return [each for each in self.backend.documents if each["type"] == plugin]
        return [row["document"] for row in reversed(self.real.metrics(self.id, plugin))]

    def wait_for(self, state, version):
        def said_so():
            said = self.said()
            return said if said.get("state") == state and said.get("version") == version else None

        return eventually(said_so, PATIENCE_S, lambda: f"the collector says '{state}' of version {version}, not {self.said()}; {self.story()}")

    def wait_for_documents(self):
        eventually(lambda: self.documents("fault_moody"), PATIENCE_S, lambda: f"the first document; {self.story()}")

    def works_by(self, number):
        before = len(self.documents("fault_moody"))

        def two_more():
            newer = self.documents("fault_moody")[before:]
            return len(newer) >= 2 and newer[-1]["number"] == number

        eventually(two_more, PATIENCE_S, lambda: f"documents made by number {number}, not {self.documents('fault_moody')[-3:]}; {self.story()}")

    def story(self):
        return f"see {self.collector.log()[-3000:]}"

    def plugin(self, name):
        return next(each for each in self.status()["plugins"] if each["plugin"] == name)

    def status(self):
        """Of the collector that runs, not what the one before left."""
        def live():
            status = json.loads(self.collector.command("status", "--json").stdout or "{}")
            return status["report"] if status.get("live") else None

        return eventually(live, PATIENCE_S, "the collector's own word")

    def seconds_on_trial(self, version):
        """By the collector's own log, from "applied" to "withdrawn"."""
        def last(what):
            said = re.findall(rf"^(\S+Z) .*remote configuration version {version} {what}", self.collector.log(), re.MULTILINE)
            return datetime.fromisoformat(said[-1].replace("Z", "+00:00"))

        return (last("withdrawn") - last("applied, on trial")).total_seconds()

    def check_neighbour(self):
        """A plugin that nobody configures lost nothing by all this. A batch that the server refused comes again a while later."""
        neighbour = self.plugin("fault_neighbour")
        assert neighbour["failed_runs"] == 0 and neighbour["restarts"] == 0 and neighbour["faults"] == 0, neighbour

        def runs():
            return sorted(document["run"] for document in self.documents("fault_neighbour"))

        def without_holes():
            seen = runs()
            return seen == list(range(1, len(seen) + 1))

        eventually(without_holes, PATIENCE_S, lambda: f"every run of the neighbour, once: {runs()}; {self.story()}", every=0.5)


def a_good_one(number):
    return moody(number=number)


def judge(bad, server):
    site = Site(server)
    try:
        site.wait_for_documents()
        site.give(a_good_one(1), 1)
        site.wait_for("applied", 1)
        if bad.name == "encoding_that_the_server_refuses":
            site.backend.refuse_encoding = "gzip"
        version = bad.document.get("version", 2) if isinstance(bad.document, dict) else 2
        if not isinstance(version, int) or version < 0:
            version = 2
        site.give(bad.document, 2, bad.etag)
        said = site.wait_for(bad.state, version)
        assert re.search(bad.reason, said["reason"]), said
        if bad.name == "encoding_that_the_server_refuses":
            site.backend.refuse_encoding = None  # the refused batch comes again; a server that takes nothing else would see no more
        elif bad.state == "reverted":
            took_s = site.seconds_on_trial(version)
            assert took_s < PROBATION_S + GRACE_S, f"on trial for {took_s} s; {site.story()}"
        site.works_by(1)  # what was good before goes on, or goes on again
        report = site.status()
        assert report["config"]["remote_version"] == 1 and report["config"]["newest_state"] == bad.state, report["config"]
        site.check_neighbour()
        # A newer version is not held responsible for the one before.
        site.give(a_good_one(3), 3)
        site.wait_for("applied", 3)
        site.works_by(3)
    finally:
        site.close()


def on_trial_without_a_server(site):
    """Version 2 is in force, and nobody takes what is made under it."""
    site.backend.away_at = "probation"
    site.give(a_good_one(2), 2)
    site.wait_for("probation", 2)


def an_outage_neither_takes_back_nor_proves(site):
    on_trial_without_a_server(site)
    for start_again in (False, True, True):
        if start_again:  # as in an upgrade: nobody is to blame
            site.collector.stop()
            site.collector.start()
        time.sleep(SHORT_PROBATION_S + 1)  # its plugins have had their runs by now: only time goes by
        report = site.status()
        assert report["config"]["newest_state"] == "probation" and report["config"]["remote_version"] == 2, report["config"]
    assert "version 2 of the server over the local one, on trial" in site.collector.command("status").stdout
    with site.backend.lock:
        site.backend.away, site.backend.away_at = False, None
    site.wait_for("applied", 2)
    site.works_by(2)


def a_collector_that_dies_twice_under_it_goes_back(site):
    on_trial_without_a_server(site)
    for _ in range(2):
        site.collector.kill()
        site.collector.start()
        site.status()
    report = site.status()
    assert report["config"]["newest_state"] == "reverted" and report["config"]["remote_version"] == 1, report["config"]
    with site.backend.lock:
        site.backend.away, site.backend.away_at = False, None
    said = site.wait_for("reverted", 2)
    assert "ended 2 times under it" in said["reason"]
    site.works_by(1)
    assert "version 2 was reverted" in site.collector.command("status").stdout
    # What was taken back is not tried again, whatever the server does.
    trials = site.collector.log().count("version 2 applied")
    site.give(a_good_one(2), 2, etag='"another"')
    site.give(a_good_one(4), 4)
    site.wait_for("applied", 4)
    assert site.collector.log().count("version 2 applied") == trials


def a_server_that_changes_its_mind_all_the_time_is_not_followed(site):
    began, version = time.monotonic(), 1
    while time.monotonic() - began < 3 * SHORT_PROBATION_S:
        version += 1
        site.give(a_good_one(version), version)
        time.sleep(0.05)
    site.wait_for("applied", version)
    site.works_by(version)
    trials = site.collector.log().count("applied, on trial")
    paced = 5 + 12 * (time.monotonic() - began) / SHORT_PROBATION_S
    assert trials <= paced + 3 and trials < version / 2, f"{trials} trials of {version} versions, {paced} by the pace"
    site.check_neighbour()


def fifty_configurations_cost_no_tick(site):
    def skipped():
        return {name: site.plugin(name)["skipped_ticks"] for name in ("fault_moody", "fault_neighbour")}

    worker, before = site.plugin("fault_moody")["pid"], skipped()
    for version in range(2, 52):
        site.give(a_good_one(version), version)
        eventually(lambda: site.documents("fault_moody")[-1]["number"] == version, PATIENCE_S, lambda: f"version {version} in force; {site.story()}")
    moody = site.plugin("fault_moody")
    assert moody["pid"] == worker and moody["failed_runs"] == 0, moody
    cost = {name: now - before[name] for name, now in skipped().items()}
    assert cost["fault_moody"] <= cost["fault_neighbour"] + 5, f"skipped ticks, also of who was left alone: a busy machine takes them from both; {cost}"
    numbers = [document["number"] for document in site.documents("fault_moody")]
    assert numbers == sorted(numbers) and set(range(1, 52)) <= set(numbers)
    runs = [document["run"] for document in site.documents("fault_moody")]
    assert sorted(runs) == list(range(1, len(runs) + 1))
    site.check_neighbour()


def what_the_operator_pinned_stays(site):
    site.give({"plugins": {"fault_moody": {"number": 2, "labels": ["remote"]}}, "intervals": {"fault_neighbour": "30s"},
               "enabled_collectors": ["fault_moody"]}, 2)
    site.wait_for("applied", 2)
    site.works_by(2)
    assert {each["plugin"] for each in site.status()["plugins"]} == {"fault_moody", "fault_neighbour"}
    before = len(site.documents("fault_neighbour"))
    eventually(lambda: len(site.documents("fault_neighbour")) > before + 5, 30, "the neighbour at its own pace")


def a_reload_beside_a_file_that_hangs_costs_no_tick(site):
    shutil.copy(os.path.join(PLUGINS, "fault_constructor_hang.so"), site.plugins)
    before = site.plugin("fault_neighbour")["skipped_ticks"]
    site.collector.write_config(LOCAL.replace('labels = ["local"]', 'labels = ["reloaded"]'), collector_config())
    site.collector.process.send_signal(signal.SIGHUP)
    eventually(lambda: "configuration read again" in site.collector.log(), PATIENCE_S, site.story)
    cost = site.plugin("fault_neighbour")["skipped_ticks"] - before
    assert cost < 8, f"{cost} ticks of 500 ms, in the 10 s that the file hangs; {site.story()}"
    site.works_by(1)
    site.check_neighbour()


def the_server_has_the_state_file_copied(site):
    """By the collector's own file it never is; the newest copy is an hour old."""
    copies = os.path.join(site.collector.state_dir, "backup")
    old = os.path.join(copies, "spool-20200101T000000Z.db")
    site.collector.stop()
    os.makedirs(copies, mode=0o700, exist_ok=True)
    with open(old, "w"):
        os.utime(old, (time.time() - 3600, time.time() - 3600))
    site.collector.start()
    site.status()
    assert os.listdir(copies) == [os.path.basename(old)]
    site.give({"backup_interval": "1m"}, 2)
    site.wait_for("applied", 2)
    eventually(lambda: [name for name in os.listdir(copies) if name.endswith(".db") and name != os.path.basename(old)], PATIENCE_S,
               lambda: f"a copy, beside {os.listdir(copies)}; {site.story()}")


def tell(story, probation_s):
    site = Site(probation_s=probation_s)
    try:
        site.wait_for_documents()
        site.give(a_good_one(1), 1)
        site.wait_for("applied", 1)
        story(site)
    finally:
        site.close()


# With how long a trial has in them; the longest first.
STORIES = {fifty_configurations_cost_no_tick: SHORT_PROBATION_S, an_outage_neither_takes_back_nor_proves: SHORT_PROBATION_S,
           a_server_that_changes_its_mind_all_the_time_is_not_followed: SHORT_PROBATION_S, a_collector_that_dies_twice_under_it_goes_back: PROBATION_S,
           a_reload_beside_a_file_that_hangs_costs_no_tick: PROBATION_S, what_the_operator_pinned_stays: PROBATION_S,
           the_server_has_the_state_file_copied: PROBATION_S}


@pytest.fixture(scope="module")
def server():
    folder = tempfile.mkdtemp(prefix="pga-config-server-", dir="/tmp")
    os.chmod(folder, 0o755)
    running = Server(BINARIES, folder, "[limits]\nread_per_second = 10000\nread_burst = 10000\n")  # all cases ask with one key
    running.start()
    yield running
    running.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def outcomes(request, server):
    """Whatever was asked for happens at once, what takes longest first."""
    server.key("admin"), server.key("viewer")  # once, before many ask at the same time
    jobs = {story.__name__: (tell, story, probation_s) for story, probation_s in STORIES.items()}
    by_length = sorted(THROUGH_THE_SERVER + SCRIPTED, key=lambda bad: bad.state != "reverted")
    jobs |= {bad.name: (judge, bad, server if bad in THROUGH_THE_SERVER else None) for bad in by_length}
    wanted = {item.callspec.id for item in request.session.items if item.path == request.path}
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return {name: pool.submit(*job) for name, job in jobs.items() if name in wanted}


@pytest.mark.parametrize("bad", THROUGH_THE_SERVER + SCRIPTED, ids=lambda bad: bad.name)
def test_bad_configuration(bad, outcomes):
    outcomes[bad.name].result()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_story(story, outcomes):
    outcomes[story.__name__].result()
