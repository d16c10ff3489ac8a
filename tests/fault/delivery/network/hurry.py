"""Collectors whose clock runs faster (shim/hurry.c), so that minutes of backoff take seconds."""

import os

from rig import OWN

HURRY = os.path.join(OWN, "libfault_hurry.so")


def hurry(collector, factor):
    """From the next start on. Intervals and timeouts of its configuration are in its own time."""
    collector.environment = {**collector.environment, "LD_PRELOAD": HURRY, "FAULT_HURRY": str(factor)}
    return collector
