//! Where our files are on this machine: flag before environment before the platform's convention. Creates nothing unless
//! asked, and never writes into a folder of another user.

use crate::cli::args::Global;
use crate::cli::failure::Failure;
use crate::config::Environment;
use std::path::{Path, PathBuf};

/// Where our files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// The configuration file, whether it is there or not.
    pub config_file: PathBuf,
    /// Whether a flag or the environment named it.
    pub config_named: bool,
    /// Durable records.
    pub data: PathBuf,
    /// What may be thrown away.
    pub cache: PathBuf,
    /// Logs.
    pub state: PathBuf,
}

impl Folders {
    /// Finds them. Fails when the machine names no home folder and nothing else names the files.
    pub fn find(global: &Global, environment: &Environment) -> Result<Self, Failure> {
        let variable = |name: &str| environment.get(name).filter(|text| !text.is_empty()).map(PathBuf::from);
        let named = global.config.clone().or_else(|| variable("MIDWATCH_CONFIG"));
        let data = global.data_dir.clone().or_else(|| variable("MIDWATCH_DATA_DIR"));
        let project = directories::ProjectDirs::from("", "", "midwatch");
        let Some(project) = project else {
            return match (named, data) {
                (Some(config_file), Some(data)) => {
                    let (cache, state) = (data.join("cache"), data.join("state"));
                    Ok(Self { config_file, config_named: true, data, cache, state })
                }
                _ => Err(Failure::Usage(
                    "this machine names no home folder; say where the files are with --config and --data-dir"
                        .to_owned(),
                )),
            };
        };
        // One flag moves all that is written.
        let beside = |name: &str| data.as_ref().map(|data| data.join(name));
        let state = beside("state")
            .unwrap_or_else(|| project.state_dir().unwrap_or_else(|| project.data_local_dir()).to_path_buf());
        let cache = beside("cache").unwrap_or_else(|| project.cache_dir().to_path_buf());
        Ok(Self {
            config_named: named.is_some(),
            config_file: named.unwrap_or_else(|| project.config_dir().join("config.yaml")),
            data: data.unwrap_or_else(|| project.data_dir().to_path_buf()),
            cache,
            state,
        })
    }

    /// What relative paths in the configuration are relative to.
    pub fn config(&self) -> &Path {
        let parent = self.config_file.parent().unwrap_or(Path::new("."));
        if parent.as_os_str().is_empty() { Path::new(".") } else { parent }
    }
}
