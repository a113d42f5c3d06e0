//! The stories: what Queuegram promises, played through from outside, on real parts.

#![cfg(test)]

mod account_states;
mod api_keys;
mod audit;
mod bad_input;
mod broker_trouble;
mod cancel;
mod circuit;
mod command_line;
mod contract;
mod crash;
mod dead_letters;
mod demo;
mod docs;
mod duplicates;
mod events;
mod expect;
mod external_ref;
mod faults;
mod floods;
mod foreign_callers;
mod frozen_owner;
mod import;
mod lanes;
mod limits;
mod matrix;
mod notices;
mod other_server;
mod ownership;
mod pausing;
mod private_servers;
mod processes;
mod qr_login;
mod queue_gone;
mod replies;
mod secrets;
mod site;
mod stop_start;
mod stopping;
mod telegram_trouble;
mod two_workers;
mod unserved;
mod vault_keys;
mod wiped_redis;
mod witnesses;
