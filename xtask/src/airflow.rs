//! The operator, in a real Airflow. It is 300 MB, so this isn't part of what every change has to pass.

use clap::Args;

use crate::python::{there, wheel};
use crate::venv::{Venv, pythons};
use crate::{Failed, command, say};

/// Airflow 3.3 takes these, and no newer ones yet.
const PYTHONS: std::ops::RangeInclusive<(u32, u32)> = (3, 10)..=(3, 13);

#[derive(Debug, Args)]
pub(crate) struct AirflowOptions {
    /// The profile of the program in the wheel
    #[arg(long, default_value = "dev")]
    profile: String,
}

pub(crate) fn run(options: &AirflowOptions) -> Result<(), Failed> {
    let pythons = pythons()?;
    let Some(python) = pythons
        .iter()
        .rfind(|python| PYTHONS.contains(&python.version))
    else {
        say("Airflow needs a Python from 3.10 to 3.13");
        return Err(Failed);
    };
    let wheel = wheel(&options.profile)?;
    let venv = Venv::kept("airflow", python)?;
    venv.install(&["--requirement", "crates/cavatica-python/dev/airflow.txt"])?;
    venv.install(&["--force-reinstall", "--no-deps", &wheel])?;
    command(
        there(&venv, "python")
            .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
            .args(["tests/test_airflow.py", "tests/test_airflow_parts.py"])
            .env_remove("CAVATICA_BIN"),
    )
}
