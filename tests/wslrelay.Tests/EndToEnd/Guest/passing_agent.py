"""An agent that passes the relay the kinds of descriptors that its second argument names, with the answer nil. Usage: passing_agent.py unix:PATH WHAT PORT

WHAT, with commas between, and behind a semicolon what comes only where spare sockets are asked for: server, reset, listener, unconnected, unconnected6, hundred (unconnected ones), datagram, unix, file. PORT is that of a server on 127.0.0.1. Prints
"listens on ENDPOINT" once it listens; on standard error "asked N" for each preamble, N being the number of spare sockets that it asks for.
"""

import socket
import sys
import tempfile
import time

import msgpack


def server(port):
    return socket.create_connection(("127.0.0.1", port))


def reset(port):
    """A server that has sent bytes and then reset, before its socket is passed."""
    peer = socket.create_connection(("127.0.0.1", port))
    peer.sendall(b"reset")
    time.sleep(0.1)
    return peer


def listener(_):
    return socket.create_server(("127.0.0.1", 0))


def unconnected(_):
    return socket.socket()


def unconnected6(_):
    return socket.socket(socket.AF_INET6)


def datagram(port):
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.connect(("127.0.0.1", port))
    return peer


def unix(_):
    return socket.socketpair()[0]


def file(_):
    return tempfile.TemporaryFile()


MAKE = {make.__name__: make for make in (server, reset, listener, unconnected, unconnected6, datagram, unix, file)}


def main(endpoint, what, port):
    always, _, spare = what.replace("hundred", ",".join(100 * ["unconnected"])).partition(";")
    relays = socket.socket(socket.AF_UNIX)
    relays.bind(endpoint.split(":", 1)[1])
    relays.listen(64)
    kept = []
    print("listens on", endpoint, flush=True)
    while True:
        relay, _ = relays.accept()
        unpacker = msgpack.Unpacker()
        unpacker.feed(relay.recv(1024))
        preamble = unpacker.unpack()
        if preamble.get("pass") is not True:
            sys.exit("the relay does not accept a socket")
        asked = preamble.get("spare", 0)
        print("asked", asked, file=sys.stderr, flush=True)
        what = always + "," + spare if asked and spare else always
        attached = [MAKE[one](int(port)) for one in what.split(",")]
        socket.send_fds(relay, [b"\xc0"], [one.fileno() for one in attached])
        for one in attached:
            one.close()
        # The end of the connection would end the spare sockets.
        if len(attached) > 1:
            kept.append(relay)
        else:
            relay.close()


main(*sys.argv[1:])
