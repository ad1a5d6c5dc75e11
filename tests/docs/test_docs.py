"""Every code block of README and the book: commands run and print what the page shows, configs have keys that there are, Python runs."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest

import adbc_driver_postgresql
import jsonschema

ROOT = pathlib.Path(__file__).parents[2]
for folder in ("sql", "engine"):
    sys.path.insert(0, str(ROOT / "tests" / folder))
import postgres  # noqa: E402
import servers  # noqa: E402

LEADSCORE = os.environ["LEADSCORE"]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
# What builds or installs is done before these tests, and not again; containers need an engine of their own.
BUILDS = ("buildah", "cargo", "maturin", "pip", "podman")
# A line of a page that stands for any number of lines.
ANYTHING = "…"


def blocks(page):
    """Language, first line and text of each code block."""
    found = []
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", page.read_text(), flags=re.MULTILINE | re.DOTALL):
        found.append((match[1], page.read_text()[: match.start()].count("\n") + 1, match[2]))
    return found


def commands(text):
    """The commands of a block, and the lines that each is shown to print."""
    found, end = [], None
    for line in text.splitlines():
        if end is not None:
            found[-1][0] += "\n" + line
            end = None if line == end or (end == "" and not line.endswith("\\")) else end
        elif line.startswith("$ "):
            found.append([line[2:], []])
            here = re.search(r"<<'(\w+)'", line)
            end = here[1] if here else "" if line.endswith("\\") else None
        else:
            found[-1][1].append(line)
    assert end is None, text
    return found


def without_needs(schema):
    """A schema of parts: the same keys and types, none of them needed."""
    if isinstance(schema, dict):
        return {key: without_needs(value) for key, value in schema.items() if key != "required" or not isinstance(value, list)}
    return [without_needs(value) for value in schema] if isinstance(schema, list) else schema


class Book(unittest.TestCase):
    # Pages whose commands begin with a CRM, its models and rules; and those that each have a test of their own.
    OF_A_CRM = ("history.md", "holdback.md", "how-to-beat-points.md", "how-to-deploy.md", "how-to-every-month.md", "how-to-list.md", "how-to-run.md", "monitoring.md", "registry.md", "rules.md", "exports.md", "report.md")
    OF_EXPORTS = tuple(f"crm-{product}.md" for product in ("hubspot", "salesforce", "pipedrive", "dynamics", "odoo"))
    OF_THEIR_OWN = ("README.md", "tutorial.md", "databases.md", "engines.md")

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="leadscore-book-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        (cls.folder / "bin").mkdir()
        (cls.folder / "bin" / "leadscore").symlink_to(LEADSCORE)
        cls.environment = {**os.environ, "PATH": f"{cls.folder / 'bin'}:{os.environ['PATH']}", "COLUMNS": "100", "LC_ALL": "C.UTF-8"}
        cls.schema = without_needs(json.loads(subprocess.run([LEADSCORE, "schema"], capture_output=True, text=True, check=True).stdout))
        # Models are there where a page begins with one.
        cls.crm = cls.folder / "crm"
        cls.shell(cls, "leadscore simulate --leads 5000 --world curved --format csv -o crm", cls.folder)
        cls.shell(cls, "leadscore train --as-of 2025-04-01 -o past.leadscore && leadscore train -o model.leadscore", cls.crm)
        shutil.copy(DOCS / "recipes" / "hubspot-like.toml", cls.crm / "rules.toml")

    def shell(self, command, folder, **more):
        done = subprocess.run(["bash", "-c", command], cwd=folder, env={**self.environment, **more}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        return done.stdout

    def ready(self, name):
        """A CRM of this page's own, with config, models and rules."""
        folder = self.folder / name
        shutil.copytree(self.crm, folder)
        return folder

    def run_page(self, page, folder, replaced=(), **environment):
        """Runs what a page shows, block by block; how many commands that were."""
        n_run = 0
        for language, line, text in blocks(page):
            where = f"{page.name}:{line}"
            for old, new in replaced:
                text = text.replace(old, new)
            if language == "console":
                for command, shown in commands(text):
                    if command.split()[0] in BUILDS:
                        continue
                    n_run += 1
                    with self.subTest(where, command=command):
                        self.check_shown(self.shell(command, folder, **environment), shown)
                    if command.startswith("cd "):
                        folder = folder / command.split()[1]
            elif language == "toml":
                with self.subTest(where):
                    self.check_config(text)
            elif language == "python":
                with self.subTest(where):
                    exec(compile(text, where, "exec"), {})
            elif language not in ("text", "js"):  # formulas, and commands that run for hours; programs that run with the server's tests
                self.fail(f"{where}: a block of `{language}` is not run")
        return n_run

    def check_shown(self, printed, shown):
        """All that is shown was printed, in this order; where nothing is left out, nothing else was."""
        if not shown:
            return
        wanted = "\n".join(shown).strip("\n")
        if ANYTHING not in shown:
            self.assertEqual(printed.strip("\n"), wanted)
        rest = printed
        for piece in filter(None, (piece.strip("\n") for piece in wanted.split(ANYTHING))):
            self.assertIn(piece, rest)
            rest = rest.split(piece, 1)[1]

    def check_config(self, text):
        """Keys and types are those of the schema; a page may show a part of a config."""
        jsonschema.validate(tomllib.loads(text), self.schema)

    def test_every_page_is_tested_and_in_the_book(self):
        named = set(re.findall(r"\]\(([\w-]+\.md)\)", (DOCS / "SUMMARY.md").read_text()))
        self.assertEqual(named | {"SUMMARY.md"}, {page.name for page in DOCS.glob("*.md")})
        with_commands = {page.name for page in PAGES if any(language == "console" for language, _, _ in blocks(page))}
        self.assertEqual(with_commands, {*self.OF_THEIR_OWN, *self.OF_A_CRM, *self.OF_EXPORTS})

    def test_links_lead_somewhere(self):
        for page in [*PAGES, *ROOT.glob("*.md")]:
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
                if not re.match(r"\w+:", target):
                    self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")

    def test_readme(self):
        folder = self.ready("readme")
        (folder / "leadscore.toml").unlink()
        # A lead of this CRM.
        self.assertGreaterEqual(self.run_page(ROOT / "README.md", folder, [("L00042683", "L00000026")]), 9)

    def test_tutorial(self):
        folder = self.folder / "tutorial"
        folder.mkdir()
        self.assertGreaterEqual(self.run_page(DOCS / "tutorial.md", folder), 9)

    def test_pages_that_begin_with_a_crm(self):
        for name in self.OF_A_CRM:
            self.assertGreater(self.run_page(DOCS / name, self.ready(name)), 0, name)

    def test_pages_of_exports(self):
        made = pathlib.Path(LEADSCORE).parent / "examples" / "crm_exports"
        subprocess.run([made, self.folder], check=True)
        for name in self.OF_EXPORTS:
            self.assertEqual(self.run_page(DOCS / name, self.folder / name.removeprefix("crm-").removesuffix(".md")), 4, name)

    def test_pages_without_commands(self):
        for page in PAGES:
            if page.name not in (*self.OF_THEIR_OWN, *self.OF_A_CRM, *self.OF_EXPORTS):
                self.assertEqual(self.run_page(page, self.folder), 0, page.name)

    def test_databases(self):
        if not postgres.programs():
            self.skipTest("there is no PostgreSQL server")
        folder = self.ready("databases")
        (config,) = [text for language, _, text in blocks(DOCS / "databases.md") if language == "toml"]
        (folder / "leadscore.toml").write_text(config)
        with postgres.Server() as server:
            server.sql("create schema crm; create schema marts;" + "".join(self.table_of(folder / f"{name}.csv", f"crm.{name}") for name in ("leads", "deals")))
            places = {"CRM_URI": f"postgresql://postgres@/postgres?host={server.folder}", "ADBC_DRIVER_PATH": str(pathlib.Path(adbc_driver_postgresql._driver_path()).parent)}
            self.shell("leadscore train -o model.leadscore", folder, **places)
            self.assertEqual(self.run_page(DOCS / "databases.md", folder, **places), 1)
            self.assertGreater(int(server.sql("select count(*) from marts.lead_scores")), 100)

    @staticmethod
    def table_of(path, name):
        """Statements that make a table of a CSV file: those that end in `_at` are times, all others texts."""
        lines = path.read_text().splitlines()
        columns = ", ".join(f"{column} {'timestamptz' if column.endswith('_at') else 'text'}" for column in lines[0].split(","))
        return "\n".join([f"create table {name} ({columns}); copy {name} from stdin csv header;", *lines, "\\.", ""])

    def test_engines(self):
        folder = self.folder / "engines"
        self.shell("leadscore simulate --leads 2000 -o engines", self.folder)
        server = servers.Program("sail", "spark", "server", "--ip", "127.0.0.1", "--port", "PORT", log=self.folder / "sail.log")
        try:
            self.assertEqual(self.run_page(DOCS / "engines.md", folder, [("localhost:15002", f"127.0.0.1:{server.port}")]), 4)
        finally:
            server.stop()


if __name__ == "__main__":
    unittest.main()
