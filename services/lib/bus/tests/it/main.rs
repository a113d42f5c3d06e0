//! The bus against a real RabbitMQ: each test has a vhost of its own on the stage's broker.

#![expect(clippy::unwrap_used, reason = "a test may say what must be there by falling over")]

mod browsing;
mod callers;
mod connections;
mod consuming;
mod dead_letters;
mod fleet;
mod foreign;
mod ground;
mod proxy;
mod publishing;
mod topology;
mod under_fire;
