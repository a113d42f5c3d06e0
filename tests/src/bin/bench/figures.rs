//! What the processes that a bench started hold: memory and file descriptors, from `/proc`.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::time::Duration;

/// A process of the bench.
#[derive(Debug, Clone)]
pub struct Process {
    /// The program, as far as the kernel remembers its name (15 bytes).
    pub name: String,
    /// Resident memory in bytes.
    pub rss: u64,
    /// Open file descriptors.
    pub fds: usize,
    /// Seconds of a core that it has used.
    pub cpu_s: f64,
}

/// What several processes hold together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Total {
    /// Resident memory in bytes.
    pub rss: u64,
    /// Open file descriptors.
    pub fds: usize,
    /// Seconds of a core that they have used.
    pub cpu_s: f64,
}

/// Every process that descends from this one.
pub fn family() -> Vec<Process> {
    let all: Vec<(u32, u32, String)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            Some((pid, field(&status, "PPid:")?.parse().ok()?, field(&status, "Name:")?.to_owned()))
        })
        .collect();
    let mut ours = HashSet::from([std::process::id()]);
    let mut before = 0;
    while ours.len() > before {
        before = ours.len();
        ours.extend(
            all.iter()
                .filter(|(_, of, _)| ours.contains(of))
                .map(|(pid, ..)| *pid)
                .collect::<Vec<_>>(),
        );
    }
    ours.remove(&std::process::id());
    let ours = all.into_iter().filter(|(pid, ..)| ours.contains(pid));
    ours.filter_map(|(pid, _, name)| look(pid, name)).collect()
}

/// What all processes of that name hold together, and have used.
pub fn of(family: &[Process], name: &str) -> Total {
    let named = family.iter().filter(|process| process.name.starts_with(name));
    named.fold(Total::default(), |total, process| Total {
        rss: total.rss + process.rss,
        fds: total.fds + process.fds,
        cpu_s: total.cpu_s + process.cpu_s,
    })
}

fn look(pid: u32, name: String) -> Option<Process> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kilobytes: u64 = field(&status, "VmRSS:")?.split(' ').next()?.parse().ok()?;
    let fds = fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    Some(Process { name, rss: kilobytes * 1024, fds, cpu_s: cpu_s(pid) })
}

/// User and system time; the kernel counts hundredths of a second on every machine that we know.
fn cpu_s(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name may hold anything, so the fields are counted from its end.
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let ticks = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// What the machine allows.
pub struct Limits {
    files: String,
    cores: usize,
}

impl Limits {
    /// Those of this process, which its children inherit.
    pub fn read() -> Self {
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let files = field(&limits, "Max open files").unwrap_or("?");
        let files = files.split_whitespace().take(2).collect::<Vec<_>>().join("/");
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        Self { files, cores }
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} cores, file descriptors (soft/hard) {}", self.cores, self.files)
    }
}

/// Seconds with one decimal.
pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Mebibytes.
pub fn mib(bytes: u64) -> String {
    format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20))
}

/// Kibibytes of each of `count`.
pub fn kib_each(bytes: u64, count: usize) -> String {
    format!("{:.1} KiB", bytes as f64 / 1024.0 / count.max(1) as f64)
}
