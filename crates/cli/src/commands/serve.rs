//! `serve`: events in, scores out, and the page of sales, until it is asked to end.

mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use leadscore::front_end::{counted, now};
use leadscore::{
    Config, Data, Inputs, Timestamp, check_served_model, is_store_address, store_place,
};
use leadscore_live::{EngineOptions, Imported, LiveEngine, import};
use leadscore_serve::{
    App, AppOptions, Clock, IsHeldBack, Page, PageOptions, ServeOptions, Server, State, TlsFiles,
    hook_routes,
};
use leadscore_store::{Store, StoreOptions, StorePlace};

use self::watch::Watch;
use crate::args::{ConfigArg, ServeArgs};
use crate::commands::Outcome;
use crate::show;

/// Where the store is, if neither the config nor the command says so.
const STORE: &str = "events.store";

/// What is said at the start where others can listen.
const IN_THE_CLEAR: &str = "warning: tokens, the cookie of a session and scores travel in the clear, where other machines can read them; set `certificate` and `key` in [serve], or have a proxy end TLS and set `base` to its https address";

pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<Outcome> {
    let (config, place) = place(&args.config, args.store.as_deref())?;
    let clock = clock(&config, args.now.as_deref())?;
    if !Store::is_there(&place)? {
        // Once there is a store, it is the tables: none is made that nothing can be served from.
        check_served_model(&args.model.read(&args.config)?.model)?;
        create_store(&config, &place, &clock)?;
    }
    let options = StoreOptions::new(Arc::clone(&clock));
    let store = Arc::new(Store::open(&place, options)?);
    let n_events = store.n_events();
    let kept = folder_of_server(&config, &place)?;
    let state = Arc::new(State::open(&kept.join(STATE_FILE))?);
    let watch = Watch::begin(&config, state, &store)?;
    let mut options = EngineOptions {
        log: args.log.clone(),
        ..EngineOptions::new(config.clone(), Arc::clone(&store), Arc::clone(&clock))
    };
    if !config.settings().serve.thresholds.is_empty() {
        options.watcher = Some(watch.watcher());
    }
    if !args.model.is_champion() {
        options.model = Some(args.model.read(&args.config)?.path);
    }
    let engine = Arc::new(LiveEngine::open(options)?);
    let is_held_back = is_held_back(&engine);
    let (app, listening) = put_together(args, &config, engine, kept, &watch, &clock)?;
    let page = Page::open(
        app.clone(),
        PageOptions {
            thresholds: config.settings().serve.thresholds.keys().cloned().collect(),
            labels: config.settings().serve.labels.clone(),
            ..PageOptions::default()
        },
    )?;
    show::let_work_stop();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the threads of the server")?;
    let stopped = runtime.block_on(async {
        let webhooks = Arc::new(watch.call(&clock, Arc::new(now), is_held_back)?);
        let more = page.routes().merge(hook_routes(webhooks));
        let server = Server::bind(app, more, &listening).await?;
        let scheme = if listening.tls.is_some() {
            "https"
        } else {
            "http"
        };
        if server.is_in_the_clear() {
            show::remark(IN_THE_CLEAR);
        }
        show::result(&format!("listening on {scheme}://{}", server.address()));
        show::remark(&format!(
            "{} in {place}; Ctrl-C ends the server",
            counted(n_events, "event")
        ));
        anyhow::Ok(server.run(interrupted()).await?)
    })?;
    if stopped.n_cut > 0 {
        show::remark(&format!(
            "{} did not end in time, and were cut",
            counted(stopped.n_cut, "connection")
        ));
    }
    Ok(Outcome::Done)
}

/// Whether a lead may not be told of when its call is made.
fn is_held_back(engine: &Arc<LiveEngine>) -> IsHeldBack {
    let engine = Arc::clone(engine);
    Arc::new(move |lead| {
        let held_back = engine.is_held_back(lead);
        held_back.map_err(|error| leadscore::error_text(&error, false))
    })
}

/// The server by its config, and where it listens.
fn put_together(
    args: &ServeArgs,
    config: &Config,
    engine: Arc<LiveEngine>,
    kept: PathBuf,
    watch: &Watch,
    clock: &Clock,
) -> anyhow::Result<(App, ServeOptions)> {
    let settings = &config.settings().serve;
    let in_folder = |path: &String| config.folder().join(path);
    let files = settings.certificate.as_ref().zip(settings.key.as_ref());
    let listening = ServeOptions {
        address: args
            .address
            .clone()
            .unwrap_or_else(|| settings.address.clone()),
        tls: files.map(|(certificate, key)| TlsFiles {
            certificate: in_folder(certificate),
            key: in_folder(key),
        }),
        base: settings.base.clone(),
    };
    let app = App::open(
        engine,
        AppOptions {
            log: Arc::new(show::remark),
            expiry: Arc::new(now),
            forgetters: vec![watch.thresholds.forgetter()],
            thresholds: Some(settings.thresholds.keys().cloned().collect()),
            site: listening.site(),
            ..AppOptions::new(kept, in_folder(&settings.tokens), Arc::clone(clock))
        },
    )?;
    Ok((app, listening))
}

/// The config with the store that was typed, that it names, or that is called as usual; and where
/// that is.
pub(crate) fn place(args: &ConfigArg, typed: Option<&str>) -> anyhow::Result<(Config, StorePlace)> {
    let config = Config::read(&args.config)?;
    let config = if let Some(text) = typed {
        if is_store_address(text) {
            config.with_store(text)
        } else {
            let path = std::path::absolute(text).with_context(|| format!("{text} is no path"))?;
            config.with_store(path.display().to_string())
        }
    } else if config.settings().store.is_none() {
        config.with_store(STORE)
    } else {
        config
    };
    let place = store_place(&config)?.expect("the config has one by now");
    Ok((config, place))
}

/// The clock of the system, or one that starts at a moment.
fn clock(config: &Config, start: Option<&str>) -> anyhow::Result<Clock> {
    let Some(text) = start else {
        return Ok(Arc::new(now));
    };
    let start = config.moment("--now", text)?;
    let begin = std::time::Instant::now();
    Ok(Arc::new(move || {
        let micros = i64::try_from(begin.elapsed().as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(start.micros().saturating_add(micros))
    }))
}

/// Makes a store of the tables of a config; whole or not at all.
pub(crate) fn create_store(
    config: &Config,
    place: &StorePlace,
    clock: &Clock,
) -> anyhow::Result<()> {
    let inputs = Inputs {
        listener: show::terminal(),
        ..Inputs::default()
    };
    let data = Data::open(config, inputs)?;
    let options = StoreOptions::new(Arc::clone(clock));
    let Imported { n_rows, left_out } = match place {
        StorePlace::File(path) => {
            let folder = leadscore::front_end::folder_of(path);
            let scratch = tempfile::Builder::new()
                .prefix(".leadscore-store-")
                .tempdir_in(folder)
                .with_context(|| format!("cannot write to {}", folder.display()))?;
            let unfinished = scratch.path().join("events.store");
            let store = Store::create(&unfinished, options)?;
            let imported = import(&data, &store, clock())?;
            store.close_as(path)?;
            imported
        }
        StorePlace::Server(address) => {
            let store = Store::create_unfinished(address, options)?;
            let imported = import(&data, &store, clock())?;
            store.finish(address)?;
            imported
        }
    };
    show::remark(&format!(
        "imported {} of the tables into {place}",
        counted(n_rows, "row")
    ));
    for (table, n) in left_out {
        show::remark(&format!(
            "note: {} of {table} left out, which name no lead or have no time",
            counted(n, "row")
        ));
    }
    Ok(())
}

/// The server's memory in its folder.
pub(crate) const STATE_FILE: &str = "state.sqlite";

/// Where the server keeps what it has beside its store: beside its file; beside the config, where the
/// store is in PostgreSQL.
pub(crate) fn server_folder(config: &Config, store: &StorePlace) -> PathBuf {
    match store {
        StorePlace::File(path) => {
            let mut name = path.as_os_str().to_owned();
            name.push(".server");
            PathBuf::from(name)
        }
        StorePlace::Server(address) => {
            let name = format!("{}.server", address.schema());
            config.folder().join(name)
        }
    }
}

/// The folder of what the server keeps beside its store: audit log, sessions, thresholds.
fn folder_of_server(config: &Config, store: &StorePlace) -> anyhow::Result<PathBuf> {
    let folder = server_folder(config, store);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    Ok(folder)
}

/// Ends once somebody asks the server to end.
async fn interrupted() {
    while !show::is_interrupted() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
