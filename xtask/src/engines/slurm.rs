//! Slurm on one node: munge, controller and node run from a folder and end with it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::workplace::{LONGEST, PARTS, Workplace, background, kill, text};
use crate::sandbox::Running;

/// A cluster of this machine.
pub(super) struct Slurm {
    settings: PathBuf,
    /// Ended in this order: node, controller, munge.
    daemons: Vec<Running>,
}

impl Slurm {
    pub(super) fn start(folder: &Path) -> Result<Self, String> {
        let folder = folder.join("slurm");
        for name in ["state", "spool"] {
            std::fs::create_dir_all(folder.join(name)).map_err(text)?;
        }
        let key: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..))
            .take(1024)
            .collect();
        std::fs::write(folder.join("munge.key"), key).map_err(text)?;
        private(&folder.join("munge.key"))?;
        let settings = folder.join("slurm.conf");
        std::fs::write(&settings, conf(&folder)?).map_err(text)?;

        let option = |name: &str, file: &str| format!("--{name}={}", folder.join(file).display());
        let mut munge = Command::new("munged");
        munge.args(["--foreground", "--force"]).args([
            option("key-file", "munge.key"),
            option("socket", "munge.socket"),
            option("pid-file", "munge.pid"),
            option("log-file", "munge.log"),
            option("seed-file", "munge.seed"),
        ]);
        let munge = Running(background(&mut munge)?);
        wait_until("munge", || folder.join("munge.socket").exists())?;
        let mut daemons = vec![munge];
        for (name, flags) in [("slurmctld", ["-D", "-i"]), ("slurmd", ["-D", "-c"])] {
            let mut command = Command::new(name);
            command.args(flags).env("SLURM_CONF", &settings);
            daemons.insert(0, Running(background(&mut command)?));
        }
        let slurm = Slurm { settings, daemons };
        wait_until("the node", || {
            slurm
                .ask("sinfo", &["-h", "-o", "%T"])
                .is_ok_and(|state| state.trim() == "idle")
        })?;
        Ok(slurm)
    }

    /// Runs the parts as an array. Tasks are killed at random: by Slurm, which begins them again, or with the hardest signal.
    pub(super) fn run(
        self,
        desk: &Workplace,
        kills: u32,
        random: &mut fastrand::Rng,
    ) -> Result<u32, String> {
        let task = desk.task()?;
        let wrap = format!("exec sh {} $SLURM_ARRAY_TASK_ID", task.display());
        let array = format!("--array=1-{PARTS}");
        let mut submit = desk.command(Path::new("sbatch"));
        submit.env("SLURM_CONF", &self.settings).args([
            "--parsable",
            &array,
            "--requeue",
            "--open-mode=append",
            "--output=task-%a.log",
            "--wrap",
            &wrap,
        ]);
        let submitted = submit.output().map_err(text)?;
        let job = String::from_utf8_lossy(&submitted.stdout).trim().to_owned();
        if job.is_empty() {
            return Err(format!(
                "not submitted: {}",
                String::from_utf8_lossy(&submitted.stderr)
            ));
        }
        let (mut killed, began) = (0, Instant::now());
        loop {
            if began.elapsed() > LONGEST {
                return Err("it doesn't come to an end".to_owned());
            }
            sleep(Duration::from_millis(random.u64(500..2000)));
            let number = random.u32(1..=PARTS);
            let task = format!("{job}_{number}");
            if killed < kills && self.state(&task)? == "RUNNING" {
                if random.bool() {
                    if let Some(process) = desk.process_of(number)? {
                        kill(process)?;
                        killed += 1;
                    }
                } else {
                    killed += u32::from(self.requeue(&task));
                }
            }
            match self.tasks_left(&job, desk)? {
                0 => return Ok(killed),
                _ => continue,
            }
        }
    }

    /// How many tasks haven't come to a good end. Those that died are begun again.
    fn tasks_left(&self, job: &str, desk: &Workplace) -> Result<u32, String> {
        let mut left = 0;
        for number in 1..=PARTS {
            let task = format!("{job}_{number}");
            match self.state(&task)?.as_str() {
                "COMPLETED" => {}
                "FAILED" | "CANCELLED" | "NODE_FAIL" | "TIMEOUT" => {
                    // What no repetition mends would go on for ever.
                    let status = desk.cavatica(&["status", &super::workplace::part(number)])?;
                    if status["left"] == 0 {
                        return Err(format!("task {number} failed: {status}"));
                    }
                    self.requeue(&task);
                    left += 1;
                }
                _ => left += 1,
            }
        }
        Ok(left)
    }

    /// Kills a task and has it begin again. Whether Slurm took it.
    fn requeue(&self, task: &str) -> bool {
        self.ask("scontrol", &["requeue", task]).is_ok()
    }

    /// How a task stands, in Slurm's word.
    fn state(&self, task: &str) -> Result<String, String> {
        let told = self.ask("scontrol", &["--oneliner", "show", "job", task])?;
        let state = told
            .split_whitespace()
            .find_map(|word| word.strip_prefix("JobState="));
        Ok(state.unwrap_or_default().to_owned())
    }

    fn ask(&self, program: &str, args: &[&str]) -> Result<String, String> {
        let mut command = Command::new(program);
        command.args(args).env("SLURM_CONF", &self.settings);
        let output = command.output().map_err(text)?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(format!(
                "{program} {args:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            )),
        }
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        // Tasks that are left would outlive the node.
        let mut cancel = Command::new("scancel");
        cancel.args(["--user", "root", "--signal=KILL", "--full"]);
        cancel
            .env("SLURM_CONF", &self.settings)
            .stderr(Stdio::null());
        cancel.status().ok();
        self.daemons.clear();
    }
}

fn conf(folder: &Path) -> Result<String, String> {
    let host = Command::new("uname").arg("-n").output().map_err(text)?;
    let host = String::from_utf8_lossy(&host.stdout).trim().to_owned();
    let host = host.split('.').next().unwrap_or_default();
    let user = Command::new("id").arg("-un").output().map_err(text)?;
    let user = String::from_utf8_lossy(&user.stdout).trim().to_owned();
    let folder = folder.display();
    // Whoever is begun again waits for as long as credentials are good: a few seconds here.
    Ok(format!(
        "ClusterName=desk\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser={user}\nSlurmdUser={user}\n\
         AuthType=auth/munge\nCredType=cred/munge\nAuthInfo=socket={folder}/munge.socket,cred_expire=3\n\
         StateSaveLocation={folder}/state\nSlurmdSpoolDir={folder}/spool\n\
         SlurmctldPidFile={folder}/slurmctld.pid\nSlurmdPidFile={folder}/slurmd.pid\n\
         SlurmctldLogFile={folder}/slurmctld.log\nSlurmdLogFile={folder}/slurmd.log\n\
         SlurmctldPort=16817\nSlurmdPort=16818\nProctrackType=proctrack/pgid\nTaskPlugin=task/none\n\
         JobAcctGatherType=jobacct_gather/none\nAccountingStorageType=accounting_storage/none\n\
         SwitchType=switch/none\nMpiDefault=none\nReturnToService=2\nKillWait=5\n\
         SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\nSlurmdParameters=config_overrides\n\
         NodeName={host} NodeAddr=127.0.0.1 CPUs={PARTS} RealMemory=500 State=UNKNOWN\n\
         PartitionName=desk Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
    ))
}

fn private(file: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).map_err(text)
}

fn wait_until(what: &str, is_there: impl Fn() -> bool) -> Result<(), String> {
    let began = Instant::now();
    while !is_there() {
        if began.elapsed() > Duration::from_secs(60) {
            return Err(format!("{what} doesn't come up"));
        }
        sleep(Duration::from_millis(100));
    }
    Ok(())
}
