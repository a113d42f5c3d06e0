//! The four messages by which an auth key is made, in the names of <https://core.telegram.org/mtproto/auth_key>.

use std::net::SocketAddr;
use std::time::Duration;

use grammers_crypto::{AuthKey as CryptoKey, aes, factorize, generate_key_data_from_nonce, rsa};
use grammers_mtproto::{mtp, transport};
use grammers_mtsender::{Sender, ServerAddr};
use grammers_tl_types::{self as tl, Cursor, Deserializable, RemoteCall, Serializable};
use sha1::{Digest, Sha1};
use tokio::time::timeout;
use tracing::debug;

use super::dh::{Agreed, agree};
use super::{KeyError, ServerKey};
use crate::session::{AuthKey, DcRecord};

type Plain = Sender<transport::Full, mtp::Plain>;

/// Makes a key with the server at `dc`, by way of `proxy`, within `patience`.
pub(crate) async fn exchange(
    server_key: &ServerKey,
    dc: &DcRecord,
    proxy: String,
    patience: Duration,
) -> Result<AuthKey, KeyError> {
    let (server_key, dc_id) = (server_key.clone(), dc.id);
    let address = if dc.ipv4.port() == 0 { SocketAddr::V6(dc.ipv6) } else { dc.ipv4.into() };
    // In a task of its own, since grammers panics on some malformed answers.
    let mut task = tokio::spawn(async move { run(&server_key, dc_id, address, proxy).await });
    match timeout(patience, &mut task).await {
        Ok(Ok(made)) => made,
        Ok(Err(_)) => Err(KeyError::Protocol("an answer that can't be read")),
        Err(_) => {
            task.abort();
            Err(KeyError::TimedOut)
        }
    }
}

async fn run(
    server_key: &ServerKey,
    dc: i32,
    address: SocketAddr,
    proxy: String,
) -> Result<AuthKey, KeyError> {
    debug!(dc, %address, "making an auth key");
    let server = ServerAddr::Proxied { address, proxy };
    let connected = Sender::connect(transport::Full::new(), mtp::Plain::new(), server);
    let mut sender: Plain = connected.await.map_err(|e| KeyError::Network(e.to_string()))?;

    let nonce = random::<16>()?;
    let tl::enums::ResPq::Pq(res_pq) =
        ask(&mut sender, &tl::functions::ReqPqMulti { nonce }).await?;
    check(res_pq.nonce == nonce)?;
    if !res_pq.server_public_key_fingerprints.contains(&server_key.fingerprint) {
        return Err(KeyError::UnknownFingerprint);
    }
    let server_nonce = res_pq.server_nonce;
    let new_nonce = random::<32>()?;

    let request = req_dh_params(server_key, dc, &res_pq, new_nonce)?;
    let tl::enums::ServerDhParams::Ok(params) = ask(&mut sender, &request).await? else {
        return Err(KeyError::Protocol("the server refused our part"));
    };
    check(params.nonce == nonce && params.server_nonce == server_nonce)?;
    let (aes_key, aes_iv) = generate_key_data_from_nonce(&server_nonce, &new_nonce);
    let inner = open_server_dh(params.encrypted_answer, &aes_key, &aes_iv)?;
    check(inner.nonce == nonce && inner.server_nonce == server_nonce)?;

    let Agreed { g_b, key } = agree(&inner.dh_prime, inner.g, &inner.g_a, &random::<256>()?)?;
    let client_inner = tl::enums::ClientDhInnerData::Data(tl::types::ClientDhInnerData {
        nonce,
        server_nonce,
        retry_id: 0,
        g_b,
    });
    let request = tl::functions::SetClientDhParams {
        nonce,
        server_nonce,
        encrypted_data: seal_client_dh(&client_inner.to_bytes(), &aes_key, &aes_iv)?,
    };
    let tl::enums::SetClientDhParamsAnswer::DhGenOk(done) = ask(&mut sender, &request).await?
    else {
        return Err(KeyError::Protocol("the server refused the key"));
    };
    check(done.nonce == nonce && done.server_nonce == server_nonce)?;
    let proof = CryptoKey::from_bytes(key).calc_new_nonce_hash(&new_nonce, 1);
    check(done.new_nonce_hash1 == proof)?;
    Ok(AuthKey::new(key))
}

async fn ask<R: RemoteCall>(sender: &mut Plain, request: &R) -> Result<R::Return, KeyError> {
    sender.invoke(request).await.map_err(|error| KeyError::Network(error.to_string()))
}

fn check(holds: bool) -> Result<(), KeyError> {
    if holds { Ok(()) } else { Err(KeyError::Protocol("an answer to somebody else's question")) }
}

fn req_dh_params(
    server_key: &ServerKey,
    dc: i32,
    res_pq: &tl::types::ResPq,
    new_nonce: [u8; 32],
) -> Result<tl::functions::ReqDhParams, KeyError> {
    let pq: [u8; 8] = res_pq
        .pq
        .as_slice()
        .try_into()
        .map_err(|_| KeyError::Protocol("a number to factorise that has not 64 bits"))?;
    let number = u64::from_be_bytes(pq);
    if number < 4 || number.is_multiple_of(2) {
        return Err(KeyError::Protocol("a number to factorise that is none"));
    }
    let (p, q) = factorize(number);
    let (p, q) = (shortest(p.min(q)), shortest(p.max(q)));
    let inner = tl::enums::PQInnerData::Dc(tl::types::PQInnerDataDc {
        pq: res_pq.pq.clone(),
        p: p.clone(),
        q: q.clone(),
        nonce: res_pq.nonce,
        server_nonce: res_pq.server_nonce,
        new_nonce,
        dc,
    });
    let rsa_key = server_key.rsa().ok_or(KeyError::Pem("holds no usable number"))?;
    Ok(tl::functions::ReqDhParams {
        nonce: res_pq.nonce,
        server_nonce: res_pq.server_nonce,
        p,
        q,
        public_key_fingerprint: server_key.fingerprint,
        encrypted_data: rsa::encrypt_hashed(&inner.to_bytes(), &rsa_key, &random::<224>()?),
    })
}

/// SHA-1, the answer, padding: all encrypted.
fn open_server_dh(
    mut answer: Vec<u8>,
    key: &[u8; 32],
    iv: &[u8; 32],
) -> Result<tl::types::ServerDhInnerData, KeyError> {
    if answer.len() < 32 || !answer.len().is_multiple_of(16) {
        return Err(KeyError::Protocol("an encrypted answer of the wrong length"));
    }
    aes::ige_decrypt(&mut answer, key, iv);
    let (hash, plain) = answer.split_at(20);
    let mut cursor = Cursor::from_slice(plain);
    let tl::enums::ServerDhInnerData::Data(inner) =
        tl::enums::ServerDhInnerData::deserialize(&mut cursor)
            .map_err(|_| KeyError::Protocol("an encrypted answer that can't be read"))?;
    if Sha1::digest(&plain[..cursor.pos()]).as_slice() != hash {
        return Err(KeyError::Protocol("an encrypted answer with a wrong hash"));
    }
    Ok(inner)
}

fn seal_client_dh(inner: &[u8], key: &[u8; 32], iv: &[u8; 32]) -> Result<Vec<u8>, KeyError> {
    let mut sealed = Sha1::digest(inner).to_vec();
    sealed.extend_from_slice(inner);
    let padding = (16 - sealed.len() % 16) % 16;
    sealed.extend_from_slice(&random::<16>()?[..padding]);
    aes::ige_encrypt(&mut sealed, key, iv);
    Ok(sealed)
}

/// Big-endian, without leading zeroes.
fn shortest(number: u64) -> Vec<u8> {
    number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| KeyError::Protocol("no randomness"))?;
    Ok(bytes)
}
