//! The runtime that lapin runs on: tokio, with sockets that go through the [`Filter`].

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures_util::Stream;
use futures_util::io::{AsyncRead, AsyncWrite};
use lapin::tcp::AsyncTcpStream;

use super::filter::Filter;

/// A socket of tokio's, plain or with TLS.
pub(crate) type Socket = AsyncTcpStream<<Tokio as Reactor>::TcpStream>;

/// lapin's runtime.
pub(crate) type FilteringRuntime = Runtime<RuntimeParts<Tokio, FilteringReactor>>;

/// The runtime of the caller, which must be tokio's.
pub(crate) fn runtime() -> FilteringRuntime {
    let tokio = Tokio::current();
    Runtime::new(RuntimeParts::new(tokio.clone(), FilteringReactor(tokio)))
}

/// Tokio's reactor with filtered sockets.
#[derive(Clone, Debug)]
pub(crate) struct FilteringReactor(pub Tokio);

impl Reactor for FilteringReactor {
    type TcpStream = Filter<Socket>;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.0.register(socket)
    }

    fn sleep(&self, time: Duration) -> Self::Sleep {
        self.0.sleep(time)
    }

    fn interval(&self, time: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(time)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let connecting = self.0.tcp_connect_addr(address);
        async move { Ok(Filter::new(AsyncTcpStream::Plain(connecting.await?))) }
    }
}
