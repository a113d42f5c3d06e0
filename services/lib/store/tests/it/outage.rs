//! What the stores say while Redis is not there, and that they go on by themselves.

use std::time::Duration;

use deadpool_redis::redis::cmd;
use queuegram_store::{Leases, Redis, RedisConfig, RedisUrl, StoreError};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::corner::{Corner, Server, acme, free_port, until};

fn config(url: &str) -> RedisConfig {
    RedisConfig {
        url: RedisUrl::try_from(url.to_owned()).unwrap(),
        timeout_ms: 300,
        connect_timeout_ms: 300,
        ..RedisConfig::default()
    }
}

#[tokio::test]
async fn a_server_that_went_away_and_came_back_is_used_again() {
    let port = free_port();
    let server = Server::start_at(port);
    let corner = Corner::at(&server.url).await;
    let lease = corner.leases.try_acquire(&acme(), "w-1").await.unwrap().unwrap();
    drop(server);
    for _ in 0..5 {
        let gone = corner.leases.renew(&lease).await.unwrap_err();
        assert!(gone.is_passing(), "{gone}");
    }
    let _server = Server::start_at(port);
    until("it is used again", async || corner.leases.renew(&lease).await.is_ok()).await;
    let renewed = corner.leases.renew(&lease).await.unwrap();
    assert!(!renewed, "an empty server knows of no lease");
    let next = corner.leases.try_acquire(&acme(), "w-1").await.unwrap().unwrap();
    assert!(next.epoch > lease.epoch && !next.clean);
}

#[tokio::test]
async fn one_that_never_answers_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let redis = Redis::new(&config(&url)).unwrap();
    let asking = async { redis.ping().await.unwrap_err() };
    let error = timeout(Duration::from_secs(5), asking).await.unwrap();
    assert!(error.is_passing(), "{error}");
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_a_wrong_password_is_not() {
    let url = format!("redis://127.0.0.1:{}", free_port());
    let error = Redis::connect(&config(&url)).await.err().unwrap();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");

    let server = Server::start();
    let with_password = server.url.replace("redis://", "redis://:canary@");
    let error = Redis::connect(&config(&with_password)).await.err().unwrap();
    assert!(!error.is_passing(), "{error}");
    assert!(!error.to_string().contains("canary"));
}

#[tokio::test]
async fn a_full_server_is_an_outage() {
    let server = Server::start();
    let corner = Corner::at(&server.url).await;
    let limit = ["SET", "maxmemory", "1"];
    Corner::query_at(&server.url, cmd("CONFIG").arg(&limit)).await;
    let leases = Leases::new(&corner.redis);
    let error = leases.try_acquire(&acme(), "w-1").await.unwrap_err();
    assert!(error.is_passing(), "{error}");
}
