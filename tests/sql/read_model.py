"""Reads the frame of a leadscore model file with the standard library alone: proof that the format is what docs/model-format.md says."""
import hashlib
import json
import struct


def read_model(data: bytes) -> tuple[dict, bytes]:
    """Returns the header and the payload (bincode 2, standard configuration), or raises ValueError."""
    if data[:8] != b"LEADMDL\n":
        raise ValueError("not a leadscore model")
    version, header_length = struct.unpack_from("<II", data, 8)
    if version not in (1, 2):
        raise ValueError(f"format version {version}")
    header = json.loads(data[16:16 + header_length])
    (payload_length,) = struct.unpack_from("<Q", data, 16 + header_length)
    start = 24 + header_length
    payload, checksum = data[start:start + payload_length], data[start + payload_length:]
    if hashlib.sha256(data[:-32]).digest() != checksum:
        raise ValueError("damaged: the checksum does not fit")
    return header, payload


def read_varint(payload: bytes, at: int) -> tuple[int, int]:
    """One unsigned number of bincode's variable-length encoding, and where the next value begins."""
    first = payload[at]
    if first < 251:
        return first, at + 1
    width, code = {251: (2, "<H"), 252: (4, "<I"), 253: (8, "<Q")}[first]
    return struct.unpack_from(code, payload, at + 1)[0], at + 1 + width


def read_text(payload: bytes, at: int) -> tuple[str, int]:
    """One text: its length in bytes, then UTF-8."""
    length, at = read_varint(payload, at)
    return payload[at:at + length].decode(), at + length
