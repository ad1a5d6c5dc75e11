//! Lives the months of a made company and writes the story: `cargo xtask life`.

use std::error::Error;
use std::path::{Path, PathBuf};

use leadscore_tests::life::Event;
use leadscore_tests::story::{Night, Operator, Story, StoryOptions, judge, live, page};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let out = PathBuf::from(args.next().ok_or("name a folder for the story")?);
    let mut options = StoryOptions::new(out.join("company"));
    for arg in args {
        let (name, value) = arg.split_once('=').ok_or(format!("{arg} has no value"))?;
        set(&mut options, name, value).map_err(|error| format!("{arg}: {error}"))?;
    }
    if options.folder.exists() {
        std::fs::remove_dir_all(&options.folder)?;
    }
    std::fs::create_dir_all(&out)?;
    let mut failure = None;
    let story = live(&options, |so_far| {
        so_far.nights.last().into_iter().for_each(tell);
        if so_far.nights.len().is_multiple_of(NIGHTS_A_PAGE) {
            failure = write(so_far, &out).err();
        }
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    write(&story, &out)?;
    print(&format!("wrote {}", out.join("index.html").display()));
    Ok(())
}

/// After so many nights the page shows the story so far.
const NIGHTS_A_PAGE: usize = 20;

fn write(story: &Story, out: &Path) -> Result<(), Box<dyn Error>> {
    let judged = judge(story);
    let json = serde_json::json!({ "story": story, "judged": judged });
    std::fs::write(out.join("story.json"), format!("{json:#}\n"))?;
    std::fs::write(out.join("index.html"), page(story, &judged))?;
    Ok(())
}

fn set(options: &mut StoryOptions, name: &str, value: &str) -> Result<(), Box<dyn Error>> {
    match name {
        "--months" => options.life.n_nights = value.parse::<i64>()? * 730 / 24,
        "--seed" => options.life.seed = value.parse()?,
        "--leads" => options.life.open_leads = value.parse()?,
        "--priority" => options.life.priority_effect = value.parse()?,
        "--holdback" => options.life.holdback = value.parse()?,
        "--every" => options.every = value.parse()?,
        "--compare-every" => options.oracle_every = value.parse()?,
        "--by" => {
            options.operator = Operator::ALL
                .into_iter()
                .find(|operator| operator.name() == value)
                .ok_or("there are run, script and once")?;
        }
        "--world" => options.life.events = events(value)?,
        _ => return Err("there is no such argument".into()),
    }
    Ok(())
}

/// Events by their names; "all", or "quiet" for none.
fn events(names: &str) -> Result<Vec<Event>, String> {
    match names {
        "all" => Ok(Event::ALL.to_vec()),
        "quiet" => Ok(Vec::new()),
        names => names.split(',').map(str::parse).collect(),
    }
}

/// A line for each night on which something is to be told.
fn tell(night: &Night) {
    let Some(printed) = &night.printed else {
        return print(&format!("{} no run", night.date));
    };
    let truth = night.shipped.as_ref().map_or_else(String::new, |truth| {
        format!(
            "loss {:.4} true/predicted {:.2} auc {:.3}",
            truth.loss,
            truth.ratio(),
            truth.auc
        )
    });
    print(&format!(
        "{} {} {} {truth} {:.1}s {}",
        night.date,
        printed.decision,
        printed.verdict.as_deref().unwrap_or("-"),
        printed.seconds,
        printed
            .sentence()
            .unwrap_or_default()
            .lines()
            .next()
            .unwrap_or_default()
    ));
}

#[expect(clippy::print_stdout, reason = "a chore prints")]
fn print(text: &str) {
    println!("{text}");
}
