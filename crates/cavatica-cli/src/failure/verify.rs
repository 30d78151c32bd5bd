//! A destination that can't be looked at.

use cavatica_exports::ListError;
use cavatica_s3::{AwsConfigError, BuildError};
use cavatica_transfer::{ListingError, VerifyError};

use super::{Exit, Failure};

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Journal(error) => error.into(),
            VerifyError::Listing(error) => error.into(),
            VerifyError::Elsewhere { .. } => {
                Failure::usage(error.to_string()).hint("look at them one by one")
            }
            other => Failure::new(Exit::Other, other.to_string()),
        }
    }
}

impl From<ListingError> for Failure {
    fn from(error: ListingError) -> Self {
        match error {
            ListingError::Volume(error) => ListError::into(error),
            ListingError::Bucket(error) => error.into(),
            other => Failure::new(Exit::Other, other.to_string()),
        }
    }
}

impl From<cavatica_s3::Error> for Failure {
    fn from(error: cavatica_s3::Error) -> Self {
        let status = error.status().map(|status| status.as_u16());
        let exit = match status {
            Some(401 | 403) => Exit::Denied,
            Some(404) => Exit::Refused,
            _ => Exit::Other,
        };
        Failure {
            hints: error.advice().into_iter().collect(),
            ..Failure::new(exit, "the bucket can't be listed").caused_by(error)
        }
    }
}

impl From<AwsConfigError> for Failure {
    fn from(error: AwsConfigError) -> Self {
        let advice = error.advice();
        Failure::new(Exit::Denied, "there are no AWS credentials")
            .caused_by(error)
            .hint(advice)
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Failure::usage("the bucket can't be addressed").caused_by(error)
    }
}
