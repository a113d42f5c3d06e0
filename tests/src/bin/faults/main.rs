//! `faults`: plays seeds of the fault matrix on private servers, in several lanes beside each other, and
//! ends with 1 where a law was broken. `make faults SEEDS=n [SEED_BASE=k]`, `make faults-mutants`.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use clap::{Parser, Subcommand};
use queuegram_tests::faults::lane::{self, Lane};
use queuegram_tests::faults::mutants::{self, Catch, MUTANTS};
use queuegram_tests::faults::report;
use queuegram_tests::faults::scale::Scale;
use queuegram_tests::faults::seed::{self, Play, Verdict};
use queuegram_tests::stage::interrupt::Interrupt;
use tokio::task::JoinSet;

#[derive(Parser)]
#[command(
    about = "The fault matrix: workers under faults that a seed draws, and the laws that must hold"
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    /// By how much all times are divided; 1: the defaults.
    #[arg(long, global = true, default_value_t = 10)]
    scale: u32,
    /// Seeds that are played at the same time, each lane with a broker of its own.
    #[arg(long, global = true, default_value_t = 2)]
    lanes: usize,
}

#[derive(Clone, Copy, Subcommand)]
enum Verb {
    /// Play seeds and judge them.
    Seeds {
        /// How many.
        #[arg(long, default_value_t = 10)]
        seeds: u64,
        /// The first one.
        #[arg(long, default_value_t = 1)]
        base: u64,
    },
    /// Play workers that break a promise until each is caught.
    Mutants {
        /// Only this one.
        #[arg(long)]
        only: Option<Name>,
        /// Seeds that are tried for each.
        #[arg(long, default_value_t = 10)]
        most: u64,
    },
}

/// A mutant's place in the list.
#[derive(Clone, Copy)]
struct Name(usize);

impl std::str::FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = MUTANTS.map(|mutant| mutant.name);
        let found = names.iter().position(|name| *name == text);
        found.map(Self).ok_or_else(|| format!("there are: {}", names.join(", ")))
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut interrupt = Interrupt::listen()?;
    let (scale, lanes) = (Scale(arguments.scale.max(1)), arguments.lanes.max(1));
    tokio::select! {
        signal = interrupt.come() => Ok(signal.exit_code()),
        code = async {
            match arguments.verb {
                Verb::Seeds { seeds, base } => play(scale, lanes, base, seeds).await,
                Verb::Mutants { only, most } => hunt(scale, lanes, only, most).await,
            }
        } => code,
    }
}

async fn play(scale: Scale, lanes: usize, base: u64, seeds: u64) -> Result<ExitCode> {
    let environment = lane::settings(scale).await?;
    let next = Arc::new(AtomicU64::new(base));
    let mut playing = JoinSet::new();
    for _ in 0..u64::try_from(lanes)?.min(seeds) {
        let (next, environment) = (next.clone(), environment.clone());
        playing.spawn(async move {
            let lane = Lane::open().await?;
            let mut verdicts = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= base + seeds {
                    return anyhow::Ok(verdicts);
                }
                let environment = environment.clone();
                let play = Play { seed, scale, environment, schedule: None };
                let verdict = seed::play(&lane, &play).await?;
                tell(&verdict, scale)?;
                verdicts.push(verdict);
            }
        });
    }
    let mut verdicts: Vec<Verdict> = Vec::new();
    let mut broke_off = false;
    while let Some(played) = playing.join_next().await {
        match played? {
            Ok(lane) => verdicts.extend(lane),
            Err(error) => {
                broke_off = true;
                say(&format!("a lane broke off: {error:#}"))?;
            }
        }
    }
    verdicts.sort_by_key(|verdict| verdict.seed);
    say(&format!("\n{}", report::totals(&verdicts, scale)))?;
    let broken = broke_off || verdicts.iter().any(|verdict| !verdict.breaches.is_empty());
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn tell(verdict: &Verdict, scale: Scale) -> Result<()> {
    match &verdict.kept {
        None => say(&report::line(verdict)),
        Some(kept) => say(&format!(
            "{}\nlogs: {}\nagain: make faults SEEDS=1 SEED_BASE={} SCALE={}\n",
            report::story(verdict),
            kept.display(),
            verdict.seed,
            scale.0,
        )),
    }
}

async fn hunt(scale: Scale, lanes: usize, only: Option<Name>, most: u64) -> Result<ExitCode> {
    let environment = lane::settings(scale).await?;
    let wanted: Vec<_> = match only {
        Some(Name(at)) => vec![MUTANTS[at]],
        None => MUTANTS.into(),
    };
    let queue = Arc::new(std::sync::Mutex::new(wanted));
    let mut hunting = JoinSet::new();
    for _ in 0..lanes {
        let (queue, environment) = (queue.clone(), environment.clone());
        hunting.spawn(async move {
            let lane = Lane::open().await?;
            let mut catches: Vec<Catch> = Vec::new();
            loop {
                let mutant = queue.lock().ok().and_then(|mut queue| queue.pop());
                let Some(mutant) = mutant else { return anyhow::Ok(catches) };
                let told = |line: &str| say(line).unwrap_or_default();
                catches.push(mutants::hunt(&lane, mutant, scale, &environment, most, told).await?);
            }
        });
    }
    let mut catches = Vec::new();
    for hunted in hunting.join_all().await {
        catches.extend(hunted?);
    }
    say("\nmutant             law  caught")?;
    for catch in &catches {
        let what = match &catch.caught {
            Some((seed, what)) => format!("at seed {seed}: {what}"),
            None => format!("NOT in {} seeds", catch.tried),
        };
        say(&format!("{:<18} {:<4} {what}", catch.mutant.name, catch.mutant.law))?;
    }
    let all = catches.iter().all(|catch| catch.caught.is_some());
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
