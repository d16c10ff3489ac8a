"""S14, S15 and what else happens to the process and its folder: a second one, stopped ones, folders that are not what they were."""

import os
import shutil
import signal
import stat
import time

from rig import AWAY, PATIENCE_S, eventually
from scenario import scenario


@scenario(row="S15", expect="the second exits with 75 and the first does not notice", runs={"beside": {}, "ten-at-once": dict(seconds=10)}, short=["beside"])
def two_instances(rig, seconds=1):
    first = rig.collector()
    first.start()
    eventually(lambda: first.cursor() > 0, PATIENCE_S, "the first documents")
    process = first.process
    others = []
    for _ in range(seconds):
        first.start()
        others.append(first.process)
    statuses = [other.wait(30) for other in others]
    first.process = process
    assert statuses == [75] * len(others), f"exit statuses {statuses}"
    assert first.running
    rig.settle(first)


@scenario(row="S15", expect="two started at the same moment: exactly one lives", runs={f"race-{number}": {} for number in range(1, 4)})
def two_at_once(rig):
    collector = rig.collector()
    started = []
    for _ in range(2):
        collector.start()
        started.append(collector.process)
    ended = eventually(lambda: [process for process in started if process.poll() is not None], PATIENCE_S, "one of them ended")
    assert len(ended) == 1 and ended[0].returncode == 75
    collector.process = next(process for process in started if process not in ended)
    rig.settle(collector)


@scenario(row="S1", expect="a process that stood still goes on where it stood", runs={"3s": dict(seconds=3), "12s": dict(seconds=12), "often": dict(seconds=0.3, times=20)}, short=["3s"])
def stopped_and_continued(rig, seconds, times=1):
    collector = rig.collector()
    collector.start()
    for _ in range(times):
        time.sleep(rig.random.uniform(0.05, 0.4))  # the moment of the stop: random on purpose
        collector.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)  # how long it stands still
        collector.process.send_signal(signal.SIGCONT)
        rig.count("faults")
    collector.wait_fresh()
    rig.settle(collector)


@scenario(row="S1", expect="SIGTERM is an orderly end whenever it comes", runs={"few": dict(times=12), "many": dict(times=60)})
def terminated(rig, times):
    collector = rig.collector()
    for _ in range(times):
        collector.start()
        time.sleep(rig.random.uniform(0.03, 0.5))  # the moment: random on purpose; before 20 ms it has no handler yet
        collector.process.terminate()
        status = collector.process.wait(30)
        assert status in (0, -signal.SIGTERM), f"exit status {status}"
        rig.count("restarts")
    rig.settle(collector)


@scenario(
    row="S14",
    expect="its folder is moved away and another or nothing is in its place: it goes on, and nothing is lost wherever it goes on",
    runs={"empty": dict(other="empty"), "missing": dict(other=None), "file": dict(other="file")},
    short=["empty"],
)
def folder_replaced(rig, other):
    """At the path that it was told, it may begin the spool again, with all that waits; a file there is nothing that it may touch, so it ends in memory
    mode, and what it makes after that goes by another name: an end in memory mode is not promised to send each serial once."""
    collector = rig.collector()
    collector.start()
    collector.wait_fresh()
    away = collector.state_dir + ".away"
    os.rename(collector.state_dir, away)
    if other == "empty":
        os.mkdir(collector.state_dir, 0o700)
    elif other == "file":
        open(collector.state_dir, "w").close()
    rig.count("faults")
    before = collector.count_stored()
    eventually(lambda: collector.count_stored() > before + 20, PATIENCE_S, f"documents go on, see {collector.log_path}")
    assert other != "file" or os.path.getsize(collector.state_dir) == 0
    begun_again = os.path.exists(os.path.join(collector.state_dir, "spool.db"))
    collector.stop_or_kill()
    if begun_again:
        shutil.copytree(os.path.join(away, "identity"), os.path.join(collector.state_dir, "identity"))
    else:
        if os.path.lexists(collector.state_dir):
            os.rmdir(collector.state_dir) if os.path.isdir(collector.state_dir) else os.unlink(collector.state_dir)
        os.rename(away, collector.state_dir)
    if other != "file":
        rig.settle(collector, moved=True)
        return
    collector.origin = "after"
    collector.configure()
    rig.settle(collector, moved=True, origins=lambda by_origin, spools: {"": (1, max(by_origin[""])), "after": (min(by_origin["after"]), max(by_origin["after"]))})


@scenario(
    row="S14",
    expect="a folder that is not its own: it refuses and names the folder, or goes on, and writes nowhere else",
    runs={"other-owner": dict(how="owner"), "open-to-all": dict(how="mode"), "no-rights": dict(how="rights"), "file": dict(how="file"), "dangling-link": dict(how="dangling"),
          "link": dict(how="link")},
)
def folder_of_another(rig, how):
    collector = rig.collector()
    collector.start()
    collector.wait_fresh()
    collector.stop()
    folder, kept = collector.state_dir, collector.state_dir + ".kept"
    if how == "owner":
        os.chown(folder, 65534, 65534) if os.geteuid() == 0 else os.chmod(folder, 0o555)
    elif how in ("mode", "rights"):
        os.chmod(folder, 0o777 if how == "mode" else 0)
    else:
        os.rename(folder, kept)
        if how == "file":
            open(folder, "w").close()
        else:
            os.symlink(kept if how == "link" else kept + ".nowhere", folder)
    rig.count("faults")
    collector.start()
    assert collector.lives_or_ends() or folder in collector.log().splitlines()[-1] + collector.log().splitlines()[-2], f"it ended without saying why: {collector.log()[-500:]}"
    assert not os.path.exists(kept + ".nowhere")
    collector.stop_or_kill()
    if how == "owner":
        os.chown(folder, os.geteuid(), os.getegid())
    if how in ("owner", "mode", "rights"):
        os.chmod(folder, stat.S_IRWXU)
    else:
        os.unlink(folder)
        os.rename(kept, folder)
    rig.settle(collector)


@scenario(row="S18", expect="another identity in the same folder: what waits is sent in the new one's name", runs={"registered-again": {}})
def registered_again(rig):
    """The old id is revoked with documents waiting: the serials of both ids together are whole."""
    collector = rig.collector(url=AWAY)
    collector.start()
    eventually(lambda: collector.cursor() > 20, PATIENCE_S, "a backlog")
    collector.stop()
    shutil.rmtree(os.path.join(collector.state_dir, "identity"))
    collector.push_to(None)
    collector.register()
    rig.settle(collector, moved=True)
