//! A delivery that came back and may be what broke its worker down, before the ledger could count
//! attempts at it. The rule: three attempts, then it is answered `POISONED` and kept.
//!
//! Only deliveries that come back cost a request to the store, and only a worker that died over one
//! leaves its count standing. So a healthy command may be handed over any number of times, in
//! rolling restarts or long outages, whatever the broker's own count says.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bus::{Backoff, Delivery};
use proto::fault::code;
use proto::{ErrorKind, Fault};

use crate::persist;
use crate::stop::{Failure, Stop};
use crate::tenure::Tenure;

/// Attempts at a delivery that may break off before its claim.
const ATTEMPTS_MAX: u32 = 3;
/// The pauses before a count is removed that could not be.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));

/// One delivery's count, while it is in hand.
pub struct Peril {
    fingerprint: String,
    /// Attempts at it, this one included, since one of them was survived; 0 where it is new.
    faced: u32,
    over: AtomicBool,
}

impl Peril {
    /// Counts a delivery that came back, before it is looked at.
    ///
    /// # Errors
    /// Why it goes back once more: the instance is no longer ours, or the worker is going down.
    pub async fn face(tenure: &Tenure, delivery: &Delivery) -> Result<Self, &'static str> {
        let nothing = Self { fingerprint: String::new(), faced: 0, over: AtomicBool::new(true) };
        if !delivery.redelivered {
            return Ok(nothing);
        }
        let (properties, key) = (&delivery.properties, &delivery.routing_key);
        let fingerprint = proto::envelope::fingerprint(properties, key, &delivery.body);
        let (perils, lease) = (&tenure.shared.perils, &tenure.lease);
        match persist::retry(&tenure.stopping, || perils.face(lease, &fingerprint)).await {
            Ok(faced) => Ok(Self { fingerprint, faced, over: AtomicBool::new(false) }),
            Err(Failure::Stop(Stop::Abandoned(why))) => Err(why),
            // A count that can't be read is none; the broker's own is the last resort.
            Err(failure) => {
                tracing::error!(?failure, "the attempts at a delivery can't be counted");
                Ok(nothing)
            }
        }
    }

    /// Why it is not tried again, if enough workers died over it.
    pub fn poison(&self) -> Option<Failure> {
        // The first attempt was at a new delivery, and counted nothing.
        (self.faced >= ATTEMPTS_MAX).then(|| {
            let message = format!("{ATTEMPTS_MAX} attempts broke off before it could be noted");
            let fault = Fault::new(ErrorKind::Internal, code::POISONED, message);
            Failure::Stop(Stop::Fault(fault))
        })
    }

    /// It was survived: its claim stands in the ledger, which counts from here on, or it has ended
    /// in order. Where the store is away, this is told later: who lives is not to be counted dead.
    pub async fn over(&self, tenure: &Tenure) {
        if self.over.swap(true, Ordering::Relaxed) {
            return;
        }
        let (shared, instance) = (tenure.shared.clone(), tenure.instance.clone());
        let fingerprint = self.fingerprint.clone();
        if shared.perils.survived(&instance, &fingerprint).await.is_ok() {
            return;
        }
        tokio::spawn(async move {
            let mut backoff = PAUSES;
            loop {
                tokio::time::sleep(backoff.pause()).await;
                if shared.perils.survived(&instance, &fingerprint).await.is_ok() {
                    return;
                }
            }
        });
    }
}
