"""Finds the peers on the system, and takes what is missing from Debian's packages: unpacked beside the build, never installed."""

import os
import re
import shutil
import subprocess
import sys

# The program (or module) that proves the package is there, by package.
PACKAGES = {
    "haproxy": "usr/sbin/haproxy",
    "nginx-light": "usr/sbin/nginx",
    "libnginx-mod-stream": "usr/lib/nginx/modules/ngx_stream_module.so",
    "rinetd": "usr/sbin/rinetd",
    "redir": "usr/bin/redir",
    "simpleproxy": "usr/bin/simpleproxy",
    "socat": "usr/bin/socat",
    "docker.io": "usr/sbin/docker-proxy",
}
LIBRARIES = "usr/lib/x86_64-linux-gnu"


class Peers:
    """Paths of the peers' programs: on the system, or unpacked under `root`."""

    def __init__(self, root):
        self._root = root

    def path(self, package):
        for base in ("/", self._root):
            path = os.path.join(base, PACKAGES[package])
            if os.path.exists(path):
                return path
        return None

    def environment(self):
        return {**os.environ, "LD_LIBRARY_PATH": os.path.join(self._root, LIBRARIES)}

    def versions(self):
        """What each peer says of itself, for the report."""
        asked = {"haproxy": ("haproxy", "-v"), "nginx": ("nginx-light", "-v"), "rinetd": ("rinetd", "-v"), "redir": ("redir", "-v"),
                 "simpleproxy": ("simpleproxy", "-V"), "socat": ("socat", "-V")}
        return {name: self._version(*command) for name, command in asked.items() if self.path(command[0])}

    def _version(self, package, option):
        result = subprocess.run([self.path(package), option], capture_output=True, text=True, env=self.environment(), check=False)
        found = re.search(r"\d+\.\d+[\w.+~-]*", result.stdout + result.stderr)
        return found.group() if found else "?"

    def fetch_missing(self):
        missing = [package for package in PACKAGES if not self.path(package)]
        if not missing or not shutil.which("apt-get"):
            return
        print(f"Taking {', '.join(missing)} from Debian's packages", file=sys.stderr)
        downloads = os.path.join(self._root, "downloads")
        os.makedirs(downloads, exist_ok=True)
        for package in missing:
            for needed in self._with_dependencies(package):
                self._unpack(downloads, needed, PACKAGES.get(package) if package == "docker.io" else None)
        shutil.rmtree(downloads)

    # Of docker only the proxy is wanted, and it is linked with nothing but the C library.
    @staticmethod
    def _with_dependencies(package):
        if package == "docker.io":
            return [package]
        command = ["apt-get", "--simulate", "install", "--no-install-recommends", package]
        result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}, check=False)
        return [line.split()[1] for line in result.stdout.splitlines() if line.startswith("Inst ")] or [package]

    def _unpack(self, downloads, package, only):
        result = subprocess.run(["apt-get", "download", package], cwd=downloads, capture_output=True, text=True, check=False)
        files = [name for name in os.listdir(downloads) if name.startswith(package + "_")]
        if result.returncode != 0 or not files:
            print(f"  {package}: {result.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
            return
        archive = os.path.join(downloads, files[0])
        if only:
            data = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE)
            subprocess.run(["tar", "-x", "-C", self._root, "./" + only], stdin=data.stdout, check=True)
            data.stdout.close()
            data.wait()
        else:
            subprocess.run(["dpkg-deb", "-x", archive, self._root], check=True)
        os.remove(archive)
