//! Two-factor authentication: the question and the check of the answer.

use grammers_tl_types::{enums, functions as f, types};

use super::srp::{self, Proof, Refusal};
use crate::cx::Cx;
use crate::handshake::DH_PRIME;
use crate::requests;
use crate::rpc_error::{Reply, RpcError, bad};
use crate::world::UserId;

requests! {
    #[anonymous] account::GetPassword => get_password {
        401 "AUTH_KEY_UNREGISTERED" @ "https://core.telegram.org/api/errors#401-unauthorized",
    }
    #[anonymous] auth::CheckPassword => check_password {
        500 "AUTH_KEY_UNSYNCHRONIZED" scripted, 400 "PASSWORD_HASH_INVALID", 400 "SRP_ID_INVALID",
        400 "SRP_PASSWORD_CHANGED",
        401 "AUTH_KEY_UNREGISTERED" @ "https://core.telegram.org/api/errors#401-unauthorized",
        420 "FLOOD_WAIT_%d" scripted @ "https://core.telegram.org/api/errors#420-flood",
    }
}

/// How long a question may stay open, in seconds.
const LIFE_S: i32 = 300;
/// Open questions at most, of all accounts.
const OPEN_MAX: usize = 10_000;

/// A question that waits for its answer.
#[derive(Debug)]
pub struct Challenge {
    user: UserId,
    verifier: Vec<u8>,
    proof: Proof,
    asked_at: i32,
}

fn get_password(cx: &mut Cx<'_>, _: f::account::GetPassword) -> Reply<enums::account::Password> {
    let user = cx.half_way_or_in()?;
    let stored = cx.world.users.get(&user).and_then(|user| user.password.clone());
    let mut answer = types::account::Password {
        has_recovery: false,
        has_secure_values: false,
        has_password: stored.is_some(),
        current_algo: None,
        srp_b: None,
        srp_id: None,
        hint: None,
        email_unconfirmed_pattern: None,
        new_algo: algo(rand::random::<[u8; 8]>().to_vec(), rand::random::<[u8; 16]>().to_vec()),
        new_secure_algo: types::SecurePasswordKdfAlgoPbkdf2Hmacsha512iter100000 {
            salt: rand::random::<[u8; 8]>().to_vec(),
        }
        .into(),
        secure_random: (0..256).map(|_| rand::random()).collect(),
        pending_reset_date: cx.world.cluster.pending.password_resets.get(&user).copied(),
        login_email_pattern: None,
    };
    if let Some(stored) = stored {
        let proof = Proof::begin(&stored);
        let (id, now) = (rand::random(), cx.now);
        answer.current_algo = Some(algo(stored.salt1, stored.salt2));
        answer.srp_b = Some(proof.public());
        answer.srp_id = Some(id);
        answer.hint = stored.hint;
        let challenge = Challenge { user, verifier: stored.verifier, proof, asked_at: now };
        let open = &mut cx.world.cluster.pending.challenges;
        open.retain(|_, challenge| now < challenge.asked_at + LIFE_S);
        if open.len() < OPEN_MAX {
            open.insert(id, challenge);
        }
    }
    Ok(answer.into())
}

fn check_password(cx: &mut Cx<'_>, r: f::auth::CheckPassword) -> Reply<enums::auth::Authorization> {
    let user = cx.half_way_or_in()?;
    cx.prove_password(user, &r.password)?;
    Ok(cx.log_in(user, "password"))
}

/// How passwords are hashed, under these salts.
fn algo(salt1: Vec<u8>, salt2: Vec<u8>) -> enums::PasswordKdfAlgo {
    types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow {
        salt1,
        salt2,
        g: srp::G,
        p: DH_PRIME.to_vec(),
    }
    .into()
}

impl Cx<'_> {
    /// Who gave the right code on this key, or is logged in by it already.
    pub(super) fn half_way_or_in(&self) -> Reply<UserId> {
        let key = self.world.cluster.keys.get(&self.key);
        let user = key.and_then(|key| key.awaiting_password.or(key.login.map(|l| l.user)));
        user.ok_or_else(|| RpcError::new(401, "AUTH_KEY_UNREGISTERED"))
    }

    /// Checks a proof against the question that it answers. A question is good for one right answer.
    pub(crate) fn prove_password(
        &mut self,
        user: UserId,
        proof: &enums::InputCheckPasswordSrp,
    ) -> Reply<()> {
        let stored = self.world.users.get(&user).and_then(|user| user.password.as_ref());
        let enums::InputCheckPasswordSrp::Srp(proof) = proof else {
            return if stored.is_none() { Ok(()) } else { Err(bad("PASSWORD_HASH_INVALID")) };
        };
        let stored = stored.ok_or_else(|| bad("PASSWORD_HASH_INVALID"))?;
        let now = self.now;
        let open = &mut self.world.cluster.pending.challenges;
        let challenge = open
            .get(&proof.srp_id)
            .filter(|open| open.user == user && now < open.asked_at + LIFE_S)
            .ok_or_else(|| bad("SRP_ID_INVALID"))?;
        if challenge.verifier != stored.verifier {
            return Err(bad("SRP_PASSWORD_CHANGED"));
        }
        // Telegram has no error of its own for an `A` that is out of range.
        let proved = challenge.proof.check(&proof.a, &proof.m1);
        proved.map_err(|(Refusal::A | Refusal::Password)| bad("PASSWORD_HASH_INVALID"))?;
        open.remove(&proof.srp_id);
        Ok(())
    }
}
