//! The one `main` of all services: arguments → configuration → telemetry → admin port → the service → orderly stop.
//!
//! ```no_run
//! use std::process::ExitCode;
//! # use serde::{Deserialize, Serialize};
//! struct Greeter;
//!
//! #[derive(Deserialize, Serialize)]
//! #[serde(deny_unknown_fields)]
//! struct GreeterConfig {
//!     greeting: String,
//! }
//!
//! impl chassis::Service for Greeter {
//!     const NAME: &str = "greeter";
//!     const VERSION: &str = env!("CARGO_PKG_VERSION");
//!     const DEFAULTS: &str = "greeting = 'hello'";
//!     type Config = GreeterConfig;
//!     type Command = chassis::NoCommand;
//!
//!     async fn run(config: GreeterConfig, context: chassis::Context) -> anyhow::Result<()> {
//!         tracing::info!("{}", config.greeting);
//!         context.lifecycle.soft().cancelled().await;
//!         Ok(())
//!     }
//! }
//!
//! fn main() -> ExitCode {
//!     chassis::main::<Greeter>()
//! }
//! # use queuegram_chassis as chassis;
//! ```

use anyhow::Context as _;
use std::{io::Write, path::Path, process::ExitCode, time::Duration};

use clap::{CommandFactory, FromArgMatches, Subcommand};
use prometheus::{Registry, process_collector::ProcessCollector};
use serde::{Serialize, de::DeserializeOwned};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    ChassisConfig, Clock, ConfigError, Invalid, Lifecycle, Loader, Readiness, Telemetry,
    admin::{Admin, Seen},
    cli::{Cli, Command, ConfigAction},
    sections,
};

/// Address space of a worker thread's stack, of which only what is used is memory. Futures lie within futures here, and
/// unoptimised their frames are big: two MiB, the default, were overrun.
const STACK_BYTES: usize = 8 * 1024 * 1024;
/// A task crashed, or the process could not start for a reason other than its settings.
pub const EXIT_CRASHED: u8 = 1;
/// Arguments or configuration that can't be used (`EX_USAGE` of sysexits).
pub const EXIT_BAD_CONFIG: u8 = 64;

/// Time between the hard token and giving up on the tasks that are left.
const ABORT_LIMIT: Duration = Duration::from_secs(5);

/// A program that hangs in the chassis.
pub trait Service: Sized + 'static {
    /// Name of the program, as in `queuegram-worker`.
    const NAME: &'static str;
    /// Its version: `env!("CARGO_PKG_VERSION")`.
    const VERSION: &'static str;
    /// Its settings in TOML, all that have a default.
    const DEFAULTS: &'static str;
    /// Filters that hold whatever `telemetry.log` says, for libraries that log what must not be logged.
    const LOG_DIRECTIVES: &'static [&'static str] = &[];
    /// Its own sections, without those of [`ChassisConfig`]. Should refuse unknown fields, at every level.
    type Config: DeserializeOwned + Serialize + Send;
    /// Its own subcommands; [`crate::NoCommand`] for none.
    type Command: Subcommand;

    /// Checks what types can't say. The error names the key, and is shown with its origin.
    ///
    /// # Errors
    /// The first setting that can't be used.
    fn validate(_config: &Self::Config) -> Result<(), Invalid> {
        Ok(())
    }

    /// Runs one of its own subcommands, before any configuration is read.
    ///
    /// # Errors
    /// Shown as it is, with exit code 1.
    fn command(_command: Self::Command, _config_file: Option<&Path>) -> anyhow::Result<ExitCode> {
        Ok(ExitCode::SUCCESS)
    }

    /// Does the work until `context.lifecycle.soft()`, and returns when what it started is finished.
    /// An error is a crash.
    fn run(
        config: Self::Config,
        context: Context,
    ) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// What the chassis hands to a service.
#[derive(Clone, Debug)]
pub struct Context {
    /// Starts tasks, and tells them when to end.
    pub lifecycle: Lifecycle,
    /// Takes the service's metrics.
    pub registry: Registry,
    /// Takes the service's latches.
    pub readiness: Readiness,
    /// Tells the time.
    pub clock: Clock,
    /// The chassis' own settings, for what must be derived from them (such as time limits within the drain).
    pub chassis: ChassisConfig,
}

/// Runs a service as a process; the whole body of its `fn main`.
#[must_use]
pub fn main<S: Service>() -> ExitCode {
    let matches =
        match Cli::<S::Command>::command().name(S::NAME).version(S::VERSION).try_get_matches() {
            Ok(matches) => matches,
            Err(error) => {
                let _ = error.print();
                return ExitCode::from(if error.use_stderr() { EXIT_BAD_CONFIG } else { 0 });
            }
        };
    let cli = match Cli::<S::Command>::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let file = cli.config.as_deref();
    match cli.command.unwrap_or(Command::Run) {
        Command::Own(command) => S::command(command, file).unwrap_or_else(|error| {
            eprintln!("{}: {error:#}", S::NAME);
            ExitCode::from(EXIT_CRASHED)
        }),
        // What is missing or wrong is easier found with everything printed.
        Command::Config(args) if args.action == ConfigAction::Print => {
            with_settings::<S>(load::<S>(file), |settings| look(args.action, &settings))
        }
        Command::Config(args) => {
            with_settings::<S>(read::<S>(file), |settings| look(args.action, &settings))
        }
        Command::Run => with_settings::<S>(read::<S>(file), run::<S>),
    }
}

/// Settings that have been read.
struct Settings<C> {
    chassis: ChassisConfig,
    own: C,
    ignored: Vec<String>,
    /// Where the chassis' own came from.
    of_chassis: Loader,
    /// Where the service's came from.
    of_own: Loader,
}

fn with_settings<S: Service>(
    settings: Result<Settings<S::Config>, ConfigError>,
    then: impl FnOnce(Settings<S::Config>) -> ExitCode,
) -> ExitCode {
    match settings {
        Ok(settings) => then(settings),
        Err(error) => {
            eprintln!("{}: {error}", S::NAME);
            ExitCode::from(EXIT_BAD_CONFIG)
        }
    }
}

/// The settings as they were given.
fn load<S: Service>(file: Option<&Path>) -> Result<Settings<S::Config>, ConfigError> {
    let mut loader = Loader::new(&[sections::DEFAULTS, S::DEFAULTS], file)?;
    let of_chassis = loader.split_off(&sections::SECTIONS);
    let (chassis, own) = (of_chassis.read()?, loader.read()?);
    let ignored = loader.ignored_variables().to_vec();
    Ok(Settings { chassis, own, ignored, of_chassis, of_own: loader })
}

/// The same, found to make sense.
fn read<S: Service>(file: Option<&Path>) -> Result<Settings<S::Config>, ConfigError> {
    let settings = load::<S>(file)?;
    let wrong = |loader: &Loader, invalid: Invalid| ConfigError::Wrong {
        origin: loader.origin(&invalid.key),
        key: invalid.key,
        reason: invalid.reason,
    };
    settings.chassis.validate().map_err(|invalid| wrong(&settings.of_chassis, invalid))?;
    S::validate(&settings.own).map_err(|invalid| wrong(&settings.of_own, invalid))?;
    Ok(settings)
}

fn look<C: Serialize>(action: ConfigAction, settings: &Settings<C>) -> ExitCode {
    let texts = (toml::to_string(&settings.chassis), toml::to_string(&settings.own));
    let (Ok(chassis), Ok(own)) = texts else {
        eprintln!("the configuration can't be shown as TOML");
        return ExitCode::from(EXIT_CRASHED);
    };
    match action {
        // A service's own top-level keys have to stand before the first section.
        ConfigAction::Print => {
            // A reader that has seen enough (`| head`) is no failure.
            let _ = writeln!(std::io::stdout(), "{own}\n{chassis}");
        }
        ConfigAction::Check => {
            println!("the configuration is usable");
            for name in &settings.ignored {
                println!("note: {name} is no setting (sections end with two underscores)");
            }
        }
    }
    ExitCode::SUCCESS
}

fn run<S: Service>(settings: Settings<S::Config>) -> ExitCode {
    let telemetry = match Telemetry::init(
        S::NAME,
        S::VERSION,
        &settings.chassis.telemetry,
        S::LOG_DIRECTIVES,
    ) {
        Ok(telemetry) => telemetry,
        Err(error) => {
            eprintln!("{}: {error}", S::NAME);
            return ExitCode::from(EXIT_BAD_CONFIG);
        }
    };
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK_BYTES)
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| {
            let ended = runtime.block_on(serve::<S>(settings));
            // What is left after the drain and its limit must not hold up the end of the process.
            runtime.shutdown_timeout(Duration::from_secs(1));
            ended
        });
    let code = match ended {
        Ok(()) => {
            tracing::info!("stopped");
            0
        }
        Err(error) => {
            tracing::error!(reason = format!("{error:#}"), "ended by a crash");
            EXIT_CRASHED
        }
    };
    telemetry.flush();
    ExitCode::from(code)
}

async fn serve<S: Service>(settings: Settings<S::Config>) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let context = Context {
        lifecycle: Lifecycle::default(),
        registry: Registry::new(),
        readiness: Readiness::default(),
        clock: Clock::system(),
        chassis: settings.chassis,
    };
    tracing::info!(service = S::NAME, version = S::VERSION, "starting");
    for name in &settings.ignored {
        tracing::warn!(variable = name, "not a setting: sections end with two underscores");
    }
    let Context { lifecycle, registry, readiness, chassis, .. } = context.clone();
    register_own::<S>(&registry)?;
    let seen = Seen { readiness: readiness.clone(), registry, lifecycle: lifecycle.clone() };
    let listen = chassis.admin.listen;
    let admin = Admin::bind(listen, seen).await;
    let admin = admin.with_context(|| format!("admin.listen: {listen} can't be listened at"))?;
    // Outside the lifecycle, since it answers until the very end of the drain.
    let serving = tokio::spawn({
        let lifecycle = lifecycle.clone();
        async move {
            if let Err(error) = admin.serve().await {
                lifecycle.crashed("admin", error.to_string());
            }
        }
    });
    lifecycle.spawn("service", {
        let (lifecycle, work) = (lifecycle.clone(), S::run(settings.own, context));
        async move {
            work.await?;
            lifecycle.stop("the service is done");
            Ok(())
        }
    });
    let ended =
        until_stopped(&lifecycle, &readiness, &mut signals, chassis.lifecycle.drain()).await;
    serving.abort();
    ended
}

async fn until_stopped(
    lifecycle: &Lifecycle,
    readiness: &Readiness,
    signals: &mut Signals,
    drain: Duration,
) -> anyhow::Result<()> {
    let soft = lifecycle.soft();
    tokio::select! {
        () = soft.cancelled() => {}
        name = signals.next() => lifecycle.stop(name),
    }
    readiness.not_ready("stopping");
    tokio::select! {
        () = lifecycle.drained() => {}
        name = signals.next() => lifecycle.abort(name),
        () = tokio::time::sleep(drain) => lifecycle.abort("the drain took longer than lifecycle.drain_s"),
    }
    tokio::time::timeout(ABORT_LIMIT, lifecycle.drained()).await?;
    lifecycle.crash().map_or(Ok(()), |crash| Err(crash.clone().into()))
}

/// What is true of every process: which program it is, and what it uses of memory, processor and files.
fn register_own<S: Service>(registry: &Registry) -> prometheus::Result<()> {
    let help = "Always 1; the labels say which program and version runs.";
    let info = prometheus::IntGaugeVec::new(
        prometheus::Opts::new("queuegram_build_info", help),
        &["service", "version"],
    )?;
    info.with_label_values(&[S::NAME, S::VERSION]).set(1);
    registry.register(Box::new(info))?;
    registry.register(Box::new(ProcessCollector::for_self()))
}

/// SIGTERM (a supervisor) and SIGINT (Ctrl-C).
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
