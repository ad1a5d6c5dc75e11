//! `tokens`: who may ask the server for what.

use std::path::PathBuf;

use leadscore::Config;
use leadscore::front_end::{now, table};
use leadscore_core::Span;
use leadscore_serve::auth::{Right, Role};
use leadscore_serve::tokens::{self, TokenOptions};

use crate::args::{RoleArg, TokensCommand, TokensCreateArgs, TokensFileArgs};
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(command: &TokensCommand) -> anyhow::Result<Outcome> {
    match command {
        TokensCommand::Create(args) => create(args)?,
        TokensCommand::List(args) => list(args)?,
        TokensCommand::Revoke(args) => {
            let config = Config::read(&args.file.config.config)?;
            tokens::revoke(&file_of(&config), &args.name)?;
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
    let config = Config::read(&args.file.config.config)?;
    let file = file_of(&config);
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
    show::remark(&what_it_may(role(args.role), args.owner.as_deref()));
    if args.owner.is_some() && config.settings().serve.owner.is_none() {
        show::remark(
            "warning: no lead has an owner until `owner` in [serve] names the column of the leads that has it",
        );
    }
    Ok(())
}

/// What a token may see and do, in a sentence.
fn what_it_may(role: Role, owner: Option<&str>) -> String {
    let whose = owner.map_or_else(
        || "all leads".to_owned(),
        |owner| format!("leads of {owner}"),
    );
    let held_back = if role.sees_held_back(owner) {
        "with"
    } else {
        "without"
    };
    let rights = [
        (
            Right::Read,
            format!("see {whose}, {held_back} the scores of held-back ones"),
        ),
        (Right::Act, "say what became of them".to_owned()),
        (Right::Append, format!("append events of {whose}")),
        (
            Right::Forget,
            format!("forget {whose}, and see and repeat calls of webhooks about them"),
        ),
    ];
    let may: Vec<String> = rights
        .into_iter()
        .filter(|(right, _)| role.may(*right))
        .map(|(_, what)| what)
        .collect();
    format!("the token may {}; nothing else", may.join("; "))
}

fn list(args: &TokensFileArgs) -> anyhow::Result<()> {
    let file = file_of(&Config::read(&args.config.config)?);
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
fn file_of(config: &Config) -> PathBuf {
    config.folder().join(&config.settings().serve.tokens)
}

fn role(arg: RoleArg) -> Role {
    match arg {
        RoleArg::Ingest => Role::Ingest,
        RoleArg::Read => Role::Read,
        RoleArg::Act => Role::Act,
        RoleArg::Admin => Role::Admin,
    }
}
