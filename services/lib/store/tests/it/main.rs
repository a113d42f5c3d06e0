//! The stores against a real Redis and a real folder. The Redis is the one in
//! `QUEUEGRAM_REDIS__URL`, else a private one that ends with the tests. Every test uses keys and a
//! folder of its own, so that they run side by side.
#![expect(clippy::unwrap_used, reason = "a helper of tests that fails is a test that fails")]

mod corner;
mod generation;
mod groups;
mod instances;
mod leases;
mod ledger;
mod ledger_orders;
mod outage;
mod pauses;
mod peers;
mod perils;
mod sessions;
mod vault;
mod workers;
