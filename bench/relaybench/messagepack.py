"""As much MessagePack as a parent of wslrelay needs (docs/protocol.md, section 1): it encodes requests and decodes answers."""

import struct


def encode(value):
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return bytes([value]) if 0 <= value < 128 else b"\xce" + struct.pack(">I", value)
    if isinstance(value, str):
        text = value.encode()
        return bytes([0xA0 | len(text)]) + text if len(text) < 32 else b"\xd9" + bytes([len(text)]) + text
    if isinstance(value, dict):
        return bytes([0x80 | len(value)]) + b"".join(encode(key) + encode(item) for key, item in value.items())
    return b"\xdc" + struct.pack(">H", len(value)) + b"".join(encode(item) for item in value)


NUMBERS = {0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q", 0xCA: ">f", 0xCB: ">d"}
CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


class Decoder:
    """Reads whole objects from a binary stream."""

    def __init__(self, read):
        self._read = read

    def _take(self, count):
        data = self._read(count) if count else b""
        if len(data) != count:
            raise EOFError("the relay's answers ended")
        return data

    def _number(self, form):
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _text(self, length):
        return self._take(length).decode()

    def _map(self, length):
        return {self.decode(): self.decode() for _ in range(length)}

    def _array(self, length):
        return [self.decode() for _ in range(length)]

    def decode(self):
        code = self._take(1)[0]
        if code < 0x80:
            return code
        if code >= 0xE0:
            return code - 256
        if code < 0x90:
            return self._map(code & 15)
        if code < 0xA0:
            return self._array(code & 15)
        if code < 0xC0:
            return self._text(code & 31)
        if code in CONSTANTS:
            return CONSTANTS[code]
        if code in NUMBERS:
            return self._number(NUMBERS[code])
        kind, form = {
            0xD9: (self._text, ">B"), 0xDA: (self._text, ">H"), 0xDB: (self._text, ">I"),
            0xC4: (self._take, ">B"), 0xC5: (self._take, ">H"), 0xC6: (self._take, ">I"),
            0xDC: (self._array, ">H"), 0xDD: (self._array, ">I"), 0xDE: (self._map, ">H"), 0xDF: (self._map, ">I"),
        }[code]
        return kind(self._number(form))
