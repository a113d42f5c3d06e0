//! The exchange with the client side of an independent library, and with a client that lies.

use grammers_crypto::generate_key_data_from_nonce;
use num_bigint::BigUint;

use super::*;

const NOW: i32 = 1_800_000_000;

/// What a well-behaved client knows half-way.
struct Client {
    nonce: [u8; 16],
    new_nonce: [u8; 32],
    exchange: Exchange,
    answer: types::ResPq,
}

fn start() -> Client {
    let key = Arc::new(ServerKey::generate().unwrap());
    let mut exchange = Exchange::new(key, 2);
    let nonce = [7; 16];
    let step = exchange.step(&functions::ReqPqMulti { nonce }.to_bytes(), NOW).unwrap();
    let enums::ResPq::Pq(answer) = enums::ResPq::from_bytes(&step.answer).unwrap();
    Client { nonce, new_nonce: [9; 32], exchange, answer }
}

impl Client {
    fn request(&self, dc: i32) -> functions::ReqDhParams {
        let pq = u64::from_be_bytes(self.answer.pq.clone().try_into().unwrap());
        let (p, q) = grammers_crypto::factorize(pq);
        let (p, q) = (p.min(q).to_be_bytes()[4..].to_vec(), p.max(q).to_be_bytes()[4..].to_vec());
        let inner = enums::PQInnerData::TempDc(types::PQInnerDataTempDc {
            pq: self.answer.pq.clone(),
            p: p.clone(),
            q: q.clone(),
            nonce: self.nonce,
            server_nonce: self.answer.server_nonce,
            new_nonce: self.new_nonce,
            dc,
            expires_in: 3600,
        });
        let (n, e) = self.exchange.server_key.public_numbers();
        let key = grammers_crypto::rsa::Key::new(&n, &e).unwrap();
        functions::ReqDhParams {
            nonce: self.nonce,
            server_nonce: self.answer.server_nonce,
            p,
            q,
            public_key_fingerprint: self.answer.server_public_key_fingerprints[0],
            encrypted_data: grammers_crypto::rsa::encrypt_hashed(
                &inner.to_bytes(),
                &key,
                &[1; 224],
            ),
        }
    }

    fn finish(&mut self, g_b: Option<Vec<u8>>) -> (Result<Step, Refusal>, [u8; 256]) {
        let step = self.exchange.step(&self.request(2).to_bytes(), NOW).unwrap();
        let enums::ServerDhParams::Ok(params) =
            enums::ServerDhParams::from_bytes(&step.answer).unwrap()
        else {
            panic!("no parameters")
        };
        let server_nonce = self.answer.server_nonce;
        let (key, iv) = generate_key_data_from_nonce(&server_nonce, &self.new_nonce);
        let mut plain = params.encrypted_answer;
        grammers_crypto::aes::ige_decrypt(&mut plain, &key, &iv);
        let enums::ServerDhInnerData::Data(inner) =
            enums::ServerDhInnerData::from_bytes(&plain[20..]).unwrap();
        assert_eq!(inner.server_time, NOW);
        let prime = BigUint::from_bytes_be(&inner.dh_prime);
        let b = BigUint::from_bytes_be(&[0x5a; 256]);
        let g_a = BigUint::from_bytes_be(&inner.g_a);
        let ours = BigUint::from(inner.g as u32).modpow(&b, &prime).to_bytes_be();
        let answer = enums::ClientDhInnerData::Data(types::ClientDhInnerData {
            nonce: self.nonce,
            server_nonce,
            retry_id: 0,
            g_b: g_b.unwrap_or(ours),
        });
        let encrypted_data = dh::encrypt(&answer.to_bytes(), &server_nonce, &self.new_nonce);
        let request =
            functions::SetClientDhParams { nonce: self.nonce, server_nonce, encrypted_data };
        (self.exchange.step(&request.to_bytes(), NOW), dh::padded(&g_a.modpow(&b, &prime)))
    }
}

#[test]
fn client_and_server_end_with_one_key_and_salt() {
    let mut client = start();
    let (step, key) = client.finish(None);
    let step = step.unwrap();
    let made = step.key.unwrap();
    assert_eq!(made.key, AuthKey::new(key));
    assert_eq!(made.expires_in_s, Some(3600));
    let salt: [u8; 8] =
        std::array::from_fn(|i| client.new_nonce[i] ^ client.answer.server_nonce[i]);
    assert_eq!(made.salt, i64::from_le_bytes(salt));
    let hash = grammers_crypto::AuthKey::from_bytes(key).calc_new_nonce_hash(&client.new_nonce, 1);
    let answer = enums::SetClientDhParamsAnswer::from_bytes(&step.answer).unwrap();
    let enums::SetClientDhParamsAnswer::DhGenOk(ok) = answer else { panic!("{answer:?}") };
    assert_eq!(ok.new_nonce_hash1, hash);
}

#[test]
fn steps_out_of_order_are_refused() {
    let mut client = start();
    let request = client.request(2).to_bytes();
    client.exchange.step(&request, NOW).unwrap();
    let again = client.exchange.step(&request, NOW).unwrap_err();
    assert_eq!(again, Refusal::NotDue(functions::ReqDhParams::CONSTRUCTOR_ID));
    assert_eq!(client.exchange.step(&[1, 2], NOW).unwrap_err(), Refusal::Unreadable);
}

#[test]
fn each_lie_has_its_refusal() {
    type Lie = fn(&mut functions::ReqDhParams);
    let lies: [(Lie, Refusal); 5] = [
        (|r| r.nonce[0] ^= 1, Refusal::Nonce),
        (|r| r.server_nonce[0] ^= 1, Refusal::Nonce),
        (|r| r.public_key_fingerprint ^= 1, Refusal::Fingerprint),
        (|r| std::mem::swap(&mut r.p, &mut r.q), Refusal::Factors),
        (|r| r.encrypted_data[100] ^= 1, Refusal::Encrypted),
    ];
    for (lie, refusal) in lies {
        let mut client = start();
        let mut request = client.request(2);
        lie(&mut request);
        assert_eq!(client.exchange.step(&request.to_bytes(), NOW).unwrap_err(), refusal);
    }
}

#[test]
fn a_key_for_another_dc_is_refused() {
    let mut client = start();
    let request = client.request(4);
    assert_eq!(client.exchange.step(&request.to_bytes(), NOW).unwrap_err(), Refusal::Dc(4));
    let mut client = start();
    let request = client.request(10_002);
    client.exchange.step(&request.to_bytes(), NOW).unwrap();
}

#[test]
fn a_weak_half_is_refused() {
    let (step, _) = start().finish(Some(vec![1]));
    assert_eq!(step.unwrap_err(), Refusal::Range);
}
