//! What object storage said when it did not do what it was asked, in few words. S3 answers with a
//! page of XML that can hold the whole request as it was signed: of that only the code and the message
//! are anybody's business.

use std::fmt;

use crate::error::StoreError;

/// The most characters of the store's own words.
const CHARS_MAX: usize = 400;

/// What the store said.
pub(crate) struct Answer {
    /// S3's word for it, such as `NoSuchBucket`.
    code: Option<String>,
    text: String,
}

impl Answer {
    pub fn of(error: &object_store::Error) -> Self {
        Self::read(&error.to_string())
    }

    fn read(said: &str) -> Self {
        let page = said.find("<?xml").or_else(|| said.find("<Error"));
        let (before, page) = said.split_at(page.unwrap_or(said.len()));
        let (code, message) = (element(page, "Code"), element(page, "Message"));
        let mut text = before.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in [&code, &message].into_iter().flatten() {
            text = format!("{text} {word}");
        }
        Self { code, text: text.chars().take(CHARS_MAX).collect() }
    }

    /// Whether the bucket itself is not there: else what was asked for is not.
    pub fn is_no_bucket(&self) -> bool {
        self.code.as_deref() == Some("NoSuchBucket")
    }

    /// The setting without whose change the store will never do it.
    pub fn wrong_setting(&self) -> Option<StoreError> {
        let (key, why) = match self.code.as_deref() {
            Some("SignatureDoesNotMatch") => (
                "vault.s3.secret_access_key",
                "does not belong to the access key id, says the store",
            ),
            Some("InvalidAccessKeyId") => ("vault.s3.access_key_id", "is not known to the store"),
            Some("NoSuchBucket") => ("vault.url", "there is no such bucket"),
            Some("InvalidBucketName") => ("vault.url", "has no bucket's name"),
            Some("AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
                ("vault.s3.region", "is not the bucket's")
            }
            Some("NotImplemented") => (
                "vault.url",
                "this store lacks what the vault needs: creating only where nothing is",
            ),
            // No code: the answer is a redirect to another region, which does not say to which.
            None if self.text.contains("redirect without LOCATION") => {
                ("vault.s3.region", "is not the bucket's")
            }
            // Nobody was named, so the machine's own role was looked for.
            None if self.text.contains("169.254.") => {
                return Some(StoreError::Unreachable {
                    store: crate::error::VAULT,
                    why: format!(
                        "there are no credentials: neither vault.s3.access_key_id nor \
                     AWS_ACCESS_KEY_ID is set, and this machine has no role: {}",
                        self.text
                    ),
                });
            }
            _ => return None,
        };
        Some(StoreError::Config { key, why: format!("{why} ({})", self.text) })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn element(page: &str, name: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text.chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_message_are_told_and_nothing_else() {
        let said = "Error performing PUT http://host/b/k in 2ms - Server returned non-2xx status code: \
                    403 Forbidden: <?xml version=\"1.0\"?>\n<Error>\n <Code>SignatureDoesNotMatch</Code> \
                    <Message>The signature\ndoes not match.</Message><AWSAccessKeyId>canary</AWSAccessKeyId>\
                    <CanonicalRequest>x-amz-security-token:canary</CanonicalRequest></Error>";
        let answer = Answer::read(said);
        let told = format!("{answer} {}", answer.wrong_setting().unwrap());
        assert!(told.contains("vault.s3.secret_access_key: "), "{told}");
        assert!(told.contains("403 Forbidden: SignatureDoesNotMatch The signature"), "{told}");
        assert!(!told.contains("canary"), "{told}");
    }

    #[test]
    fn what_no_setting_mends_is_none_of_them() {
        for said in [
            "Error performing GET http://h in 1ms - HTTP error: connection refused",
            "403: <Error><Code>AccessDenied</Code></Error>",
            "503: <Error><Code>SlowDown</Code></Error>",
            "<Error><Code>",
        ] {
            assert!(Answer::read(said).wrong_setting().is_none(), "{said}");
        }
        assert!(Answer::read("404 <Error><Code>NoSuchBucket</Code></Error>").is_no_bucket());
        assert_eq!(Answer::read(&"x".repeat(9_999)).to_string().len(), CHARS_MAX);
    }
}
