//! Asking for a key of an answer, whether there is a field for it or not.

/// Gives types a way to ask for a key that works whether there is a field for it or not.
macro_rules! keyed {
    ($($Type:ty),+ $(,)?) => {$(
        impl $Type {
            /// The value of a key as JSON, whether this version has a field for it or not: a program that asks this way
            /// doesn't notice when a later version gets one.
            pub fn key(&self, name: &str) -> Option<serde_json::Value> {
                let known = || {
                    let mut object = serde_json::to_value(self).ok()?;
                    object.as_object_mut()?.remove(name)
                };
                self.unknown.get(name).cloned().or_else(known)
            }
        }
    )+};
}

keyed!(
    crate::account::RateLimit,
    crate::account::User,
    crate::error::ApiError,
    crate::export::ExportProperties,
    crate::file::File,
    crate::file::FileStorage,
    crate::job::ExportJob,
    crate::project::Project,
    crate::task::Task,
    crate::volume::Member,
    crate::volume::Volume,
    crate::volume::VolumeObject,
    crate::volume::VolumeService,
);

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use crate::{ExportJob, File, Volume};

    /// Whether each key of an object is found as it stands.
    fn finds_all<T: DeserializeOwned>(object: &Value, key: impl Fn(&T, &str) -> Option<Value>) {
        let read: T = serde_json::from_value(object.clone()).expect("it can be read");
        for (name, value) in object.as_object().expect("an object") {
            assert_eq!(key(&read, name).as_ref(), Some(value), "{name}");
        }
        assert_eq!(key(&read, "elsewhere"), None);
    }

    /// The same question has the same answer before and after a key gets a field.
    #[test]
    fn a_key_is_found_whether_it_has_a_field_or_not() {
        let file = json!({"id": "f1", "name": "a.bam", "type": "file", "checksum": "9b2c"});
        finds_all(&file, File::key);
        let volume = json!({"id": "o/v", "name": "v", "access_mode": "RW", "region": "us-east-1"});
        finds_all(&volume, Volume::key);
        let job = json!({"id": "j1", "state": "RUNNING", "source": {"file": "f1"}, "priority": 3});
        finds_all(&job, ExportJob::key);
    }
}
