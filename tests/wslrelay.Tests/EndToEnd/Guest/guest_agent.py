"""A guest agent written from sections 3 and 8 of the protocol alone. Usage: guest_agent.py tcp:HOST:PORT | unix:PATH

Prints "listens on ENDPOINT" once it listens. Needs Python 3.9 and msgpack.
"""

import asyncio
import socket
import struct
import sys

import msgpack

PREAMBLE_MAX = 1024
PREAMBLE_SECONDS = CONNECT_SECONDS = 10
DROP_SECONDS = 5
CODES = {
    "InvalidParams": 0x80070057,
    "NotSupported": 0x80070032,
    "ConnectionRefused": 0x8007274D,
    "TimedOut": 0x8007274C,
    "HostUnreachable": 0x80072751,
}


class Refusal(Exception):
    def __init__(self, name, message):
        super().__init__(message)
        code = CODES[name] - (1 << 32)
        self.answer = msgpack.packb({"code": code, "name": name, "message": message})


def check(preamble):
    """The family and port of a valid preamble."""
    if not isinstance(preamble, dict):
        raise Refusal("InvalidParams", "the preamble is not a map")
    if type(preamble.get("v")) is not int:
        raise Refusal("InvalidParams", "v: is not an integer")
    if preamble["v"] != 1 or preamble.get("protocol") == "udp":
        raise Refusal("NotSupported", "v, protocol: only 1 and tcp are supported")
    if preamble.get("protocol") != "tcp":
        raise Refusal("InvalidParams", "protocol: is not tcp")
    family, port = preamble.get("family"), preamble.get("port")
    if type(family) is not int or family not in (4, 6):
        raise Refusal("InvalidParams", "family: is neither 4 nor 6")
    if type(port) is not int or not 1 <= port <= 65535:
        raise Refusal("InvalidParams", "port: is not in 1..65535")
    return family, port


async def read_preamble(loop, relay):
    """The preamble, and the bytes that came after it."""
    data = b""
    while True:
        piece = await loop.sock_recv(relay, PREAMBLE_MAX)
        if not piece:
            raise Refusal("InvalidParams", "the preamble ends before it is complete")
        data += piece
        unpacker = msgpack.Unpacker(raw=False)
        unpacker.feed(data)
        try:
            preamble = unpacker.unpack()
        except msgpack.OutOfData:
            if len(data) > PREAMBLE_MAX:
                raise Refusal("InvalidParams", "the preamble is over 1 KiB") from None
            continue
        except Exception as error:
            raise Refusal("InvalidParams", f"the preamble is not MessagePack: {error}") from None
        if unpacker.tell() > PREAMBLE_MAX:
            raise Refusal("InvalidParams", "the preamble is over 1 KiB")
        return preamble, data[unpacker.tell():]


async def connect(loop, family, port):
    name = f"127.0.0.1:{port}" if family == 4 else f"[::1]:{port}"
    server = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6)
    server.setblocking(False)
    try:
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.wait_for(loop.sock_connect(server, ("127.0.0.1" if family == 4 else "::1", port)), CONNECT_SECONDS)
        return server
    except (OSError, asyncio.TimeoutError) as error:
        server.close()
        if isinstance(error, ConnectionRefusedError):
            raise Refusal("ConnectionRefused", f"{name} in the guest: nothing listens there") from None
        if isinstance(error, asyncio.TimeoutError):
            raise Refusal("TimedOut", f"{name} in the guest does not answer") from None
        raise Refusal("HostUnreachable", str(error)) from None


def listeners():
    """What listens here, as section 8 reports it: by proc(5), where each 32-bit word of an address is in host byte order."""
    found = []
    for family, name in (4, "tcp"), (6, "tcp6"):
        with open(f"/proc/net/{name}") as table:
            for entry in map(str.split, table.readlines()[1:]):
                words, port = entry[1].split(":")
                raw = b"".join(struct.pack("=I", int(words[i:i + 8], 16)) for i in range(0, len(words), 8))
                if entry[3] == "0A":
                    address = socket.inet_ntop(socket.AF_INET if family == 4 else socket.AF_INET6, raw)
                    found.append({"protocol": "tcp", "family": family, "address": address, "port": int(port, 16)})
    return sorted(found, key=lambda item: item["port"])


async def report(loop, relay):
    """Answers a relay that watches, and reports every change until the relay ends its sending."""
    await loop.sock_sendall(relay, b"\xc0")
    end = asyncio.ensure_future(loop.sock_recv(relay, 1))
    last, quiet = None, 0
    while not end.done():
        now = listeners()
        quiet += 1
        if now != last:
            await loop.sock_sendall(relay, msgpack.packb({"listeners": now[:1000], "more": len(now) > 1000}))
            last, quiet = now, 0
        elif quiet == 20:
            await loop.sock_sendall(relay, b"\xc0")
            quiet = 0
        await asyncio.wait([end], timeout=0.5)


def is_gone(peer):
    """Whether the end of stream came from a peer that has closed: on a Unix socket a reset is not reported otherwise."""
    try:
        peer.send(b"")
        return False
    except BrokenPipeError:
        return peer.family == socket.AF_UNIX


async def copy(loop, source, sink, ended):
    while piece := await loop.sock_recv(source, 1 << 16):
        await loop.sock_sendall(sink, piece)
    if source not in ended and is_gone(source):
        raise ConnectionResetError
    ended.append(sink)
    sink.shutdown(socket.SHUT_WR)


async def pump(loop, relay, server):
    ended = []
    directions = [asyncio.ensure_future(copy(loop, relay, server, ended)), asyncio.ensure_future(copy(loop, server, relay, ended))]
    try:
        await asyncio.gather(*directions)
    finally:
        for direction in directions:
            direction.cancel()
        await asyncio.wait(directions)


def reset(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def refuse(loop, relay, answer):
    async def drop():
        while await loop.sock_recv(relay, 1 << 16):
            pass

    await loop.sock_sendall(relay, answer)
    relay.shutdown(socket.SHUT_WR)
    await asyncio.wait_for(drop(), DROP_SECONDS)


async def serve(loop, relay):
    server = None
    try:
        try:
            preamble, first = await asyncio.wait_for(read_preamble(loop, relay), PREAMBLE_SECONDS)
            if isinstance(preamble, dict) and preamble.get("v") == 1 and preamble.get("watch") == "listeners":
                await report(loop, relay)
                return
            server = await connect(loop, *check(preamble))
        except asyncio.TimeoutError:
            await refuse(loop, relay, Refusal("InvalidParams", "the preamble takes too long").answer)
            return
        except Refusal as refusal:
            await refuse(loop, relay, refusal.answer)
            return
        await loop.sock_sendall(relay, b"\xc0")
        await loop.sock_sendall(server, first)
        await pump(loop, relay, server)
    except (OSError, asyncio.TimeoutError):
        for peer in filter(None, (relay, server)):
            reset(peer)
    finally:
        for peer in filter(None, (relay, server)):
            peer.close()


def listen(endpoint):
    kind, rest = endpoint.split(":", 1)
    if kind == "unix":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(rest)
    else:
        host, port = rest.rsplit(":", 1)
        listener = socket.socket(socket.AF_INET)
        listener.bind((host, int(port)))
        endpoint = "tcp:{}:{}".format(*listener.getsockname())
    listener.listen(1024)
    listener.setblocking(False)
    print("listens on", endpoint, flush=True)
    return listener


async def main(endpoint):
    loop = asyncio.get_running_loop()
    listener = listen(endpoint)
    tasks = set()
    while True:
        relay, _ = await loop.sock_accept(listener)
        task = asyncio.ensure_future(serve(loop, relay))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.run(main(sys.argv[1]))
