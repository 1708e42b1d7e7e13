"""An agent that passes the relay its server and keeps the connection, but does something else once. Usage: keeping_agent.py unix:PATH WHAT PORT

WHAT, after the first answer: stray (a byte that nobody asked for), strays (an answer that nobody asked for). WHAT, at the second preamble: close, unread (closes before
it reads it), two (passes two sockets), twice (each part of the answer with a socket), amid (ends within the answer), bare (passes none), nil (nil, and none). PORT is that
of a server on 127.0.0.1. Prints "listens on ENDPOINT" once it does; on standard error "done" when it has done it.
"""

import select
import socket
import sys
import threading

import msgpack

KEEP = msgpack.packb({"keep": True})


def answer(relay, port, answer=KEEP, count=1):
    servers = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    socket.send_fds(relay, [answer], [server.fileno() for server in servers])
    for server in servers:
        server.close()


def twice(relay, port):
    answer(relay, port, KEEP[:1])
    answer(relay, port, KEEP[1:])


AFTER = {
    "stray": lambda relay, port: relay.sendall(b"\xc0"),
    "strays": answer,
}
SECOND = {
    "close": lambda relay, port: None,
    "unread": lambda relay, port: None,
    "two": lambda relay, port: answer(relay, port, count=2),
    "twice": twice,
    "amid": lambda relay, port: relay.sendall(KEEP[:3]),
    "bare": lambda relay, port: relay.sendall(KEEP),
    "nil": lambda relay, port: relay.sendall(b"\xc0"),
}


def serve(relay, what, port):
    with relay:
        relay.recv(1024)
        answer(relay, port)
        if what in AFTER:
            AFTER[what](relay, port)
        else:
            select.select([relay], [], [])
            if what == "unread" or relay.recv(1024):
                SECOND[what](relay, port)
        print("done", file=sys.stderr, flush=True)
        if what not in ("close", "unread", "amid"):
            relay.recv(1024)


def main(endpoint, what, port):
    relays = socket.socket(socket.AF_UNIX)
    relays.bind(endpoint.split(":", 1)[1])
    relays.listen(64)
    print("listens on", endpoint, flush=True)
    while True:
        relay, _ = relays.accept()
        threading.Thread(target=serve, args=(relay, what, int(port)), daemon=True).start()


main(*sys.argv[1:])
