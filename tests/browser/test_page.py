"""The page of sales in a real browser: as people use it, as few see it, and as others attack it."""
import contextlib
import http.server
import json
import os
import pathlib
import re
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.request

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

DEMO = os.environ.get("DEMO_PAGE") or str(pathlib.Path(os.environ["LEADSCORE"]).parent / "examples" / "demo_page")
# A picture of each look is kept here where a folder is named.
PICTURES = os.environ.get("LEADSCORE_PICTURES")

PROBE = """() => {
  const faults = [];
  if (document.documentElement.scrollWidth > window.innerWidth) faults.push("wider than the window: " + document.documentElement.scrollWidth);
  for (const part of document.querySelectorAll("a, button, input:not([type=hidden]), select, summary")) {
    const box = part.getBoundingClientRect();
    if (!box.width || part.closest(".skip")) continue;
    // A box to tick is reached by its label, and a link within a sentence is as high as its line.
    const target = part.type === "checkbox" ? part.closest("label").getBoundingClientRect() : box;
    const inline = part.tagName === "A" && part.parentElement.tagName === "P" && part.parentElement.childNodes.length > 1;
    if (!inline && (target.height < 23.5 || target.width < 23.5)) faults.push("small: " + part.outerHTML.slice(0, 90) + " " + target.width + "x" + target.height);
  }
  for (const text of document.querySelectorAll("svg.path text")) {
    const box = text.getBBox(), frame = text.ownerSVGElement.viewBox.baseVal;
    if (box.x < -0.5 || box.x + box.width > frame.width + 0.5 || box.y + box.height > frame.height + 0.5) faults.push("cut: " + text.textContent);
  }
  for (const cell of document.querySelectorAll("td, th, dd, p, h1, li, button")) {
    if (cell.scrollWidth > cell.clientWidth + 2 && cell.clientWidth && !cell.closest(".hidden, thead, table.queue tr.line") && getComputedStyle(cell).display !== "inline") faults.push("cut: " + cell.outerHTML.slice(0, 90));
  }
  return faults;
}"""


class Site:
    """The page over made leads, on a port of its own."""

    def __init__(self, *args):
        self.process = subprocess.Popen([DEMO, "0", *args], stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def api(self, path, token="admin", body=None):
        headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, headers=headers, data=body and json.dumps(body).encode())
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.usual = Site("100000", "usual")
        cls.hostile = Site("300", "hostile")
        cls.starting = Site("10", "starting")
        cls.empty = Site("0", "usual")
        cls.busy = Site("10", "busy")
        cls.playwright = sync_playwright().start()
        cls.browser = cls.playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--disable-quic"])

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.playwright.stop()
        for site in (cls.usual, cls.hostile, cls.starting, cls.empty, cls.busy):
            site.close()

    def tab(self, site, token="admin", path="/", **settings):
        """A tab of a browser of its own, signed in; whatever it asks another host for is a fault, as is what the policy stops."""
        context = self.browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **settings})
        context.set_default_timeout(20_000)
        self.addCleanup(context.close)
        tab = context.new_page()
        tab.on("request", lambda request: self.assertTrue(request.url.startswith((site.address, "data:")), request.url))
        tab.on("console", lambda message: self.assertNotIn("Content Security Policy", message.text))
        tab.on("pageerror", lambda error: self.fail(str(error)))
        tab.on("dialog", lambda dialog: self.fail(dialog.message))
        if token == "ended":
            context.add_cookies([{"name": "leadscore", "value": "ab" * 32, "url": site.address}])
        tab.goto(site.address + "/sign-in")
        if token not in (None, "ended"):
            tab.fill("#token", token)
            tab.click("main button")
        tab.goto(site.address + path)
        return tab

    def look(self, name, tab):
        if PICTURES:
            tab.screenshot(path=f"{PICTURES}/page-{name}.png", full_page=True)

    def pages(self, site):
        """A page of each kind: name, token, path."""
        if site is self.busy:
            return [("busy", None, "/leads/L1")]
        rows = site.api("/v1/leads?limit=50")["leads"] if site in (self.usual, self.hostile) else []
        leads = [("lead", "admin", self.link(rows[3])), ("held", "admin", self.held_back(site))] if rows else []
        return [
            ("queue", "admin", "/"),
            ("own", "kim", "/?changed=1"),
            ("held-back", "admin", "/held-back"),
            ("manager", "admin", "/manager"),
            ("nothing", "admin", "/?q=zzzz"),
            ("unknown", "admin", "/leads/nope"),
            ("no-right", "reader", "/manager"),
            ("sign-in", None, "/"),
            ("ended", "ended", "/leads/L1"),
            ("no-page", "admin", "/nope"),
            ("no-address", None, "/leads/%FF"),
            ("token-in-address", None, "/?token=x"),
            ("too-often", "hasty", "/leads/L1"),
            *leads,
        ]

    @staticmethod
    def held_back(site):
        """The address of a lead that is held back."""
        number = 23 if site.api("/v1/score", body={"leads": ["L23"]})["scores"][0].get("held_back") else None
        if number:
            return "/leads/L23"
        # IDs of the hostile site are its texts with their number.
        hostile = ["..", "a/../b?c#d%2e'&amp;`{{7*7}}"]
        lead = hostile[1] + "207"
        assert site.api("/v1/score", body={"leads": [lead]})["scores"][0]["held_back"]
        return "/leads/" + "".join(f"%{byte:02X}" for byte in lead.encode())

    @staticmethod
    def link(row):
        lead = row["score"]["lead"]
        return "/leads?id=" + lead if not lead.strip(".") else "/leads/" + "".join(f"%{byte:02X}" for byte in lead.encode())

    def test_looks_well_everywhere(self):
        looks = {"light": ("light", 1200), "dark": ("dark", 1200), "tablet": ("dark", 768), "narrow": ("light", 320)}
        for site_name in ("usual", "hostile", "starting", "empty", "busy"):
            site = getattr(self, site_name)
            for name, token, path in self.pages(site):
                tab = self.tab(site, token, path)
                for look, (scheme, width) in looks.items():
                    with self.subTest(site=site_name, page=name, look=look):
                        tab.emulate_media(color_scheme=scheme)
                        tab.set_viewport_size({"width": width, "height": 800})
                        self.look(f"{site_name}-{name}-{look}", tab)
                        self.assertEqual(tab.evaluate(PROBE), [])
                tab.context.close()

    def test_assistive_tools_find_nothing(self):
        everything = {"rules": {"target-size": {"enabled": True}}}
        colors = {"runOnly": ["color-contrast"]}
        for site_name in ("usual", "hostile", "starting", "busy"):
            site = getattr(self, site_name)
            for name, token, path in self.pages(site):
                # The page's own policy keeps foreign scripts out, and the probe is one.
                tab = self.tab(site, token, path, bypass_csp=True)
                tab.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
                for scheme, width, options in (("light", 1200, everything), ("dark", 1200, colors), ("light", 320, everything)):
                    if site_name != "usual" and width == 320:
                        continue
                    with self.subTest(site=site_name, page=name, scheme=scheme, width=width):
                        tab.emulate_media(color_scheme=scheme)
                        tab.set_viewport_size({"width": width, "height": 800})
                        found = Axe().run(tab, options=options).response["violations"]
                        self.assertEqual([(fault["id"], [node["html"][:120] for node in fault["nodes"][:3]]) for fault in found], [])
                tab.context.close()

    def test_keyboard_alone(self):
        tab = self.tab(self.usual, None)
        self.assertEqual(tab.url, self.usual.address + "/sign-in?to=%2F")
        tab.keyboard.press("Tab")
        self.assertEqual(tab.evaluate("document.activeElement.textContent"), "Skip to content")
        self.assertTrue(tab.evaluate("document.activeElement.getBoundingClientRect().left >= 0"))
        tab.keyboard.press("Tab")
        tab.keyboard.type("admin")
        tab.keyboard.press("Enter")
        tab.wait_for_url(self.usual.address + "/")
        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")
        self.assertEqual(tab.evaluate("document.activeElement.id"), "content")
        stops = []
        while len(stops) < 15 and not tab.evaluate("document.activeElement.matches('table.queue a')"):
            tab.keyboard.press("Tab")
            stops.append(tab.evaluate("document.activeElement.name || document.activeElement.textContent"))
            self.assertGreaterEqual(tab.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)"), 1, stops[-1])
        self.assertEqual(stops[:-1], ["Work on them in the order in which they came", "q", "owner", "tier", "crossed", "changed", "Show"])
        self.assertEqual(tab.locator("table.queue tbody a").count(), 50, "one link a row")
        first = tab.evaluate("document.activeElement.textContent")
        tab.keyboard.press("ArrowDown")
        self.assertEqual(tab.evaluate("document.activeElement.textContent"), tab.locator("table.queue tbody a").nth(1).text_content())
        tab.keyboard.press("ArrowUp")
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/leads/*")
        self.assertEqual(tab.locator("h1").text_content(), first)
        for _ in range(10):
            if tab.evaluate("document.activeElement.value") == "called":
                break
            tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")
        tab.wait_for_selector("[role=status]")
        self.assertEqual(tab.locator("[role=status]").text_content(), "Saved: called.")

    def test_everything_works_without_script(self):
        tab = self.tab(self.usual, None, "/leads/L62", java_script_enabled=False)
        self.assertIn("Sign in to see this page.", tab.locator("main").inner_text())
        tab.fill("#token", "nonsense")
        tab.click("main button")
        self.assertEqual(tab.locator("[role=alert]").text_content(), "This token is not known, or has ended.")
        tab.fill("#token", "kim")
        tab.click("main button")
        self.assertIn("There is no open lead “L62” among yours.", tab.locator("main").inner_text())
        tab.click("text=To the queue")
        tab.select_option("select[name=tier]", "high")
        tab.click("text=Show")
        self.assertIn("tier=high", tab.url)
        self.assertEqual({text.strip() for text in tab.locator("table.queue .t").all_text_contents()}, {"High"})
        tab.click("text=Next page")
        self.assertEqual(tab.locator("table.queue tbody td:first-child").first.text_content(), "51")
        tab.locator("table.queue tbody a").first.click()
        lead = tab.url
        tab.fill("#note", "they <b>bought</b> elsewhere")
        tab.click("text=Score is wrong")
        self.assertEqual(tab.url, lead)
        self.assertEqual(tab.locator("[role=status]").text_content(), "Saved: the score is wrong, with your reason.")
        self.assertIn("they <b>bought</b> elsewhere", tab.locator(".words").inner_text())
        tab.reload()
        self.assertEqual(tab.locator("[role=status]").count(), 0)
        tab.locator("details summary").first.click()
        self.assertTrue(tab.locator("details table").first.is_visible())
        tab.click("text=Manager")
        self.assertIn("kim", tab.locator("#use ~ table").inner_text())
        tab.click("text=Sign out")
        self.assertIn("You are signed out.", tab.locator("main").inner_text())
        tab.goto(lead)
        self.assertIn("/sign-in", tab.url)

    def test_a_phone_has_cards(self):
        tab = self.tab(self.usual, viewport={"width": 320, "height": 700}, has_touch=True)
        self.assertEqual(tab.evaluate("getComputedStyle(document.querySelector('table.queue tbody tr')).display"), "grid")
        self.assertIn("Age: ", tab.evaluate("getComputedStyle(document.querySelector('table.queue td:nth-child(6)'), '::before').content"))
        self.assertLess(tab.locator("table.queue tbody tr").first.bounding_box()["height"], 260)

    def test_paper_is_black_on_white(self):
        for path in ("/", "/leads/L62", "/manager"):
            with self.subTest(path):
                tab = self.tab(self.usual, path=path, color_scheme="dark")
                pdf = tab.pdf(format="A4")
                if PICTURES:
                    pathlib.Path(PICTURES, f"page{path.replace('/', '-')}.pdf").write_bytes(pdf)
                tab.emulate_media(media="print", color_scheme="light")
                tab.set_viewport_size({"width": 688, "height": 900})
                self.assertEqual(tab.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)")
                self.assertEqual(tab.evaluate("getComputedStyle(document.body).color"), "rgb(0, 0, 0)")
                self.assertEqual(tab.locator("form:visible, nav:visible, button:visible").count(), 0)
                self.assertLessEqual(tab.evaluate("document.documentElement.scrollWidth"), 688)
                if path == "/":
                    self.assertTrue(tab.locator("table.queue thead").is_visible())

    def test_every_number_is_the_interfaces(self):
        tab = self.tab(self.usual)
        rows = self.usual.api("/v1/leads?limit=50")["leads"]
        shown = tab.locator("table.queue tbody tr:not(.line)").all()
        self.assertEqual(len(shown), len(rows))
        for line, row in zip(shown, rows):
            cells = [" ".join(cell.split()) for cell in line.locator("> *").all_inner_texts()]
            self.assertEqual(cells[0], str(row["rank"]))
            self.assertTrue(cells[1].startswith(row["name"]))
            self.assertEqual(cells[2], f"{likelihood(row['score']['likelihood'])} {row['score']['tier']}".replace("\u00a0", " "))
            for reason in row["score"]["reasons"][:2]:
                self.assertIn(reason["text"], cells[3])
            if row["change"]:
                self.assertIn(f"{signed(row['change']['points'], 1)} point", cells[4])
        for row in [rows[0], rows[7], rows[31]]:
            tab.goto(self.usual.address + self.link(row))
            score = self.usual.api("/v1" + self.link(row))["score"]
            lines = {}
            for line in tab.locator("table.waterfall").first.locator("tr").all() + tab.locator("details table.waterfall tr").all():
                cells = [cell.strip() for cell in line.locator("> *").all_text_contents()]
                lines[cells[0]] = cells[2:]
            sum_so_far = score["baseline_log_odds"]
            self.assertEqual(lines["Baseline: a lead of which nothing is known"], ["", likelihood(of_log_odds(sum_so_far))])
            for reason in score["reasons"]:
                before = of_log_odds(sum_so_far)
                sum_so_far += reason["log_odds"]
                self.assertEqual(lines[reason["text"]], [step(of_log_odds(sum_so_far) - before), likelihood(of_log_odds(sum_so_far))])
            self.assertAlmostEqual(sum_so_far, score["log_odds"], places=9)
            self.assertEqual(lines["Likelihood"], [step(score["likelihood"] - of_log_odds(score["baseline_log_odds"])), likelihood(score["likelihood"])])
            self.assertEqual(tab.locator(".big b").text_content(), likelihood(score["likelihood"]))
        tab.goto(self.usual.address + "/manager")
        record = self.usual.api("/v1/record")
        lines = tab.locator("#record ~ table tbody tr").all()
        self.assertEqual(len(lines), len(record["tiers"] + record["held_back"]))
        for line, tier in zip(lines, record["tiers"] + record["held_back"]):
            cells = [cell.strip() for cell in line.locator("> *").all_text_contents()]
            self.assertEqual(cells[:4], [tier["tier"], str(tier["n"]), str(tier["n_won"]), f"{tier['predicted']:.1f}"])

    def test_a_held_back_lead_tells_nothing_of_its_score(self):
        """By the address, the search, the list, and whatever the browser gets that is not shown."""
        tab = self.tab(self.usual)
        tab.fill("input[name=q]", "L99981")
        tab.click("text=Show")
        self.assertNotIn("L99981", [link.rsplit("/", 1)[-1] for link in tab.locator("table.queue tbody a").evaluate_all("links => links.map((link) => link.href)")])
        tab.click("text=Work on them in the order in which they came")
        self.assertEqual(tab.url, self.usual.address + "/held-back?q=L99981")
        tab.locator("table a", has_text=re.compile(r" 99981$")).click()
        self.assertTrue(tab.url.endswith("/leads/L99981"))
        score = self.usual.api("/v1/leads/L99981")["score"]
        source = tab.content()
        for part in [likelihood(score["likelihood"]), score["tier"], "log_odds", "waterfall", "polyline", *[reason["text"] for reason in score["reasons"]]]:
            self.assertNotIn(part, source)
        self.assertNotIn("wrong", source, "nobody is asked about a score that nobody sees")
        tab.click("text=Called")
        self.assertEqual(tab.locator("[role=status]").text_content(), "Saved: called.")

    def test_is_there_at_once_and_small(self):
        context = self.tab(self.usual).context
        cookie = "; ".join(f"{each['name']}={each['value']}" for each in context.cookies())
        # What else the machine does is no property of the page: the quietest of five rounds.
        rounds = []
        for _ in range(5):
            waits = []
            for _ in range(200):
                request = urllib.request.Request(self.usual.address + "/", headers={"Cookie": cookie})
                start = time.perf_counter()
                with urllib.request.urlopen(request) as answer:
                    answer.read(1)
                    waits.append(time.perf_counter() - start)
                    size = 1 + len(answer.read())
            rounds.append(sorted(waits)[197] * 1000)
        p99 = min(rounds)
        print(f"queue of 100,000: first byte p99 {p99:.1f} ms (rounds: {', '.join(f'{each:.1f}' for each in rounds)}), {size:,} bytes")
        self.assertLess(size, 40_000)
        self.assertLess(p99, 30)

    def test_script_is_comfort(self):
        tab = self.tab(self.usual)
        script = tab.locator("script").get_attribute("src")
        self.assertLessEqual(len(urllib.request.urlopen(self.usual.address + script).read()), 2_048)
        row = tab.locator("table.queue tbody a").nth(30)
        row.focus()
        place = tab.evaluate("scrollY")
        self.assertGreater(place, 500)
        row.press("Enter")
        tab.wait_for_url("**/leads/*")
        tab.click("text=← Queue")
        tab.wait_for_url(self.usual.address + "/")
        tab.wait_for_function(f"Math.abs(scrollY - {place}) < 5")
        self.assertEqual(tab.evaluate("document.activeElement.textContent"), tab.locator("table.queue tbody a").nth(30).text_content())
        calm = self.tab(self.usual, reduced_motion="reduce")
        self.assertEqual(calm.evaluate("[...document.querySelectorAll('*')].filter((part) => parseFloat(getComputedStyle(part).transitionDuration) > 0).length"), 0)

    def test_hostile_texts_stay_texts(self):
        tab = self.tab(self.hostile)
        for name, token, path in self.pages(self.hostile):
            with self.subTest(name):
                tab = self.tab(self.hostile, token, path)
                self.assertEqual(tab.locator("img, iframe, object, main script").count(), 0)
                self.assertNotIn(tab.title(), ("owned", "1"))
                for link in tab.locator("a").all():
                    self.assertRegex(link.get_attribute("href"), r"^(/|#)")
        links = tab.goto(self.hostile.address + "/") and [link.get_attribute("href") for link in tab.locator("table.queue tbody a").all()]
        for link in links[:20]:
            tab.goto(self.hostile.address + link)
            self.assertEqual(tab.locator(".big").count(), 1, link)
            tab.click("text=Not now")
            self.assertEqual(tab.locator("[role=status]").text_content(), "Saved: not now.", link)

    def test_another_site_cannot_act(self):
        tab = self.tab(self.usual, path="/leads/L1")
        fields = {name: tab.locator(f"input[name={name}]").first.get_attribute("value") for name in ("form", "once", "lead")}
        for name, known in {"blind": {"lead": "L1"}, "with everything": fields}.items():
            inputs = "".join(f'<input name="{key}" value="{value}">' for key, value in {**known, "said": "lost"}.items())
            body = f'<form method="post" action="{self.usual.address}/words">{inputs}</form><iframe src="{self.usual.address}/"></iframe><script>document.forms[0].submit()</script>'
            with self.subTest(name), served(body) as evil:
                # The same browser, which sends its cookie: ports are no other site for cookies.
                other = tab.context.new_page()
                with other.expect_navigation(url=self.usual.address + "/words"):
                    other.goto(evil)
                self.assertRegex(other.locator("body").inner_text(), "another (site|host)|comes from elsewhere")
        tab.reload()
        self.assertNotIn("Lost", tab.locator("#words ~ *").inner_text())

    def test_a_form_that_is_refused_says_so_and_leads_on(self):
        def send(tab, change):
            tab.evaluate("(change) => { const form = document.querySelector('form.wrong'); eval(change); form.submit() }", change)
            tab.wait_for_url("**/words")
            return " ".join(tab.locator("main").inner_text().split())

        for name, token, change, status, says, link in [
            ("too-large", "admin", "form.note.removeAttribute('maxlength'); form.note.value = 'x'.repeat(40000)", 413, "This is too much at once This form was not saved. Go back, shorten the note, and send it again.", "/"),
            ("other-session", "admin", "form.form.value = 'x'", 403, "This form is not of your session This form was not saved.", "/"),
            ("signed-out", "admin", "document.cookie", 401, "Your session has ended This form was not saved. Sign in, and send it again.", "/sign-in?to=%2Fleads%2FL1"),
        ]:
            with self.subTest(name):
                tab = self.tab(self.usual, token, "/leads/L1", bypass_csp=True)
                if name == "signed-out":
                    tab.context.clear_cookies()
                answers = []
                tab.on("response", lambda response: answers.append((response.url, response.status)))
                self.assertIn(says, send(tab, change))
                self.assertIn((self.usual.address + "/words", status), answers)
                self.assertEqual(tab.locator("main a.button").get_attribute("href"), link)
                for scheme, width in (("light", 1200), ("dark", 320)):
                    tab.emulate_media(color_scheme=scheme)
                    tab.set_viewport_size({"width": width, "height": 800})
                    self.look(f"usual-{name}-{scheme}-{width}", tab)
                    self.assertEqual(tab.evaluate(PROBE), [])
        tab = self.tab(self.busy, None, "/leads/L1")
        self.assertIn("The server is busy", tab.locator("h1").inner_text())
        self.assertEqual(tab.locator("main a.button").get_attribute("href"), "/leads/L1")
        self.assertNotEqual(tab.evaluate("getComputedStyle(document.querySelector('main')).maxWidth"), "none", "its style is there")

    def test_the_cookie_is_no_ones_but_the_servers(self):
        tab = self.tab(self.usual)
        self.assertEqual(tab.evaluate("document.cookie"), "")
        (cookie,) = tab.context.cookies()
        self.assertEqual((cookie["httpOnly"], cookie["sameSite"], cookie["path"], cookie["expires"]), (True, "Lax", "/", -1))
        self.assertEqual(tab.evaluate("Object.keys(localStorage).length"), 0)


def likelihood(value):
    return "< 0.1\u00a0%" if 0 < value < 0.05 else "> 99.9\u00a0%" if 99.95 <= value < 100 else f"{value:.1f}\u00a0%"


def step(points):
    if points and abs(points) < 0.05:
        return ("\u2212" if points < 0 else "+") + "\u00a0< 0.1"
    return signed(points, 1)


def of_log_odds(value):
    import math

    return 100 / (1 + math.exp(-value))


def signed(value, decimals):
    digits = f"{abs(value):.{decimals}f}"
    return digits if not re.search("[1-9]", digits) else ("\u2212" if value < 0 else "+") + digits


@contextlib.contextmanager
def served(body):
    """Another site that serves a page."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    unittest.main()
