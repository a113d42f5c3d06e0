//! A vault in a bucket: Amazon's S3, or a server that speaks like it.
//!
//! The place is what the settings say and nothing else: a variable of the environment that named
//! another server would make another vault of it. Credentials and region may come from there.

mod http;

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ObjectStore, RetryConfig};

use self::http::Http;
use crate::config::{Corner, S3Config, VaultConfig};
use crate::error::StoreError;

/// Those of Amazon's variables that say who asks, and where the bucket is.
const VARIABLES: [&str; 12] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_ENDPOINT_URL_STS",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_METADATA_ENDPOINT",
    "AWS_IMDSV1_FALLBACK",
];
const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
const REGION: &str = "us-east-1";
/// How often a request that the server could not take is made again.
const RETRIES_MAX: usize = 3;

/// The bucket's part that is the vault.
pub(super) fn bucket(config: &VaultConfig) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let wrong = |error: object_store::Error| StoreError::Config {
        key: "vault.s3",
        why: super::Answer::of(&error).to_string(),
    };
    let Corner { bucket, prefix } = Corner::of(&config.url)?;
    let s3 = &config.s3;
    let within = config.timeout();
    let http = Http::new(s3.endpoint.as_ref(), within)?;
    let builder = credentials(s3)
        .with_bucket_name(&bucket)
        .with_region(region(s3))
        .with_virtual_hosted_style_request(s3.virtual_hosted)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        // One by one: not every store knows how to delete many at once, and we never have many.
        .with_disable_bulk_delete(true)
        .with_retry(retries(within))
        .with_http_connector(http);
    let builder = match endpoint(s3, &bucket) {
        Some(endpoint) => builder.with_endpoint(endpoint).with_allow_http(s3.allow_http),
        None => builder,
    };
    let store = builder.build().map_err(wrong)?;
    Ok(match prefix.as_ref() {
        "" => Arc::new(store),
        _ => Arc::new(PrefixStore::new(store, prefix)),
    })
}

/// Ends before the vault's own patience does, so that the store's words are told and not our silence.
fn retries(within: Duration) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { init_backoff: within / 100, max_backoff: within / 10, base: 2.0 },
        max_retries: RETRIES_MAX,
        retry_timeout: within / 2,
    }
}

/// Those of the settings, or all that the environment says: never a mixture.
fn credentials(s3: &S3Config) -> AmazonS3Builder {
    let builder = AmazonS3Builder::new();
    if let (Some(id), Some(secret)) = (&s3.access_key_id, &s3.secret_access_key) {
        return builder.with_access_key_id(id).with_secret_access_key(secret.expose());
    }
    VARIABLES.iter().fold(builder, |builder, name| {
        let key = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>();
        match (key, std::env::var(name)) {
            (Ok(key), Ok(value)) if !value.is_empty() => builder.with_config(key, value),
            _ => builder,
        }
    })
}

fn region(s3: &S3Config) -> String {
    let given = REGIONS.iter().filter_map(|name| std::env::var(name).ok());
    let given = s3.region.clone().into_iter().chain(given);
    given.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| REGION.to_owned())
}

/// The server's address, with the bucket in its name where it belongs there.
fn endpoint(s3: &S3Config, bucket: &str) -> Option<String> {
    let endpoint = s3.endpoint.as_ref()?.as_str().trim_end_matches('/');
    if !s3.virtual_hosted {
        return Some(endpoint.to_owned());
    }
    let (scheme, host) = endpoint.split_once("://")?;
    Some(format!("{scheme}://{bucket}.{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_stands_in_the_path_or_in_the_name() {
        let config = |virtual_hosted| S3Config {
            endpoint: Some("https://host:9000".parse().unwrap()),
            virtual_hosted,
            ..S3Config::default()
        };
        assert_eq!(endpoint(&config(false), "b").as_deref(), Some("https://host:9000"));
        assert_eq!(endpoint(&config(true), "b").as_deref(), Some("https://b.host:9000"));
        assert_eq!(endpoint(&S3Config::default(), "b"), None);
    }

    #[test]
    fn every_variable_is_one_that_the_library_knows() {
        for name in VARIABLES {
            assert!(name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>().is_ok(), "{name}");
        }
    }

    #[test]
    fn it_is_tried_again_for_less_long_than_is_waited() {
        let within = Duration::from_secs(10);
        let retries = retries(within);
        let pauses: Duration = retries.backoff.max_backoff * u32::try_from(RETRIES_MAX).unwrap();
        assert!(retries.retry_timeout + pauses < within, "{retries:?}");
    }
}
