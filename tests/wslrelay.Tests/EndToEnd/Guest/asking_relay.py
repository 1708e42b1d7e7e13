"""A relay that asks an agent for one server and for spare sockets. Usage: asking_relay.py unix:PATH FAMILY PORT SPARE

Prints the answer in hexadecimal, and of each socket that comes with it the family, the port that it is connected to (0: none) and whether it blocks; then ends its sending and waits for the agent's end.
"""

import os
import socket
import sys

import msgpack


def port_of(peer):
    try:
        return peer.getpeername()[1]
    except OSError:
        return 0


def main(endpoint, family, port, spare):
    agent = socket.socket(socket.AF_UNIX)
    agent.connect(endpoint.split(":", 1)[1])
    agent.sendall(msgpack.packb({"v": 1, "protocol": "tcp", "family": int(family), "port": int(port), "pass": True, "spare": int(spare)}))
    answer, descriptors, _, _ = socket.recv_fds(agent, 1024, 253)
    print(answer.hex())
    for descriptor in descriptors:
        one = socket.socket(fileno=descriptor)
        print(one.family.name, port_of(one), os.get_blocking(descriptor))
    agent.shutdown(socket.SHUT_WR)
    if agent.recv(1):
        sys.exit("the agent sends more")


main(*sys.argv[1:])
