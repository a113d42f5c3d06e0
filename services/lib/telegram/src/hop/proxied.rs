//! The way out through an account's SOCKS5 proxy. The sockets are the same as without one, with all that the kernel is
//! told about them.
//!
//! The library is grammers' own for this. The other one's client ends in a panic where a proxy answers with a number that
//! the protocol does not have.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_socks::Error;
use tokio_socks::tcp::Socks5Stream;
use tracing::debug;

use super::Outside;
use crate::proxy::{Proxy, ProxyTrouble};

/// Addresses of a proxy's name that are tried, at most.
const ADDRESSES_MAX: usize = 4;

/// A connection to `target` through the proxy, in bounded time.
pub(super) async fn connect(
    outside: Outside,
    proxy: &Proxy,
    target: SocketAddr,
) -> Result<TcpStream, ProxyTrouble> {
    let connecting = async {
        let socket = reach(outside, proxy).await?;
        let asked = match proxy.credentials() {
            None => Socks5Stream::connect_with_socket(socket, target).await,
            Some(with) => {
                let (name, password) = (with.username.as_str(), with.password.expose());
                Socks5Stream::connect_with_password_and_socket(socket, target, name, password).await
            }
        };
        asked.map(Socks5Stream::into_inner).map_err(|error| {
            debug!(%error, ?proxy, "the proxy did not connect");
            trouble(&error)
        })
    };
    timeout(outside.proxy_max, connecting).await.unwrap_or(Err(ProxyTrouble::Unreachable))
}

/// A connection to the proxy itself, by the first of its addresses that takes one.
async fn reach(outside: Outside, proxy: &Proxy) -> Result<TcpStream, ProxyTrouble> {
    let addresses = lookup_host((proxy.host(), proxy.port())).await.map_err(|error| {
        debug!(%error, ?proxy, "the proxy's name is not known");
        ProxyTrouble::Unreachable
    })?;
    let addresses: Vec<SocketAddr> = addresses.take(ADDRESSES_MAX).collect();
    // One that swallows everything must leave time for the others.
    let share = u32::try_from(addresses.len() + 1).unwrap_or(u32::MAX);
    let each: Duration = if share == 2 { outside.proxy_max } else { outside.proxy_max / share };
    for address in addresses {
        match timeout(each, outside.connect(address)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => debug!(%error, %address, "no connection to the proxy"),
            Err(_) => debug!(%address, "no connection to the proxy in time"),
        }
    }
    Err(ProxyTrouble::Unreachable)
}

fn trouble(error: &Error) -> ProxyTrouble {
    match error {
        Error::PasswordAuthFailure(_)
        | Error::AuthorizationRequired
        | Error::NoAcceptableAuthMethods
        | Error::InvalidAuthValues(_)
        | Error::ConnectionNotAllowedByRuleset => ProxyTrouble::Refused,
        Error::GeneralSocksServerFailure
        | Error::NetworkUnreachable
        | Error::HostUnreachable
        | Error::ConnectionRefused
        | Error::TtlExpired
        | Error::CommandNotSupported
        | Error::AddressTypeNotSupported => ProxyTrouble::NoRoute,
        _ => ProxyTrouble::Unreachable,
    }
}
