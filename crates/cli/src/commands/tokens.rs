//! `tokens`: who may ask the server for what.

use std::path::PathBuf;

use leadscore::Config;
use leadscore::front_end::{now, table};
use leadscore_core::Span;
use leadscore_serve::auth::Role;
use leadscore_serve::tokens::{self, TokenOptions};

use crate::args::{RoleArg, TokensCommand, TokensCreateArgs, TokensFileArgs};
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(command: &TokensCommand) -> anyhow::Result<Outcome> {
    match command {
        TokensCommand::Create(args) => create(args)?,
        TokensCommand::List(args) => list(args)?,
        TokensCommand::Revoke(args) => {
            tokens::revoke(&file_of(&args.file)?, &args.name)?;
            show::remark(&format!("token `{}` is no longer valid", args.name));
        }
    }
    Ok(Outcome::Done)
}

fn create(args: &TokensCreateArgs) -> anyhow::Result<()> {
    let expires = match &args.valid {
        None => None,
        Some(text) => {
            let valid: Span = text.parse()?;
            anyhow::ensure!(
                valid > Span::ZERO,
                "a token that is valid for {text} is valid for nobody\n  hint: write a length such as 90d, or leave it out"
            );
            Some(now() + valid)
        }
    };
    let file = file_of(&args.file)?;
    let token = tokens::create(
        &file,
        TokenOptions {
            name: args.name.clone(),
            role: role(args.role),
            owner: args.owner.clone(),
            expires,
            rate: None,
        },
    )?;
    show::result(&token);
    show::remark(&format!(
        "this is the only time that the token is shown; {} has its hash",
        file.display()
    ));
    Ok(())
}

fn list(args: &TokensFileArgs) -> anyhow::Result<()> {
    let file = file_of(args)?;
    let found = tokens::list(&file)?;
    if found.is_empty() {
        show::remark(&format!(
            "{} has no tokens: only this machine is answered",
            file.display()
        ));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = found
        .into_iter()
        .map(|entry| {
            vec![
                entry.name,
                entry.role.to_string(),
                entry.owner.unwrap_or_else(|| "all".to_owned()),
                entry
                    .expires
                    .map_or_else(|| "no end".to_owned(), |expiry| expiry.0.to_string()),
            ]
        })
        .collect();
    show::result(&table(&["name", "role", "owner", "valid until"], &rows));
    Ok(())
}

/// The file of tokens that the config names.
fn file_of(args: &TokensFileArgs) -> anyhow::Result<PathBuf> {
    let config = Config::read(&args.config.config)?;
    Ok(config.folder().join(&config.settings().serve.tokens))
}

fn role(arg: RoleArg) -> Role {
    match arg {
        RoleArg::Ingest => Role::Ingest,
        RoleArg::Read => Role::Read,
        RoleArg::Act => Role::Act,
        RoleArg::Admin => Role::Admin,
    }
}
