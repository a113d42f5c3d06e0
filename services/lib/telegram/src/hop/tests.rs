//! The hop alone, between a client that speaks SOCKS5 and a server that is none of Telegram's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fast_socks5::client::{Config, Socks5Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Hop, Outside, Passage, Ticket};
use crate::gate::Gate;

const BOUND: Duration = Duration::from_secs(10);

struct Ground {
    hop: Hop,
    server: TcpListener,
}

impl Ground {
    async fn new(silence_max: Duration) -> Self {
        let outside =
            Outside { unacknowledged_max: Duration::from_secs(10), silence_max, proxy_max: BOUND };
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { hop: Hop::start(outside).await.unwrap(), server }
    }

    fn address(&self) -> SocketAddr {
        self.server.local_addr().unwrap()
    }

    async fn dial(&self, secret: &str) -> Option<Socks5Stream<TcpStream>> {
        let (host, port) = (self.address().ip().to_string(), self.address().port());
        let (user, secret) = ("ticket".to_owned(), secret.to_owned());
        let dialled = Socks5Stream::connect_with_password(
            self.hop.address,
            host,
            port,
            user,
            secret,
            Config::default(),
        );
        timeout(BOUND, dialled).await.unwrap().ok()
    }

    /// Both ends of a connection through the hop.
    async fn connect(&self, ticket: &Ticket) -> (Socks5Stream<TcpStream>, TcpStream) {
        let (inner, outer) = tokio::join!(self.dial(&ticket.secret), self.server.accept());
        (inner.unwrap(), outer.unwrap().0)
    }
}

async fn ground() -> Ground {
    Ground::new(BOUND).await
}

fn passage(gate: &Gate) -> Arc<Passage> {
    Arc::new(Passage::new(gate.clone(), None))
}

/// Reads until the other side ends it; how many bytes came.
async fn read_to_end(mut stream: impl AsyncReadExt + Unpin) -> usize {
    let mut heard = Vec::new();
    // A reset is an end, too.
    let _ = timeout(BOUND, stream.read_to_end(&mut heard)).await.unwrap();
    heard.len()
}

#[tokio::test]
async fn bytes_go_through_unchanged_both_ways() {
    let ground = ground().await;
    let ticket = ground.hop.ticket(&passage(&Gate::always())).unwrap();
    let (mut inner, mut outer) = ground.connect(&ticket).await;
    assert!(ticket.is_connected());
    let sent: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let length = sent.len();
    let echo = async {
        let (mut read, mut write) = outer.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap();
    };
    let check = async {
        let (mut read, mut write) = tokio::io::split(&mut inner);
        let mut heard = vec![0; length];
        let (written, read) = tokio::join!(write.write_all(&sent), read.read_exact(&mut heard));
        written.unwrap();
        read.unwrap();
        assert!(heard == sent, "other bytes came back");
    };
    tokio::select! {
        () = echo => panic!("the echo ended"),
        () = check => {}
    }
}

#[tokio::test]
async fn a_stranger_without_a_ticket_gets_nowhere() {
    let ground = ground().await;
    let ticket = ground.hop.ticket(&passage(&Gate::always())).unwrap();
    assert!(ground.dial("00112233445566778899aabbccddeeff").await.is_none());
    assert!(ground.dial("").await.is_none());
    // Somebody who does not even speak the protocol.
    let mut rude = TcpStream::connect(ground.hop.address).await.unwrap();
    rude.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(read_to_end(rude).await, 0);
    // The first that comes to the server is the one with the ticket.
    let (mut inner, mut outer) = ground.connect(&ticket).await;
    inner.write_all(b"it").await.unwrap();
    let mut heard = [0; 2];
    outer.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"it");
}

#[tokio::test]
async fn a_ticket_is_good_for_one_connection() {
    let ground = ground().await;
    let ticket = ground.hop.ticket(&passage(&Gate::always())).unwrap();
    let (inner, outer) = ground.connect(&ticket).await;
    assert!(!ticket.was_asked_again());
    assert!(ground.dial(&ticket.secret).await.is_none());
    assert!(ticket.was_asked_again() && ticket.is_connected());
    drop(inner);
    assert_eq!(read_to_end(outer).await, 0);
    let secret = ticket.secret.clone();
    drop(ticket);
    assert!(ground.dial(&secret).await.is_none());
}

#[tokio::test]
async fn a_new_connection_comes_when_the_old_one_is_gone() {
    let ground = ground().await;
    let passage = passage(&Gate::always());
    let first = ground.hop.ticket(&passage).unwrap();
    let (_inner, old) = ground.connect(&first).await;
    let second = ground.hop.ticket(&passage).unwrap();
    let (_inner, _new) = ground.connect(&second).await;
    // Gone already: there is nothing to wait for.
    let error = old.try_read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(!first.is_connected() && second.is_connected());
}

#[tokio::test]
async fn what_the_kernel_still_holds_is_thrown_away_when_the_gate_shuts() {
    let ground = ground().await;
    let gate = Gate::always();
    let ticket = ground.hop.ticket(&passage(&gate)).unwrap();
    let (inner, outer) = ground.connect(&ticket).await;
    // Until nobody on the way takes any more.
    let socket = inner.get_socket_ref();
    let mut sent = 0;
    while timeout(Duration::from_millis(300), socket.writable()).await.is_ok() {
        sent += socket.try_write(&[7; 65_536]).unwrap_or_default();
    }
    gate.shut();
    assert_eq!(read_to_end(inner).await, 0);
    assert!(read_to_end(outer).await < sent);
}

#[tokio::test]
async fn closing_returns_when_the_socket_is_gone_and_lets_nobody_in_again() {
    let ground = ground().await;
    let passage = passage(&Gate::always());
    let ticket = ground.hop.ticket(&passage).unwrap();
    let (_inner, outer) = ground.connect(&ticket).await;
    passage.close().await;
    assert!(outer.try_read(&mut [0; 1]).is_err_and(|e| e.kind() != std::io::ErrorKind::WouldBlock));
    let late = ground.hop.ticket(&passage).unwrap();
    assert!(ground.dial(&late.secret).await.is_none());
}

#[tokio::test]
async fn behind_a_shut_gate_there_is_no_connection() {
    let ground = ground().await;
    let gate = Gate::always();
    let ticket = ground.hop.ticket(&passage(&gate)).unwrap();
    gate.shut();
    assert!(ground.dial(&ticket.secret).await.is_none());
    assert!(!ticket.is_connected());
}

#[tokio::test]
async fn a_peer_that_answers_nothing_is_given_up_and_an_idle_one_is_not() {
    let ground = Ground::new(Duration::from_millis(100)).await;
    let passages = [(); 2].map(|()| passage(&Gate::always()));
    let idle = ground.hop.ticket(&passages[0]).unwrap();
    let (_kept, _idle) = ground.connect(&idle).await;
    let asking = ground.hop.ticket(&passages[1]).unwrap();
    let (mut inner, outer) = ground.connect(&asking).await;
    inner.write_all(b"?").await.unwrap();
    assert_eq!(read_to_end(inner).await, 0);
    assert_eq!(read_to_end(outer).await, 1);
    assert!(idle.is_connected());
}
