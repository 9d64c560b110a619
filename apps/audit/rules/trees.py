"""The Merkle tree of RFC 6962 and 9162: roots, proofs, and how they are checked.

The tree itself is nowhere as a whole: `Read` gives hashes of it. Level 0 are the leaves; a hash of level k stands for
the 256 hashes of level k - 1 below it, and exists once these are complete. So a proof takes a few hundred hashes,
however many leaves there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

HASH_BYTES = 32
WIDTH = 256
_BITS = 8  # of WIDTH
_sha256 = hashlib.sha256

EMPTY_ROOT = _sha256(b"").digest()

# Gives `count` hashes of a level, from an index on.
Read = Callable[[int, int, int], Sequence[bytes]]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give the hash of an inner node."""
    return _sha256(b"\1" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Give the hash over one row of hashes, of leaves or of equally high subtrees; at least one is needed."""
    row = list(hashes)
    while len(row) > 1:
        pairs = [node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
        row = pairs + row[len(row) & ~1 :]
    return row[0]


def root_of(read: Read, size: int) -> bytes:
    """Give the root over the first `size` leaves."""
    return _hash(read, 0, size) if size else EMPTY_ROOT


def inclusion_proof(read: Read, index: int, size: int) -> list[bytes]:
    """Give the proof that leaf `index` is among the first `size` leaves (RFC 9162, 2.1.3.1)."""
    low, high, path = 0, size, []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_hash(read, middle, high))
            high = middle
        else:
            path.append(_hash(read, low, middle))
            low = middle
    return path[::-1]


def consistency_proof(read: Read, old: int, size: int) -> list[bytes]:
    """Give the proof that the first `old` leaves have stayed as they were (RFC 9162, 2.1.4.1); 0 < old ≤ size."""
    low, high, path, is_known = 0, size, [], True
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(_hash(read, middle, high))
            high = middle
        else:
            path.append(_hash(read, low, middle))
            low, is_known = middle, False
    if not is_known:
        path.append(_hash(read, low, high))
    return path[::-1]


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Check an inclusion proof (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or {len(leaf), len(root)} != {HASH_BYTES}:
        return False
    at, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(step, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def is_consistent(old: int, size: int, old_root: bytes, root: bytes, path: Sequence[bytes]) -> bool:
    """Check a consistency proof (RFC 9162, 2.1.4.2). Nothing is proved about what was empty."""
    if not 0 < old <= size:
        return False
    if old == size:
        return not path and old_root == root
    steps = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not steps:
        return False
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    was = now = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            was, now = node_hash(step, was), node_hash(step, now)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            now = node_hash(now, step)
        at, last = at >> 1, last >> 1
    return last == 0 and was == old_root and now == root


class Growing:
    """A tree that grows leaf by leaf and keeps only its right edge; tells of each tile as it becomes complete."""

    def __init__(self, tell: Callable[[int, int, bytes], None]) -> None:
        """`tell` gets level, index and hash of each complete tile."""
        self.size = 0
        self._edge: list[tuple[int, bytes]] = []
        self._tell = tell

    def start(self, read: Read, size: int) -> None:
        """Begin with the first `size` leaves as their inner hashes say."""
        self.size, low = size, 0
        for height in range(size.bit_length() - 1, -1, -1):
            if size >> height & 1:
                self._edge.append((height, _hash(read, low, low + (1 << height))))
                low += 1 << height

    def add(self, leaf: bytes) -> None:
        """Add the next leaf."""
        self.size += 1
        height, found, edge = 0, leaf, self._edge
        while edge and edge[-1][0] == height:
            found = _sha256(b"\1" + edge.pop()[1] + found).digest()
            height += 1
            if height % _BITS == 0:
                self._tell(height // _BITS, (self.size >> height) - 1, found)
        edge.append((height, found))

    def root(self) -> bytes:
        """Give the root over all leaves so far."""
        if not self._edge:
            return EMPTY_ROOT
        found = self._edge[-1][1]
        for _, left in self._edge[-2::-1]:
            found = node_hash(left, found)
        return found


def _split(size: int) -> int:
    """Give the largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _hash(read: Read, low: int, high: int) -> bytes:
    """Give the hash over the leaves from `low` to `high`, as the recursion of the RFC cuts them."""
    size = high - low
    if size & (size - 1) == 0:  # a complete subtree: 1 to 128 hashes of one level make it
        level, rest = divmod(size.bit_length() - 1, _BITS)
        return fold(read(level, low >> (level * _BITS), 1 << rest))
    middle = low + _split(size)
    return node_hash(_hash(read, low, middle), _hash(read, middle, high))
