"""What a run took of the machine."""

import resource
import sys

_KIB = 1024


def cpu_seconds() -> float:
    """Return the CPU seconds of this process so far, all threads, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_mib() -> int:
    """Return the most memory this process has had, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (_KIB * _KIB) if sys.platform == "darwin" else peak // _KIB
