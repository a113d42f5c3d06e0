//! Auth keys: unknown ones, ones used twice at once, temporary ones.

use grammers_crypto::aes;
use grammers_tl_types::{Serializable, enums, functions as f, types};
use sha1::{Digest, Sha1};
use tgsim::wire::envelope::{self, AuthKey, Inner, Writer};
use tgsim::wire::transport::Transport;

use std::time::Duration;

use crate::client::{Client, Server, init};

#[tokio::test]
async fn an_unknown_key_is_error_404_in_the_form_of_each_transport() {
    let server = Server::start().await;
    let code = (-404_i32).to_le_bytes();
    for (transport, expected) in [
        (Transport::Full { incoming: 0, outgoing: 0 }, [code, code, code].concat()),
        (Transport::Abridged, [&[1][..], &code].concat()),
        (Transport::Intermediate, [&[4, 0, 0, 0][..], &code].concat()),
        (Transport::PaddedIntermediate, [&[4, 0, 0, 0][..], &code].concat()),
    ] {
        let mut client = Client::connect(server.address(), transport).await;
        let inner = Inner { salt: 0, session_id: 1, msg_id: 4, seq_no: 0, body: vec![0; 4] };
        let key = AuthKey::new([9; 256]);
        client.payload(&envelope::seal(&key, Writer::Client, &inner)).await;
        assert_eq!(client.raw(expected.len()).await, expected);
        assert!(client.is_closed().await);
    }
}

#[tokio::test]
async fn a_key_is_good_for_its_own_dc_only() {
    let server = Server::start().await;
    let client = server.client().await;
    let other_dc = server.running.dcs[1].address;
    let mut other = Client::connect(other_dc, Transport::Intermediate).await;
    other.identity = client.identity.clone();
    other.send(f::help::GetNearestDc {}.to_bytes()).await;
    assert_eq!(other.raw(8).await[4..], (-404_i32).to_le_bytes());
}

#[tokio::test]
async fn a_tampered_message_ends_the_connection() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let identity = client.identity.clone().unwrap();
    let inner = Inner { salt: 0, session_id: 1, msg_id: 4, seq_no: 0, body: vec![0; 4] };
    let mut sealed = envelope::seal(&identity.key, Writer::Client, &inner);
    sealed[40] ^= 1;
    client.payload(&sealed).await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn two_connections_that_send_on_one_key_lose_it() {
    let server = Server::start().await;
    let mut first = server.logged_in("79991001").await;
    let mut second = first.again(&server, false).await;
    second.call(&f::updates::GetState {}).await.unwrap();
    let refused = first.call(&f::updates::GetState {}).await.unwrap_err();
    assert_eq!(refused, (406, "AUTH_KEY_DUPLICATED".to_owned()));
    assert_eq!(second.refused(&f::updates::GetState {}).await, "AUTH_KEY_DUPLICATED");
    let mut third = first.again(&server, false).await;
    assert_eq!(third.refused(&init(f::help::GetConfig {})).await, "AUTH_KEY_DUPLICATED");
    let kinds = server.running.hub.with(|sim| {
        let entries = sim.journal.after(0, usize::MAX).into_iter();
        entries.filter(|e| e.kind == tgsim::journal::Kind::KeyDuplicated).count()
    });
    assert_eq!(kinds, 1);
}

#[tokio::test]
async fn a_ping_on_the_old_connection_is_a_second_sender_too() {
    let server = Server::start().await;
    let mut first = server.logged_in("79991002").await;
    let mut second = first.again(&server, false).await;
    second.call(&f::updates::GetState {}).await.unwrap();
    first.send(f::Ping { ping_id: 1 }.to_bytes()).await;
    first.wait_for::<types::Pong>().await;
    assert_eq!(second.refused(&f::updates::GetState {}).await, "AUTH_KEY_DUPLICATED");
}

#[tokio::test]
async fn so_is_an_acknowledgement_long_after() {
    let server = Server::start().await;
    let mut first = server.logged_in("79991006").await;
    let mut second = first.again(&server, false).await;
    for _ in 0..20 {
        second.call(&f::updates::GetState {}).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    first.acknowledge(vec![1]).await;
    let mut grew = server.running.hub.journal_watch();
    let duplicated = || {
        server.running.hub.with(|sim| {
            let entries = sim.journal.after(0, usize::MAX);
            entries.iter().any(|e| e.kind == tgsim::journal::Kind::KeyDuplicated)
        })
    };
    while !duplicated() {
        grew.changed().await.unwrap();
    }
    assert_eq!(second.refused(&f::updates::GetState {}).await, "AUTH_KEY_DUPLICATED");
}

#[tokio::test]
async fn an_old_connection_that_stays_silent_harms_nobody() {
    let server = Server::start().await;
    let first = server.logged_in("79991003").await;
    let mut second = first.again(&server, false).await;
    for _ in 0..3 {
        second.call(&f::updates::GetState {}).await.unwrap();
    }
    drop(first);
    let mut third = second.again(&server, false).await;
    third.call(&f::updates::GetState {}).await.unwrap();
}

#[tokio::test]
async fn connections_of_one_session_are_one_sender() {
    let server = Server::start().await;
    let mut first = server.logged_in("79991004").await;
    let mut second = first.again(&server, true).await;
    for n in 0..3 {
        second.send(f::Ping { ping_id: n }.to_bytes()).await;
        second.wait_for::<types::Pong>().await;
        first.go_on_from(&second);
        first.send(f::Ping { ping_id: n }.to_bytes()).await;
        first.wait_for::<types::Pong>().await;
        second.go_on_from(&first);
    }
}

#[tokio::test]
async fn a_temporary_key_stands_for_the_permanent_one_once_bound() {
    let server = Server::start().await;
    let permanent = server.logged_in("79991005").await;
    let permanent_key = permanent.identity.clone().unwrap().key;
    drop(permanent);
    let mut client = Client::connect(server.address(), Transport::Intermediate).await;
    client.make_key(&server, Some(3600)).await;
    assert_eq!(client.refused(&init(f::updates::GetState {})).await, "AUTH_KEY_PERM_EMPTY");
    let mut wrong = bind_request(&client, &permanent_key);
    wrong.nonce ^= 1;
    assert_eq!(client.refused(&wrong).await, "ENCRYPTED_MESSAGE_INVALID");
    let right = bind_request(&client, &permanent_key);
    assert!(client.call(&right).await.unwrap());
    client.call(&init(f::updates::GetState {})).await.unwrap();
    let mut plain = server.client().await;
    let refused = plain.refused(&bind_request(&client, &permanent_key)).await;
    assert_eq!(refused, "TEMP_AUTH_KEY_EMPTY");
}

/// `auth.bindTempAuthKey`, with its message in MTProto 1.0's encryption.
fn bind_request(client: &Client, permanent: &AuthKey) -> f::auth::BindTempAuthKey {
    let identity = client.identity.clone().unwrap();
    let expires_at = i32::try_from(tgsim::wire::msg_id::now_ns() / 1_000_000_000).unwrap() + 3000;
    let inner: enums::BindAuthKeyInner = types::BindAuthKeyInner {
        nonce: 77,
        temp_auth_key_id: identity.key.id(),
        perm_auth_key_id: permanent.id(),
        temp_session_id: identity.session_id,
        expires_at,
    }
    .into();
    let inner = inner.to_bytes();
    let mut plain = [5; 16].to_vec();
    plain.extend(4_i64.to_le_bytes());
    plain.extend(0_i32.to_le_bytes());
    plain.extend((inner.len() as u32).to_le_bytes());
    plain.extend(inner);
    let msg_key = Sha1::digest(&plain)[4..].to_vec();
    plain.resize(plain.len().next_multiple_of(16), 0);
    let key = permanent.bytes();
    let sha1 = |parts: &[&[u8]]| Sha1::digest(parts.concat()).to_vec();
    let a = sha1(&[&msg_key, &key[..32]]);
    let b = sha1(&[&key[32..48], &msg_key, &key[48..64]]);
    let c = sha1(&[&key[64..96], &msg_key]);
    let d = sha1(&[&msg_key, &key[96..128]]);
    let aes_key = [&a[..8], &b[8..20], &c[4..16]].concat().try_into().unwrap();
    let aes_iv = [&a[8..20], &b[..8], &c[16..20], &d[..8]].concat().try_into().unwrap();
    aes::ige_encrypt(&mut plain, &aes_key, &aes_iv);
    let encrypted_message = [&permanent.id().to_le_bytes()[..], &msg_key, &plain].concat();
    f::auth::BindTempAuthKey {
        perm_auth_key_id: permanent.id(),
        nonce: 77,
        expires_at,
        encrypted_message,
    }
}
