//! The report, and the page of a model, in a real browser, light and dark: no text leaves its picture, no panel is empty, nothing is loaded from outside.
#![allow(missing_docs, reason = "tests")]

use std::path::Path;
use std::process::Command;

use leadscore_tests::{say, succeed};

/// Measures every text of every drawing against its frame, and says what it found in the page's title.
const PROBE: &str = r#"<script>
const faults = [];
for (const svg of document.querySelectorAll("svg")) {
  const frame = svg.viewBox.baseVal;
  if (svg.querySelectorAll("rect, circle, polyline").length === 0) faults.push("empty: " + svg.getAttribute("aria-label"));
  for (const text of svg.querySelectorAll("text")) {
    const box = text.getBBox();
    if (box.x < -0.5 || box.y < -0.5 || box.x + box.width > frame.width + 0.5 || box.y + box.height > frame.height + 0.5)
      faults.push("cut: " + text.textContent);
  }
}
for (const section of document.querySelectorAll("section, header")) if (section.innerText.trim().length < 20) faults.push("empty section");
if (document.documentElement.scrollWidth > window.innerWidth) faults.push("wider than the window");
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
const ink = getComputedStyle(document.body).color;
document.title = "probe " + (dark ? "dark " : "light ") + ink + " " + JSON.stringify(faults);
</script>"#;

fn browse(page: &Path, flags: &[&str]) -> Option<String> {
    let profile = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync", "--window-size=1000,3000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(flags)
        .arg(format!("file://{}", page.display()))
        .output();
    match output {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(_) if std::env::var_os("CI").is_some() => panic!("CI is set, and there is no chromium"),
        Err(_) => {
            say("skipped: there is no chromium, so the report is not looked at");
            None
        }
    }
}

#[test]
fn pages_read_well_in_light_and_dark() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    succeed(folder.path(), &["simulate", "--leads", "12000", "--world", "interactions", "--format", "csv", "--out", "crm"]);
    succeed(folder.path(), &["train", "-c", "crm/leadscore.toml", "--report", "report.html"]);
    succeed(folder.path(), &["inspect", "model.leadscore", "--html", "model.html"]);
    let model = std::fs::read_to_string(folder.path().join("model.html")).expect("written");
    assert!(model.contains("<svg") && model.contains(", with "), "a model without a picture or a table shows nothing");
    for page in ["report.html", "model.html"] {
        check(folder.path(), page);
    }
}

#[track_caller]
fn check(folder: &Path, page: &str) {
    let text = std::fs::read_to_string(folder.join(page)).expect("written");
    assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("<script"), "the page needs nothing but itself");
    let probed = folder.join("probed.html");
    std::fs::write(&probed, text.replace("</body>", &format!("{PROBE}</body>"))).expect("room on the disk");
    for (scheme, flags) in [("light", &["--blink-settings=preferredColorScheme=1"]), ("dark", &["--blink-settings=preferredColorScheme=0"])] {
        let Some(page) = browse(&probed, flags) else { return };
        let title = page.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or_default();
        let ink = if scheme == "light" { "rgb(28, 36, 48)" } else { "rgb(231, 236, 242)" };
        assert_eq!(title, format!("probe {scheme} {ink} []"), "{page}");
    }
}
