//! The programs of docs/thresholds.md take what is signed and refuse what is not.

use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use leadscore_serve::SigningKeys;

use super::server::{Result, SECRET};

/// The code block of a language.
fn block(language: &str) -> Result<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/thresholds.md");
    let text = std::fs::read_to_string(page)?;
    let (_, after) = text
        .split_once(&format!("```{language}\n"))
        .ok_or("no such block")?;
    let (code, _) = after.split_once("```").ok_or("no end")?;
    Ok(code.to_owned())
}

/// What a program prints of a body and its headers.
fn answer(
    program: &[&str],
    code: &str,
    seconds: i64,
    signature: &str,
    body: &str,
) -> Result<String> {
    let output = Command::new(program[0])
        .args(&program[1..])
        .arg(code)
        .env("SECONDS", seconds.to_string())
        .env("SIGNATURE", signature)
        .env("BODY", body)
        .env("SECRET_OF_TEST", SECRET)
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(errors.into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_lowercase())
}

#[test]
fn receivers_can_check_signatures_as_the_page_says() -> Result {
    let python = block("python")?
        + r#"
import os
e = os.environ
headers = {"webhook-id": "crossing-1", "webhook-timestamp": e["SECONDS"], "webhook-signature": e["SIGNATURE"]}
print(is_ours(headers, e["BODY"].encode(), e["SECRET_OF_TEST"]))
"#;
    let node = block("js")?
        + r#"
const e = process.env;
const headers = {"webhook-id": "crossing-1", "webhook-timestamp": e.SECONDS, "webhook-signature": e.SIGNATURE};
console.log(isOurs(headers, Buffer.from(e.BODY), e.SECRET_OF_TEST));
"#;
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    let keys = SigningKeys::read(SECRET)?;
    let other = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI0";
    let both = SigningKeys::read(&format!("{other} {SECRET}"))?;
    let body = "{\"lead\":\"Größe 1\"}";
    let old = now - 3_600;
    for (program, code) in [(["python3", "-c"], &python), (["node", "-e"], &node)] {
        for (seconds, signature, expected) in [
            (now, keys.sign("crossing-1", now, body), "true"),
            (now, both.sign("crossing-1", now, body), "true"),
            (now, keys.sign("crossing-2", now, body), "false"),
            (now, keys.sign("crossing-1", now - 1, body), "false"),
            (now, keys.sign("crossing-1", now, "{}"), "false"),
            (
                now,
                SigningKeys::read(other)?.sign("crossing-1", now, body),
                "false",
            ),
            (now, "v1,".to_owned(), "false"),
            (old, keys.sign("crossing-1", old, body), "false"),
        ] {
            let found = answer(&program, code, seconds, &signature, body)?;
            assert_eq!(found, expected, "{program:?} {signature}");
        }
    }
    Ok(())
}
