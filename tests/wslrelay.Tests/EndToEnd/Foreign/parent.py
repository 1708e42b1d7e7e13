"""A parent in another language than the relay's: all of the protocol's first section, with a test for each of its promises."""
import os
import select
import socket
import subprocess
import time
import unittest

import msgpack

from relay import EchoServer, Relay, RelayError, can_listen, connect, echoes, until

CODES = {
    "AddressInUse": 0x80072740, "AccessDenied": 0x80070005, "AddressNotAvailable": 0x80072741, "AddressNotAllowed": 0x80070032,
    "NotSupported": 0x80070032, "NotFound": 0x80070490, "TooManyOpenFiles": 0x80070004, "InvalidParams": 0x80070057,
    "MethodNotFound": 0x80070001, "Internal": 0x8000FFFF,
}


class Case(unittest.TestCase):
    arguments = ()

    def setUp(self):
        self.relay = self.enterContext(Relay(*self.arguments))

    def map(self, **item):
        return self.relay.call("map", item)[0]

    def assert_fails(self, name, method, *params, index=None, message=""):
        with self.assertRaises(RelayError) as caught:
            self.relay.call(method, *params)
        error = caught.exception
        self.assertEqual((error.name, error.code, error.index), (name, CODES[name] - (1 << 32), index), error)
        self.assertIn(message, error.message)

    def assert_session_ends(self):
        kind, method, [error] = self.relay.receive()
        self.assertEqual((kind, method, error["name"]), (2, "error", "InvalidParams"))
        self.assertIsNone(self.relay.receive())
        self.assertEqual(self.relay.process.wait(60), 3)


class Hello(Case):
    def test_reports_name_version_protocol_pid_and_target(self):
        for params in [], [{"protocol": 1}]:
            hello = self.relay.call("hello", *params)
            self.assertEqual((hello["name"], hello["protocol"], hello["target"]), ("wslrelay", 1, "direct"))
            self.assertEqual(hello["pid"], self.relay.process.pid)
            self.assertIn("tcp", hello["capabilities"])
            self.assertRegex(hello["version"], r"^\d+\.\d+\.\d+")

    def test_refuses_another_protocol(self):
        self.assert_fails("NotSupported", "hello", {"protocol": 99})


class Map(Case):
    def test_fills_in_every_default(self):
        with EchoServer() as guest:
            mapping = self.map(guestPort=guest.port)
            self.assertEqual(mapping, {"protocol": "tcp", "family": 4, "address": "127.0.0.1", "hostPort": mapping["hostPort"],
                                       "guestPort": guest.port, "guestFamily": 4, "proxy": 0})
            self.assertGreater(mapping["hostPort"], 0)
            self.assertTrue(echoes(mapping))

    def test_family_6_has_its_own_default_address(self):
        with EchoServer(6) as guest:
            mapping = self.map(family=6, guestPort=guest.port)
            self.assertEqual(mapping["address"], "::1")
            self.assertTrue(echoes(mapping))

    def test_several_at_once_in_their_order(self):
        with EchoServer() as guest:
            mappings = self.relay.call("map", *[{"guestPort": guest.port}] * 100)
            self.assertEqual(len({mapping["hostPort"] for mapping in mappings}), 100)
            self.assertTrue(all(map(echoes, mappings)))

    def test_all_or_nothing(self):
        first = self.map(guestPort=80)
        free = self.map(guestPort=80)
        self.relay.call("unmap", {"hostPort": free["hostPort"]})
        self.assert_fails("AddressInUse", "map", dict(free), dict(first), index=1, message="127.0.0.1:%d/tcp" % first["hostPort"])
        self.assertTrue(can_listen("127.0.0.1", free["hostPort"]))
        self.assertEqual(len(self.relay.call("list")), 1)

    def test_ignores_unknown_keys(self):
        item = {"guestPort": 80, "note": {"list": [None, 1.5, -1, "text", b"bytes", True]}, "time": msgpack.Timestamp(1, 2)}
        self.assertEqual(self.relay.call("map", item)[0]["guestPort"], 80)

    def test_a_result_can_be_mapped_and_unmapped_again(self):
        mapping = self.map(guestPort=80)
        self.relay.call("unmap", mapping)
        self.assertEqual(self.map(**mapping), mapping)


class Unmap(Case):
    def test_the_port_is_free_when_the_answer_arrives(self):
        for _ in range(20):
            mapping = self.map(guestPort=80)
            self.assertEqual(self.relay.call("unmap", {"hostPort": mapping["hostPort"]}), [{"active": 0, "reset": 0}])
            self.assertTrue(can_listen("127.0.0.1", mapping["hostPort"]))

    def test_connections_continue_without_a_drain(self):
        with EchoServer() as guest:
            mapping = self.map(guestPort=guest.port)
            with connect(mapping) as client:
                client.sendall(b"a")
                self.assertEqual(client.recv(1), b"a")
                self.assertEqual(self.relay.call("unmap", mapping), [{"active": 1, "reset": 0}])
                client.sendall(b"b")
                self.assertEqual(client.recv(1), b"b")

    def test_a_drain_is_answered_when_it_ends_and_others_do_not_wait(self):
        with EchoServer() as guest:
            mapping = self.map(guestPort=guest.port)
            with connect(mapping) as client:
                client.sendall(b"a")
                client.recv(1)
                drain = self.relay.request("unmap", dict(mapping, drainMs=500))
                self.assertEqual(self.relay.call("list"), [])
                self.assertEqual(self.relay.receive(), [1, drain, None, [{"active": 0, "reset": 1}]])
                self.assertRaises(ConnectionResetError, client.recv, 1)

    def test_all_or_nothing(self):
        mapping = self.map(guestPort=80)
        self.assert_fails("NotFound", "unmap", mapping, dict(mapping, family=6, address="::1"), index=1, message="[::1]:")
        self.assertEqual(len(self.relay.call("list")), 1)


class List(Case):
    def test_counts(self):
        with EchoServer() as guest:
            mapping = self.map(guestPort=guest.port)
            for _ in range(3):
                self.assertTrue(echoes(mapping, b"x" * 1000))
            counters = {"accepted": 3, "active": 0, "failed": 0, "bytesToGuest": 3000, "bytesToHost": 3000, "lastError": None, "auto": False}
            until(lambda: self.relay.call("list")[0]["active"] == 0)
            [listed] = self.relay.call("list")
            self.assertLess(abs(time.time() * 1000 - listed.pop("since")), 60000)
            self.assertEqual(listed, dict(mapping, **counters))

    def test_is_sorted(self):
        for item in {"family": 6}, {"address": "127.0.0.2"}, {}, {"address": "127.0.0.2"}, {"family": 6}, {}:
            self.map(guestPort=80, **item)
        keys = [(entry["family"], entry["address"], entry["hostPort"]) for entry in self.relay.call("list")]
        self.assertEqual(len(keys), 6)
        self.assertEqual(keys, sorted(keys))


class Connections(Case):
    def test_reports_each_connection_with_its_client(self):
        with EchoServer() as guest:
            mapping = self.map(guestPort=guest.port)
            with connect(mapping) as client:
                client.sendall(b"a")
                client.recv(1)
                [item] = self.relay.call("connections", {"limit": 5}, mapping)
                self.assertLess(abs(time.time() * 1000 - item.pop("since")), 60000)
                byte_counts = item.pop("bytesToGuest"), item.pop("bytesToHost")
                self.assertEqual(byte_counts, (1, 1))
                mapping_keys = {key: mapping[key] for key in ("protocol", "family", "address", "hostPort", "guestPort")}
                self.assertEqual(item, dict(mapping_keys, client="127.0.0.1:%d" % client.getsockname()[1], state="open"))


class Subscribe(Case):
    def test_reports_mappings_and_failed_connections(self):
        self.assertIn("connectionFailed", self.relay.call("subscribe")["events"])
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        mapping = self.map(guestPort=port)
        with self.assertRaises(OSError), connect(mapping) as client:
            client.recv(1)
            client.send(b"x")
        self.relay.call("unmap", mapping)
        events = []
        until(lambda: len(events) == 3 or events.append(self.relay.event()))
        self.assertEqual([event["event"] for event in events], ["mapped", "connectionFailed", "unmapped"])
        self.assertTrue(all(event.items() >= mapping.items() for event in events))
        self.assertEqual(events[1]["error"]["name"], "ConnectionRefused")
        self.assertRegex(events[1]["client"], r"^127\.0\.0\.1:\d+$")


class Errors(Case):
    def test_an_error_names_the_invalid_key_or_mapping(self):
        self.assert_fails("InvalidParams", "map", {}, index=0, message="guestPort")
        self.assert_fails("InvalidParams", "map", {"guestPort": 80}, {"guestPort": 0}, index=1, message="guestPort")
        self.assert_fails("InvalidParams", "map", {"guestPort": 80, "hostPort": 65536}, index=0, message="hostPort")
        self.assert_fails("InvalidParams", "map", {"guestPort": 80, "address": 1}, index=0, message="address")
        self.assert_fails("InvalidParams", "unmap", {}, index=0, message="hostPort")
        self.assert_fails("InvalidParams", "map", {"guestPort": 80, "protocol": "sctp"}, index=0)
        self.assert_fails("AddressNotAllowed", "map", {"guestPort": 80, "address": "0.0.0.0", "hostPort": 20001}, index=0, message="0.0.0.0:20001/tcp")
        self.assert_fails("NotFound", "unmap", {"hostPort": 1}, index=0, message="127.0.0.1:1/tcp")
        self.assert_fails("MethodNotFound", "mop", message="mop")

    def test_a_port_that_another_socket_has(self):
        for address in "127.0.0.1", "0.0.0.0":
            with socket.create_server((address, 0)) as foreign:
                port = foreign.getsockname()[1]
                self.assert_fails("AddressInUse", "map", {"hostPort": port, "guestPort": 80}, index=0, message="127.0.0.1:%d/tcp" % port)


class Limits(unittest.TestCase):
    def test_no_descriptors_left(self):
        with Relay(wrapper=["sh", "-c", 'ulimit -n 64; exec "$0" "$@"']) as relay:
            with self.assertRaises(RelayError) as caught:
                relay.call("map", *[{"guestPort": 80}] * 100)
            self.assertEqual((caught.exception.name, caught.exception.code), ("TooManyOpenFiles", 0x80070004 - (1 << 32)))
            self.assertEqual(relay.call("list"), [])

    @unittest.skipIf(open("/proc/sys/net/ipv4/ip_unprivileged_port_start").read() == "0\n", "every user may bind every port here")
    def test_a_privileged_port(self):
        wrapper = ["setpriv", "--bounding-set=-net_bind_service"] if os.geteuid() == 0 else []
        with Relay(wrapper=wrapper) as relay:
            with self.assertRaises(RelayError) as caught:
                relay.call("map", {"hostPort": 1009, "guestPort": 80})
            self.assertEqual((caught.exception.name, caught.exception.code), ("AccessDenied", 0x80070005 - (1 << 32)))
            self.assertIn("127.0.0.1:1009/tcp", caught.exception.message)


class Stream(Case):
    def test_pipelining(self):
        ids = [self.relay.request("list") for _ in range(1000)]
        self.assertEqual([self.relay.receive()[1] for _ in ids], ids)

    def test_continues_after_an_object_that_is_not_a_message(self):
        for value in 1, "text", None, [], {"a": 1}, [7, 1, "list", []]:
            self.relay.send(value)
            self.assertEqual(self.relay.receive()[:2], [2, "error"])
        self.assertEqual(self.relay.call("list"), [])

    def test_ends_on_bytes_that_are_not_messagepack(self):
        self.relay.process.stdin.write(b"\xc1")
        self.assert_session_ends()

    def test_ends_on_an_object_that_is_too_large(self):
        self.relay.send([0, 1, "hello", [{"unknown": b"x" * 65536}]])
        self.assert_session_ends()

    def test_ends_on_nesting_that_is_too_deep(self):
        self.relay.process.stdin.write(b"\x91" * 17 + b"\xc0")
        self.assert_session_ends()


class Remote(Case):
    arguments = ("--allow-remote",)

    def test_an_address_of_another_machine(self):
        self.assert_fails("AddressNotAvailable", "map", {"address": "198.51.100.7", "hostPort": 20002, "guestPort": 80}, index=0,
                   message="198.51.100.7:20002/tcp")

    def test_a_wildcard(self):
        with EchoServer() as guest:
            mapping = self.map(address="0.0.0.0", guestPort=guest.port)
            self.assertTrue(echoes(dict(mapping, address="127.0.0.1")))


def queued(process):
    """Seconds for which a process's threads were ready to run and waited for a processor."""
    total = 0
    for thread in os.listdir("/proc/%d/task" % process):
        try:
            with open("/proc/%d/task/%s/schedstat" % (process, thread)) as file:
                total += int(file.read().split()[1])
        except OSError:
            pass  # that thread has ended
    return total / 1e9


def time_to_end(relay):
    """Seconds after the end of its input at which the relay was last seen running, less those for which it waited for a processor."""
    before, ran, waited = queued(relay.process.pid), 0, 0
    begin = time.monotonic()
    relay.process.stdin.close()
    while True:
        now = time.monotonic() - begin
        with open("/proc/%d/stat" % relay.process.pid) as file:
            if file.read().rpartition(")")[2].split()[0] == "Z":
                return ran - waited
        ran, waited = now, max(waited, queued(relay.process.pid) - before)
        time.sleep(0.001)


class End(unittest.TestCase):
    def test_end_of_file(self):
        with Relay() as relay:
            port = relay.call("map", {"guestPort": 80})[0]["hostPort"]
            self.assertEqual(relay.end(), 0)
            self.assertTrue(can_listen("127.0.0.1", port))

    def test_end_of_file_with_a_drain(self):
        with EchoServer() as guest, Relay("--drain-ms", "60000") as relay:
            client = connect(relay.call("map", {"guestPort": guest.port})[0])
            client.sendall(b"a")
            client.recv(1)
            relay.process.stdin.close()
            time.sleep(0.3)
            client.sendall(b"b")
            self.assertEqual(client.recv(1), b"b")
            client.close()
            self.assertEqual(relay.process.wait(60), 0)

    def assert_ends(self, descriptor, signal):
        with Relay("--exit-event", str(descriptor), pass_fds=[descriptor]) as relay:
            relay.call("hello")
            signal()
            self.assertEqual(relay.process.wait(60), 0)

    def test_exit_event_of_a_pipe(self):
        read, write = os.pipe()
        self.assert_ends(read, lambda: os.write(write, b"x"))
        read, write = os.pipe()
        self.assert_ends(read, lambda: os.close(write))

    def test_exit_event_of_an_eventfd(self):
        event = os.eventfd(0)
        self.assert_ends(event, lambda: os.eventfd_write(event, 1))

    def test_exit_event_of_a_process(self):
        other = subprocess.Popen(["sleep", "600"])
        self.assert_ends(os.pidfd_open(other.pid), other.kill)
        other.wait()

    def test_within_a_second_with_a_thousand_connections(self):
        with EchoServer() as guest, Relay() as relay:
            mapping = relay.call("map", {"guestPort": guest.port})[0]
            clients = [connect(mapping) for _ in range(1000)]
            until(lambda: relay.call("list")[0]["active"] == len(clients))
            self.assertLess(time_to_end(relay), 1)
            self.assertEqual(relay.process.wait(60), 0)
            for client in clients:
                client.close()

    def test_connections_continue_while_the_answers_are_not_read(self):
        with EchoServer() as guest, Relay() as relay:
            mapping = relay.call("map", {"guestPort": guest.port})[0]
            os.set_blocking(relay.process.stdin.fileno(), False)
            while relay.process.stdin.write(msgpack.packb([0, 1, "list", []])) is not None or not self.is_full(relay):
                pass
            self.assertTrue(all(echoes(mapping) for _ in range(50)))

    @staticmethod
    def is_full(relay):
        """Whether the relay reads no more requests, because its answers are not read."""
        return not select.select([], [relay.process.stdin], [], 0.5)[1]

    def test_exit_event_that_is_not_open(self):
        with Relay("--exit-event", "12345") as relay:
            self.assertEqual(relay.process.wait(60), 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
