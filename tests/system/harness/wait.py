"""Waiting without guessing: poll until it is so, or fail with what was seen."""

import time


def eventually(probe, timeout, what, every=0.1):
    """Call probe() until it returns something true, and return that. After `timeout` seconds fail with `what` and the last value or error.

    `what`: a text, or a function that makes one of what can be seen by then."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            seen = probe()
            if seen:
                return seen
        except (OSError, AssertionError, KeyError) as error:  # not there yet
            seen = repr(error)
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what() if callable(what) else what}; last seen: {seen!r}")
        time.sleep(every)


def stop_process(process, timeout=30, name="process"):
    """SIGTERM, and the exit status; a process that does not end in time is killed and the test fails."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout)
        except Exception:
            process.kill()
            process.wait()
            raise AssertionError(f"{name} did not end within {timeout} s of SIGTERM")
    return process.returncode
