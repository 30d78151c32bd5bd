//! The world of the demo: a small project, and one of each kind that can't be exported.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cavatica_exports::model::ProjectId;
use cavatica_sandbox::{FileSeed, ProjectSeed, Sandbox, VolumeSeed};

use crate::failure::{Exit, Failure};

pub(super) const PROJECT: &str = "sandbox/demo";
pub(super) const VOLUME: &str = "sandbox/output";

/// A small cohort's results: nested folders, an odd name, an empty file.
pub(super) fn made_up_files(folder: &Path) -> io::Result<PathBuf> {
    let variant = "1\t10177\trs367896724\tA\tAC\t100\tPASS\tAC=2130;AF=0.425\n";
    let calls = |count: usize| {
        format!(
            "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{}",
            variant.repeat(count)
        )
    };
    let reads = "GATTACAACGTTTACGGAATCC".repeat(100_000);
    let files = [
        ("README.txt", "Results of a made-up trio.\n".to_owned()),
        ("results/NA12878/calls.vcf", calls(20_000)),
        ("results/NA12878/reads.bam", reads.clone()),
        ("results/NA12878/reads.bam.bai", "index\n".to_owned()),
        ("results/NA12891/calls.vcf", calls(18_000)),
        ("results/NA12891/reads.bam", reads),
        (
            "results/joint/50% done, #1 (a+b).txt",
            "Names may hold almost anything.\n".to_owned(),
        ),
        ("results/joint/empty.log", String::new()),
    ];
    for (path, content) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("every path has a folder"))?;
        fs::write(path, content)?;
    }
    Ok(folder.to_owned())
}

/// The reader's files, and beside them one of each kind that can't be exported.
pub(super) async fn start(source: &Path, data: &Path) -> Result<Sandbox, Failure> {
    let project = ProjectSeed::new(PROJECT)
        .from_dir(source)
        .with(FileSeed::alias(
            "cannot be exported/exported before.bam",
            VOLUME,
            "earlier/exported.bam",
            9,
        ))
        .with(FileSeed::bytes("cannot be exported/archived.tar", "long ago\n").archived())
        .with(
            FileSeed::bytes(
                "cannot be exported/copy of a public file.fa",
                ">chr1\nACGT\n",
            )
            .public_copy(),
        );
    let public =
        ProjectSeed::new(ProjectId::PUBLIC).file("human_g1k_v37_decoy.fasta", ">1\nNNNN\n");
    Sandbox::builder()
        .data(data)
        .project(project)
        .project(public)
        .volume(VolumeSeed::s3(VOLUME).object("earlier/exported.bam", "alignment"))
        // Long enough to be seen running.
        .job_duration(Duration::from_millis(600)..=Duration::from_millis(1800))
        .start()
        .await
        .map_err(|error| {
            Failure::new(Exit::Other, "the sandbox could not be started").caused_by(error)
        })
}
