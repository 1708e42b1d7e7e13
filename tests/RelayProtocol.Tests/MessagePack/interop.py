"""Answers each line with a line: "unpack BYTES" with the value, "pack VALUE" with the bytes, by python3-msgpack."""
import json
import sys

from tagged import format_bytes, pack, parse_bytes, unpack

for line in sys.stdin:
    verb, _, rest = line.partition(" ")
    if verb == "pack":
        print(format_bytes(pack(json.loads(rest))))
    else:
        print(json.dumps(unpack(parse_bytes(rest)), separators=(",", ":")))
