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
