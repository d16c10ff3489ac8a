"""What must hold of stored documents whatever happened on the way: nothing twice, nothing missing."""

from collections import defaultdict


def check_nothing_twice(rows):
    seen = set()
    for row in rows:
        key = (row["epoch"], row["seq"], row["index"])
        assert key not in seen, f"stored twice: {key}"
        seen.add(key)


def check_no_holes(rows):
    """Sequence numbers of each epoch run from 1 to the newest without a hole: every sealed batch arrived."""
    sequences = defaultdict(set)
    for row in rows:
        sequences[row["epoch"]].add(row["seq"])
    for epoch, seqs in sequences.items():
        missing = sorted(set(range(1, max(seqs) + 1)) - seqs)
        assert not missing, f"epoch {epoch}: batches {missing[:20]} of {max(seqs)} never arrived"


def check_serials(rows):
    """Documents of the test plugin carry a serial number kept in plugin state: 1, 2, 3, ... each exactly once."""
    serials = sorted(row["document"]["serial"] for row in rows)
    assert serials == list(range(1, len(serials) + 1)), f"serial numbers are not 1..{len(serials)}: {find_first_break(serials)}"
    return len(serials)


def find_first_break(serials):
    for position, serial in enumerate(serials, start=1):
        if serial != position:
            return f"at {position} stands {serial}"
    return "none"
