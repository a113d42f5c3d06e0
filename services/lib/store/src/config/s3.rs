//! The `[vault.s3]` section: how a vault in a bucket is reached.

use chassis::Secret;
use object_store::path::Path;
use serde::{Deserialize, Deserializer, Serialize, de};
use url::Url;

use super::VaultConfig;
use crate::error::StoreError;

/// The scheme of a vault in a bucket.
pub(crate) const SCHEME: &str = "s3";

/// The `[vault.s3]` section. Credentials that are not given here are those of the usual `AWS_…`
/// variables, or of the machine's or container's role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct S3Config {
    /// The server, `https://s3.example.com`; absent: Amazon's in the region.
    #[serde(deserialize_with = "optional_address")]
    pub endpoint: Option<Url>,
    /// The bucket's region; absent: `AWS_REGION`, else `us-east-1`.
    pub region: Option<String>,
    /// Whose requests these are.
    pub access_key_id: Option<String>,
    /// The secret that belongs to `access_key_id`.
    pub secret_access_key: Option<Secret>,
    /// Whether the bucket is part of the server's name instead of the path.
    pub virtual_hosted: bool,
    /// Whether an `http://` endpoint may be used: records are sealed, but nobody proves that it is
    /// the right server.
    pub allow_http: bool,
}

/// Where a vault lies in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Corner {
    pub bucket: String,
    /// The folder; empty: the whole bucket.
    pub prefix: Path,
}

impl Corner {
    /// Reads `s3://bucket/prefix`.
    pub fn of(url: &Url) -> Result<Self, StoreError> {
        let wrong = |why: &str| StoreError::Config { key: "vault.url", why: why.to_owned() };
        let bucket = url.host_str().unwrap_or_default();
        let is_name = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '-' | '_');
        if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(is_name) {
            return Err(wrong("must be `s3://bucket/prefix`, with the name of a bucket"));
        }
        if url.port().is_some() {
            return Err(wrong("holds a port: that belongs to vault.s3.endpoint"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("must end with the prefix: no `?` and no `#`"));
        }
        let prefix = Path::from_url_path(url.path().trim_matches('/'));
        let prefix = prefix.map_err(|_| wrong("has a prefix that is no path"))?;
        Ok(Self { bucket: bucket.to_owned(), prefix })
    }
}

impl S3Config {
    /// Names the first setting that makes no sense.
    pub(super) fn validate(&self, vault: &VaultConfig) -> Result<(), StoreError> {
        let wrong = |key, why: &str| Err(StoreError::Config { key, why: why.to_owned() });
        if vault.url.scheme() != SCHEME {
            return match self.first_given() {
                Some(key) => wrong(key, "is given, and vault.url is not `s3://…`"),
                None => Ok(()),
            };
        }
        Corner::of(&vault.url)?;
        self.validate_endpoint()?;
        if self.region.as_deref().is_some_and(|region| !is_word(region)) {
            return wrong("vault.s3.region", "must be a region's name, such as eu-central-1");
        }
        if self.access_key_id.as_deref().is_some_and(|id| !is_word(id)) {
            return wrong("vault.s3.access_key_id", "must be one word, without spaces");
        }
        match (&self.access_key_id, &self.secret_access_key) {
            (Some(_), None) => wrong(
                "vault.s3.secret_access_key",
                "is missing, and vault.s3.access_key_id is given (secret_access_key_file will do)",
            ),
            (None, Some(_)) => wrong(
                "vault.s3.access_key_id",
                "is missing, and vault.s3.secret_access_key is given",
            ),
            (_, Some(secret)) if secret.expose().trim().is_empty() => {
                wrong("vault.s3.secret_access_key", "is empty")
            }
            _ => Ok(()),
        }
    }

    fn validate_endpoint(&self) -> Result<(), StoreError> {
        let wrong = |key, why: &str| Err(StoreError::Config { key, why: why.to_owned() });
        let Some(endpoint) = &self.endpoint else { return Ok(()) };
        let key = "vault.s3.endpoint";
        match endpoint.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            "http" => {
                let why = "is false, and vault.s3.endpoint is `http://`: set it if the way there is \
                           safe";
                return wrong("vault.s3.allow_http", why);
            }
            _ => return wrong(key, "must be `https://…` or `http://…`"),
        }
        if endpoint.path() != "/" || endpoint.query().is_some() || endpoint.fragment().is_some() {
            return wrong(
                key,
                "must be a server's address without a path: vault.url has bucket and prefix",
            );
        }
        Ok(())
    }

    fn first_given(&self) -> Option<&'static str> {
        [
            ("vault.s3.endpoint", self.endpoint.is_some()),
            ("vault.s3.region", self.region.is_some()),
            ("vault.s3.access_key_id", self.access_key_id.is_some()),
            ("vault.s3.secret_access_key", self.secret_access_key.is_some()),
            ("vault.s3.virtual_hosted", self.virtual_hosted),
            ("vault.s3.allow_http", self.allow_http),
        ]
        .into_iter()
        .find_map(|(key, given)| given.then_some(key))
    }
}

/// An address without credentials: it is shown, as whole settings are.
pub(super) fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let url = String::deserialize(deserializer)?.parse::<Url>().map_err(de::Error::custom)?;
    if !url.username().is_empty() || url.password().is_some() {
        let why = "holds credentials: they belong to vault.s3.access_key_id and \
                   vault.s3.secret_access_key";
        return Err(de::Error::custom(why));
    }
    Ok(url)
}

fn optional_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    address(deserializer).map(Some)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(text: &str) -> VaultConfig {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn each_wrong_setting_is_named_and_no_secret_shown() {
        for (text, key) in [
            (r#"{"url":"s3://b/x"}"#, "vault.url"),
            (r#"{"url":"s3:///x"}"#, "vault.url"),
            (r#"{"url":"s3://Bucket/x"}"#, "vault.url"),
            (r#"{"url":"s3://bucket:99/x"}"#, "vault.url"),
            (r#"{"url":"s3://bucket/x?y=canary"}"#, "vault.url"),
            (r#"{"url":"gs://bucket/x"}"#, "vault.url"),
            (r#"{"url":"s3://bucket","s3":{"endpoint":"http://host"}}"#, "vault.s3.allow_http"),
            (r#"{"url":"s3://bucket","s3":{"endpoint":"ftp://host"}}"#, "vault.s3.endpoint"),
            (r#"{"url":"s3://bucket","s3":{"endpoint":"https://host/x"}}"#, "vault.s3.endpoint"),
            (r#"{"url":"s3://bucket","s3":{"region":"eu central"}}"#, "vault.s3.region"),
            (r#"{"url":"s3://bucket","s3":{"access_key_id":""}}"#, "vault.s3.access_key_id"),
            (r#"{"url":"s3://bucket","s3":{"access_key_id":"a"}}"#, "vault.s3.secret_access_key"),
            (
                r#"{"url":"s3://bucket","s3":{"secret_access_key":"canary"}}"#,
                "vault.s3.access_key_id",
            ),
            (
                r#"{"url":"s3://bucket","s3":{"access_key_id":"a","secret_access_key":" "}}"#,
                "vault.s3.secret_access_key",
            ),
            (r#"{"s3":{"secret_access_key":"canary"}}"#, "vault.s3.secret_access_key"),
            (r#"{"s3":{"allow_http":true}}"#, "vault.s3.allow_http"),
        ] {
            let config = vault(text);
            let said = config.validate().unwrap_err().to_string();
            assert!(said.starts_with(&format!("{key}: ")), "{text}: {said}");
            assert!(!said.contains("canary"), "{said}");
            let shown = format!("{:?}{}", config.s3, serde_json::to_string(&config.s3).unwrap());
            assert!(!shown.contains("canary"), "{shown}");
        }
    }

    #[test]
    fn what_is_said_plainly_passes() {
        for text in [
            r#"{"url":"s3://bucket"}"#,
            r#"{"url":"s3://my.bucket-1/some/prefix/"}"#,
            r#"{"url":"s3://bucket/x","s3":{"endpoint":"http://10.0.0.1:9000","allow_http":true}}"#,
            r#"{"url":"s3://bucket/x","s3":{"access_key_id":"a","secret_access_key":"b"}}"#,
        ] {
            assert!(vault(text).validate().is_ok(), "{text}: {:?}", vault(text).validate());
        }
        for text in [
            r#"{"s3":{"regoin":"x"}}"#,
            r#"{"url":"s3://me:canary@bucket/x"}"#,
            r#"{"url":"s3://bucket","s3":{"endpoint":"https://a:canary@host"}}"#,
        ] {
            let said = serde_json::from_str::<VaultConfig>(text).unwrap_err().to_string();
            assert!(!said.contains("canary"), "{said}");
        }
    }

    #[test]
    fn an_address_is_bucket_prefix_and_server() {
        let address = |text: &str| vault(text).address();
        let at = |endpoint: &str, url: &str| {
            address(&format!(r#"{{"url":"{url}","s3":{{"endpoint":"{endpoint}"}}}}"#))
        };
        let one = at("https://host", "s3://bucket/some/prefix");
        assert_eq!(one, at("https://HOST:443/", "s3://bucket/some/prefix/"));
        assert_eq!(one, at("https://host", "s3://bucket//some/prefix//"));
        for other in [
            at("https://other", "s3://bucket/some/prefix"),
            at("https://host", "s3://bucket/some"),
            at("https://host", "s3://bucket2/some/prefix"),
            address(r#"{"url":"s3://bucket/some/prefix"}"#),
        ] {
            assert_ne!(one, other);
        }
        // What was claimed before there were buckets stays claimed.
        assert_eq!(address(r#"{"url":"file:///a/b/"}"#), "file:///a/b");
    }
}
