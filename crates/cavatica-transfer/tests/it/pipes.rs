//! A whole transfer in one process: the client's connections are pipes that lead to the sandbox, and no socket is opened.

use cavatica_exports::transport::{Client, Connect, Connecting, Endpoint, Stream, Token};
use cavatica_sandbox::Door;
use cavatica_transfer::journal::SqliteJournal;
use cavatica_transfer::{Ending, Stop, run};

use crate::bench::{Bench, many, options, world};

#[derive(Debug)]
pub(crate) struct Pipes(pub(crate) Door);

impl Connect for Pipes {
    fn connect(&self) -> Connecting {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let door = self.0.clone();
        tokio::spawn(async move { door.serve(theirs).await });
        Box::pin(async move { Ok(Box::new(ours) as Box<dyn Stream>) })
    }
}

#[tokio::test]
async fn a_transfer_runs_over_pipes() {
    let bench = Bench::start(world(many(250))).await;
    bench.plan(bench.options()).await.expect("a plan");
    let (transfer, sandbox) = (bench.transfer(), &bench.sandbox);
    let endpoint: Endpoint = sandbox.endpoint().parse().expect("an endpoint");
    let token = Token::new(sandbox.token().to_owned()).expect("a token");
    let client = Client::builder(endpoint, token)
        .connect(Pipes(sandbox.door()))
        .build()
        .expect("a client");
    let mut journal = SqliteJournal::open(&transfer, &client).expect("a journal");
    let report = run(&mut journal, &client, &options(), &Stop::new(), &mut |_| {}).await;
    assert_eq!(report.expect("a run").ending, Ending::Finished);
    assert_eq!(sandbox.ledger().starts, 250);
}
