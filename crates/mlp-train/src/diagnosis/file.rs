//! A diagnosis as a file.

use std::path::Path;

use super::{Diagnosis, LayerDiagnosis};
use crate::error::{Error, ErrorKind, Result};

impl Diagnosis {
    /// Reads `diagnosis/<trial>.json`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is no diagnosis, or its parts contradict each other.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = durable_file::read(path).map_err(|source| Error::io(path, "read the diagnosis", source))?;
        let diagnosis: Self = serde_json::from_slice(&bytes).map_err(|error| no_diagnosis(&error).in_file(path))?;
        diagnosis.check().map_err(|error| error.in_file(path))?;
        Ok(diagnosis)
    }

    fn check(&self) -> Result<()> {
        let refused = |place: String, expected: String, found: String| {
            Err(Error::at(ErrorKind::Diagnosis, place, expected, found))
        };
        let n_layers = self.layers.len();
        if n_layers == 0 {
            return refused("layers".to_owned(), "at least one".to_owned(), "none".to_owned());
        }
        for (position, epoch) in self.epochs.iter().enumerate() {
            let place = format!("epochs[{position}].layers");
            if epoch.layers.len() != n_layers {
                return refused(place, format!("{n_layers}, as in layers"), epoch.layers.len().to_string());
            }
            let mut numbers = epoch.layers.iter().flat_map(LayerDiagnosis::numbers);
            if let Some(number) = numbers.find(|number| !(0.0..=f64::MAX).contains(number)) {
                return refused(place, "numbers of at least 0".to_owned(), number.to_string());
            }
            if position > 0 && self.epochs[position - 1].epoch >= epoch.epoch {
                let before = self.epochs[position - 1].epoch;
                let place = format!("epochs[{position}].epoch");
                return refused(place, format!("more than {before}"), epoch.epoch.to_string());
            }
        }
        Ok(())
    }

    /// The diagnosis as indented JSON with a newline at the end.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a struct of strings, numbers and lists has a JSON form") + "\n"
    }
}

fn no_diagnosis(error: &serde_json::Error) -> Error {
    let expected = "a diagnosis with trial, layers and epochs";
    let sentence = format!("{error}; expected {expected}");
    Error::new(ErrorKind::Diagnosis, expected, error.to_string()).saying(sentence)
}
