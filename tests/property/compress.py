"""Compressed forms written by hand, so that no program is needed: blocks are stored, not squeezed."""

import gzip
import struct

MASK = 0xFFFFFFFF
PRIMES = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1


def rotate(value, bits):
    return (value << bits | value >> (32 - bits)) & MASK


def xxh32_short(data):
    """XXH32, seed 0, of fewer than 4 bytes: enough for the check byte of an LZ4 frame header."""
    value = PRIMES[4] + len(data) & MASK
    for byte in data:
        value = rotate(value + byte * PRIMES[4] & MASK, 11) * PRIMES[0] & MASK
    value = (value ^ value >> 15) * PRIMES[1] & MASK
    value = (value ^ value >> 13) * PRIMES[2] & MASK
    return value ^ value >> 16


def lz4(data):
    descriptor = bytes([0x60, 0x40])  # version 1, independent blocks, no checksums; blocks of at most 64 KiB
    parts = [struct.pack("<I", 0x184D2204), descriptor, bytes([xxh32_short(descriptor) >> 8 & 255])]
    for at in range(0, len(data), 65536):
        piece = data[at:at + 65536]
        parts += [struct.pack("<I", len(piece) | 0x80000000), piece]
    return b"".join(parts + [bytes(4)])


def zstd(data):
    parts = [struct.pack("<I", 0xFD2FB528), bytes([0x00, 0x50])]  # window of 1 MiB, size not told
    pieces = [data[at:at + 65536] for at in range(0, len(data), 65536)] or [b""]
    for n, piece in enumerate(pieces):
        parts += [struct.pack("<I", len(piece) << 3 | (n == len(pieces) - 1))[:3], piece]
    return b"".join(parts)


FORMS = {"gzip": lambda data: gzip.compress(data, mtime=0), "zstd": zstd, "lz4": lz4,
         "gzip in two members": lambda data: gzip.compress(data[:len(data) // 2]) + gzip.compress(data[len(data) // 2:])}
