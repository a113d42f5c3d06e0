//! Through a proxy that answers whatever it likes, and what is made of that.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fast_socks5::client::{Config, Socks5Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Hop, Outside, Passage};
use crate::gate::Gate;
use crate::proxy::{Proxy, ProxyTrouble};
use crate::secret::ProxyPassword;

const BOUND: Duration = Duration::from_secs(10);
const IS_OPEN: [u8; 2] = [5, 0];
const WANTS_PASSWORD: [u8; 2] = [5, 2];
const CONNECTED: [u8; 10] = [5, 0, 0, 1, 127, 0, 0, 1, 0, 1];

/// A proxy that waits for something each time and then says the next of these.
async fn saying(
    said: &'static [&'static [u8]],
) -> (SocketAddr, tokio::task::JoinHandle<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let talking = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        for words in said {
            let mut heard = [0; 1024];
            if client.read(&mut heard).await.is_ok_and(|heard| heard > 0) {
                client.write_all(words).await.unwrap();
            }
        }
        client
    });
    (address, talking)
}

fn outside(proxy_max: Duration) -> Outside {
    Outside { unacknowledged_max: BOUND, silence_max: BOUND, proxy_max }
}

/// The hop's answer to grammers, by way of this proxy.
async fn dial(
    hop: &Hop,
    passage: &Arc<Passage>,
    to: SocketAddr,
) -> Option<Socks5Stream<TcpStream>> {
    let ticket = hop.ticket(passage).unwrap();
    let (host, port) = (to.ip().to_string(), to.port());
    let (user, secret) = ("ticket".to_owned(), ticket.secret.clone());
    let config = Config::default();
    let dialled =
        Socks5Stream::connect_with_password(hop.address, host, port, user, secret, config);
    timeout(BOUND, dialled).await.unwrap().ok()
}

fn passage(gate: &Gate, proxy: Proxy) -> Arc<Passage> {
    Arc::new(Passage::new(gate.clone(), Some(proxy)))
}

#[tokio::test]
async fn whatever_a_proxy_says_it_is_told_and_nobody_goes_past_it() {
    let telegram = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = telegram.local_addr().unwrap();
    let hop = Hop::start(outside(BOUND)).await.unwrap();
    let cases: [(&'static [&'static [u8]], ProxyTrouble); 9] = [
        (&[b"HTTP/1.1 400 Bad Request\r\n\r\n"], ProxyTrouble::Unreachable),
        (&[&[5, 0xff]], ProxyTrouble::Refused),
        (&[&WANTS_PASSWORD, &[1, 1]], ProxyTrouble::Refused),
        (&[&IS_OPEN, &[5, 2, 0, 1]], ProxyTrouble::Refused),
        (&[&IS_OPEN, &[5, 4, 0, 1]], ProxyTrouble::NoRoute),
        (&[&IS_OPEN, &[5, 5, 0, 1]], ProxyTrouble::NoRoute),
        // Numbers that the protocol does not have.
        (&[&IS_OPEN, &[5, 99, 0, 1]], ProxyTrouble::Unreachable),
        (&[&IS_OPEN, &[5, 0, 0, 99]], ProxyTrouble::Unreachable),
        (&[], ProxyTrouble::Unreachable),
    ];
    for (said, trouble) in cases {
        let (address, talking) = saying(said).await;
        let talking = tokio::spawn(async move { drop(talking.await) });
        let proxy = Proxy::new(&address.to_string()).unwrap();
        let proxy = proxy.with_credentials("me", ProxyPassword::new("secret")).unwrap();
        let passage = passage(&Gate::always(), proxy);
        assert!(dial(&hop, &passage, target).await.is_none(), "{said:?}");
        assert_eq!(*passage.trouble().borrow(), Some(trouble), "{said:?}");
        talking.await.unwrap();
    }
    // Nobody listens there, and nobody has that name.
    for nowhere in ["127.0.0.1:1", "no-such-host.invalid:1080"] {
        let passage = passage(&Gate::always(), Proxy::new(nowhere).unwrap());
        assert!(dial(&hop, &passage, target).await.is_none());
        assert_eq!(*passage.trouble().borrow(), Some(ProxyTrouble::Unreachable));
    }
    assert!(timeout(Duration::from_millis(50), telegram.accept()).await.is_err());
}

#[tokio::test]
async fn a_proxy_that_says_nothing_is_given_up_in_time() {
    let hop = Hop::start(outside(Duration::from_millis(100))).await.unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::new(&silent.local_addr().unwrap().to_string()).unwrap();
    let passage = passage(&Gate::always(), proxy);
    assert!(dial(&hop, &passage, "127.0.0.1:1".parse().unwrap()).await.is_none());
    assert_eq!(*passage.trouble().borrow(), Some(ProxyTrouble::Unreachable));
}

#[tokio::test]
async fn a_socket_by_way_of_a_proxy_is_reset_when_the_gate_shuts() {
    let hop = Hop::start(outside(BOUND)).await.unwrap();
    let (address, talking) = saying(&[&IS_OPEN, &CONNECTED]).await;
    let gate = Gate::always();
    let passage = passage(&gate, Proxy::new(&address.to_string()).unwrap());
    let mut inner = dial(&hop, &passage, "127.0.0.1:9".parse().unwrap()).await.unwrap();
    let mut outer = talking.await.unwrap();
    assert_eq!(*passage.trouble().borrow(), None);
    inner.write_all(b"it").await.unwrap();
    let mut heard = [0; 2];
    outer.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"it");
    gate.shut();
    let error = timeout(BOUND, outer.read(&mut heard)).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}
