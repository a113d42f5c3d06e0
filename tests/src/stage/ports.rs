//! Free loopback ports for servers that must be told theirs.
//!
//! Between our look and the server's bind anybody may take a port. So they come from below the range
//! that the kernel gives to outgoing connections, at random, and whoever starts a server tries again
//! with new ports when it fails ([`TRIES`]).

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

use anyhow::{Result, bail};

/// How often a server is started with new ports before giving up.
pub const TRIES: usize = 4;

const LOWEST: u16 = 20_000;
const HIGHEST: u16 = 32_000;

/// `N` different ports that nobody listens on, on 127.0.0.1 and ::1.
///
/// # Errors
/// When none is found in 2,000 looks.
pub fn free<const N: usize>() -> Result<[u16; N]> {
    let mut found = Vec::with_capacity(N);
    let mut held = Vec::new();
    for _ in 0..2_000 {
        if found.len() == N {
            break;
        }
        let port = random_port();
        if found.contains(&port) {
            continue;
        }
        let Ok(four) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) else { continue };
        // epmd listens on ::1 as well where there is one; a machine without IPv6 is no hindrance.
        match TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
            Ok(six) => held.push(six),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => continue,
            Err(_) => {}
        }
        held.push(four);
        found.push(port);
    }
    match found.try_into() {
        Ok(ports) => Ok(ports),
        Err(_) => {
            bail!("no {N} free ports between {LOWEST} and {HIGHEST} on the loopback interface")
        }
    }
}

fn random_port() -> u16 {
    let span = u128::from(HIGHEST - LOWEST);
    let offset = u16::try_from(uuid::Uuid::new_v4().as_u128() % span).unwrap_or_default();
    LOWEST + offset
}
