//! Export jobs: start, read, list.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::bulk::{Batch, BulkAnswer, BulkGetRequest};
use crate::model::job::StartedJob;
use crate::model::wire::{OpenName, Page};
use crate::model::{
    CheckedExport, ExportBatch, ExportId, ExportJob, ExportMode, ExportState, VolumeId,
};
use crate::pager::{MAX_PAGE, Pager};
use crate::transport::{Call, Client, Effect, Error, Fetched};

/// Calls about export jobs.
///
/// Source: <https://docs.cavatica.org/reference/start-an-export-job-v2> and the pages beside it.
#[derive(Clone, Debug)]
pub struct Exports {
    client: Client,
}

/// Which jobs to list. The platform shows only those that the caller started.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ExportFilter {
    /// Only jobs into this volume.
    pub volume: Option<VolumeId>,
    /// Only jobs in one of these states; all if empty.
    pub states: Vec<ExportState>,
}

impl ExportFilter {
    /// Jobs into this volume.
    pub fn to(volume: VolumeId) -> Self {
        ExportFilter {
            volume: Some(volume),
            states: Vec::new(),
        }
    }

    /// Of them those in one of these states.
    #[must_use]
    pub fn in_states(mut self, states: impl IntoIterator<Item = ExportState>) -> Self {
        self.states.extend(states);
        self
    }
}

impl Exports {
    /// Calls through this client.
    pub fn new(client: Client) -> Self {
        Exports { client }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Starts one export. It can't be undone, and there is no idempotency key: sent twice, it may run twice.
    ///
    /// Dropping the future doesn't undo it either. Before its bytes leave, nothing is sent; afterwards the request runs to its
    /// end in a task of its own, and only its answer is lost, as after [`Outcome::Unknown`](crate::transport::Outcome). So
    /// bound it by the client's own limits rather than by a time-out around it, which doesn't tell the two apart.
    ///
    /// # Errors
    ///
    /// Those of the transport; its [outcome](Error::outcome) says whether the platform may have accepted the job all
    /// the same. After `Unknown`, look for the job before you send anything again, or let [`start_once`](Self::start_once)
    /// do it.
    pub async fn start(
        &self,
        export: &CheckedExport,
        mode: ExportMode,
    ) -> Result<Fetched<ExportJob>, Error> {
        let request = export.request();
        let call = Call::post("/storage/exports")
            .json(export)
            .names("volume", &request.destination.volume)
            .names("file", &request.source.file);
        self.client.fetch(with_mode(call, mode)).await
    }

    /// Starts up to 100 exports with one request, all moved or all copied. One that is refused doesn't harm the others, and
    /// [`by_request`](BulkAnswer::by_request) tells them apart:
    ///
    /// ```no_run
    /// # use cavatica_exports::model::{CheckedExport, ExportBatch, ExportMode, Fate};
    /// # async fn demo(exports: cavatica_exports::Exports, checked: Vec<CheckedExport>) -> Result<(), Box<dyn std::error::Error>> {
    /// for batch in ExportBatch::chunks(checked)? {
    ///     let fates = exports.start_each(&batch, ExportMode::Copy).await?.by_request(&batch);
    ///     for (export, fate) in batch.iter().zip(fates) {
    ///         let location = &export.request().destination.location;
    ///         match fate {
    ///             Fate::Accepted(job) => println!("{location}: job {}", job.id),
    ///             Fate::Refused(error) => println!("{location}: refused, {error}"),
    ///             Fate::Missing => println!("{location}: look before you send it again"),
    ///         }
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// What becomes of it when the future is dropped says [`start`](Self::start).
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start); what happened to each item stands in the answer.
    pub async fn start_each(
        &self,
        exports: &ExportBatch,
        mode: ExportMode,
    ) -> Result<Fetched<BulkAnswer<StartedJob>>, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            items: &'a ExportBatch,
        }
        let call = Call::post("/bulk/storage/exports/create").json(&Body { items: exports });
        let call = with_mode(call, mode);
        self.client.fetch_with(call, BulkAnswer::read).await
    }

    /// Reads one job. A failed one is documented as the body of a 409, and read from there too.
    ///
    /// # Errors
    ///
    /// `Refused` with code 9008 for a job that doesn't exist, 9005 for somebody else's.
    pub async fn get(&self, id: &ExportId) -> Result<Fetched<ExportJob>, Error> {
        let call = Call::get("/storage/exports/{export}")
            .param("export", id)
            .value_also_at(&[404, 409], is_job);
        self.client.fetch(call).await
    }

    /// Reads up to 100 jobs with one request: whole [`ExportJob`](crate::model::ExportJob)s, or of each what a
    /// [`JobStanding`](crate::model::job::JobStanding) holds, which is less work.
    ///
    /// # Errors
    ///
    /// Those of the transport; a job that can't be read is an error item of the answer.
    pub async fn get_bulk<J: DeserializeOwned + Send + 'static>(
        &self,
        ids: &Batch<ExportId>,
    ) -> Result<Fetched<BulkAnswer<J>>, Error> {
        // The documentation's text prints `/bulk/storage/export/get`; its example and all official clients use the plural.
        let call = Call::post("/bulk/storage/exports/get")
            .effect(Effect::Read)
            .json(&BulkGetRequest::new(ids.clone()));
        self.client.fetch_with(call, BulkAnswer::read).await
    }

    /// Lists jobs with all their fields. The order isn't documented, and pages shift while jobs are added: the same job
    /// can come twice.
    pub fn list(&self, filter: &ExportFilter) -> Pager<Page<ExportJob>> {
        self.list_from(filter, 0)
    }

    /// The same list without its first `offset` jobs, to read on where an earlier reading was broken off.
    pub fn list_from(&self, filter: &ExportFilter, offset: u64) -> Pager<Page<ExportJob>> {
        let mut call = list_call(filter)
            .query("fields", "_all")
            .query("limit", MAX_PAGE);
        if offset > 0 {
            call = call.query("offset", offset);
        }
        Pager::new(self.client.clone(), call)
    }

    /// Counts jobs with one small request.
    ///
    /// # Errors
    ///
    /// Those of the transport. `None` if the answer doesn't name the total.
    pub async fn count(&self, filter: &ExportFilter) -> Result<Option<u64>, Error> {
        let call = list_call(filter)
            .query("fields", "id,state")
            .query("limit", 1);
        Ok(self.client.fetch::<Page<ExportJob>>(call).await?.total)
    }
}

/// Whether a body is a job rather than an error: only a job has an id and a state.
fn is_job(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Marks {
        #[serde(rename = "id")]
        _id: String,
        #[serde(rename = "state")]
        _state: String,
    }
    serde_json::from_slice::<Marks>(body).is_ok()
}

/// `copy_only` is a query parameter. In the body it would be ignored, and the file moved.
fn with_mode(call: Call, mode: ExportMode) -> Call {
    match mode {
        ExportMode::Move => call,
        // Some pages call the parameter a feature in advance access; without the header it could be refused there.
        ExportMode::Copy => call.query("copy_only", true).in_advance_access(),
    }
}

fn list_call(filter: &ExportFilter) -> Call {
    let mut call = Call::get("/storage/exports");
    if let Some(volume) = &filter.volume {
        call = call.query("volume", volume).names("volume", volume);
    }
    for state in &filter.states {
        call = call.query("state", state.name());
    }
    call
}
