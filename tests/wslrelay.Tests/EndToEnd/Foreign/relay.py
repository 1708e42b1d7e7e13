"""A parent of wslrelay, as short as the protocol allows: python3-msgpack and the standard library."""
import itertools
import os
import select
import socket
import subprocess
import threading
import time

import msgpack

HANG_TIMEOUT = 60  # seconds after which a wait is a hang


class RelayError(Exception):
    def __init__(self, error):
        super().__init__("%s (0x%08x): %s" % (error["name"], error["code"] & 0xFFFFFFFF, error["message"]))
        self.code, self.name, self.message = error["code"], error["name"], error["message"]
        self.index = error.get("index")


class Relay:
    """`wslrelay serve` as a child, and the control channel to it."""

    def __init__(self, *arguments, pass_fds=(), wrapper=()):
        self.process = subprocess.Popen(
            [*wrapper, "wslrelay", "serve", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=pass_fds, bufsize=0)
        self._unpacker = msgpack.Unpacker()
        self._ids = itertools.count(1)
        self._events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        if not self.process.stdin.closed:
            self.process.stdin.close()

    def send(self, *objects):
        self.process.stdin.write(b"".join(map(msgpack.packb, objects)))

    def receive(self):
        """The next message, or None at the end of the relay's standard output."""
        while True:
            for message in self._unpacker:
                return message
            if not select.select([self.process.stdout], [], [], HANG_TIMEOUT)[0]:
                raise TimeoutError("the relay does not answer")
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                return None
            self._unpacker.feed(data)

    def request(self, method, *params):
        """Sends a request and returns its id, which the answer repeats."""
        id = next(self._ids)
        self.send([0, id, method, list(params)])
        return id

    def call(self, method, *params):
        id = self.request(method, *params)
        while (message := self.receive())[:2] == [2, "event"]:
            self._events += message[2]
        kind, answered, error, result = message
        assert (kind, answered) == (1, id), (kind, answered, id)
        if error is not None:
            assert result is None
            raise RelayError(error)
        return result

    def event(self):
        """The next event; no answer may be outstanding."""
        if not self._events:
            kind, method, self._events = self.receive()
            assert (kind, method) == (2, "event"), (kind, method)
        return self._events.pop(0)

    def end(self):
        """Ends the relay by end of file and returns its exit code."""
        self.process.stdin.close()
        return self.process.wait(HANG_TIMEOUT)


class EchoServer:
    """An echo server in the guest, with a thread for each connection."""

    def __init__(self, family=4):
        self._listener = socket.create_server(("::1" if family == 6 else "127.0.0.1", 0),
                                              family=socket.AF_INET6 if family == 6 else socket.AF_INET)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    @staticmethod
    def _echo(connection):
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                pass


def connect(mapping):
    return socket.create_connection((mapping["address"], mapping["hostPort"]), timeout=HANG_TIMEOUT)


def echoes(mapping, data=b"round trip"):
    """Whether a mapping leads to an echo server."""
    with connect(mapping) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while part := client.recv(65536):
            answer += part
        return answer == data


def can_listen(address, port):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((address, port))
            server.listen()
            return True
        except OSError:
            return False


def until(condition):
    end = time.monotonic() + HANG_TIMEOUT
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the condition is not met")
        time.sleep(0.01)
