"""The report in a real browser: light, dark, narrow, printed, by keyboard, without script; and texts that try to be more."""
import csv
import os
import pathlib
import subprocess
import tempfile
import unittest

import openpyxl
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

LEADSCORE = os.environ["LEADSCORE"]
# A picture of each look is kept here where a folder is named.
PICTURES = os.environ.get("LEADSCORE_PICTURES")
HOSTILE = ['<script>document.title="owned"</script>', "=HYPERLINK(\"http://a.example\")", '"><img src=x onerror="document.title=1">', "N" * 10_000, "a|b`c*d"]

PROBE = """() => {
  const faults = [];
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.viewBox.baseVal;
    if (svg.querySelectorAll("rect, circle, polyline").length === 0) faults.push("empty: " + svg.getAttribute("aria-label"));
    for (const text of svg.querySelectorAll("text")) {
      const box = text.getBBox();
      if (box.width && (box.x < -0.5 || box.y < -0.5 || box.x + box.width > frame.width + 0.5 || box.y + box.height > frame.height + 0.5)) faults.push("cut: " + text.textContent);
    }
  }
  for (const part of document.querySelectorAll("main > section, main > header")) if (part.innerText.trim().length < 20) faults.push("empty: " + part.id);
  if (document.documentElement.scrollWidth > window.innerWidth) faults.push("wider than the window: " + document.documentElement.scrollWidth);
  return faults;
}"""


def run(folder, *args):
    subprocess.run([LEADSCORE, *args], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def hostile_crm(folder):
    """A simulated CRM whose texts try to be code, formulas and walls of letters; returns the config."""
    run(folder, "simulate", "--leads", "6000", "--format", "csv", "--out", "crm")
    leads = folder / "crm" / "leads.csv"
    with leads.open(newline="") as file:
        rows = list(csv.reader(file))
    header, rows = rows[0], rows[1:]
    ids = {}
    texts = [column for column, name in enumerate(header) if not all(is_number(row[column]) or row[column] == "" for row in rows[:200]) and "at" not in name and name != "account_id"]
    for number, row in enumerate(rows):
        ids[row[0]] = f"{HOSTILE[number % len(HOSTILE)]}{number}"
        for column in texts:
            if column and row[column]:
                row[column] = HOSTILE[hash_of(row[column]) % len(HOSTILE)]
        row[0] = ids[row[0]]
    with leads.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    for path in (folder / "crm").glob("*.csv"):
        if path == leads:
            continue
        with path.open(newline="") as file:
            others = list(csv.reader(file))
        for row in others[1:]:
            row[:] = [ids.get(cell, cell) for cell in row]
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(others)


def hash_of(text):
    return sum(map(ord, text))


def is_number(text):
    try:
        float(text)
        return True
    except ValueError:
        return False


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        run(cls.folder, "simulate", "--leads", "12000", "--world", "interactions", "--format", "csv", "--out", "crm")
        run(cls.folder, "train", "-c", "crm/leadscore.toml", "--as-of", "2025-02-01")
        run(cls.folder, "evaluate", "model.leadscore", "-c", "crm/leadscore.toml", "--format", "html,json,xlsx,md,vega",
            "--capacity", "60/week", "--cost", "5", "--value", "900")
        run(cls.folder, "inspect", "model.leadscore", "--html", "model.html")
        run(cls.folder, "score", "model.leadscore", "-c", "crm/leadscore.toml", "--as-of", "2025-01-01", "-o", "before.csv")
        run(cls.folder, "score", "model.leadscore", "-c", "crm/leadscore.toml", "--as-of", "2025-02-01", "--list", "list.html", "--list", "list.xlsx",
            "--top", "60", "--columns", "role,seats", "--owner", "source", "--previous", "before.csv")
        cls.playwright = sync_playwright().start()
        cls.browser = cls.playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--disable-quic"])

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.playwright.stop()
        cls.temporary.cleanup()

    def open(self, page="report.html", **settings):
        context = self.browser.new_context(**{"viewport": {"width": 1100, "height": 900}, **settings})
        self.addCleanup(context.close)
        tab = context.new_page()
        tab.on("request", lambda request: self.assertTrue(request.url.startswith(("file:", "data:")), request.url))
        tab.goto((self.folder / page).as_uri())
        return tab

    def look(self, name, tab):
        if PICTURES:
            tab.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)

    def test_looks_well_everywhere(self):
        looks = {
            "light": {"color_scheme": "light"},
            "dark": {"color_scheme": "dark"},
            "narrow": {"viewport": {"width": 400, "height": 800}, "color_scheme": "light"},
        }
        for name, settings in looks.items():
            for page in ("report", "model", "list"):
                with self.subTest(name, page=page):
                    tab = self.open(f"{page}.html", **settings)
                    self.look(f"{page}-{name}", tab)
                    self.assertEqual(tab.evaluate(PROBE), [])

    def test_no_table_is_cut_on_a_laptop(self):
        for page in ("report", "model", "list"):
            with self.subTest(page):
                tab = self.open(f"{page}.html", viewport={"width": 1200, "height": 900})
                cut = tab.evaluate("""() => {
                  for (const part of document.querySelectorAll("details")) part.open = true;
                  const tables = [...document.querySelectorAll("table")].map((table) => [table, table.closest(".scroll") ?? document.documentElement]);
                  return tables.filter(([table, room]) => table.scrollWidth > room.clientWidth + 1).map(([table]) => table.innerText.slice(0, 60));
                }""")
                self.assertEqual(cut, [])

    def test_nothing_serious_for_assistive_tools(self):
        for page, scheme in ((page, scheme) for page in ("report", "model", "list") for scheme in ("light", "dark")):
            with self.subTest(scheme, page=page):
                # The page's own policy keeps foreign scripts out, and the probe is one.
                tab = self.open(f"{page}.html", color_scheme=scheme, bypass_csp=True)
                found = Axe().run(tab).response["violations"]
                serious = [(fault["id"], [node["html"][:120] for node in fault["nodes"][:3]]) for fault in found if fault["impact"] in ("serious", "critical")]
                self.assertEqual(serious, [])

    def test_keyboard_alone(self):
        tab = self.open()
        tab.keyboard.press("Tab")
        self.assertEqual(tab.evaluate("document.activeElement.textContent"), "To the verdict")
        tab.focus("#time th button")
        before = tab.locator("#time tbody tr th").all_text_contents()
        tab.keyboard.press("Enter")
        after = tab.locator("#time tbody tr th").all_text_contents()
        self.assertEqual(after, sorted(before, reverse=True))
        self.assertEqual(tab.locator("#time th").first.get_attribute("aria-sort"), "descending")
        tab.focus("#tiers svg [tabindex]")
        self.assertRegex(tab.locator(".tip").text_content(), r"predicted \d+ % on average, observed \d+ %")
        self.assertTrue(tab.locator(".tip").is_visible())
        tab.keyboard.press("Escape")
        self.assertFalse(tab.locator(".tip").is_visible())

    def test_reads_without_script(self):
        tab = self.open(java_script_enabled=False)
        self.assertGreater(tab.locator("table").count(), 8)
        self.assertEqual(tab.locator("th button").count(), 0)
        tab.locator("summary").first.click()
        self.assertTrue(tab.locator("details").first.locator("table").first.is_visible())
        tab.locator("nav a", has_text="Threshold").click()
        self.assertTrue(tab.url.endswith("#threshold"))

    def test_prints_in_few_pages(self):
        tab = self.open(color_scheme="dark")
        pdf = tab.pdf(format="A4")
        pages = pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(b"/Type/Page/")
        self.assertTrue(3 <= pages <= 12, pages)
        tab.emulate_media(media="print")
        self.assertEqual(tab.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)")
        self.assertFalse(tab.locator("nav").is_visible())
        if PICTURES:
            pathlib.Path(PICTURES, "report.pdf").write_bytes(pdf)

    def test_is_small_and_needs_nothing(self):
        text = (self.folder / "report.html").read_text()
        self.assertLess(len(text.encode()), 500_000)
        self.assertNotIn("http://", text)
        self.assertNotIn("https://", text)

    def test_every_form_says_the_same(self):
        import json

        report = json.loads((self.folder / "report.json").read_text())
        auc = f"{report['comparison']['scores'][0]['ranking']['roc_auc']['value']:.3f}"
        self.assertIn(auc, (self.folder / "report.html").read_text())
        self.assertIn(auc, (self.folder / "report.md").read_text())
        book = openpyxl.load_workbook(self.folder / "report.xlsx")
        self.assertEqual(f"{book['Scores']['B2'].value:.3f}", auc)
        self.assertIn(report["verdict"]["headline"], [cell.value for cell in book["Verdict"]["B"]])
        charts = sorted(path.name for path in (self.folder / "report.charts").iterdir())
        self.assertIn("gains.vl.json", charts)
        for path in (self.folder / "report.charts").iterdir():
            chart = json.loads(path.read_text())
            self.assertTrue(chart["data"]["values"] and chart["$schema"].endswith("v5.json"))

    def test_a_list_opens_in_excel_and_on_a_phone(self):
        book = openpyxl.load_workbook(self.folder / "list.xlsx")
        first = book.worksheets[0]
        self.assertEqual((first.title, first.freeze_panes, first.auto_filter.ref), ("All leads", "A2", first.dimensions))
        self.assertEqual(first.max_row, 61)
        header = [cell.value for cell in first[1]]
        owner, likelihood = header.index("source"), header.index("likelihood")
        rows = list(first.iter_rows(min_row=2))
        self.assertEqual([row[0].value for row in rows], list(range(1, 61)))
        self.assertTrue(all(row[likelihood].number_format == "0.0%" and len(str(row[likelihood].value)) <= 5 for row in rows))
        self.assertEqual(book.worksheets[1].title, "About")
        by_owner = {sheet.title: [row[1].value for row in sheet.iter_rows(min_row=2)] for sheet in book.worksheets[2:]}
        wanted = {}
        for row in rows:
            wanted.setdefault(row[owner].value or "No owner", []).append(row[1].value)
        self.assertEqual(by_owner, wanted)
        tab = self.open("list.html", java_script_enabled=False)
        self.assertEqual(tab.locator("tbody tr").count(), 60)
        self.assertTrue(tab.locator("thead").is_visible())
        tab = self.open("list.html", viewport={"width": 400, "height": 800})
        self.assertFalse(tab.locator("thead").is_visible())
        tab.emulate_media(media="print")
        self.assertTrue(tab.locator("thead").is_visible())

    def test_hostile_texts_stay_texts(self):
        folder = self.folder / "hostile"
        folder.mkdir()
        hostile_crm(folder)
        with (folder / "crm" / "leadscore.toml").open("a") as config:
            config.write('\n[report]\ntitle = "<b>Ours</b>"\naccent = "#7a1fa2"\nlogo = "logo.svg"\n')
        (folder / "crm" / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 4"><rect width="9" height="4" fill="#7a1fa2"/></svg>')
        run(folder, "train", "-c", "crm/leadscore.toml", "--as-of", "2025-02-01")
        run(folder, "evaluate", "model.leadscore", "-c", "crm/leadscore.toml", "--format", "html,xlsx,md", "--scores", "scores.csv")
        text = (folder / "report.html").read_text()
        self.assertLess(len(text.encode()), 500_000)
        tab = self.open("hostile/report.html")
        self.assertEqual(tab.evaluate(PROBE), [])
        self.assertTrue(tab.title().startswith("<b>Ours</b>: "))
        self.assertEqual(tab.locator("img").count(), 1)
        self.assertTrue(tab.evaluate("document.images[0].src.startsWith('data:image/svg+xml;base64,') && document.images[0].naturalWidth > 0"))
        self.assertEqual(tab.evaluate("getComputedStyle(document.querySelector('#tiers svg rect.bar')).fill"), "rgb(122, 31, 162)")
        self.assertEqual(tab.locator("script").count(), 1)
        self.assertIn(HOSTILE[0], tab.locator("#surprises, #argument").all_inner_texts()[0] + tab.locator("body").text_content())
        tab = self.open("hostile/report.html", viewport={"width": 400, "height": 800})
        self.assertEqual(tab.evaluate(PROBE), [])
        book = openpyxl.load_workbook(folder / "report.xlsx")
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        self.assertEqual([cell.value for cell in cells if cell.data_type == "f"], [])
        self.assertTrue(any(str(cell.value).startswith("=HYPERLINK") for cell in cells))
        with (folder / "scores.csv").open(newline="") as file:
            rows = list(csv.reader(file))
        self.assertEqual([cell for row in rows for cell in row if cell.startswith("=")], [])
        self.assertTrue(any(cell.startswith("'=HYPERLINK") for row in rows for cell in row))
        self.assertNotIn("<script", (folder / "report.md").read_text())
        run(folder, "score", "model.leadscore", "-c", "crm/leadscore.toml", "--as-of", "2025-02-01", "-o", "before.csv")
        run(folder, "score", "model.leadscore", "-c", "crm/leadscore.toml", "--list", "list.html", "--list", "list.xlsx", "--list", "list.csv",
            "--columns", "role", "--owner", "source", "--previous", "before.csv")
        for width in (400, 1100):
            tab = self.open("hostile/list.html", viewport={"width": width, "height": 800})
            self.assertEqual(tab.evaluate(PROBE), [])
            self.assertEqual(tab.locator("img, script").count(), 0)
        book = openpyxl.load_workbook(folder / "list.xlsx")
        self.assertEqual([cell.value for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"], [])
        with (folder / "list.csv").open(newline="", encoding="utf-8-sig") as file:
            self.assertEqual([cell for row in csv.reader(file) for cell in row if cell.startswith("=")], [])


if __name__ == "__main__":
    unittest.main()
