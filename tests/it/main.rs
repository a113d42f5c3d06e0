//! The stories: what Queuegram promises, played through from outside, on real parts.

#![cfg(test)]

mod bad_input;
mod command_line;
mod contract;
mod crash;
mod demo;
mod docs;
mod duplicates;
mod events;
mod expect;
mod external_ref;
mod floods;
mod foreign_callers;
mod matrix;
mod other_server;
mod ownership;
mod private_servers;
mod processes;
mod queue_gone;
mod replies;
mod secrets;
mod stopping;
mod telegram_trouble;
mod two_workers;
mod unserved;
mod witnesses;
