//! What to ask of S3 for one object.

use serde::{Deserialize, Serialize};

use crate::open::open_names;
use crate::wire::Open;
use crate::{Tri, UnknownKeys};

open_names! {
    /// S3 server-side encryption.
    #[non_exhaustive]
    pub enum SseAlgorithm {
        /// With keys that S3 manages.
        Aes256 = "AES256",
        /// With a key of the AWS Key Management Service.
        AwsKms = "aws:kms",
    }
}

open_names! {
    /// S3 canned ACL; the list is AWS's own.
    #[non_exhaustive]
    pub enum CannedAcl {
        /// The owner alone.
        Private = "private",
        /// Everybody on the internet may read.
        PublicRead = "public-read",
        /// Everybody on the internet may read and write.
        PublicReadWrite = "public-read-write",
        /// Amazon EC2 may read.
        AwsExecRead = "aws-exec-read",
        /// Every AWS account may read.
        AuthenticatedRead = "authenticated-read",
        /// The bucket's owner may read.
        BucketOwnerRead = "bucket-owner-read",
        /// The bucket's owner has full control.
        BucketOwnerFullControl = "bucket-owner-full-control",
        /// S3's log delivery may write.
        LogDeliveryWrite = "log-delivery-write",
    }
}

impl CannedAcl {
    /// Whether people outside the lab can read the object.
    pub fn is_public(self) -> bool {
        matches!(
            self,
            CannedAcl::PublicRead | CannedAcl::PublicReadWrite | CannedAcl::AuthenticatedRead
        )
    }
}

open_names! {
    /// S3 storage class, as the platform names it in answers.
    #[non_exhaustive]
    pub enum StorageClass {
        /// Read at any time.
        Standard = "STANDARD",
        /// Must be restored before it can be read.
        Glacier = "GLACIER",
    }
}

/// What to ask of S3 for one object. Each key overrides the volume's default; an absent one leaves it.
///
/// ```
/// use cavatica_model::export::CannedAcl;
/// use cavatica_model::{ExportProperties, Tri};
///
/// let mut properties = ExportProperties::default();
/// properties.sse_algorithm = Tri::Null;
/// properties.aws_canned_acl = Tri::Value(CannedAcl::BucketOwnerFullControl.into());
/// assert_eq!(
///     serde_json::to_string(&properties)?,
///     r#"{"sse_algorithm":null,"aws_canned_acl":"bucket-owner-full-control"}"#
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExportProperties {
    /// Server-side encryption; `null` asks for none. The platform's own default is `AES256`.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub sse_algorithm: Tri<Open<SseAlgorithm>>,
    /// The KMS key, only with `aws:kms`. The platform's documentation also spells it `sse_aws_kms_key_Id`; that spelling
    /// is kept where it is read.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub sse_aws_kms_key_id: Tri<String>,
    /// The ACL to apply; `null` applies none.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub aws_canned_acl: Tri<Open<CannedAcl>>,
    /// The storage class. Documented in answers only.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub aws_storage_class: Tri<Open<StorageClass>>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

impl ExportProperties {
    /// Whether they say nothing, not even `null`.
    pub fn is_empty(&self) -> bool {
        self.sse_algorithm.is_absent()
            && self.sse_aws_kms_key_id.is_absent()
            && self.aws_canned_acl.is_absent()
            && self.aws_storage_class.is_absent()
            && self.unknown.is_empty()
    }

    /// These, and of `others` what these leave open.
    ///
    /// A KMS key goes with its algorithm: whoever names another algorithm doesn't get the key of `others`.
    ///
    /// ```
    /// use cavatica_model::export::{SseAlgorithm, StorageClass};
    /// use cavatica_model::{ExportProperties, Tri};
    ///
    /// let mut all = ExportProperties::default();
    /// all.sse_algorithm = Tri::Value(SseAlgorithm::AwsKms.into());
    /// all.sse_aws_kms_key_id = Tri::Value("key-1".to_owned());
    /// let mut cold = ExportProperties::default();
    /// cold.aws_storage_class = Tri::Value(StorageClass::Glacier.into());
    /// let both = cold.or(&all);
    /// assert_eq!(both.sse_aws_kms_key_id, all.sse_aws_kms_key_id);
    /// assert_eq!(both.aws_storage_class, cold.aws_storage_class);
    /// ```
    #[must_use]
    pub fn or(&self, others: &ExportProperties) -> ExportProperties {
        fn first<T: Clone>(one: &Tri<T>, other: &Tri<T>) -> Tri<T> {
            if one.is_absent() { other } else { one }.clone()
        }
        let algorithm = &self.sse_algorithm;
        let takes_key = algorithm.is_absent()
            || algorithm
                .value()
                .is_some_and(|algorithm| algorithm.is(SseAlgorithm::AwsKms));
        let mut unknown = others.unknown.clone();
        unknown.extend(self.unknown.clone());
        ExportProperties {
            sse_algorithm: first(algorithm, &others.sse_algorithm),
            sse_aws_kms_key_id: match &self.sse_aws_kms_key_id {
                Tri::Absent if takes_key => others.sse_aws_kms_key_id.clone(),
                own => own.clone(),
            },
            aws_canned_acl: first(&self.aws_canned_acl, &others.aws_canned_acl),
            aws_storage_class: first(&self.aws_storage_class, &others.aws_storage_class),
            unknown,
        }
    }
}
