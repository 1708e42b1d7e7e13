#!/usr/bin/python3
"""Writes vectors.python.txt, the values of values.txt as python3-msgpack encodes them, and vectors.long.txt, values in encodings
longer than necessary, each checked by python3-msgpack's decoder. Each line is a value, a tab, and its encoding."""
import json
import pathlib
import struct

import msgpack

from tagged import format_bytes, pack, unpack

HERE = pathlib.Path(__file__).parent
HEADER = f"# python3-msgpack {'.'.join(map(str, msgpack.version))}\n"


def line(value, data):
    return f"{json.dumps(value, separators=(',', ':'))}\t{format_bytes(data)}\n"


def long_encodings():
    codes = {0xCC: "B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: "b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
    for value in (0, 80, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**32 - 1, 2**63 - 1, -1, -32, -128, -32768, -2**31):
        for code, layout in codes.items():
            try:
                yield ["int", str(value)], bytes([code]) + struct.pack(layout, value)
            except struct.error:
                pass  # the value does not fit this format
    for size in (0, 5, 200, 300):
        for tag, kinds in (("str", (0xD9, 0xDA, 0xDB)), ("bin", (0xC4, 0xC5, 0xC6)), ("ext", (0xC7, 0xC8, 0xC9))):
            for code, layout, limit in zip(kinds, ("B", ">H", ">I"), (256, 65536, 2**32)):
                if size < limit:
                    data = b"a" * size
                    text = format_bytes(data)
                    value = ["ext", 9, text] if tag == "ext" else [tag, text]
                    yield value, bytes([code]) + struct.pack(layout, size) + (b"\x09" if tag == "ext" else b"") + data
    for count in (0, 2, 20):
        for code, layout in ((0xDC, ">H"), (0xDD, ">I")):
            yield ["array", [["int", "1"]] * count], bytes([code]) + struct.pack(layout, count) + b"\x01" * count
        for code, layout in ((0xDE, ">H"), (0xDF, ">I")):
            yield (["map", [[["int", str(i)], ["nil"]] for i in range(count)]],
                   bytes([code]) + struct.pack(layout, count) + b"".join(bytes([i, 0xC0]) for i in range(count)))
    # Timestamps that a shorter form could hold, and one in an ext 8 where fixext would do.
    yield ["time", "1", 0], bytes([0xD7, 0xFF]) + struct.pack(">Q", 1)
    yield ["time", "1", 100], bytes([0xC7, 12, 0xFF]) + struct.pack(">Iq", 100, 1)
    yield ["time", "1", 0], bytes([0xC7, 4, 0xFF]) + struct.pack(">I", 1)


with open(HERE / "vectors.python.txt", "w", newline="\n") as out:
    out.write(HEADER)
    for text in open(HERE / "values.txt"):
        if not text.startswith("#"):
            out.write(line(json.loads(text), pack(json.loads(text))))

with open(HERE / "vectors.long.txt", "w", newline="\n") as out:
    out.write(HEADER)
    for value, data in long_encodings():
        assert unpack(data) == value, (value, data)
        out.write(line(value, data))
