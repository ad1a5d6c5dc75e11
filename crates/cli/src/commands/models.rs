//! `models`: the registry, from the list of models to who decided what.

use std::path::Path;

use anyhow::Context;
use leadscore::front_end::{Bytes, read_at_most, table};
use leadscore::inspect;
use leadscore_operate::{
    ChallengeOptions, Decision, Facts, KnownModel, LockedRegistry, Registry, Role, Why, challenge,
    journal_text,
};
use serde_json::json;

use crate::args::{
    ModelsAddArgs, ModelsCommand, ModelsCompareArgs, ModelsListArgs, ModelsPromoteArgs,
    ModelsRetireArgs, ModelsRevertArgs, ModelsShowArgs, ModelsWhyArgs, RegistryArgs,
};
use crate::by;
use crate::commands::Outcome;
use crate::show;

/// Largest model file.
const LARGEST_MODEL: Bytes = Bytes(1_000_000_000);
/// Largest evidence: figures of a comparison.
const LARGEST_EVIDENCE: Bytes = Bytes(1_000_000);

pub(crate) fn run(command: &ModelsCommand) -> anyhow::Result<Outcome> {
    match command {
        ModelsCommand::List(args) => list(args),
        ModelsCommand::Show(args) => show_one(args),
        ModelsCommand::Add(args) => add(args),
        ModelsCommand::Compare(args) => compare(args),
        ModelsCommand::Promote(args) => promote(args),
        ModelsCommand::Revert(args) => revert(args),
        ModelsCommand::Retire(args) => retire(args),
        ModelsCommand::Verify(args) => verify(args),
        ModelsCommand::Why(args) => why(args),
    }
}

fn open(args: &RegistryArgs) -> anyhow::Result<Registry> {
    Ok(Registry::open(args.folder()?)?)
}

fn lock(args: &RegistryArgs) -> anyhow::Result<LockedRegistry> {
    Ok(Registry::lock(args.folder()?, by::typed())?)
}

/// The same of a registry that must be there: a mistyped folder is not made.
fn lock_existing(args: &RegistryArgs) -> anyhow::Result<LockedRegistry> {
    require(&args.folder()?)?;
    lock(args)
}

fn require(folder: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(
        folder.is_dir(),
        "there is no registry {}\n  hint: check the path; `leadscore models add` makes a registry",
        folder.display()
    );
    Ok(())
}

fn list(args: &ModelsListArgs) -> anyhow::Result<Outcome> {
    let registry = open(&args.registry)?;
    if args.json {
        show::json(&serde_json::to_string_pretty(&json!({
            "folder": registry.folder().display().to_string(),
            "roles": registry.roles(),
            "models": registry.models(),
        }))?);
        return Ok(Outcome::Done);
    }
    if registry.models().is_empty() {
        show::result(&format!(
            "The registry {} has no models yet.",
            registry.folder().display()
        ));
        return Ok(Outcome::Done);
    }
    let rows: Vec<Vec<String>> = registry
        .models()
        .iter()
        .rev()
        .map(|model| {
            vec![
                model.id().to_owned(),
                state(model),
                model.added.clone(),
                model.file.training_cutoff.clone(),
                leadscore::front_end::count(model.file.n_leads),
                leadscore::front_end::count(model.file.n_wins),
            ]
        })
        .collect();
    show::result(&table(
        &["model", "is", "added", "training cutoff", "leads", "wins"],
        &rows,
    ));
    Ok(Outcome::Done)
}

/// What a model is, in a word or two.
fn state(model: &KnownModel) -> String {
    let roles: Vec<&str> = model.roles.iter().map(|role| Role::name(*role)).collect();
    match (roles.as_slice(), model.is_retired, model.was_champion) {
        ([_, ..], _, _) => roles.join(", "),
        ([], true, _) => "retired".to_owned(),
        ([], false, true) => "was champion".to_owned(),
        ([], false, false) => String::new(),
    }
}

fn show_one(args: &ModelsShowArgs) -> anyhow::Result<Outcome> {
    let registry = open(&args.registry)?;
    let known = registry.find(&args.name)?;
    let model = registry.read(known)?;
    let path = registry.path_of(known);
    if args.json {
        show::json(&serde_json::to_string_pretty(&json!({
            "model": known,
            "path": path.display().to_string(),
            "card": model.card,
            "journal": registry.lines_of(known.id()).collect::<Vec<_>>(),
        }))?);
        return Ok(Outcome::Done);
    }
    show::result(&format!(
        "{}.\n\nfile         {}\nSHA-256      {}\n{}\n\n{}",
        registry.state_of(&args.name)?,
        path.display(),
        known.file.sha256,
        inspect(&model, false),
        journal_text(registry.lines_of(known.id())).trim_end()
    ));
    Ok(Outcome::Done)
}

fn add(args: &ModelsAddArgs) -> anyhow::Result<Outcome> {
    let bytes = read_at_most(&args.file, LARGEST_MODEL).with_context(|| {
        format!(
            "cannot read the model {}\n  hint: check the path; `leadscore train` writes a model",
            args.file.display()
        )
    })?;
    let mut registry = lock(&args.registry)?;
    let facts = Facts {
        from: Some(args.file.display().to_string()),
        ..Facts::default()
    };
    let added = registry.add_bytes(&bytes, facts)?;
    let folder = registry.folder().display();
    show::remark(&if added.is_new {
        format!("added {} to {folder}", added.id)
    } else if added.is_put_back {
        format!("put the file of {} back into {folder}", added.id)
    } else {
        format!("{folder} has this model already; nothing was changed")
    });
    if registry.role(Role::Champion).is_none() {
        show::remark(&format!(
            "there is no champion yet; next: leadscore models promote {} --because \"…\"",
            added.id
        ));
    }
    show::result(&added.id);
    Ok(Outcome::Done)
}

fn promote(args: &ModelsPromoteArgs) -> anyhow::Result<Outcome> {
    let evidence = match &args.evidence {
        Some(path) => read_evidence(path)?,
        None => serde_json::Value::Null,
    };
    let mut registry = lock_existing(&args.registry)?;
    let decision = Decision {
        because: args.because.clone(),
        evidence,
    };
    let line = registry.promote(&args.name, decision)?;
    say(&registry, "@champion", line.is_some())
}

fn read_evidence(path: &Path) -> anyhow::Result<serde_json::Value> {
    let cannot = || format!("cannot read the evidence {}", path.display());
    let bytes = read_at_most(path, LARGEST_EVIDENCE).with_context(cannot)?;
    serde_json::from_slice(&bytes).with_context(cannot)
}

fn revert(args: &ModelsRevertArgs) -> anyhow::Result<Outcome> {
    let mut registry = lock_existing(&args.registry)?;
    registry.revert(Decision {
        because: args.because.clone().unwrap_or_default(),
        ..Decision::default()
    })?;
    say(&registry, "@champion", true)
}

fn retire(args: &ModelsRetireArgs) -> anyhow::Result<Outcome> {
    let mut registry = lock_existing(&args.registry)?;
    let id = registry.find(&args.name)?.id().to_owned();
    let line = registry.retire(
        &id,
        Decision {
            because: args.because.clone(),
            ..Decision::default()
        },
    )?;
    say(&registry, &id, line.is_some())
}

/// Says what a model is after a change, or that nothing was changed.
fn say(registry: &Registry, name: &str, is_changed: bool) -> anyhow::Result<Outcome> {
    if !is_changed {
        show::remark("nothing was changed");
    }
    show::result(&registry.state_of(name)?);
    Ok(Outcome::Done)
}

fn verify(args: &ModelsListArgs) -> anyhow::Result<Outcome> {
    let folder = args.registry.folder()?;
    require(&folder)?;
    let findings = Registry::verify(&folder)?;
    if args.json {
        show::json(&serde_json::to_string_pretty(&json!({
            "folder": folder.display().to_string(),
            "findings": findings,
        }))?);
    } else if findings.is_empty() {
        let registry = Registry::open(&folder)?;
        show::result(&format!(
            "The registry {} is as it was written: {}, {} of the journal.",
            folder.display(),
            show::counted(registry.models().len(), "model"),
            show::counted(registry.journal().len(), "line")
        ));
    } else {
        for finding in &findings {
            show::result(&format!("{finding}\n  hint: {}", finding.hint()));
        }
    }
    Ok(if findings.is_empty() {
        Outcome::Done
    } else {
        Outcome::No
    })
}

fn why(args: &ModelsWhyArgs) -> anyhow::Result<Outcome> {
    let registry = open(&args.registry)?;
    let decisions = registry.why(args.name.as_deref())?;
    if args.json {
        show::json(&serde_json::to_string_pretty(&decisions)?);
        return Ok(Outcome::Done);
    }
    let lines: String = decisions.iter().map(Why::text).collect();
    show::result(&format!(
        "{}.\n\n{}",
        registry.state_of(args.name.as_deref().unwrap_or("@champion"))?,
        lines.trim_end()
    ));
    Ok(Outcome::Done)
}

/// Whether a model may replace another; 1 where it may not.
fn compare(args: &ModelsCompareArgs) -> anyhow::Result<Outcome> {
    let champion = args.champion.read(&args.config)?.model;
    let challenger = args.challenger.read(&args.config)?.model;
    let data = show::open(&args.config)?;
    let data = data.as_of_text("--as-of", args.as_of.as_ref())?;
    let found = challenge(
        &data,
        &champion,
        &challenger,
        &data.settings().operation,
        &ChallengeOptions::default(),
    )?;
    let word = match (found.is_promotion(), found.is_decided()) {
        (true, _) => "promote",
        (false, true) => "keep",
        (false, false) => "cannot tell",
    };
    if args.json {
        show::json(&serde_json::to_string_pretty(&json!({
            "champion": champion.card.model_id,
            "challenger": challenger.card.model_id,
            "decision": word,
            "because": found.because(),
            "evidence": found.evidence(),
        }))?);
    } else {
        show::result(&format!(
            "champion    {}\nchallenger  {}\n{word}: {}",
            champion.card.model_id,
            challenger.card.model_id,
            found.because()
        ));
    }
    Ok(if found.is_promotion() {
        Outcome::Done
    } else {
        Outcome::No
    })
}
