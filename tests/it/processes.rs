//! What /proc says about a process and its descendants: who they are and where they listen.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

/// A process, told apart from a later one with the same number by its start time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    pub pid: u32,
    started: u64,
    pub command: String,
}

impl Process {
    /// Whether it still runs; a zombie that nobody has collected yet does not.
    pub fn lives(&self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.started == self.started && stat.state != "Z")
    }
}

/// `root`'s descendants, itself not among them.
pub fn descendants(root: u32) -> BTreeSet<Process> {
    let mut children = BTreeMap::<u32, Vec<u32>>::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        if let Ok(pid) = entry.file_name().to_string_lossy().parse()
            && let Some(stat) = stat(pid)
        {
            children.entry(stat.parent).or_default().push(pid);
        }
    }
    let mut found = BTreeSet::new();
    let mut open = vec![root];
    while let Some(parent) = open.pop() {
        for &pid in children.get(&parent).into_iter().flatten() {
            open.push(pid);
            if let Some(stat) = stat(pid) {
                let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                let command = String::from_utf8_lossy(&command).replace('\0', " ");
                found.insert(Process { pid, started: stat.started, command });
            }
        }
    }
    found
}

struct Stat {
    state: String,
    parent: u32,
    started: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, the name, may hold spaces and brackets: count from its last bracket.
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    Some(Stat {
        state: (*fields.first()?).to_owned(),
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

/// The TCP addresses that these processes listen on.
pub fn listening(processes: &BTreeSet<Process>) -> BTreeSet<SocketAddr> {
    let mut inodes = BTreeSet::new();
    for process in processes {
        let folder = format!("/proc/{}/fd", process.pid);
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if let Ok(target) = std::fs::read_link(entry.path())
                && let Some(inode) = target.to_string_lossy().strip_prefix("socket:[")
            {
                inodes.insert(inode.trim_end_matches(']').to_owned());
            }
        }
    }
    let all = listeners();
    all.into_iter()
        .filter(|(_, inode)| inodes.contains(inode))
        .map(|(address, _)| address)
        .collect()
}

/// Every address of this machine that somebody listens on.
pub fn all_listening() -> BTreeSet<SocketAddr> {
    listeners().into_iter().map(|(address, _)| address).collect()
}

fn listeners() -> Vec<(SocketAddr, String)> {
    const LISTEN: &str = "0A";
    let mut found = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = if Path::new(table).exists() {
            std::fs::read_to_string(table).unwrap()
        } else {
            continue;
        };
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if fields[3] == LISTEN {
                found.push((socket_address(fields[1]), fields[9].to_owned()));
            }
        }
    }
    found
}

/// The kernel prints an address as 32-bit words in the machine's own byte order.
fn socket_address(text: &str) -> SocketAddr {
    let (address, port) = text.split_once(':').unwrap();
    let bytes: Vec<u8> = (0..address.len())
        .step_by(8)
        .flat_map(|at| u32::from_str_radix(&address[at..at + 8], 16).unwrap().to_ne_bytes())
        .collect();
    let address: IpAddr = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => Ipv4Addr::from(four).into(),
        Err(_) => Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).unwrap()).into(),
    };
    SocketAddr::new(address, u16::from_str_radix(port, 16).unwrap())
}
