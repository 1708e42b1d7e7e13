"""Converts the values of values.txt to and from Python's, and bytes to and from the hexadecimal with runs that is used there."""
import itertools
import struct

import msgpack


def parse_bytes(text):
    out = b""
    for word in text.split():
        digits, _, count = word.partition("*")
        out += bytes.fromhex(digits) * int(count or 1)
    return out


def format_bytes(data):
    words = [""]
    for byte, group in itertools.groupby(data):
        count = len(list(group))
        if count > 16:
            words += [f"{byte:02x}*{count}", ""]
        else:
            words[-1] += f"{byte:02x}" * count
    return " ".join(word for word in words if word)


def pack(value, packer=None):
    """Encodes a value of values.txt with python3-msgpack."""
    packer = packer or msgpack.Packer()
    tag, *rest = value
    if tag == "array":
        return packer.pack_array_header(len(rest[0])) + b"".join(pack(item, packer) for item in rest[0])
    if tag == "map":
        return packer.pack_map_header(len(rest[0])) + b"".join(pack(k, packer) + pack(v, packer) for k, v in rest[0])
    if tag == "onesmap":
        return packer.pack_map_pairs([(1, 1)] * rest[0])
    if tag == "f32":
        return msgpack.Packer(use_single_float=True).pack(struct.unpack(">f", bytes.fromhex(rest[0]))[0])
    return packer.pack(to_python(value))


def to_python(value):
    tag, *rest = value
    return {
        "nil": lambda: None,
        "bool": lambda: rest[0],
        "int": lambda: int(rest[0]),
        "f64": lambda: struct.unpack(">d", bytes.fromhex(rest[0]))[0],
        "str": lambda: parse_bytes(rest[0]).decode(),
        "bin": lambda: parse_bytes(rest[0]),
        "ones": lambda: [1] * rest[0],
        "ext": lambda: msgpack.ExtType(rest[0], parse_bytes(rest[1])),
        "time": lambda: msgpack.Timestamp(int(rest[0]), rest[1]),
    }[tag]()


def unpack(data):
    """Decodes one object with python3-msgpack, floats of either width as f64."""
    return from_python(msgpack.unpackb(data, raw=False, strict_map_key=False))


def from_python(value):
    if value is None:
        return ["nil"]
    if isinstance(value, bool):
        return ["bool", value]
    if isinstance(value, int):
        return ["int", str(value)]
    if isinstance(value, float):
        return ["f64", struct.pack(">d", value).hex()]
    if isinstance(value, str):
        return ["str", format_bytes(value.encode())]
    if isinstance(value, bytes):
        return ["bin", format_bytes(value)]
    if isinstance(value, msgpack.Timestamp):
        return ["time", str(value.seconds), value.nanoseconds]
    if isinstance(value, msgpack.ExtType):
        return ["ext", value.code, format_bytes(value.data)]
    if isinstance(value, list):
        return ["array", [from_python(item) for item in value]]
    return ["map", [[from_python(k), from_python(v)] for k, v in value.items()]]
