//! The sockets on Telegram's side, or on that of an account's proxy: what the kernel is told about them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream};

/// An idle connection is tried by the kernel after so long, so that whoever keeps a table of connections on the way does
/// not forget this one.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// How connections to Telegram are made and kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outside {
    /// For how long the kernel may go on trying to deliver what it was given (`TCP_USER_TIMEOUT`): it does so for a
    /// frozen process, too.
    pub(crate) unacknowledged_max: Duration,
    /// After so long without an answer of any kind to what was sent, the peer is given up.
    pub(crate) silence_max: Duration,
    /// How long a connection through a proxy may take until it leads to Telegram.
    pub(crate) proxy_max: Duration,
}

impl Outside {
    /// A connection whose socket is reset, not shut, when it is dropped, by whatever end of the process it may be: what
    /// the kernel has not delivered by then is thrown away.
    pub(super) async fn connect(self, to: SocketAddr) -> io::Result<TcpStream> {
        let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        let options = SockRef::from(&socket);
        options.set_linger(Some(Duration::ZERO))?;
        options.set_tcp_nodelay(true)?;
        options.set_tcp_user_timeout(Some(self.unacknowledged_max))?;
        let every = self.unacknowledged_max.max(Duration::from_secs(1));
        options
            .set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(every))?;
        socket.connect(to).await
    }
}
