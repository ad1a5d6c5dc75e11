//! `store`: the event store made of tables, written as tables, checked, copied, and a lead of it
//! forgotten.

use std::sync::Arc;

use leadscore::front_end::{counted, now, shown};
use leadscore::{Config, Data, Inputs, TablesRead, check_tables, export_store};
use leadscore_live::{AnswerLog, LogOptions};
use leadscore_serve::audit::Audit;
use leadscore_serve::{Clock, State, limits::AUDIT_BYTES};
use leadscore_store::{Entity, Forgotten, Store, StoreOptions, StorePlace};

use crate::args::{StoreArgs, StoreBackupArgs, StoreCommand, StoreExportArgs, StoreForgetArgs};
use crate::commands::Outcome;
use crate::commands::serve::{self, STATE_FILE, create_store, server_folder};
use crate::show;

pub(crate) fn run(command: &StoreCommand) -> anyhow::Result<Outcome> {
    match command {
        StoreCommand::Import(args) => import(args),
        StoreCommand::Export(args) => export(args),
        StoreCommand::Check(args) => check(args),
        StoreCommand::Backup(args) => backup(args),
        StoreCommand::Forget(args) => forget(args),
    }
}

/// The config, and where its store is.
pub(super) fn place(args: &StoreArgs) -> anyhow::Result<(Config, StorePlace)> {
    serve::place(&args.config, args.store.as_deref())
}

fn import(args: &StoreArgs) -> anyhow::Result<Outcome> {
    let (config, place) = place(args)?;
    if Store::is_there(&place)? {
        let new = match place {
            StorePlace::File(_) => "file",
            StorePlace::Server(_) => "schema",
        };
        anyhow::bail!(
            "{place} is there already\n  hint: name a new {new}, or send further rows to the server"
        );
    }
    let clock: Clock = Arc::new(now);
    create_store(&config, &place, &clock)?;
    Ok(Outcome::Done)
}

fn export(args: &StoreExportArgs) -> anyhow::Result<Outcome> {
    let (config, place) = place(&args.of)?;
    let store = Store::open_read(place)?;
    let files = export_store(&config, &store, &args.output)?;
    for file in files {
        show::remark(&format!("wrote {}", file.display()));
    }
    Ok(Outcome::Done)
}

/// Whether the store is whole, and whether its rows can be read as the config says: the answer of
/// `check`, before anything is computed.
fn check(args: &StoreArgs) -> anyhow::Result<Outcome> {
    let (config, place) = place(args)?;
    let store = Store::open_read(&place)?;
    let wrong = store.check()?;
    for sentence in &wrong {
        show::result(&shown(sentence));
    }
    if !wrong.is_empty() {
        return Ok(Outcome::No);
    }
    show::result(&format!(
        "{place} is whole: {} of {}",
        counted(store.n_events(), "event"),
        counted(store.tables().len(), "table")
    ));
    let inputs = Inputs {
        listener: show::terminal(),
        ..Inputs::default()
    };
    let data = Data::open_store(&config, inputs, &store)?;
    let TablesRead { doubts, notes } = check_tables(&data)?;
    for table in tables_of_nobody(&config, &store) {
        show::result(&format!(
            "note: nothing reads the rows of `{}`, which is no table of the config",
            shown(&table)
        ));
    }
    for note in notes {
        show::result(&format!("note: {}", shown(&note)));
    }
    for doubt in &doubts {
        show::result(&format!("doubt: {doubt}"));
    }
    if doubts.is_empty() {
        show::result("its rows can be read in one way");
        Ok(Outcome::Done)
    } else {
        show::result(&format!(
            "{} to settle: nothing can be computed from these rows",
            counted(doubts.len(), "doubt")
        ));
        Ok(Outcome::Refused)
    }
}

/// Tables that the store has rows of, and the config does not have.
fn tables_of_nobody(config: &Config, store: &Store) -> Vec<String> {
    let known = leadscore::table_columns(config.settings(), None);
    let is_known = |name: &String| known.keys().any(|id| id.to_string() == **name);
    let mut tables = store.tables();
    tables.retain(|name| !is_known(name));
    tables
}

fn backup(args: &StoreBackupArgs) -> anyhow::Result<Outcome> {
    let (_, place) = place(&args.of)?;
    let store = Store::open_read(place)?;
    store.backup(&args.output)?;
    show::remark(&format!("wrote {}", args.output.display()));
    Ok(Outcome::Done)
}

fn forget(args: &StoreForgetArgs) -> anyhow::Result<Outcome> {
    let (config, place) = place(&args.of)?;
    let store = Store::open(&place, StoreOptions::new(Arc::new(now)))?;
    let Forgotten { n_events, n_traces } = store.forget(&Entity::Lead(args.lead.clone()))?;
    store.close()?;
    show::result(&format!(
        "removed {} of `{}`",
        counted(n_events, "event"),
        shown(&args.lead)
    ));
    forget_beside(&config, &place, &args.lead)?;
    show::remark(&traces(&place, n_traces));
    Ok(if n_events == 0 {
        Outcome::No
    } else {
        Outcome::Done
    })
}

/// What is left of a lead in the store.
fn traces(place: &StorePlace, n_traces: Option<usize>) -> String {
    match (place, n_traces) {
        (StorePlace::File(_), Some(0)) => {
            "its ID is nowhere in the bytes of the store any more".to_owned()
        }
        (StorePlace::Server(_), Some(0)) => {
            "its ID is in no row of the store any more; backups, replicas and the log of PostgreSQL have it until they are replaced".to_owned()
        }
        (StorePlace::File(_) | StorePlace::Server(_), Some(n)) => format!(
            "its ID is still in {} of the store: rows of others name it",
            counted(n, "place")
        ),
        (StorePlace::File(_) | StorePlace::Server(_), None) => {
            "its ID is too short to be looked for in the bytes of the store".to_owned()
        }
    }
}

/// Removes a lead from what the server keeps beside a store: thresholds, the log of answers, the
/// audit log.
fn forget_beside(config: &Config, store: &StorePlace, lead: &str) -> anyhow::Result<()> {
    let kept = server_folder(config, store);
    if kept.is_dir() {
        let removed = State::open(&kept.join(STATE_FILE))?.forget(lead)?;
        let audit = Audit::open(&kept, AUDIT_BYTES)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let n_lines = runtime.block_on(audit.forget(lead, "forgotten by command".to_owned()))?;
        show::result(&format!(
            "removed {} of thresholds, and its ID from {} of the audit log",
            counted(removed.n_rows(), "row"),
            counted(n_lines, "line")
        ));
    }
    match &config.settings().serve.log {
        Some(folder) => {
            let log = AnswerLog::open(LogOptions::new(config.folder().join(folder)))?;
            let n_answers = log.forget(lead)?;
            show::result(&format!(
                "removed {} of the log",
                counted(n_answers, "answer")
            ));
        }
        None => show::remark(
            "note: `log` of [serve] names no log of answers; one that was named on the command line still has the lead",
        ),
    }
    Ok(())
}
