//! A session with an engine: statements run until it says that their result is complete, through
//! lost connections.

use std::time::{Duration, Instant};

use spark_connect_core::{SparkConnectClient, SparkError};
use spark_connect_proto as proto;
use tokio::runtime::Runtime;

use crate::address::Address;
use crate::error::EngineError;

/// Who hears how far a statement is, and says whether it should stop.
pub trait Watch {
    /// So many of so many tasks are done; both grow.
    fn progress(&mut self, done: u64, all: u64);
    /// Whether the user wants it to stop.
    fn is_interrupted(&self) -> bool;
}

/// What a statement gave: batches, each a whole Arrow IPC stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// The streams.
    pub batches: Vec<Vec<u8>>,
    /// Rows of all of them.
    pub n_rows: i64,
}

/// A session.
pub struct Session {
    runtime: Runtime,
    address: Address,
    client: SparkConnectClient,
    session_id: String,
}

/// How long a lost connection is tried again.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a first connection is waited for.
const FIRST_PATIENCE: Duration = Duration::from_secs(20);
/// How long is waited before a lost connection is tried again for the first time; twice as long
/// each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// How often is looked whether the user wants it to stop.
const LOOK: Duration = Duration::from_millis(200);
/// So long without a word, and the engine is asked whether it is still there: a cut cable says
/// nothing.
const SILENCE: Duration = Duration::from_secs(20);
/// Letters of a statement that an error shows.
const SHOWN: usize = 240;

/// What is set so that numbers are those of the embedded engine: UTC, timestamps without zones,
/// errors in place of wrong numbers. The last ones are for time: Spark would follow every
/// expression through all steps of a score, for hours.
const SETTINGS: [(&str, &str); 6] = [
    ("spark.sql.session.timeZone", "UTC"),
    ("spark.sql.timestampType", "TIMESTAMP_NTZ"),
    ("spark.sql.ansi.enabled", "true"),
    ("spark.sql.constraintPropagation.enabled", "false"),
    (
        "spark.sql.optimizer.dynamicPartitionPruning.enabled",
        "false",
    ),
    ("spark.sql.optimizer.runtime.bloomFilter.enabled", "false"),
];

/// Why a stream of responses ended before its result was complete.
enum Broken {
    /// The engine ended the stream, as it does now and then, and goes on: nothing is lost, however
    /// often that is.
    Ended,
    /// The connection went: the statement goes on, and is taken up again.
    Connection(String),
    /// The engine does not know the statement.
    Unknown(String),
    /// The statement failed.
    Failed(String),
    Interrupted,
}

impl Session {
    /// Connects, and makes settings under which numbers are those of the embedded engine.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unreachable`] or [`EngineError::Refused`].
    pub fn connect(address: &Address) -> Result<Self, EngineError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| EngineError::Runtime(error.to_string()))?;
        let client = runtime
            .block_on(SparkConnectClient::connect(&address.builder))
            .map_err(|error| match error.grpc_code() {
                // It would send a token that others could read.
                None => EngineError::Address {
                    why: address.without_secrets(&error.message()),
                },
                Some(_) => address.unreachable(address.without_secrets(&said(&error))),
            })?;
        let session_id = client.session_id().to_owned();
        let mut address = address.clone();
        address.builder.set("session_id", &session_id);
        let session = Self {
            runtime,
            address,
            client,
            session_id,
        };
        session.settle()?;
        Ok(session)
    }

    /// Makes the settings of this session.
    fn settle(&self) -> Result<(), EngineError> {
        for (key, value) in SETTINGS {
            let set = async {
                tokio::time::timeout(FIRST_PATIENCE, self.client.set_config(key, value)).await
            };
            match self.runtime.block_on(set) {
                Ok(Ok(())) => {}
                Ok(Err(error)) if is_refusal(&error) => {
                    return Err(EngineError::Refused {
                        address: self.address.shown(),
                        why: self.said(&error),
                    });
                }
                Ok(Err(error)) => return Err(self.address.unreachable(self.said(&error))),
                Err(_) => {
                    return Err(self.address.unreachable(format!(
                        "nothing came within {} seconds",
                        FIRST_PATIENCE.as_secs()
                    )));
                }
            }
        }
        Ok(())
    }

    /// Host and port.
    pub fn address(&self) -> String {
        self.address.shown()
    }

    /// Runs a query and gives all its rows.
    ///
    /// # Errors
    ///
    /// [`EngineError`]: never fewer rows than there are.
    pub fn query(
        &mut self,
        doing: &str,
        statement: &str,
        watch: &mut dyn Watch,
    ) -> Result<Rows, EngineError> {
        let relation = proto::Relation {
            rel_type: Some(proto::relation::RelType::Sql(proto::Sql {
                query: statement.to_owned(),
                ..Default::default()
            })),
            ..Default::default()
        };
        self.execute(doing, statement, proto::plan::OpType::Root(relation), watch)
    }

    /// Runs a statement that writes.
    ///
    /// # Errors
    ///
    /// [`EngineError`]; `Ok` means that the engine said that it was done.
    pub fn command(
        &mut self,
        doing: &str,
        statement: &str,
        watch: &mut dyn Watch,
    ) -> Result<(), EngineError> {
        let input = proto::Relation {
            rel_type: Some(proto::relation::RelType::Sql(proto::Sql {
                query: statement.to_owned(),
                ..Default::default()
            })),
            ..Default::default()
        };
        // Spark 3.5 reads the one, later ones read the other.
        #[expect(deprecated, reason = "Spark 3.5 knows no other")]
        let sql = proto::SqlCommand {
            sql: statement.to_owned(),
            input: Some(input),
            ..Default::default()
        };
        let command = proto::Command {
            command_type: Some(proto::command::CommandType::SqlCommand(sql)),
        };
        self.execute(
            doing,
            statement,
            proto::plan::OpType::Command(command),
            watch,
        )
        .map(|_| ())
    }

    fn execute(
        &mut self,
        doing: &str,
        statement: &str,
        plan: proto::plan::OpType,
        watch: &mut dyn Watch,
    ) -> Result<Rows, EngineError> {
        let mut run = Run::new(new_id(&self.client));
        let request = self.request(&run.operation_id, plan);
        let failed = |session: &Self, why: String| EngineError::Failed {
            address: session.address(),
            doing: doing.to_owned(),
            why,
            // Statements name locations, and these may have credentials.
            statement: beginning(&session.address.without_secrets(statement)),
        };
        let mut outage = Outage::default();
        let mut is_begun = false;
        loop {
            let before = run.last_response_id.clone();
            let broken = match self
                .runtime
                .block_on(self.stream(&request, is_begun, &mut run, watch))
            {
                Ok(()) => return self.complete(run, doing),
                Err(broken) => broken,
            };
            let why = match broken {
                Broken::Interrupted => {
                    self.interrupt(&run.operation_id);
                    return Err(self.interrupted());
                }
                Broken::Failed(why) => return Err(failed(self, why)),
                // It never arrived, so it can be sent again; once something came, its rows are gone
                // with it.
                Broken::Unknown(why) if run.last_response_id.is_none() => {
                    is_begun = false;
                    why
                }
                Broken::Unknown(why) => {
                    let why = format!("the engine lost the statement: {why}");
                    return Err(failed(self, why));
                }
                Broken::Ended => {
                    is_begun = true;
                    outage = Outage::default();
                    self.sleep(outage.pause);
                    continue;
                }
                Broken::Connection(why) => {
                    is_begun = true;
                    why
                }
            };
            if run.last_response_id != before {
                outage = Outage::default();
            }
            let since = *outage.since.get_or_insert_with(Instant::now);
            if since.elapsed() > PATIENCE {
                return Err(EngineError::Lost {
                    address: self.address(),
                    doing: doing.to_owned(),
                    seconds: since.elapsed().as_secs(),
                    why,
                });
            }
            if watch.is_interrupted() {
                return Err(self.interrupted());
            }
            self.sleep(outage.pause);
            outage.pause = (outage.pause * 2).min(Duration::from_secs(5));
            self.reconnect();
            // An engine that was started anew knows nothing of our settings, without which numbers
            // would differ.
            if !is_begun && self.settle().is_err() {
                is_begun = true;
            }
        }
    }

    /// A request to execute a plan, which can be taken up again over another connection.
    fn request(&self, operation_id: &str, plan: proto::plan::OpType) -> proto::ExecutePlanRequest {
        let option = proto::execute_plan_request::request_option::RequestOption::ReattachOptions(
            proto::ReattachOptions { reattachable: true },
        );
        proto::ExecutePlanRequest {
            session_id: self.session_id.clone(),
            user_context: self.user(),
            operation_id: Some(operation_id.to_owned()),
            plan: Some(proto::Plan {
                op_type: Some(plan),
            }),
            client_type: Some("leadscore".to_owned()),
            request_options: vec![proto::execute_plan_request::RequestOption {
                request_option: Some(option),
            }],
            ..Default::default()
        }
    }

    /// The rows of a result that the engine calls complete, if all of them came.
    fn complete(&self, run: Run, doing: &str) -> Result<Rows, EngineError> {
        self.release(&run.operation_id);
        if run.rows.n_rows != run.expected {
            let (found, expected) = (run.rows.n_rows, run.expected);
            return Err(EngineError::Rows {
                address: self.address(),
                doing: doing.to_owned(),
                found,
                expected,
            });
        }
        Ok(run.rows)
    }

    /// Lets the engine stop a statement and forget its result.
    fn interrupt(&self, operation_id: &str) {
        let _ = self.runtime.block_on(async {
            tokio::time::timeout(
                FIRST_PATIENCE,
                self.client.interrupt_operation(operation_id),
            )
            .await
        });
        self.release(operation_id);
    }

    /// That the user wanted it to stop.
    fn interrupted(&self) -> EngineError {
        EngineError::Interrupted {
            address: self.address(),
        }
    }

    /// Waits so long.
    fn sleep(&self, pause: Duration) {
        self.runtime
            .block_on(async { tokio::time::sleep(pause).await });
    }

    /// Takes a new connection, if there is one: the old one may be dead and not know it.
    fn reconnect(&mut self) {
        if let Ok(client) = self
            .runtime
            .block_on(SparkConnectClient::connect(&self.address.builder))
        {
            self.client = client;
        }
    }

    /// Reads responses until the result is complete.
    async fn stream(
        &self,
        request: &proto::ExecutePlanRequest,
        is_begun: bool,
        run: &mut Run,
        watch: &mut dyn Watch,
    ) -> Result<(), Broken> {
        let opened = async {
            if is_begun {
                let again = proto::ReattachExecuteRequest {
                    session_id: self.session_id.clone(),
                    user_context: self.user(),
                    operation_id: run.operation_id.clone(),
                    last_response_id: run.last_response_id.clone(),
                    ..Default::default()
                };
                self.client.reattach_execute(again).await
            } else {
                self.client.execute_plan(request.clone()).await
            }
        };
        let mut opened = Box::pin(opened);
        let asked = Instant::now();
        let mut stream = loop {
            match tokio::time::timeout(LOOK, &mut opened).await {
                Ok(Ok(stream)) => break stream,
                Ok(Err(error)) => return Err(self.broken_by(&error)),
                Err(_) if watch.is_interrupted() => return Err(Broken::Interrupted),
                Err(_) if asked.elapsed() > SILENCE => self.probe().await?,
                Err(_) => {}
            }
        };
        drop(opened);
        let mut heard = Instant::now();
        loop {
            let mut next = Box::pin(stream.message());
            let response = loop {
                match tokio::time::timeout(LOOK, &mut next).await {
                    Ok(Ok(response)) => break response,
                    Ok(Err(status)) => {
                        // A status of the transport has a cause; one that the engine sent has none.
                        let of_transport = std::error::Error::source(&status).is_some();
                        let error = SparkError::from_grpc_status(status);
                        return Err(if of_transport {
                            Broken::Connection(self.said(&error))
                        } else {
                            self.broken_by(&error)
                        });
                    }
                    Err(_) if watch.is_interrupted() => return Err(Broken::Interrupted),
                    Err(_) if heard.elapsed() > SILENCE => {
                        self.probe().await?;
                        heard = Instant::now();
                    }
                    Err(_) => {}
                }
            };
            drop(next);
            heard = Instant::now();
            // An engine ends a stream now and then; only its word makes a result complete.
            let Some(response) = response else {
                return Err(Broken::Ended);
            };
            if run.take(response, watch) {
                return Ok(());
            }
        }
    }

    /// Asks for a setting: a connection that does not carry even that is dead.
    async fn probe(&self) -> Result<(), Broken> {
        match tokio::time::timeout(SILENCE, self.client.get_configs(&[SETTINGS[0].0])).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.broken_by(&error)),
            Err(_) => Err(Broken::Connection("no word from the engine".to_owned())),
        }
    }

    /// Lets the engine forget a result; nothing is lost where it does not hear it.
    fn release(&self, operation_id: &str) {
        let request = proto::ReleaseExecuteRequest {
            session_id: self.session_id.clone(),
            user_context: self.user(),
            operation_id: operation_id.to_owned(),
            release: Some(proto::release_execute_request::Release::ReleaseAll(
                proto::release_execute_request::ReleaseAll {},
            )),
            ..Default::default()
        };
        let _ = self.runtime.block_on(async {
            tokio::time::timeout(LOOK * 10, self.client.release_execute(request)).await
        });
    }

    /// What an error says, without secrets.
    fn said(&self, error: &SparkError) -> String {
        self.address.without_secrets(&said(error))
    }

    fn broken_by(&self, error: &SparkError) -> Broken {
        const UNAVAILABLE: i32 = 14;
        // What the engine says decides, what is shown lacks secrets.
        let (text, shown) = (said(error), self.said(error));
        if text.contains("OPERATION_NOT_FOUND") || text.contains("SESSION_NOT_FOUND") {
            Broken::Unknown(shown)
        } else if error.grpc_code() == Some(UNAVAILABLE)
            || text.contains("DISCONNECTED")
            || text.contains("transport error")
        {
            Broken::Connection(shown)
        } else {
            Broken::Failed(shown)
        }
    }

    fn user(&self) -> Option<proto::UserContext> {
        Some(proto::UserContext {
            user_id: self.client.user_id().unwrap_or("leadscore").to_owned(),
            ..Default::default()
        })
    }
}

/// What of a statement's result has come.
struct Run {
    operation_id: String,
    last_response_id: Option<String>,
    rows: Rows,
    /// Rows that there must be by what the engine said of its batches.
    expected: i64,
}

impl Run {
    /// Nothing has come yet.
    fn new(operation_id: String) -> Self {
        Self {
            operation_id,
            last_response_id: None,
            rows: Rows::default(),
            expected: 0,
        }
    }

    /// Takes a response in; says whether the result is complete with it.
    fn take(&mut self, response: proto::ExecutePlanResponse, watch: &mut dyn Watch) -> bool {
        use proto::execute_plan_response::ResponseType;
        use proto::execute_plan_response::execution_progress::StageInfo;
        if !response.response_id.is_empty() {
            self.last_response_id = Some(response.response_id);
        }
        match response.response_type {
            Some(ResponseType::ResultComplete(_)) => return true,
            Some(ResponseType::ArrowBatch(batch)) => {
                self.expected = batch.start_offset.unwrap_or(self.rows.n_rows) + batch.row_count;
                self.rows.n_rows += batch.row_count;
                self.rows.batches.push(batch.data.into());
            }
            Some(ResponseType::ExecutionProgress(progress)) => {
                let count = |of: fn(&StageInfo) -> i64| {
                    progress
                        .stages
                        .iter()
                        .map(|stage| u64::try_from(of(stage)).unwrap_or(0))
                        .sum()
                };
                watch.progress(
                    count(|stage| stage.num_completed_tasks),
                    count(|stage| stage.num_tasks),
                );
            }
            _ => {}
        }
        false
    }
}

/// A row of failures in which nothing came.
struct Outage {
    /// When the first of them was.
    since: Option<Instant>,
    /// How long is waited before the next try.
    pause: Duration,
}

impl Default for Outage {
    fn default() -> Self {
        Self {
            since: None,
            pause: FIRST_PAUSE,
        }
    }
}

/// An id that no other has.
fn new_id(client: &SparkConnectClient) -> String {
    client.with_new_session_id().session_id().to_owned()
}

/// Whether the engine does not let us in.
fn is_refusal(error: &SparkError) -> bool {
    const UNAUTHENTICATED: i32 = 16;
    const PERMISSION_DENIED: i32 = 7;
    error
        .grpc_code()
        .is_some_and(|code| [UNAUTHENTICATED, PERMISSION_DENIED].contains(&code))
}

/// What an error says, without its stack; its further lines are indented.
fn said(error: &SparkError) -> String {
    let text = error.message();
    let text = text
        .lines()
        .take_while(|line| !line.trim_start().starts_with("at "))
        .collect::<Vec<_>>()
        .join("\n  ");
    text.trim().to_owned()
}

fn beginning(statement: &str) -> String {
    let mut text: String = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(cut);
        text.push('…');
    }
    text
}
