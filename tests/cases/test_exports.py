"""Exports as people have them: each gives the values that were meant, or an error that names the place and the line of config."""
import csv
import dataclasses
import pathlib
import random
import re
import tempfile
import tomllib
import unittest
import uuid
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

import crm as base
import mutations

CRM = base.build()


class Exports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.folder = pathlib.Path(cls.scratch.name)
        base.save(CRM, cls.folder)
        cls.clean, _ = base.matrix(cls.folder)

    def matrix(self, crm, names=None, write=None, **config):
        """The matrix of another world; `config` has lines for the sections of the tables, and `extra` for the end."""
        base.save(dataclasses.replace(crm, config=configured(crm.config, **config)), self.folder, names, write)
        found, said = base.matrix(self.folder)
        self.assertIsNotNone(found, said)
        return found

    def refused(self, crm, *wanted, names=None, write=None, **config):
        base.save(dataclasses.replace(crm, config=configured(crm.config, **config)), self.folder, names, write)
        for command in (["check"], ["train", "-o", "m.leadscore"], ["features", "-o", "matrix.csv"]):
            said = base.run(self.folder, *command, expect=2)
            for text in wanted:
                self.assertIn(text, said.stderr + said.stdout, command)
        return said.stderr

    def same(self, crm, **config):
        self.assertEqual(self.matrix(crm, **config), self.clean)

    # Seconds, milliseconds, spreadsheets.

    def test_milliseconds(self):
        self.same(CRM.map("leads", "created_at", mutations.WRITINGS_OF_TIMES["milliseconds since 1970"]))
        self.same(CRM.map("leads", "created_at", mutations.WRITINGS_OF_TIMES["milliseconds since 1970, with .0"]))

    def test_milliseconds_with_a_zero_for_no_time(self):
        ms = CRM.map("leads", "created_at", mutations.WRITINGS_OF_TIMES["milliseconds since 1970"])
        for rows in ([0], [17, 40, 41]):
            zeros = ms.map("leads", "created_at", lambda _: "0", rows)
            said = self.refused(zeros, "[leads] column `created_at`", f"leads.csv, line {rows[0] + 2}", 'null_values.created_at = ["0"]')
            self.assertIn("1970-01-01", said)
            nothing = self.matrix(CRM.map("leads", "created_at", lambda _: None, rows))
            self.assertEqual(self.matrix(zeros, leads='null_values.created_at = ["0"]'), nothing)

    def test_milliseconds_and_some_seconds(self):
        ms = CRM.map("leads", "created_at", mutations.WRITINGS_OF_TIMES["milliseconds since 1970"])
        mixed = ms.map("leads", "created_at", lambda cell: cell[:-3], range(30, 60))
        self.refused(mixed, "[leads] column `created_at`", "leads.csv, line 32", "1970")

    def test_milliseconds_that_lost_digits(self):
        sci = CRM.map("leads", "created_at", mutations.WRITINGS_OF_TIMES["milliseconds since 1970, as 1.7E+12"])
        self.refused(sci, "[leads] column `created_at`", "leads.csv, line 2")

    def test_day_numbers_of_a_spreadsheet(self):
        for name, setting in (("day numbers of a spreadsheet", "excel"), ("day numbers of a spreadsheet from 1904", "excel_1904")):
            for table, column in base.TIMES:
                with self.subTest(name, table=table):
                    changed = CRM.map(table, column, mutations.WRITINGS_OF_TIMES[name])
                    self.refused(changed, base.SECTIONS[table], f"column `{column}`", 'time_format')
                    self.same(changed, **{table: f'time_format = "{setting}"'})

    def test_a_change_log_in_day_numbers_tells_nothing(self):
        """Its times are in 1970 where they are taken for seconds: every snapshot would know what has not happened yet."""
        changed = CRM.map("changes", "changed_at", lambda at: str(int(float(mutations.serial(at)))))
        self.refused(changed, "[history] column `changed_at`", "excel")

    # Placeholders.

    def test_placeholders_of_no_time(self):
        for word in ("0000-00-00 00:00:00", "1970-01-01 00:00:00", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "1900-01-01 00:00:00"):
            for rows in ([0], [5, 90, 200]):
                with self.subTest(word, rows=rows):
                    bad = CRM.map("leads", "created_at", lambda _: word, rows)
                    self.refused(bad, f"leads.csv, line {rows[0] + 2}", f"`{word}`", f'null_values.created_at = ["{word}"]')
                    nothing = self.matrix(CRM.map("leads", "created_at", lambda _: None, rows))
                    self.assertEqual(self.matrix(bad, leads=f'null_values.created_at = ["{word}"]'), nothing)

    def test_a_year_that_was_mistyped(self):
        for years in (1, 10, -10, -20):
            with self.subTest(years):
                bad = CRM.map("deals", "closed_at", lambda at: at.replace(year=at.year + years, day=1), [len([r for r in CRM.tables["deals"] if r[1]]) - 1])
                self.refused(bad, "[outcomes] column `closed_at`", "deals.csv, line")

    def test_a_birthday_may_be_long_ago(self):
        header, rows = base.COLUMNS["leads"] + ["birthday"], [[*row, "1931-05-02"] for row in CRM.tables["leads"]]
        self.assertEqual(self.matrix(CRM, write={"leads": lambda path, *_: base.write_csv(path, header, rows)}), self.clean)

    # Numbers.

    def test_writings_of_numbers(self):
        for name in ("1,090.5", "1,090.50", "1.090,50", "1090,50", "1'090.5", "1 090,5 with a narrow blank", "$ 1090.5", "$1,090.50", "1.090,50 €", "1090.5%", "+1090.5"):
            with self.subTest(name):
                self.same(CRM.map("leads", "revenue", mutations.WRITINGS_OF_NUMBERS[name]))

    def test_whole_thousands_may_be_fractions(self):
        whole = CRM.map("leads", "revenue", int)
        expected = self.matrix(whole)
        for sign, other in ((",", "."), (".", ",")):
            written = whole.map("leads", "revenue", lambda v: f"{v:,}".replace(",", sign))
            said = self.refused(written, "[leads] column `revenue`", "leads.csv, line", "types.revenue = { decimal")
            self.assertIn(f'thousands = "{sign}"', said)
            self.assertEqual(self.matrix(written, leads=f'types.revenue = {{ decimal = "{other}", thousands = "{sign}" }}'), expected)

    def test_numbers_below_zero_in_parentheses(self):
        written = CRM.map("leads", "revenue", lambda v: f"({v})", range(40))
        self.refused(written, "[leads] column `revenue`", 'types.revenue = { parentheses = "negative" }')
        expected = self.matrix(CRM.map("leads", "revenue", lambda v: -v, range(40)))
        self.assertEqual(self.matrix(written, leads='types.revenue = { parentheses = "negative" }'), expected)

    def test_two_writings_in_one_column(self):
        mixed = CRM.map("leads", "revenue", lambda v: f"{v:,.2f}", range(200)).map("leads", "revenue", lambda v: f"{v:.2f}".replace(".", ",") if not isinstance(v, str) else v)
        self.refused(mixed, "[leads] column `revenue`", "one writing")

    def test_no_advice_that_other_cells_contradict(self):
        deals = [[*row, f"{row_number * 113 + 880.55:,.2f}"] for row_number, row in enumerate(CRM.tables["deals"])]
        write = {"deals": lambda path, header, _: base.write_csv(path, [*header, "amount"], deals)}
        base.save(dataclasses.replace(CRM, config=configured(CRM.config, deals='amount = "amount"')), self.folder, write=write)
        base.run(self.folder, "train", "-o", "m.leadscore", expect=0)
        base.save(dataclasses.replace(CRM, config=configured(CRM.config, deals='amount = "amount"\ndecimal_comma = true')), self.folder, write=write)
        said = base.run(self.folder, "train", "-o", "m.leadscore", expect=2).stderr
        self.assertIn("[outcomes] column `amount` (deals.csv, line 4): `1,106.55`", said)
        german = CRM.map("leads", "revenue", lambda v: f"{v:.1f}")
        self.refused(german, "[leads] column `revenue`", leads="decimal_comma = true")

    def test_a_question_mark_among_numbers(self):
        bad = CRM.map("leads", "employees", lambda _: "?", [123])
        self.refused(bad, "[leads] column `employees` (leads.csv, line 125)", 'null_values.employees = ["?"]', 'types.employees = "category"')
        nothing = self.matrix(CRM.map("leads", "employees", lambda _: None, [123]))
        self.assertEqual(self.matrix(bad, leads='null_values.employees = ["?"]'), nothing)

    # Keys.

    def test_several_contacts_in_one_cell(self):
        rng = random.Random(9)
        several, exploded = [], []
        for row in CRM.tables["deals"]:
            ids = [row[0]] + ([rng.choice(CRM.tables["leads"])[0]] if rng.random() < 0.3 else [])
            several.append([";".join(ids), *row[1:]])
            exploded += [[one, *row[1:]] for one in dict.fromkeys(ids)]
        said = self.refused(replaced(CRM, "deals", several), "[outcomes]", "deals.csv, line", 'separator = ";"')
        self.assertRegex(said, r"`\d+;\d+`")
        self.assertEqual(self.matrix(replaced(CRM, "deals", several), deals='separator = ";"'), self.matrix(replaced(CRM, "deals", exploded)))

    def test_ids_that_a_program_changed(self):
        for name, cause in {"123.0": ".0", "leading zeros": "zero", "1.23E+05": "scientific", "two ids in a cell": "separator", "a no-break blank": None, "another CRM's": None}.items():
            with self.subTest(name):
                said = self.refused(CRM.map("deals", "lead_id", mutations.FORMS_OF_IDS[name]), "[outcomes]") if name != "a no-break blank" else None
                if cause:
                    self.assertIn(cause, said)

    def test_ids_of_fifteen_and_of_eighteen_letters(self):
        crm = CRM
        for table in ("leads", "touches", "deals", "changes"):
            crm = crm.map(table, "lead_id", lambda i: f"00Q5e{int(i):010}")
        self.refused(crm.map("deals", "lead_id", lambda i: i + "EAH"), "[outcomes]", "18")

    def test_letter_case_of_ids(self):
        crm = CRM
        for table in ("leads", "touches", "deals", "changes"):
            crm = crm.map(table, "lead_id", lambda i: f"Lead{i}")
        self.refused(crm.map("touches", "lead_id", str.lower), "[activities.touches]", "case")

    # Outcomes.

    def test_outcomes_that_are_spelled_otherwise(self):
        said = self.refused(CRM.map("deals", "stage", lambda s: s.title()), "[outcomes] column `stage`", "`Won`", "`Lost`", "`Open`")
        self.assertIn('won = ["won", "Won"]', said)
        said = self.refused(CRM.map("deals", "stage", lambda s: {"won": "Won", "lost": "Not won", "open": "Won't buy"}[s]), "[outcomes] column `stage`")
        self.assertNotIn('"Not won"', re.search(r"won = .*", said)[0])

    def test_truth_values_of_outcomes(self):
        expected = self.matrix(replaced(CRM, "deals", [row for row in CRM.tables["deals"] if row[2] != "open"]))
        for yes, no in (("true", "false"), ("True", "False"), ("TRUE", "FALSE"), ("1", "0"), ("yes", "no"), ("t", "f")):
            rows = [[*row[:2], yes if row[2] == "won" else no] for row in CRM.tables["deals"] if row[2] != "open"]
            with self.subTest(yes):
                found = self.matrix(dataclasses.replace(replaced(CRM, "deals", rows), config=CRM.config.replace('["won"]', "[true]").replace('["lost"]', "[false]").replace('open = ["open"]\n', "")))
                self.assertEqual(found, expected)
        # Without `result`, every row would be a win.
        config = CRM.config.replace('result = "stage"\nwon = ["won"]\nlost = ["lost"]\nopen = ["open"]\n', "")
        named = lambda path, header, rows: base.write_csv(path, [*header[:2], "IsWon"], [[*row[:2], row[2] == "won"] for row in rows])
        self.refused(dataclasses.replace(CRM, config=config), "[outcomes] column `IsWon`", "all_won = true", write={"deals": named})

    def test_deals_that_were_opened_again(self):
        rows = list(CRM.tables["deals"])
        lost = [row for row in rows if row[2] == "lost"][:12]
        for number, (lead, at, _) in enumerate(lost):
            if number < 4:
                rows.append([lead, at - timedelta(hours=1), "won"])
            elif number < 8:
                rows.append([lead, at + timedelta(hours=1), "won"])
            else:
                rows.append([lead, at + timedelta(days=1), "open"])
        base.save(replaced(CRM, "deals", rows), self.folder)
        said = base.run(self.folder, "check").stdout
        self.assertIn("4 leads were lost first and won later", said)
        self.assertIn("4 leads were won first and closed otherwise later", said)
        self.assertIn("4 leads have an open row after they closed", said)

    # Until when tables speak.

    def test_deals_that_stop_before_everything_else(self):
        end = base.LAST - timedelta(days=100)
        early = CRM.without("deals", [number for number, row in enumerate(CRM.tables["deals"]) if row[1] is None or row[1] >= end])
        said = self.refused(early, "[outcomes]", "no lead closes in the last", 'observation_end = "outcomes"')
        for table in ("[leads]", "[activities.touches]"):
            self.assertIn(table, said)
        self.assertNotEqual(self.matrix(early, extra='[snapshots]\nobservation_end = "outcomes"\n'), self.matrix(early, extra='[snapshots]\nobservation_end = "2024-07-02"\n'))

    def test_leads_that_stop_are_a_cohort(self):
        end = base.LAST - timedelta(days=200)
        kept = [row[0] for row in CRM.tables["leads"] if row[1] < end]
        cohort = dataclasses.replace(CRM, tables={table: [row for row in rows if row[0] in kept] for table, rows in CRM.tables.items()})
        self.matrix(cohort)

    def test_planned_meetings_are_no_end(self):
        planned = [[CRM.tables["leads"][number][0], base.LAST + timedelta(days=20 * number), "visit", 30.0] for number in range(1, 6)]
        self.assertEqual(self.matrix(replaced(CRM, "touches", CRM.tables["touches"] + planned)), self.clean)
        typo = [[CRM.tables["leads"][1][0], base.LAST.replace(year=2026), "visit", 30.0]]
        self.refused(replaced(CRM, "touches", CRM.tables["touches"] + typo), "[activities.touches] column `at`", "touches.csv, line", "2026")

    def test_wins_that_are_entered_late(self):
        rng = random.Random(4)
        write = lambda lag: {"deals": lambda path, header, rows: base.write_csv(path, [*header, "entered"], [
            [*row, row[1] and row[1] + timedelta(days=lag())] for row in rows if not row[1] or row[1] + timedelta(days=lag()) < base.LAST])}
        late = dataclasses.replace(CRM, config=configured(CRM.config, deals='recorded_at = "entered"'))
        base.save(late, self.folder, write=write(lambda: 45 + rng.random()))
        said = base.run(self.folder, "check").stdout
        self.assertRegex(said, r"wins are entered up to 4\dd after they happened")
        base.save(late, self.folder, write=write(lambda: 0.01))
        self.assertNotIn("after they happened (19", base.run(self.folder, "check").stdout)

    # Changes.

    def test_changes_at_one_moment_follow_the_file(self):
        at = datetime(2024, 3, 1, 12)
        ends = 'ends = "2024-07-01"'
        leads = [row[0] for row in CRM.tables["leads"] if row[1] < at - timedelta(days=20)][-50:]
        rows = [row for lead in leads for row in ([lead, at, "status", "working"], [lead, at, "status", "cold"])]
        in_turn = [[lead, when - timedelta(seconds=value == "working"), field, value] for lead, when, field, value in rows]
        of = lambda rows: self.matrix(replaced(CRM, "changes", rows), changes=ends)
        self.assertEqual(of(rows), of(in_turn))
        swapped = [row for lead in leads for row in ([lead, at, "status", "cold"], [lead, at, "status", "working"])]
        self.assertNotEqual(of(rows), of(swapped))
        # In several files, nothing says which came first.
        (self.folder / "parts").mkdir(exist_ok=True)
        split = lambda path, header, rows: [base.write_csv(self.folder / "parts" / f"changes{number}.csv", header, rows[number::2]) for number in range(2)]
        self.refused(replaced(CRM, "changes", rows), "[history]", "sequence", names={"changes": "parts/changes*.csv"}, write={"changes": split}, changes=ends)
        numbered = lambda path, header, rows: [
            base.write_csv(self.folder / "parts" / f"changes{number}.csv", [*header, "no"], [[*row, line] for line, row in enumerate(rows)][number::2]) for number in range(2)]
        found = self.matrix(replaced(CRM, "changes", rows), names={"changes": "parts/changes*.csv"}, write={"changes": numbered}, changes=ends + '\nsequence = "no"')
        self.assertEqual(found, of(rows))

    def test_what_held_before_the_first_change(self):
        first = lambda: [[row[0], base.LAST - timedelta(days=30), "status", "new", "legacy"] for row in CRM.tables["leads"][:200]]
        write = {"changes": lambda path, header, _: base.write_csv(path, [*header, "old"], first())}
        with_old = self.matrix(CRM, write=write, changes='old_value = "old"\nends = "2024-07-01"')
        self.assertIn("legacy", with_old)
        self.assertNotIn("legacy", self.matrix(CRM, write=write, changes='ends = "2024-07-01"'))

    # Types.

    def test_types_that_nobody_reads(self):
        odd = {
            "half": pa.array([1.0] * 400).cast(pa.float16()), "vector": pa.array([[1, 2]] * 400, pa.list_(pa.int64(), 2)), "list": pa.array([["a"]] * 400),
            "struct": pa.array([{"a": 1}] * 400), "map": pa.array([[("a", 1)]] * 400, pa.map_(pa.string(), pa.int64())), "json": pa.array(['{"a":1}'] * 400, pa.json_()),
            "zone": pa.array([datetime(2024, 1, 1)] * 400, pa.timestamp("us", "Nowhere/City")), "wide": pa.array([1] * 400, pa.int64()).cast(pa.decimal256(50, 2)),
        }
        columns = mutations.arrays("leads", CRM.tables["leads"])
        for name, array in odd.items():
            with self.subTest(name):
                write = {"leads": lambda path, *_: pq.write_table(pa.table({**columns, "odd": array}), path)}
                self.assertEqual(self.matrix(CRM, names={"leads": "leads.parquet"}, write=write, leads='exclude = ["odd"]'), self.clean)
                base.save(CRM, self.folder, names={"leads": "leads.parquet"}, write=write)
                found, said = base.matrix(self.folder)
                self.assertTrue(found or "`odd`" in said, said)
        done = base.run(self.folder, "init", "--leads", "leads.parquet", "--outcomes", "deals.csv", "-o", "found.toml", "--force", expect=0)
        self.assertIn("odd", done.stdout + (self.folder / "found.toml").read_text())

    def test_uuids_are_ids(self):
        crm = CRM
        of = lambda i: uuid.UUID(int=int(i) << 64)
        for table in crm.tables:
            crm = crm.map(table, "lead_id", lambda i: str(of(i)))
        columns = mutations.arrays("leads", CRM.tables["leads"])
        columns["lead_id"] = pa.array([of(row[0]).bytes for row in CRM.tables["leads"]], pa.uuid())
        write = {"leads": lambda path, *_: pq.write_table(pa.table(columns), path)}
        self.assertEqual(self.matrix(crm, names={"leads": "leads.parquet"}, write=write), self.matrix(crm))

    def test_what_duckdb_writes(self):
        base.save(CRM, self.folder)
        path = self.folder / "leads.parquet"
        duckdb.sql(f"copy (select *, interval 3 day as trial, [1, 2] as pair from read_csv('{self.folder}/leads.csv', all_varchar = true)) to '{path}'")
        self.assertEqual(self.matrix(CRM, names={"leads": "leads.parquet"}, write={"leads": lambda *_: None}, leads='exclude = ["trial", "pair"]'), self.clean)

    def test_apis_give_numbers_of_mixed_kinds(self):
        rng = random.Random(2)
        write = {"leads": lambda path, header, rows: path.write_text("".join(f"{line}\n" for line in json_lines(header, rows, rng)))}
        self.assertEqual(self.matrix(CRM, names={"leads": "leads.ndjson"}, write=write), self.clean)
        array = {"leads": lambda path, header, rows: path.write_text("[" + ",\n".join(json_lines(header, rows, rng)) + "]")}
        self.refused(CRM, "one JSON array", names={"leads": "leads.ndjson"}, write=array)

    # Layout.

    def test_lines_are_counted_as_editors_do(self):
        for newline in ("\n", "\r\n"):
            for before in ("", f"Export{newline}{newline}"):
                bad = CRM.map("leads", "created_at", lambda _: "not a time", [8])
                write = {"leads": lambda path, header, rows: base.write_csv(path, [*header, "note"], [[*row, "two\nlines" if number == 3 else ""] for number, row in enumerate(rows)], newline=newline, before=before)}
                line = 10 + 1 + (2 if before else 0)
                self.refused(bad, f"leads.csv, line {line}", write=write, leads="skip_rows = 2" if before else "")

    def test_layouts_of_spreadsheets(self):
        plain = base.write_csv
        harmless = {
            "blank lines": lambda p, h, r: plain(p, h, r, after="\n\n"), "CR LF": lambda p, h, r: plain(p, h, r, newline="\r\n", after="\r\n"),
            "empty rows": lambda p, h, r: plain(p, h, r, after=",,,,,\n" * 3), "sep": lambda p, h, r: plain(p, h, r, delimiter=";", before="sep=;\n"),
            "utf-16": lambda p, h, r: plain(p, h, r, encoding="utf-16", delimiter="\t"), "mark": lambda p, h, r: plain(p, h, r, encoding="utf-8-sig", delimiter=";"),
            "header": lambda p, h, r: plain(p, [f" {name} " for name in h], r),
        }
        for name, write in harmless.items():
            with self.subTest(name):
                self.same(CRM, write={"leads": write})
        self.refused(CRM, "leads.csv", "skip_rows = 1", write={"leads": lambda p, h, r: plain(p, h, r, before="All leads\n")})
        self.same(CRM, write={"leads": lambda p, h, r: plain(p, h, r, before="All leads\n")}, leads="skip_rows = 1")
        self.refused(CRM, "leads.csv, line 402", "total", write={"leads": lambda p, h, r: plain(p, h, [*r, ["Total", "", 700, "", "", ""]])})
        self.refused(CRM, "leads.csv", "`employees`", write={"leads": lambda p, h, r: plain(p, [*h, "employees"], [[*row, 1] for row in r])})

    # Sets.

    def test_a_cell_that_holds_a_set_is_named(self):
        rng = random.Random(3)
        sets = [";".join(rng.sample(["alpha", "beta", "gamma", "delta", "omega", "sigma"], rng.randrange(1, 5))) for _ in CRM.tables["leads"]]
        base.save(CRM, self.folder, write={"leads": lambda path, header, rows: base.write_csv(path, [*header, "products"], [[*row, one] for row, one in zip(rows, sets)])})
        self.assertIn("`products` looks like a set", base.run(self.folder, "check").stdout)

    # The first config.

    def test_init_writes_a_config_that_runs(self):
        words = {"won": "Gewonnen", "lost": "Verloren", "open": "Offen"}
        crm = CRM.map("deals", "stage", words.get)
        header = [*base.COLUMNS["leads"], "E-Mail", "Telefon", "Notiz", "Vorname"]
        people = [[*row, f"p{n}@example.org", f"+49 30 {n:06}", f"Rief am Tag {n} an und fragte nach dem Preis.", f"Name{n}"] for n, row in enumerate(crm.tables["leads"])]
        base.save(crm, self.folder, write={"leads": lambda path, *_: base.write_csv(path, header, people)})
        base.run(self.folder, "init", "--leads", "leads.csv", "--outcomes", "deals.csv", "--activities", "touches.csv", "-o", "found.toml", "--force", expect=0)
        config = tomllib.loads((self.folder / "found.toml").read_text())
        self.assertEqual(sorted(config["leads"]["exclude"]), sorted(header[-4:]))
        self.assertEqual((config["outcomes"]["won"], config["outcomes"]["lost"], config["outcomes"]["open"]), (["Gewonnen"], ["Verloren"], ["Offen"]))
        base.run(self.folder, "check", "-c", "found.toml")

    def test_init_never_stops(self):
        odd = CRM.map("leads", "created_at", lambda at: at.strftime("%Y-%m-%d %H:%M:%S CET")).map("leads", "revenue", lambda v: "?", [3])
        base.save(odd, self.folder)
        base.run(self.folder, "init", "--leads", "leads.csv", "--outcomes", "deals.csv", "--activities", "touches.csv", "-o", "found.toml", "--force", expect=0)
        text = (self.folder / "found.toml").read_text()
        tomllib.loads(text)
        self.assertRegex(text, r"# .*time_zone.*question: .*CET")
        self.assertRegex(text, r'# null_values.revenue = \["\?"\]   # question')


def replaced(crm, table, rows):
    return dataclasses.replace(crm, tables={**crm.tables, table: rows})


def configured(config, extra="", **lines):
    """The config with lines added to the sections of tables."""
    for table, line in lines.items():
        at = f'path = "{{{table}}}"\n'
        assert at in config, table
        config = config.replace(at, at + line.replace("{", "{{").replace("}", "}}") + "\n")
    return config + extra.replace("{", "{{").replace("}", "}}")


def json_lines(header, rows, rng):
    import json
    for row in rows:
        cells = {column: base.text(cell) if isinstance(cell, datetime) else cell for column, cell in zip(header, row)}
        cells["lead_id"] = rng.choice([str, int])(cells["lead_id"])
        cells["employees"] = rng.choice([str, int, float])(cells["employees"])
        yield json.dumps(cells)


if __name__ == "__main__":
    unittest.main()
