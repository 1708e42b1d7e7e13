"""Builds the load generator, and publishes wslrelay as users get it, if its sources have changed since the last time."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ARTIFACTS = os.path.join(ROOT, "artifacts", "bench")
PEERS = os.path.join(ARTIFACTS, "peers")
LOAD = os.path.join(ARTIFACTS, "load")
WSLRELAY = {"default": os.path.join(ARTIFACTS, "wslrelay", "wslrelay"), "r2r": os.path.join(ARTIFACTS, "wslrelay-r2r", "wslrelay")}


def load_generator():
    source = os.path.join(ROOT, "bench", "load")
    files = sorted(os.path.join(source, name) for name in os.listdir(source))
    if os.path.exists(LOAD) and os.path.getmtime(LOAD) > max(map(os.path.getmtime, files)):
        return
    os.makedirs(ARTIFACTS, exist_ok=True)
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-std=gnu11", "-o", LOAD, *(file for file in files if file.endswith(".c"))], check=True)


def published(which):
    """The program's path, or None if it was never published."""
    return WSLRELAY[which] if os.path.exists(WSLRELAY[which]) else None


def publish(which):
    """Never ends the benchmark: what cannot be published is left out, and the reason is shown."""
    stamp_path = os.path.join(ARTIFACTS, f"wslrelay-{which}.stamp")
    stamp = _stamp()
    if published(which) and _read(stamp_path) == stamp:
        return
    print(f"Publishing wslrelay ({which})", file=sys.stderr)
    output = os.path.dirname(WSLRELAY[which])
    shutil.rmtree(output, ignore_errors=True)
    identifier = "linux-arm64" if platform.machine() == "aarch64" else "linux-x64"
    command = ["dotnet", "publish", os.path.join(ROOT, "src", "wslrelay"), "-c", "Release", "-r", identifier, "-o", output,
               "--artifacts-path", os.path.join(ARTIFACTS, f"build-{which}"), "-v", "quiet", "-nologo",
               *(["-p:PublishAot=false"] if which == "r2r" else [])]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        shutil.rmtree(output, ignore_errors=True)
        print("  failed:", *[line for line in result.stdout.splitlines() if "error" in line][:5], sep="\n  ", file=sys.stderr)
        return
    with open(stamp_path, "w", encoding="ascii") as file:
        file.write(stamp)


def _read(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""


# The content of everything that the published program is made from.
def _stamp():
    digest = hashlib.sha256()
    for name in sorted(os.listdir(ROOT)):
        if name.startswith("Directory.") or name == "global.json":
            _add(digest, os.path.join(ROOT, name))
    for directory, children, names in os.walk(os.path.join(ROOT, "src")):
        children[:] = sorted(child for child in children if child not in ("bin", "obj"))
        for name in sorted(names):
            _add(digest, os.path.join(directory, name))
    return digest.hexdigest()


def _add(digest, path):
    digest.update(os.path.relpath(path, ROOT).encode())
    with open(path, "rb") as file:
        digest.update(file.read())
