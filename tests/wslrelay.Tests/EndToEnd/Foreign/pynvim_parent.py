"""A parent made of pynvim's MessagePack-RPC client, which was written for another server."""
import socket
import sys

from pynvim.msgpack_rpc import child_session

from relay import EchoServer, echoes


class Refused(Exception):
    pass


session = child_session(["wslrelay", "serve"])
session.error_wrapper = lambda error: Refused(error["name"], error["code"])

hello = session.request("hello")
print("hello:", hello)
assert hello["name"] == "wslrelay", hello

with EchoServer() as guest:
    mappings = session.request("map", {"guestPort": guest.port}, {"guestPort": guest.port})
    print("map:", mappings)
    assert all(echoes(mapping, b"x" * 1_000_000) for mapping in mappings)
    try:
        session.request("map", mappings[0])
        sys.exit("The same port was mapped twice.")
    except Refused as refused:
        print("map again:", refused)
        assert refused.args == ("AddressInUse", 0x80072740 - (1 << 32)), refused
    listed = session.request("list")
    print("list:", listed)
    assert {entry["bytesToHost"] for entry in listed} == {1_000_000}, listed
    print("unmap:", session.request("unmap", mappings[0]))
    try:
        socket.create_connection(("127.0.0.1", mappings[0]["hostPort"]))
        sys.exit("An unmapped port was still open.")
    except ConnectionRefusedError:
        pass
    assert echoes(mappings[1])

# It ends its child by a signal, so the exit code is not checked.
session.close()
print("OK")
