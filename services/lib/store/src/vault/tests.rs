//! A store that does not keep what the vault relies on is refused.

use std::fmt;

use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    PutMultipartOptions, PutPayload, PutResult,
};

use super::*;
use crate::config::VaultConfig;

/// In memory, and not as good as it should be.
#[derive(Debug)]
struct Careless {
    store: InMemory,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Overwrites,
    ListsNothing,
}

impl fmt::Display for Careless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Careless {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> object_store::Result<PutResult> {
        if self.fault == Fault::Overwrites {
            options.mode = PutMode::Overwrite;
        }
        self.store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, options).await
    }

    async fn get_opts(
        &self,
        location: &Path,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        self.store.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        match self.fault {
            Fault::ListsNothing => Box::pin(futures_util::stream::empty()),
            _ => self.store.list(prefix),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &Path,
        to: &Path,
        options: CopyOptions,
    ) -> object_store::Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

async fn open(fault: Fault) -> Result<Vault, StoreError> {
    let config = VaultConfig { keys: Some("0a".repeat(32).into()), ..VaultConfig::default() };
    Vault::over(Arc::new(Careless { store: InMemory::new(), fault }), &config).await
}

#[tokio::test]
async fn a_store_that_overwrites_or_lists_late_is_refused() {
    assert!(open(Fault::None).await.is_ok());
    for (fault, word) in [(Fault::Overwrites, "overwrites"), (Fault::ListsNothing, "does not list")]
    {
        let said = open(fault).await.unwrap_err();
        assert!(!said.is_passing(), "{said}");
        let said = said.to_string();
        assert!(said.starts_with("vault.url: ") && said.contains(word), "{said}");
    }
}

#[tokio::test]
async fn a_good_store_is_opened_again_and_again() {
    let config = VaultConfig { keys: Some("0a".repeat(32).into()), ..VaultConfig::default() };
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let prefixed: Arc<dyn ObjectStore> =
        Arc::new(object_store::prefix::PrefixStore::new(store.clone(), Path::from("a/b")));
    for _ in 0..3 {
        Vault::over(prefixed.clone(), &config).await.unwrap();
    }
    let names: Vec<_> = store.list(None).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(names.len(), 1, "one check record: {names:?}");
    assert!(names[0].location.as_ref().starts_with("a/b/_vault/check/"));
    let wrong = VaultConfig { keys: Some("0b".repeat(32).into()), ..VaultConfig::default() };
    let said = Vault::over(prefixed, &wrong).await.unwrap_err();
    assert!(matches!(said, StoreError::WrongKey { .. }), "{said}");
}

#[tokio::test]
async fn the_audit_log_is_sealed_anew_and_read_meanwhile() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let with = async |keys: &[&str]| {
        let keys: Vec<String> = keys.iter().map(|key| key.repeat(32)).collect();
        let keys = Some(keys.join("\n").into());
        Vault::over(store.clone(), &VaultConfig { keys, ..VaultConfig::default() }).await
    };
    let places: Vec<AuditPlace> = (0..5_u32)
        .map(|n| {
            let at = chrono::DateTime::from_timestamp_millis(86_399_998 + i64::from(n)).unwrap();
            AuditPlace::new(at, "worker-1", n.into())
        })
        .collect();
    let old = with(&["0a"]).await.unwrap();
    for place in &places {
        old.add_audit(place, place.to_string().as_bytes()).await.unwrap();
    }
    let both = with(&["0b", "0a"]).await.unwrap();
    both.reseal_own().await.unwrap();
    let batches = async |vault: &Vault| {
        let mut batches = Vec::new();
        for day in vault.audit_days().await.unwrap() {
            for place in vault.audit_batches(day).await.unwrap() {
                let content = vault.read_audit(&place).await.unwrap().unwrap();
                batches.push(String::from_utf8(content.to_vec()).unwrap());
            }
        }
        batches.reverse();
        batches
    };
    let written: Vec<String> = places.iter().map(AuditPlace::to_string).collect();
    // One was sealed anew, and then the worker ended: both are there, and are one.
    let copy = places[3].resealed(&both.key_ids()[0]);
    both.add_audit(&copy, written[3].as_bytes()).await.unwrap();
    let (mut after, mut resealed) = (None, 0);
    loop {
        assert_eq!(batches(&both).await, written);
        let some = both.reseal_audit(after.as_ref(), 2).await.unwrap();
        resealed += some.resealed;
        let Some(next) = some.next else { break };
        after = Some(next.to_string().parse().unwrap());
    }
    assert_eq!(resealed, 5);
    assert_eq!(batches(&with(&["0b"]).await.unwrap()).await, written, "without the old key");
    let listed = both.read_audit(&places[0]).await.unwrap();
    assert_eq!(listed.unwrap().as_slice(), written[0].as_bytes(), "by the name that it had");
    // What no key opens stays, and stops nothing.
    let lost = with(&["0c"]).await;
    assert!(lost.is_err(), "not the vault's key");
    store.put(&places[0].path(), b"damaged".to_vec().into()).await.unwrap();
    let last = both.reseal_audit(None, 9).await.unwrap();
    assert_eq!((last.resealed, last.unreadable, last.next), (0, 1, None));
}
