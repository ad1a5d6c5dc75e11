"""A few random changes of a clean CRM, and every type in every role of one format: what the chores do at length."""
import random
import re
import tempfile
import unittest

import mutations
import types_of_arrow


class Mutations(unittest.TestCase):
    def test_one_change_is_harmless_or_refused(self):
        rng = random.Random(2026)
        with tempfile.TemporaryDirectory() as folder:
            trial = mutations.Trial(folder)
            tried = [mutations.draw(rng, trial.crm) for _ in range(150)]
            for mutation in tried:
                with self.subTest(mutation.what, family=mutation.family, table=mutation.table, column=mutation.column):
                    verdict, said = trial.run(mutation)
                    self.assertIn(verdict, ("same", "refused"), said)
            self.assertGreater(len({mutation.family for mutation in tried}), 10)

    def test_a_change_that_matters_is_seen(self):
        """The trial itself: another number is another matrix, and is not taken for the clean one."""
        with tempfile.TemporaryDirectory() as folder:
            trial = mutations.Trial(folder)
            other = mutations.Mutation("a typing error", "another number", trial.crm.map("leads", "employees", lambda v: v + 1, [7]), "leads", "employees")
            self.assertEqual(trial.run(other)[0], "silent")

    def test_the_table_in_the_docs_has_no_silent_difference(self):
        page = mutations.DOCS.read_text().split(mutations.BEGIN)[1].split(mutations.END)[0]
        rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ") and "---" not in line][1:]
        self.assertEqual({row[0] for row in rows}, {"types in Parquet", *FAMILIES})
        self.assertEqual({row[4] for row in rows}, {"0"})
        self.assertEqual(sum(int(row[1]) for row in rows), int(re.search(r"(\d+) mutations", page)[1]))


FAMILIES = [
    "a placeholder in one of 1,000 rows", "a table that ends early", "delimiter", "encoding", "form of the ids of a table", "layout of the file", "names of outcomes",
    "one date years off", "types in Arrow", "types in NDJSON", "writing of a number column", "writing of a time column",
]


class Types(unittest.TestCase):
    def test_every_type_in_every_role(self):
        """As the table in the docs says; in Parquet, for the chore does both formats."""
        rows = {line.strip("| ").split(" | ")[0]: line.strip("| ").split(" | ")[1:] for line in types_of_arrow.DOCS.read_text().split(types_of_arrow.BEGIN)[1].splitlines() if line.startswith("| ")}
        with tempfile.TemporaryDirectory() as folder:
            trials = types_of_arrow.Trials(folder)
            for name in types_of_arrow.TYPES:
                for role, said in zip(types_of_arrow.ROLES, rows[name]):
                    with self.subTest(name, role=role):
                        found = trials.run(name, role, "parquet")
                        if found is not None:
                            self.assertIn({"read": "read", "refused": "no"}.get(found, found), said.split(" / "))


if __name__ == "__main__":
    unittest.main()
