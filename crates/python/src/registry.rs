//! The registry of models.

use std::path::PathBuf;

use leadscore::error_words;
use leadscore_operate::{Decision, Facts, RegistryError};
use pyo3::exceptions::{PyBlockingIOError, PyValueError};
use pyo3::prelude::*;
use serde::Serialize;

use crate::arguments::Call;
use crate::call::same_process;
use crate::errors::exception_by_kind;
use crate::model::Model;

/// A registry: a folder, which every call looks at anew.
#[pyclass(frozen, module = "leadscore._native")]
pub(crate) struct Registry {
    folder: PathBuf,
}

impl Registry {
    fn read<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(leadscore_operate::Registry) -> Result<T, RegistryError> + Send,
    ) -> PyResult<T> {
        self.call(py, |folder| {
            leadscore_operate::Registry::open(folder).and_then(work)
        })
    }

    fn change<T: Send>(
        &self,
        py: Python<'_>,
        what: &str,
        work: impl FnOnce(&mut leadscore_operate::LockedRegistry) -> Result<T, RegistryError> + Send,
    ) -> PyResult<T> {
        let by = leadscore_cli::by(format!("Python: Registry.{what}"));
        self.call(py, |folder| {
            let mut locked = leadscore_operate::Registry::lock(folder, by)?;
            work(&mut locked)
        })
    }

    fn call<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(PathBuf) -> Result<T, RegistryError> + Send,
    ) -> PyResult<T> {
        same_process()?;
        let folder = self.folder.clone();
        py.detach(|| work(folder)).map_err(|error| {
            if matches!(error, RegistryError::Busy { .. }) {
                PyBlockingIOError::new_err(error_words(&error))
            } else {
                exception_by_kind(py, error.kind(), &error, Call::Any)
            }
        })
    }
}

fn json(value: &(impl Serialize + ?Sized)) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| PyValueError::new_err(error.to_string()))
}

fn decision(because: String, evidence: Option<&str>) -> PyResult<Decision> {
    let evidence = evidence
        .map(serde_json::from_str)
        .transpose()
        .map_err(|error| PyValueError::new_err(format!("evidence: {error}")))?;
    Ok(Decision {
        because,
        evidence: evidence.unwrap_or_default(),
    })
}

#[pymethods]
impl Registry {
    #[staticmethod]
    fn open(py: Python<'_>, folder: PathBuf) -> PyResult<Self> {
        let registry = Self { folder };
        registry.read(py, |_| Ok(()))?;
        Ok(registry)
    }

    fn models(&self, py: Python<'_>) -> PyResult<String> {
        json(self.read(py, Ok)?.models())
    }

    fn roles(&self, py: Python<'_>) -> PyResult<String> {
        json(&self.read(py, Ok)?.roles())
    }

    fn journal(&self, py: Python<'_>) -> PyResult<String> {
        json(self.read(py, Ok)?.journal())
    }

    fn find(&self, py: Python<'_>, name: String) -> PyResult<Model> {
        self.read(py, move |registry| registry.read(registry.find(&name)?))
            .map(Model::new)
    }

    fn why(&self, py: Python<'_>, name: Option<String>) -> PyResult<String> {
        json(&self.read(py, move |registry| registry.why(name.as_deref()))?)
    }

    fn verify(&self, py: Python<'_>) -> PyResult<String> {
        json(&self.call(py, leadscore_operate::Registry::verify)?)
    }

    fn add(&self, py: Python<'_>, model: &Model) -> PyResult<String> {
        let model = std::sync::Arc::clone(&model.model);
        self.change(py, "add", move |registry| {
            registry.add(&model, Facts::default())
        })
        .map(|added| added.id)
    }

    fn promote(
        &self,
        py: Python<'_>,
        name: String,
        because: String,
        evidence: Option<&str>,
    ) -> PyResult<bool> {
        let decision = decision(because, evidence)?;
        self.change(py, "promote", move |registry| {
            registry.promote(&name, decision)
        })
        .map(|line| line.is_some())
    }

    fn revert(&self, py: Python<'_>, because: String) -> PyResult<()> {
        let decision = decision(because, None)?;
        self.change(py, "revert", move |registry| registry.revert(decision))
            .map(drop)
    }

    fn retire(&self, py: Python<'_>, name: String, because: String) -> PyResult<bool> {
        let decision = decision(because, None)?;
        self.change(py, "retire", move |registry| {
            registry.retire(&name, decision)
        })
        .map(|line| line.is_some())
    }
}
