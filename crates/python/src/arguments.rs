//! Messages of the library as Python has them: where the command has flags, Python has arguments.

use std::borrow::Cow;

/// Whose arguments a message names.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Call {
    /// Any call but these: a flag is the same argument in all of them.
    Any,
    /// `recalibrate`, whose `--from` is `since`.
    Recalibrate,
}

/// What the command can do and Python cannot, or does in another way.
const PHRASES: [(&str, &str); 8] = [
    (
        "`leadscore features --model MODEL --describe`",
        "`model.features`",
    ),
    (
        "`leadscore features --model`",
        "`leadscore.features(model=model)`",
    ),
    ("`features --describe`", "`leadscore.features()`"),
    ("-c names another", "config= names another"),
    (" (and --memory)", ""),
    (", or raise --memory", ""),
    ("(--json names them)", "(`[\"reasons\"]` names them)"),
    ("nothing behind = is a missing one", "None is a missing one"),
];

/// Flags without their dashes, and the arguments.
const FLAGS: [(&str, &str); 20] = [
    ("allow-in-sample", "allow_in_sample=True"),
    ("allow-leaks", "allow_leaks=True"),
    ("allow-too-few", "allow_too_few=True"),
    ("as-of", "as_of="),
    ("backtest", "backtest=True"),
    ("capacity", "capacity="),
    ("crossings", "crossings=True"),
    ("from", "start="),
    ("intervals", "intervals=True"),
    ("learning-curve", "learning_curve=True"),
    ("other-leads", "other_leads=True"),
    ("outcomes", "outcomes="),
    ("owner", "owner="),
    ("report", "report=True"),
    ("roll-up", "roll_up="),
    ("rules", "rules="),
    ("since", "since="),
    ("to", "end="),
    ("top", "top="),
    ("what-if", "what_if"),
];

fn argument(flag: &str, call: Call) -> Option<&'static str> {
    match (flag, call) {
        ("from", Call::Recalibrate) => Some("since="),
        (_, Call::Any | Call::Recalibrate) => FLAGS
            .iter()
            .find(|(known, _)| *known == flag)
            .map(|(_, argument)| *argument),
    }
}

/// The text with Python's arguments in place of the command's flags. What stands in backticks is
/// somebody's value, and stays.
pub(crate) fn in_python(text: &str, call: Call) -> Cow<'_, str> {
    if !text.contains("--") && !text.contains("-c ") {
        return Cow::Borrowed(text);
    }
    let text = PHRASES
        .iter()
        .fold(text.to_owned(), |text, (command, python)| {
            text.replace(command, python)
        });
    let mut found = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("--") {
        let (before, dashes) = rest.split_at(at);
        found.push_str(before);
        let name = &dashes[2..];
        let end = name
            .find(|c: char| !(c.is_ascii_lowercase() || c == '-'))
            .unwrap_or(name.len());
        let is_word = before.ends_with(|c: char| c.is_alphanumeric() || "`-_".contains(c));
        match argument(&name[..end], call).filter(|_| !is_word) {
            Some(argument) => {
                rest = &name[end..];
                found.push_str(with_value(argument, found.is_empty(), &mut rest));
            }
            None => {
                found.push_str("--");
                rest = name;
            }
        }
    }
    found.push_str(rest);
    Cow::Owned(found)
}

/// The argument as the message goes on: `start=2025-04-01` with its value, `since lies before` and
/// `since: this export` where it is what the message is about.
fn with_value(argument: &'static str, is_first: bool, rest: &mut &str) -> &'static str {
    if !argument.ends_with('=') {
        return argument;
    }
    if let Some(value) = rest.strip_prefix(' ')
        && value.starts_with(|c: char| c.is_ascii_digit())
    {
        *rest = value;
        return argument;
    }
    if is_first || rest.starts_with(':') {
        argument.trim_end_matches('=')
    } else {
        argument
    }
}
