//! Data to train on, by name: read when they are first asked for, and kept.

use std::fmt;
use std::sync::{Arc, Mutex};

use mlp_sweep::Dataset;

use crate::error::{Error, ErrorKind, Result};
use crate::models::lock;

type Load = Box<dyn Fn() -> std::result::Result<Dataset, String> + Send + Sync>;

/// A data set that whoever starts the program offers.
pub struct DataSource {
    name: String,
    load: Load,
    loaded: Mutex<Option<Arc<Dataset>>>,
}

impl DataSource {
    /// A data set under a name; `load` reads it, or says why it cannot be read.
    pub fn new(
        name: impl Into<String>,
        load: impl Fn() -> std::result::Result<Dataset, String> + Send + Sync + 'static,
    ) -> Self {
        DataSource { name: name.into(), load: Box::new(load), loaded: Mutex::default() }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The data, which are read once.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn get(&self) -> Result<Arc<Dataset>> {
        let mut loaded = lock(&self.loaded);
        if let Some(data) = &*loaded {
            return Ok(Arc::clone(data));
        }
        let data = Arc::new((self.load)().map_err(|problem| Error::new(ErrorKind::Io, problem))?);
        *loaded = Some(Arc::clone(&data));
        Ok(data)
    }
}

impl fmt::Debug for DataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataSource").field("name", &self.name).finish_non_exhaustive()
    }
}
