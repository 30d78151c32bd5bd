//! `cavatica page`: all transfers of a folder on a page of this computer, as they stand.

use std::collections::HashSet;
use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cavatica_report::{
    Listed, Overview, TOGETHER, Whole, WholeError, index_page, live_page, page_link,
};
use cavatica_transfer::journal::TransferFile;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use crate::args::Page;
use crate::command::several::{self, NamedTransfers};
use crate::failure::{Exit, Failure};
use crate::interrupt::StopRequests;
use crate::ui::Ui;

pub(crate) async fn run(args: &Page, ui: &Ui) -> Result<Exit, Failure> {
    several::listed(&args.places)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port))
        .await
        .map_err(|error| {
            Failure::usage(format!("port {} can't be had", args.port))
                .caused_by(error)
                .hint("leave --port out, and a free one is taken")
        })?;
    let site = Arc::new(Site {
        // `.` would say nothing to whoever reads the page.
        places: args.places.iter().map(|place| whole_path(place)).collect(),
        token: token()?,
        port: listener.local_addr()?.port(),
    });
    let address = format!("http://127.0.0.1:{}/{}/", site.port, site.token);
    if ui.is_json() {
        ui.json(&json!({"address": address}))?;
    } else {
        ui.line(&address)?;
    }
    ui.note(
        "whoever knows this address on this computer can read the page; it changes nothing. Ctrl-C ends it",
    );
    let mut stop = StopRequests::listen()?;
    loop {
        tokio::select! {
            () = stop.next() => return Ok(Exit::Done),
            accepted = listener.accept() => {
                // One that breaks off while it connects is no reason to stop.
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(serve(stream, Arc::clone(&site)));
                }
            }
        }
    }
}

fn whole_path(place: &Path) -> PathBuf {
    place.canonicalize().unwrap_or_else(|_| place.to_owned())
}

/// What is served: pages about the transfers of some places, to those who know the token.
struct Site {
    places: Vec<PathBuf>,
    token: String,
    port: u16,
}

/// 128 random bits, which no other user of this computer can guess.
fn token() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn serve(stream: TcpStream, site: Arc<Site>) {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let site = Arc::clone(&site);
        async move {
            let (method, path) = (request.method().clone(), request.uri().path().to_owned());
            let host = request.headers().get(HOST).cloned();
            let answer =
                tokio::task::spawn_blocking(move || site.answer(&method, host.as_ref(), &path));
            let answer = answer
                .await
                .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, "the page failed"));
            Ok::<_, Infallible>(answer)
        }
    });
    // Who goes away before the answer is whole wants it no more.
    hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
        .ok();
}

impl Site {
    /// A page of another site that was made to lead here by name doesn't know the token, and its `Host` is another.
    fn answer(
        &self,
        method: &Method,
        host: Option<&HeaderValue>,
        path: &str,
    ) -> Response<Full<Bytes>> {
        let own = ["127.0.0.1", "localhost"].map(|name| format!("{name}:{}", self.port));
        if !host.is_some_and(|host| own.iter().any(|own| host == own)) {
            return plain(StatusCode::MISDIRECTED_REQUEST, "this isn't that host");
        }
        let name = path
            .strip_prefix('/')
            .and_then(|path| path.strip_prefix(&*self.token))
            .and_then(|path| path.strip_prefix('/'));
        let Some(name) = name else {
            return plain(
                StatusCode::NOT_FOUND,
                "the address has a token, as `cavatica page` printed it",
            );
        };
        if method != Method::GET {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "pages are only read");
        }
        let named = match several::named(&self.places) {
            Ok(named) => named,
            Err(error) => return plain(StatusCode::INTERNAL_SERVER_ERROR, &error.message),
        };
        if name.is_empty() {
            return page(index(&named));
        }
        if name == TOGETHER {
            return whole(Whole::open(&named.name, &named.paths));
        }
        // What is asked for is looked for among what is there; no path is made of it.
        let asked = format!("./{name}");
        let mut named = names(&named.paths).into_iter().zip(&named.paths);
        let Some((_, path)) = named.find(|(name, _)| page_link(name) == asked) else {
            return plain(StatusCode::NOT_FOUND, "there is no such transfer");
        };
        whole(
            TransferFile::open(path)
                .map(Whole::of)
                .map_err(WholeError::from),
        )
    }
}

/// The page of a transfer, or of several as one.
fn whole(opened: Result<Whole, WholeError>) -> Response<Full<Bytes>> {
    match opened.and_then(|whole| Ok(live_page(&whole)?)) {
        Ok(text) => page(text),
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn index(named: &NamedTransfers) -> String {
    let listed = names(&named.paths).into_iter().zip(&named.paths);
    let transfers: Vec<Listed> = listed
        .map(|(name, path)| Listed {
            name,
            overview: Overview::read(path),
        })
        .collect();
    let together = Whole::open(&named.name, &named.paths).ok();
    let together = together.filter(|whole| !whole.parts().is_empty());
    let together = together.and_then(|whole| Overview::of_whole(&whole).ok());
    index_page(&named.name, together.as_ref(), &transfers)
}

/// How each is called: as its file, or where two files have one name as its whole path.
fn names(paths: &[PathBuf]) -> Vec<String> {
    let files = paths.iter().filter_map(|path| path.file_name());
    let files: Vec<String> = files
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    if files.iter().collect::<HashSet<_>>().len() == paths.len() {
        return files;
    }
    let whole = paths.iter().map(|path| path.display().to_string());
    whole.collect()
}

fn page(text: String) -> Response<Full<Bytes>> {
    answer(StatusCode::OK, "text/html; charset=utf-8", text)
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    answer(status, "text/plain; charset=utf-8", format!("{text}\n"))
}

fn answer(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    let headers = [
        ("content-type", kind),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    for (name, value) in headers {
        answer.headers_mut().insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    answer
}
