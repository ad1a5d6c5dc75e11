//! The page of what worlds came to: `docs/monitoring-worlds.md`.

use std::collections::BTreeMap;

use crate::kinds::kinds;

/// Look of the change in worlds that have one.
const CHANGE: u32 = 52;

/// What one line of the file says.
struct Line {
    alarm: Option<u32>,
    is_plain: bool,
    movements: [String; 2],
    changes: [Option<u32>; 2],
    interval: Option<[f64; 2]>,
    is_missed: bool,
    sources: String,
    weekly_wins: f64,
}

/// Worlds of one kind and size.
type Worlds = BTreeMap<(usize, usize, bool), Vec<Line>>;

/// The page of these lines, Markdown.
pub(crate) fn page(lines: &str) -> Result<String, String> {
    let worlds = read(lines)?;
    let mut page = HEAD.to_owned();
    page += "\n### Wins that change, by the number of open leads\n\n";
    page += WINS;
    let sizes: Vec<usize> = [3_000, 300, 1_000, 10_000]
        .into_iter()
        .filter(|open| worlds.keys().any(|key| key.0 == *open))
        .collect();
    for open in &sizes {
        for kind in ["quiet", "fall-0.7", "fall-0.8", "rise-1.3"] {
            if let Some(found) = of(&worlds, *open, kind, false) {
                page += &row(kind, *open, found);
            }
        }
    }
    page += "\n### Nothing has changed, and it is not simple\n\n";
    page += QUIET;
    for kind in [
        "season-2-years",
        "season-1-year",
        "season-26-weeks",
        "batches-1",
        "batches",
        "shocks",
        "accounts",
        "missing",
        "outage",
    ] {
        if let Some(found) = of(&worlds, 3_000, kind, false) {
            let (what, n) = (what(kind), found.len());
            let alarmed = found.iter().filter(|line| line.alarm.is_some()).count();
            let plain = found.iter().filter(|line| line.is_plain).count();
            let missed = found.iter().filter(|line| line.is_missed).count();
            page += &format!(
                "| {what} | {n} | {} | {} | {} |\n",
                with_bound(alarmed, n),
                share(plain, n),
                share(missed, n)
            );
        }
    }
    page += "\n### A change, and it is not simple\n\n";
    page += CHANGED;
    for kind in [
        "season-fall-0.7",
        "batches-fall-0.7",
        "accounts-fall-0.7",
        "source-0.5",
    ] {
        if let Some(found) = of(&worlds, 3_000, kind, false) {
            page += &row(kind, 3_000, found);
        }
    }
    page += &sources(&worlds);
    page += "\n### Level or pace\n\n";
    page += PACE;
    for kind in [
        "fall-0.7",
        "fall-0.8",
        "slower-new-1.3",
        "slower-new-1.5",
        "slower-all-1.3",
        "slower-all-1.5",
    ] {
        for with_lost in [true, false] {
            // Without closings a fall is never told as one; that needs no row.
            if !with_lost && kind.starts_with("fall") {
                continue;
            }
            if let Some(found) = of(&worlds, 3_000, kind, with_lost) {
                page += &pace_row(kind, with_lost, found);
            }
        }
    }
    page += "\n";
    page += LIMITS;
    Ok(page)
}

fn read(lines: &str) -> Result<Worlds, String> {
    let mut lines = lines.lines();
    let names: Vec<&str> = lines
        .next()
        .ok_or("the file is empty")?
        .split(',')
        .collect();
    let mut worlds = Worlds::new();
    let all = kinds(3_000);
    for line in lines.filter(|line| !line.starts_with("kind,")) {
        let values: Vec<&str> = line.split(',').collect();
        if values.len() != names.len() {
            return Err(format!("a line has {} values: {line}", values.len()));
        }
        let get = |name: &str| {
            let at = names.iter().position(|known| *known == name);
            at.map_or("", |at| values[at])
        };
        let look = |name: &str| get(name).parse::<u32>().ok();
        let number = |name: &str| get(name).parse::<f64>().ok();
        let Some(kind) = all.iter().position(|kind| kind.0 == get("kind")) else {
            return Err(format!("no world {}", get("kind")));
        };
        let open = get("open").parse().map_err(|_| "open is a number")?;
        worlds
            .entry((open, kind, get("lost") == "1"))
            .or_default()
            .push(Line {
                alarm: look("alarm"),
                is_plain: look("plain").is_some(),
                movements: [get("movement").to_owned(), get("movement_later").to_owned()],
                changes: [look("change"), look("change_later")],
                interval: number("low")
                    .zip(number("high"))
                    .map(|(low, high)| [low, high]),
                is_missed: get("missed") == "1",
                sources: get("sources").to_owned(),
                weekly_wins: number("weekly_wins").unwrap_or(f64::NAN),
            });
    }
    Ok(worlds)
}

fn of<'a>(worlds: &'a Worlds, open: usize, kind: &str, with_lost: bool) -> Option<&'a [Line]> {
    let at = kinds(open).iter().position(|known| known.0 == kind)?;
    worlds.get(&(open, at, with_lost)).map(Vec::as_slice)
}

fn what(kind: &str) -> &'static str {
    kinds(1)
        .iter()
        .find(|known| known.0 == kind)
        .map_or("", |known| known.1)
}

fn share(count: usize, n: usize) -> String {
    if n == 0 {
        return String::new();
    }
    format!("{:.1} %", 100.0 * count as f64 / n as f64)
}

/// A share and the upper end of its one-sided 95 % interval (Wilson).
fn with_bound(count: usize, n: usize) -> String {
    let (z, size) = (1.645_f64, n as f64);
    let rate = count as f64 / size;
    let bound = (rate
        + z * z / (2.0 * size)
        + z * (rate * (1.0 - rate) / size + z * z / (4.0 * size * size)).sqrt())
        / (1.0 + z * z / size);
    format!("{} (≤ {:.1} %)", share(count, n), 100.0 * bound)
}

/// Weeks until a change was found, of worlds without an alarm before it; the largest number where
/// it never was.
fn delays(lines: &[Line]) -> Vec<u32> {
    let mut delays: Vec<u32> = lines
        .iter()
        .filter(|line| line.alarm.is_none_or(|alarm| alarm >= CHANGE))
        .map(|line| line.alarm.map_or(u32::MAX, |alarm| alarm + 1 - CHANGE))
        .collect();
    delays.sort_unstable();
    delays
}

fn quantile(delays: &[u32], share: f64) -> String {
    let at = ((share * delays.len() as f64).ceil() as usize).max(1) - 1;
    match delays.get(at) {
        Some(&u32::MAX) => "> 52".to_owned(),
        Some(delay) => delay.to_string(),
        None => String::new(),
    }
}

fn row(kind: &str, open: usize, lines: &[Line]) -> String {
    let n = lines.len();
    let wins = lines.iter().map(|line| line.weekly_wins).sum::<f64>() / n as f64;
    let what = what(kind);
    if kind == "quiet" {
        let alarmed = lines.iter().filter(|line| line.alarm.is_some()).count();
        return format!(
            "| {open} ({wins:.0}) | {what} | {n} | {} | | | | | |\n",
            with_bound(alarmed, n)
        );
    }
    let early = lines
        .iter()
        .filter(|line| line.alarm.is_some_and(|alarm| alarm < CHANGE))
        .count();
    let delays = delays(lines);
    let within = |weeks: u32| delays.iter().filter(|delay| **delay <= weeks).count();
    let found = |line: &&Line| line.alarm.is_some_and(|alarm| alarm >= CHANGE);
    let near = |look: usize| {
        let known: Vec<u32> = lines
            .iter()
            .filter(found)
            .filter_map(|line| line.changes[look])
            .collect();
        let near = known
            .iter()
            .filter(|change| change.abs_diff(CHANGE) <= 3)
            .count();
        share(near, known.len())
    };
    let truth = kinds(open)
        .iter()
        .find(|known| known.0 == kind)
        .map_or(1.0, |known| known.2.level);
    let intervals: Vec<[f64; 2]> = lines
        .iter()
        .filter(found)
        .filter_map(|line| line.interval)
        .collect();
    let hits = intervals
        .iter()
        .filter(|ends| ends[0] <= truth && truth <= ends[1])
        .count();
    format!(
        "| {open} ({wins:.0}) | {what} | {n} | {} | {} | {} | {} / {} | {} / {} | {} |\n",
        share(early, n),
        share(within(8), delays.len()),
        share(within(16), delays.len()),
        quantile(&delays, 0.5),
        quantile(&delays, 0.9),
        near(0),
        near(1),
        if kind == "source-0.5" {
            String::new()
        } else {
            share(hits, intervals.len())
        },
    )
}

fn sources(worlds: &Worlds) -> String {
    let mut text = String::new();
    if let Some(lines) = of(worlds, 3_000, "source-0.5", false) {
        let n = lines.len();
        let right = lines
            .iter()
            .filter(|line| line.sources.starts_with('1'))
            .count();
        let wrong = lines
            .iter()
            .filter(|line| line.sources[1..].contains('1'))
            .count();
        text += &format!(
            "\nWhere one source of five fell, it was marked at the end in {} of {n} worlds, and another one in {}.",
            share(right, n),
            share(wrong, n)
        );
    }
    if let Some(lines) = of(worlds, 3_000, "quiet", false) {
        let n = lines.len();
        let wrong = lines
            .iter()
            .filter(|line| line.sources.contains('1'))
            .count();
        text += &format!(
            " In the {n} quiet worlds a source was marked in {}.\n",
            share(wrong, n)
        );
    }
    text
}

fn pace_row(kind: &str, with_lost: bool, lines: &[Line]) -> String {
    let found: Vec<&Line> = lines
        .iter()
        .filter(|line| line.alarm.is_some_and(|alarm| alarm >= CHANGE))
        .collect();
    let delays = delays(lines);
    let count = |look: usize, word: &str| {
        let count = found
            .iter()
            .filter(|line| line.movements[look] == word)
            .count();
        share(count, found.len())
    };
    let cells: Vec<String> = (0..2)
        .flat_map(|look| ["level", "pace", "cannot_tell"].map(|word| count(look, word)))
        .collect();
    format!(
        "| {} | {} | {} | {} | {} |\n",
        what(kind),
        if with_lost { "yes" } else { "no" },
        lines.len(),
        quantile(&delays, 0.5),
        cells.join(" | ")
    )
}

const HEAD: &str = "\
# How often the early read is right

Labels of 90 days take 90 days. The early read does not wait for them: a lead that is open at the start of a week is a trial with a known chance of a win in that week, and wins are compared with expected wins week by week.

## What it computes

- **The weekly chance** is a small logistic regression, fitted on a year of past weeks, of the log-odds of the 90-day probability, the tier, the age of the lead, and a yearly season where a whole year shows one at a level of 0.1 %. It is fitted again without the last quarter and compared with it. Where it does not hold there (more than 5 % and three standard errors off), the level counts as that much less sure.
- **The dispersion** says how much more wins vary than those of independent leads: by accounts whose leads are won together, and by weeks, such as those in which a rep enters a month of wins. All evidence is divided by it.
- **The evidence** of a week is a likelihood ratio of odds that have fallen, or risen, to a few sizes. It is summed over all weeks in which a change could have begun (the e-detector of Shin, Ramdas and Rinaldo). The error of the level is integrated out, so that quiet weeks teach the level. A week counts for three standard deviations at most: one odd week is no alarm.
- **The threshold** is set by simulation from the reference: with 95 % confidence, at most 5 % of quiet futures ever reach it in 104 weekly looks. `watch` begins where 20 % do. The same futures say how long a fall to 0.7 takes to be found; where half of them take more than 26 weeks, a quiet read is `cannot tell`.
- **The change** is the most likely start, with the ratio of wins since then.
- **Parts** (tiers, arms, segments) have e-values of their own; those that are called changed are expected to be wrong in 10 % at most (e-BH).
- **Wins over expected wins** since monitoring began have an interval that holds at all looks together; intervals of parts hold for one look.

A reference that is shorter than a year cannot know the season, and says so: then an alarm may be the season.

## Worlds with known truth

In every world leads arrive, are scored with an error of 0.3 log-odds, are won (20 % of new leads within 90 days, most often about the eighth week) or lost (3 % a week), and are replaced as they close. The weekly chance is fitted on 52 weeks, unless a table says otherwise. Then 104 weeks are looked at, one by one. What changes, changes in week 52 of these.

*The promise*: at most 5 % of quiet worlds ever alarm in 104 looks (in brackets is the upper end of a one-sided 95 % interval, to be at most 6.5 %); with 3,000 open leads wins × 0.7 are found within 8 weeks, and wins × 0.8 within 16, in 90 % of the worlds; the week of the change is right within 3 weeks in 80 %.

The lines are made by such commands, and any number of runs may be appended to one file:

```text
early_worlds --run lines.csv --world quiet,fall-0.7,fall-0.8 --seed 1 --worlds 1000
early_worlds --run lines.csv --world quiet,fall-0.7,fall-0.8,rise-1.3 --open 1000 --worlds 200
early_worlds --run lines.csv --world slower-new-1.3,slower-all-1.3,fall-0.7 --seed 7001 --worlds 200 --lost
early_worlds --page lines.csv > docs/monitoring-worlds.md
```

where `early_worlds` is `cargo run --release -p leadscore-monitoring --example early_worlds --`. With `--csv FOLDER --world KIND --seed N` it writes one world's lead-weeks for other tools.
";

const WINS: &str = "\
*Alarm* is an alarm in a quiet world, or before the change; *found* counts worlds without one. *Week right* is the share of worlds whose estimated week of the change is at most 3 weeks off, at the alarm and eight weeks later. *Interval right* is the share whose 95 % interval of the ratio of wins has the truth, eight weeks after the alarm; at the alarm a change looks larger than it is, because it is the largest ones that alarm first.

| open leads (wins a week) | world | worlds | alarm | found within 8 | within 16 | weeks until found: half / nine of ten | week right: at once / later | interval right |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
";

const QUIET: &str = "\
*Plain threshold* is 2,080, which needs no simulation. *Interval missed 1*: the interval of wins over expected wins, which is to hold at all looks together, was looked at in weeks 13, 39 and 103.

| world | worlds | ever alarmed | with the plain threshold | interval missed 1 |
| --- | ---: | ---: | ---: | ---: |
";

const CHANGED: &str = "\
| open leads (wins a week) | world | worlds | alarm | found within 8 | within 16 | weeks until found: half / nine of ten | week right: at once / later | interval right |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
";

const PACE: &str = "\
Deals that take longer with the same final share are fewer wins at first. The early read compares young leads with old ones, and closings without a win with what is usual. Where it is not known which leads were closed without a win, it does not say `level`: all deals may be slower at once.

| world | closings known | worlds | half found after | level | pace | cannot tell | 8 weeks later: level | pace | cannot tell |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
";

const LIMITS: &str = "\
## Where it falls short

- A year has 52 weeks, and they tell a dispersion to a fifth of itself. Where all wins of a week move together by about 10 % and accounts do not show it, the promise is not kept: such worlds alarm two to three times as often as promised.
- Reps who enter wins in batches cost time: with three of ten, a fall to 0.7 takes months.
- A reference of half a year takes a season for a change.
- One segment of five shows late in the sum of all; look at the segments.
- Deals that slow down are told at once only where closings without a win are known. Without them the answer is `cannot tell`, and sometimes `pace`.
- The estimated week of a small change, or with few wins, is often more than 3 weeks off.
";
