"""Verdicts in a few worlds whose truth is known; `cargo xtask verdicts` measures many."""
import collections
import pathlib
import tempfile
import unittest

import verdicts


class Verdicts(unittest.TestCase):
    def test_what_is_right_is_called_so(self):
        for name, arguments, right in verdicts.ROWS:
            if name not in ("unchanged, 150 wins", "effect fades to 0.3", "level falls to 0.7", "accounts of 8"):
                continue
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                kinds = collections.Counter(verdicts.trial(pathlib.Path(folder), verdicts.World(f"ci {name} {number}", **arguments))[0] for number in range(8))
                # Right in 95 of 100: three of eight wrong ones come once in two hundred.
                self.assertGreaterEqual(sum(count for kind, count in kinds.items() if kind in right), 6, kinds)

    def test_the_tables_in_the_docs_are_whole(self):
        text = verdicts.DOCS.read_text()
        for name, _, _ in verdicts.ROWS:
            self.assertIn(f"| {name} |", text)
