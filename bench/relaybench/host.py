"""The place where the benchmark runs: a private network and process namespace if it may, the host's loopback if not."""

import ctypes
import os
import platform
import shutil
import signal
import subprocess
import sys

INSIDE = "RELAYBENCH_PRIVATE"
PR_SET_PDEATHSIG = 1
SYSTEM = "/proc/sys/"

# All of these belong to the network namespace. bbr paces what it sends, which halves every relay's bulk on loopback and
# measures nothing; sockets in TIME_WAIT would make the connection rows depend on who ran before.
SETTINGS = {
    "net/ipv4/tcp_congestion_control": "reno",
    "net/ipv4/tcp_max_tw_buckets": "4096",
    "net/ipv4/ip_local_port_range": "30000 65000",
    "net/core/somaxconn": "4096",
    "net/ipv4/tcp_max_syn_backlog": "8192",
}


def is_private():
    """Whether the network is ours alone."""
    return os.environ.get(INSIDE) == "network"


def is_guarded():
    """Whether the kernel ends every process with the first one."""
    return INSIDE in os.environ


def run_in_namespace(arguments, network):
    """
    Runs this command again inside of a fresh namespace for processes, and for the network if that is wanted; returns its exit code, or
    None where there is no such namespace. It ends with us, and every process of it ends with its first.
    """
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", *user, *(["--net"] if network else []), "--pid", "--fork", "--kill-child", "--mount-proc"]
    if not shutil.which("unshare") or (network and not shutil.which("ip")):
        return None
    if subprocess.run([*command, "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        return None
    script = ("ip link set lo up && " if network else "") + '"$@"; exit $?'
    inside = subprocess.Popen([*command, "sh", "-c", script, "sh", sys.executable, *arguments], preexec_fn=die_with_parent,
                              env={**os.environ, INSIDE: "network" if network else "processes"})
    # unshare itself ignores SIGTERM while it waits.
    signal.signal(signal.SIGTERM, lambda *_: inside.kill())
    while True:
        try:
            return inside.wait()
        except KeyboardInterrupt:
            # The terminal has told the inner one as well, which reports what it has.
            continue


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def prepare(niceness):
    """Applies the settings inside a private namespace; the host's are left alone. Everything started later has the same priority."""
    if niceness:
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
    if is_private():
        for name, value in SETTINGS.items():
            try:
                with open(SYSTEM + name, "w", encoding="ascii") as file:
                    file.write(value)
            except OSError:
                pass


def _first(path, default="?"):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readline().strip()
    except OSError:
        return default


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())


def describe():
    """What a reader needs to judge the figures."""
    return {
        "processor": processor(),
        "processors": len(os.sched_getaffinity(0)),
        "kernel": ".".join(platform.release().split(".")[:2]),
        "network": "private namespace" if is_private() else "the host's loopback",
        "congestion control": _first(SYSTEM + "net/ipv4/tcp_congestion_control"),
        "load average before": load_average(),
    }


def load_average():
    """Of the last minute. Well above 1 at the start means that others use the machine: only ratios are then worth reading."""
    return _first("/proc/loadavg").split()[0]


def free_base_port(count):
    """The first of `count` consecutive ports that nobody uses, below the range the system chooses from."""
    used = set()
    for name in ("tcp", "tcp6"):
        with open(f"/proc/net/{name}", encoding="ascii") as file:
            used.update(int(line.split()[1].rpartition(":")[2], 16) for line in list(file)[1:])
    base = 2000
    while any(port in used for port in range(base, base + count)):
        base += 500
    return base
