//! What is told to `tracing` stays below whoever called.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex};

use cavatica_sandbox::FaultPlan;
use cavatica_transfer::{AuditReading, Stop, audit};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Instrument, Subscriber, info_span};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::bench::{Bench, many, world};

/// A span: those above it, outermost first, and its fields.
#[derive(Clone, Debug, Default)]
struct Seen {
    above: Vec<&'static str>,
    fields: BTreeMap<&'static str, String>,
}

/// Every call that was made, and every attempt at it.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<BTreeMap<u64, Seen>>>);

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Calls {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !["call", "attempt"].contains(&attributes.metadata().name()) {
            return;
        }
        let scope = context.span_scope(id).expect("it has just begun");
        let mut seen = Seen {
            above: scope.from_root().map(|span| span.name()).collect(),
            ..Seen::default()
        };
        attributes.record(&mut seen);
        self.0.lock().unwrap().insert(id.into_u64(), seen);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        if let Some(seen) = self.0.lock().unwrap().get_mut(&id.into_u64()) {
            values.record(seen);
        }
    }
}

#[tokio::test]
async fn every_call_lies_under_its_callers_span_and_speaks_opentelemetrys_words() {
    let faults: FaultPlan = "drop-before@volume,nth=1".parse().expect("a fault plan");
    let bench = Bench::start(world(many(20)).faults(faults)).await;
    let calls = Calls::default();
    // What is enabled is cached for the whole process, and with one listener alone by the thread that comes first.
    static OTHER: LazyLock<Dispatch> =
        LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));
    LazyLock::force(&OTHER);
    let subscriber = tracing_subscriber::registry().with(calls.clone());
    let guard = tracing::subscriber::set_default(subscriber);
    let path = bench.transfer();
    let whole = async {
        bench.plan(bench.options()).await.expect("a plan");
        bench.run().await.expect("a run");
        bench.verify().await.expect("a look");
        let (client, stop) = (bench.client(), Stop::new());
        audit(&path, &client, AuditReading::GoOn, &stop, &mut |_| {})
            .await
            .expect("an audit");
    };
    whole.instrument(info_span!("caller")).await;
    drop(guard);

    let calls = calls.0.lock().unwrap();
    let works: BTreeSet<_> = calls.values().map(|seen| seen.above[1]).collect();
    let all = ["audit", "plan", "run", "verify"];
    assert_eq!(works, BTreeSet::from(all));
    let mut again = false;
    for seen in calls.values() {
        let field = |name| seen.fields.get(name).map(String::as_str);
        assert_eq!((seen.above[0], seen.above[2]), ("caller", "call"));
        let told = format!("{seen:?}");
        assert!(!told.contains(bench.sandbox.token()), "{told}");
        if seen.above.len() > 3 {
            assert_eq!(seen.above[3..], ["attempt"]);
            again |= field("http.request.resend_count") == Some("1");
            continue;
        }
        let (method, route) = (field("http.request.method"), field("url.template"));
        let name = format!("{} {}", method.unwrap_or("?"), route.unwrap_or("?"));
        assert_eq!(field("otel.name"), Some(&*name), "{seen:?}");
        assert_eq!(field("otel.kind"), Some("client"));
        assert_eq!(field("server.address"), Some("127.0.0.1"));
        assert!(field("http.response.status_code").is_some(), "{seen:?}");
        assert!(!told.contains(".dat"), "anybody's file: {told}");
    }
    assert!(again, "a lost answer was asked for again, below its call");
}
