//! Opening one connection, within a bound, and leaving nothing behind when the bound is over; the
//! bytes that come in pass a filter that keeps lapin from falling over them ([`mend`]).
//!
//! lapin runs each connection on a thread of its own, and that thread outlives a connecting future
//! that is dropped: against a broker that accepts and then says nothing, every try would leave a
//! thread and its sockets. So we keep a second handle on the socket until the connection stands,
//! and shut it down when it doesn't come to that.

mod filter;
mod mend;
mod reactor;

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};

use async_rs::Tokio;
use async_rs::traits::Reactor;
use lapin::tcp::{AsyncTcpStream, OwnedTLSConfig};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionProperties};
use tokio::time::timeout;

use self::filter::Filter;
use self::reactor::Socket;
use crate::config::Settings;
use crate::error::{BusError, Doing, from_lapin};

pub(crate) use self::mend::header as mend_header;

/// Opens a connection; `name` is what the management UI shows.
pub(crate) async fn connect(settings: &Settings, name: &str) -> Result<Connection, BusError> {
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let runtime = reactor::runtime();
    let attempt = Attempt::default();
    let socket = attempt.socket.clone();
    let connecting = Connection::connector(
        settings.uri.clone(),
        runtime,
        async move |uri: AMQPUri, _runtime: reactor::FilteringRuntime| {
            let socket = open(&uri, &socket).await?;
            Ok(AsyncTcpStream::Plain(Filter::new(socket)))
        },
        properties,
    );
    let outcome = match timeout(settings.connect_timeout, connecting).await {
        Ok(Ok(connection)) => {
            attempt.stands();
            return Ok(connection);
        }
        Ok(Err(error)) => from_lapin(&error, Doing::Connecting),
        Err(_) => BusError::Unreachable {
            why: format!("no answer within {} s", settings.connect_timeout.as_secs_f64()),
        },
    };
    Err(outcome)
}

/// Connects to the first address that answers, and leaves a second handle on the socket in `place`.
async fn open(uri: &AMQPUri, place: &Mutex<Place>) -> io::Result<Socket> {
    let host = uri.authority.host.as_str();
    let kit = Tokio::current();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in tokio::net::lookup_host((host, uri.authority.port)).await? {
        let stream = match kit.tcp_connect_addr(address).await {
            Ok(stream) => stream,
            Err(why) => {
                last = why;
                continue;
            }
        };
        let second = TcpStream::from(stream.get_ref().as_fd().try_clone_to_owned()?);
        match &mut *place.lock().unwrap_or_else(PoisonError::into_inner) {
            // lapin opens sockets on a task of its own, which may come to it later than the end.
            Place::Over => return Err(io::Error::from(io::ErrorKind::TimedOut)),
            place => *place = Place::Opened(second),
        }
        let plain = AsyncTcpStream::Plain(stream);
        return match uri.scheme {
            AMQPScheme::AMQP => Ok(plain),
            AMQPScheme::AMQPS => plain.into_tls(host, OwnedTLSConfig::default().as_ref()).await,
        };
    }
    Err(last)
}

/// A try to connect. Dropped, in whatever way, it takes the socket with it.
#[derive(Default)]
struct Attempt {
    socket: Arc<Mutex<Place>>,
}

/// Where the second handle on its socket is kept.
#[derive(Default)]
enum Place {
    #[default]
    Empty,
    Opened(TcpStream),
    /// The try has ended: no socket may be opened any more.
    Over,
}

impl Attempt {
    /// The connection stands: from now on the socket is lapin's alone.
    fn stands(&self) {
        self.end();
    }

    fn end(&self) -> Place {
        let mut place = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, Place::Over)
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Place::Opened(socket) = self.end() {
            // An error means that the other side was faster.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}
