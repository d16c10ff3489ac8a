#!/usr/bin/env python3
"""Runs the delivery fault suite: each run on a server and PostgreSQL of its job, with a seed of its own, ending with the oracle.

    run.py                     the short subset, as ctest runs it
    run.py --all               every run of every scenario
    run.py NAME...             scenarios or runs by name (random_kills, random_kills/idle), or rows of the matrix (S1, N3)
    run.py --list              their names, rows, and what is expected

    --seed N    the same moments and bytes again; without it a new one, which is printed
    --jobs N    runs at once (default: two for each processor, because most of a run is waiting)
    --keep      keep every run's folder; those of failures are kept always

Exit status: 0 the oracle held in every run (and --all killed as often as it promises), 1 it did not, 2 usage.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from rig import BINARIES, Rig, Site, make_folder, remove_folder  # noqa: E402
from scenario import ELSEWHERE, load_all  # noqa: E402


class TooLong(BaseException):
    """A run has reached its limit. No Exception: nothing in a run takes it for a failure of its own and tries again."""


def out_of_time(*_):
    raise TooLong()


def perform(site, run, folder, seed):
    """One run; what it came to."""
    started = time.monotonic()
    result = {"run": run.name, "row": run.scenario.row, "trouble": "", "folder": folder, "counts": {}}
    rig = Rig(site, folder, f"{seed}/{run.name}")
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(run.scenario.limit_s)
    try:
        run.scenario.body(rig, **run.parameters)
        assert rig.verdicts, "the oracle was not asked"
    except TooLong:
        result["trouble"] = f"did not end within {run.scenario.limit_s} s\n{traceback.format_exc()}"
    except Exception:  # of this run alone: the others go on
        result["trouble"] = traceback.format_exc()
    finally:  # also when the whole is told to stop: nothing is left running
        signal.alarm(0)
        try:
            rig.close()
        except Exception:
            result["trouble"] += traceback.format_exc()
    result["seconds"] = time.monotonic() - started
    result["counts"] = dict(rig.counts)
    for name in ("documents", "lost", "duplicated", "counted_lost"):
        result["counts"][name] = sum(getattr(verdict, name) for verdict in rig.verdicts)
    return result


def keep_evidence(site, folder):
    for name in ("server.log", "server.toml"):
        path = os.path.join(site.folder, name)
        if os.path.exists(path):
            shutil.copy(path, os.path.join(folder, f"site-{name}"))


def job(number, folder, seed, keep, tasks, results):
    """A process: takes runs until there are none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    runs = {run.name: run for run in load_all()}
    site, made = None, 0
    try:
        while (name := tasks.get()) is not None:
            run = runs[name]
            if site is None or run.scenario.own_site or not site.healthy():
                if site is not None:
                    site.close()
                made += 1
                site = Site(os.path.join(folder, f"site{number}-{made}"), run.scenario.server_config)
            own = os.path.join(folder, name.replace("/", "-"))
            result = perform(site, run, own, seed)
            if result["trouble"]:
                keep_evidence(site, own)
            elif not keep:
                remove_folder(own)
            results.put(result)
            if run.scenario.own_site or result["trouble"]:
                site.close()
                site = None
    finally:
        if site is not None:
            site.close()


class Totals:
    def __init__(self):
        self.runs, self.failed, self.counts = 0, [], {}

    def add(self, result):
        self.runs += 1
        if result["trouble"]:
            self.failed.append(result["run"])
        for name, count in result["counts"].items():
            self.counts[name] = self.counts.get(name, 0) + count


def told(result):
    counts = result["counts"]
    faults = ", ".join(f"{counts[name]} {label}" for name, label in LABELS.items() if counts.get(name))
    return (f"{'FAIL' if result['trouble'] else 'ok  '} {result['row']:<11}{result['run']:<42}{counts.get('documents', 0):>7} documents, {counts.get('lost', 0)} lost, "
            f"{counts.get('duplicated', 0)} twice, {counts.get('counted_lost', 0)} counted lost{', ' + faults if faults else ''}; {result['seconds']:.1f} s")


LABELS = {"kills": "kills", "random_kills": "of them at random", "torn": "of them in torn writes", "server_kills": "server kills", "commit_kills": "of them between commit and answer",
          "database_kills": "database kills", "restarts": "restarts", "faults": "faults", "cuts": "power cuts"}
LEAST = {"random_kills": 10_000, "commit_kills": 1_000, "torn": 1_000}  # of --all: what the suite promises


def shortfalls(counts):
    """What --all did less often than it promises, a line each."""
    return [f"only {counts.get(name, 0):,} {LABELS[name]}, {least:,} are promised" for name, least in LEAST.items() if counts.get(name, 0) < least]


def promised(counts):
    return ", ".join(f"{counts.get(name, 0):,} {LABELS[name]} (at least {least:,})" for name, least in LEAST.items())


def run_all(chosen, folder, seed, jobs, keep):
    """Longest limits first, so that no long run is left for the end."""
    context = multiprocessing.get_context("fork")
    tasks, results = context.Queue(), context.Queue()
    chosen = sorted(chosen, key=lambda run: -run.scenario.limit_s)
    for run in chosen:
        tasks.put(run.name)
    workers = [context.Process(target=job, args=(number, folder, seed, keep, tasks, results)) for number in range(min(jobs, len(chosen)))]
    for worker in workers:
        tasks.put(None)
        worker.start()
    totals = Totals()
    try:
        while totals.runs < len(chosen):
            try:
                result = results.get(timeout=1)
            except Exception:  # queue.Empty
                if not any(worker.is_alive() for worker in workers):
                    totals.failed.append(f"{len(chosen) - totals.runs} runs did not happen: the jobs ended")
                    break
                continue
            totals.add(result)
            print(told(result), flush=True)
            if result["trouble"]:
                print("     " + result["trouble"].strip().replace("\n", "\n     ") + f"\n     evidence: {result['folder']}", flush=True)
    finally:
        for worker in workers:
            if totals.runs < len(chosen):
                worker.terminate()
            worker.join(60)
    return totals


def choose(runs, names, everything):
    if everything:
        return runs
    if not names:
        return [run for run in runs if run.is_short]
    chosen = []
    for name in names:
        found = [run for run in runs if name in (run.name, run.scenario.name, *run.scenario.rows)]
        if not found and name in ELSEWHERE:
            print(f"error: row {name} is not in this suite\nHINT: {ELSEWHERE[name]} has it.", file=sys.stderr)
            sys.exit(2)
        if not found:
            print(f"error: no scenario, run or row is called {name}\nHINT: --list shows them.", file=sys.stderr)
            sys.exit(2)
        chosen += [run for run in found if run not in chosen]
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--jobs", type=int, default=2 * os.cpu_count())
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    runs = load_all()
    if given.list:
        for run in runs:
            print(f"{run.scenario.row:<11}{run.name:<42}{'short ' if run.is_short else '      '}{run.scenario.expect}")
        print(f"{len(runs)} runs, {sum(run.is_short for run in runs)} of them short")
        print("elsewhere: " + ", ".join(f"{row} {where}" for row, where in ELSEWHERE.items()))
        return 0
    chosen = choose(runs, given.names, given.all)
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**9)
    folder = make_folder("pga-delivery-")
    print(f"{len(chosen)} runs, seed {seed}, programs of {BINARIES}, folder {folder}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if os.environ.get("PGANALYTICS_SANITIZE"):  # its library would rather be first; the preloaded ones are
        os.environ["ASAN_OPTIONS"] = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
    started = time.monotonic()
    totals = run_all(chosen, folder, seed, max(given.jobs, 1), given.keep)
    counts = totals.counts
    faults = "".join(f"{counts.get(name, 0)} {label}, " for name, label in LABELS.items() if counts.get(name))
    print(f"\n{totals.runs} runs, {len(totals.failed)} failed: {faults}{counts.get('documents', 0)} documents, {counts.get('lost', 0)} lost, "
          f"{counts.get('duplicated', 0)} duplicated, {counts.get('counted_lost', 0)} counted as lost; {time.monotonic() - started:.0f} s, seed {seed}")
    missed = shortfalls(counts) if given.all else []
    if given.all:
        print("kills: " + promised(counts))
    for line in missed:
        print(f"FAIL the figures: {line}")
    if totals.failed:
        print(f"failed: {' '.join(totals.failed)}\nrepeat: tests/fault/run.sh --seed {seed} {totals.failed[0]}\nevidence: {folder}")
        return 1
    if not given.keep:
        remove_folder(folder)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
