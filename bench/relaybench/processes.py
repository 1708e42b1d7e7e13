"""Starts processes that cannot outlive the benchmark, and reads from /proc what they have cost."""

import ctypes
import os
import resource
import signal
import subprocess
import time

from . import host

PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)
_started = []


def adopt_orphans():
    """What a dead relay leaves behind comes to us, and kill_all finds it. In a private PID namespace the kernel does it all."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def start(argv, **options):
    """A child in its own session, by which its own children are found. The guard costs a fork: not where the kernel ends all of us."""
    guard = None if host.is_guarded() else host.die_with_parent
    process = subprocess.Popen(argv, start_new_session=True, preexec_fn=guard, **options)
    _started.append(process)
    return process


def session_pids(leaders):
    """Every process of these sessions: a relay that forks per connection is all of its processes."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = _stat(int(name))
            except OSError:
                continue
            if int(fields[3]) in leaders and fields[0] != "Z":
                found.append(int(name))
    return found


def _stat(pid):
    """The fields of /proc/PID/stat after the name: [0] state, [3] session, [13] and [14] the CPU time of ended children."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def cpu_seconds(pids):
    """User and system time of all threads of the processes, and of their ended children."""
    total = 0.0
    for pid in pids:
        try:
            # The clock of another process, as clock_getcpuclockid makes it: /proc/PID/stat has the same sum in steps of 10 ms.
            total += time.clock_gettime((~pid << 3) | 2)
            fields = _stat(pid)
            total += (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            continue
    return total


def pss_kib(pids):
    """Proportional set size: memory that processes share counts once."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total


def stop(process):
    """Ends the process and all of its session, and waits for them."""
    for pid in session_pids({process.pid}):
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    for stream in (process.stdin, process.stdout):
        if stream:
            try:
                stream.close()
            except OSError:
                pass
    process.kill()
    process.wait()
    if process in _started:
        _started.remove(process)
    reap()


def reap():
    """Takes the exit status of orphans, never of a process that Popen still waits for."""
    own = {process.pid for process in _started}
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if found is None or found.si_pid in own:
            return
        os.waitpid(found.si_pid, 0)


def kill_all():
    for process in list(_started):
        stop(process)
