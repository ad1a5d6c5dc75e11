//! The page over made leads, for pictures and for tests in a browser.
//!
//! ```text
//! cargo run --release -p leadscore-serve --example demo_page -- PORT [LEADS] [usual|hostile|starting|busy] [open]
//! ```
//!
//! It prints the address once it listens. Tokens are `admin`, `boss` and `kim` (of the owner Kim),
//! `seller`, `reader`, `sender`, and `hasty`, which may ask once; with `open` there are none, and none
//! is needed. A server that is `busy` can take no request.

mod made;

use std::sync::Arc;
use std::time::Instant;

use leadscore_core::{Span, Timestamp};
use leadscore_serve::{App, AppOptions, Page, PageOptions, ServeOptions, Server};
use made::{Kind, Made};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let arg = |n: usize| args.get(n).map(String::as_str);
    let port: u16 = arg(0).unwrap_or("8701").parse()?;
    let n_leads: usize = arg(1).unwrap_or("100000").parse()?;
    let kind = match arg(2) {
        None | Some("usual" | "busy") => Kind::Usual,
        Some("hostile") => Kind::Hostile,
        Some("starting") => Kind::Starting,
        Some(other) => return Err(format!("there is no kind `{other}`").into()),
    };
    let begun = Instant::now();
    let start: Timestamp = "2026-11-27T09:14:00Z".parse()?;
    let clock: Arc<dyn Fn() -> Timestamp + Send + Sync> = Arc::new(move || {
        start + Span::from_micros(i64::try_from(begun.elapsed().as_micros()).unwrap_or_default())
    });
    let folder = tempfile::tempdir()?;
    let tokens = folder.path().join("tokens.toml");
    if arg(3) != Some("open") {
        std::fs::write(&tokens, made::tokens())?;
    }
    let engine = Arc::new(Made::new(kind, n_leads, Some(25), Arc::clone(&clock)));
    let mut options = AppOptions::new(folder.path().to_owned(), tokens, clock);
    if arg(2) == Some("busy") {
        options.limits.in_flight = 0;
    }
    let app = App::open(engine, options)?;
    let options = PageOptions {
        thresholds: vec!["hot".to_owned()],
        ..PageOptions::default()
    };
    let page = Page::open(app.clone(), options)?;
    let listening = ServeOptions::plain(format!("127.0.0.1:{port}"));
    let server = Server::bind(app, page.routes(), &listening).await?;
    #[expect(clippy::print_stdout, reason = "whoever starts it waits for this line")]
    {
        println!("http://{}", server.address());
    }
    server.run(std::future::pending()).await?;
    Ok(())
}
