//! The native half of the Python package: frames and texts in, one call of the library, frames and
//! texts out.

mod arguments;
mod call;
mod command;
mod data;
mod errors;
mod frames;
mod history;
mod model;
mod operate;
mod points;
mod registry;
mod report;

use pyo3::prelude::*;

/// What the Python half of the package stands on; not for users.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::command::run_command;
    #[pymodule_export]
    use crate::data::{Data, families, simulated_config, simulated_tables, write_crm};
    #[pymodule_export]
    use crate::frames::Table;
    #[pymodule_export]
    use crate::history::history;
    #[pymodule_export]
    use crate::model::{Model, fit_columns};
    #[pymodule_export]
    use crate::operate::{Monitoring, monitor, registry_folder, run};
    #[pymodule_export]
    use crate::points::Points;
    #[pymodule_export]
    use crate::registry::Registry;
    #[pymodule_export]
    use crate::report::Report;

    use super::{Bound, PyModule, PyModuleMethods as _, PyResult, pyfunction};

    /// A message of the library as Python shows it.
    #[pyfunction]
    fn in_python(text: &str) -> String {
        crate::arguments::in_python(text, crate::arguments::Call::Any).into_owned()
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("MOST_RULES", leadscore::MOST_RULES)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
