//! `inspect`: what is in a model file.

use leadscore_inference::Term;

use crate::args::InspectArgs;
use crate::commands::Outcome;
use crate::project::read_model;
use crate::show;

pub(crate) fn run(args: &InspectArgs) -> anyhow::Result<Outcome> {
    let model = read_model(&args.model)?;
    if args.json {
        show::result(&serde_json::to_string_pretty(&model)?);
        return Ok(Outcome::Done);
    }
    let card = &model.card;
    let mut lines = vec![
        format!("model        {}", card.model_id),
        format!(
            "predicts     {}",
            card.horizon.map_or("won at all (flat export: no horizon)".to_owned(), |horizon| format!("won within {horizon} of the snapshot"))
        ),
        format!(
            "trained on   {} snapshots of {} leads, {} won, {} to {}",
            show::count(card.n_snapshots),
            show::count(card.n_leads),
            show::count(card.n_wins),
            card.snapshots_from,
            card.snapshots_to
        ),
        format!("knows until  {}", card.known_until),
        format!("data         {}: {}", card.sufficiency.verdict.name(), card.sufficiency.reason),
        format!("penalty      {}: {}", card.penalty, card.penalty_choice),
        format!("fit          {}", card.fit),
        format!("measured on  {}", card.evaluation),
    ];
    lines.extend(card.metrics.iter().map(|(name, value)| format!("  {name:<18} {value:.4}")));
    lines.extend(card.caveats.iter().map(|caveat| format!("caveat       {caveat}")));
    lines.push(format!("baseline     {:.4} log-odds", model.baseline()));
    let mut terms: Vec<&Term> = model.terms.iter().collect();
    terms.sort_by(|a, b| b.range().total_cmp(&a.range()));
    let rows: Vec<Vec<String>> = terms
        .iter()
        .map(|term| {
            let spec = &model.specs[term.feature_idx()];
            let weight = match term {
                Term::Bins(bins) => format!("{} bins", bins.weights.len()),
                Term::Pair(pair) => format!("{} × {} cells", pair.first.n_cells(), pair.second.n_cells()),
                Term::Linear(linear) => format!("{:+.3} per {:.3}", linear.weight, linear.scale),
                Term::Levels(levels) => format!("{} levels", levels.levels.len()),
            };
            vec![spec.describe(), format!("{:.3}", term.range()), weight]
        })
        .collect();
    lines.push(String::new());
    lines.push(show::table(&["feature", "moves by", "log-odds"], &rows));
    show::result(&lines.join("\n"));
    Ok(Outcome::Done)
}
