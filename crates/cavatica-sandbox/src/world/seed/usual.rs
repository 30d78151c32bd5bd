//! The world that a sandbox has when nobody describes one.

use super::{FileSeed, ProjectSeed, VolumeSeed};

/// The project that a sandbox has when nobody names one.
pub(crate) fn usual_project() -> ProjectSeed {
    ProjectSeed::new("sandbox/demo")
        .file("README.txt", "Files to try exports with.\n")
        .with(
            FileSeed::bytes("results/NA12878/calls.vcf", VCF)
                .metadata("sample_id", "NA12878")
                .tag("final"),
        )
        .with(
            FileSeed::bytes(
                "results/NA12878/metrics.tsv",
                "metric\tvalue\nreads\t1042\n",
            )
            .metadata("sample_id", "NA12878"),
        )
        .with(
            FileSeed::bytes("results/NA12891/calls.vcf", VCF)
                .metadata("sample_id", "NA12891")
                .tag("final"),
        )
        .with(FileSeed::synthetic("results/NA12891/reads.bam", 1 << 20))
        .file(
            "odd names/50% done, #1 (a+b).txt",
            "Names may hold almost anything.\n",
        )
        .with(FileSeed::alias(
            "already/exported.bam",
            "sandbox/output",
            "earlier/exported.bam",
            9,
        ))
        .with(FileSeed::bytes("already/archived.tar", "long ago\n").archived())
        .with(FileSeed::bytes("reference/genome.fa", ">chr1\nACGT\n").public_copy())
        .folder("empty")
}

/// The platform's project of public reference files.
pub(crate) fn public_project() -> ProjectSeed {
    ProjectSeed::new(cavatica_model::ProjectId::PUBLIC)
        .file("human_g1k_v37_decoy.fasta", ">1\nNNNN\n")
}

/// The volumes that a sandbox has when nobody names one: of every kind.
pub(crate) fn usual_volumes() -> Vec<VolumeSeed> {
    vec![
        VolumeSeed::s3("sandbox/output").object("earlier/exported.bam", "alignment"),
        VolumeSeed::s3("sandbox/prefixed").prefix("lab/cohort7"),
        VolumeSeed::s3("sandbox/readonly").read_only(),
        VolumeSeed::s3("sandbox/inactive").inactive(),
        VolumeSeed::gcs("sandbox/google"),
    ]
}

const VCF: &str = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t10177\t.\tA\tAC\t100\tPASS\t.\n";
