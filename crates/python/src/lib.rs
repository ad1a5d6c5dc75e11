//! The native half of the Python package: frames and texts in, one call of the library, frames and
//! texts out.

mod call;
mod data;
mod errors;
mod frames;
mod model;
mod report;

use pyo3::prelude::*;

/// What the Python half of the package stands on; not for users.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::data::{Data, families, simulated_config, simulated_tables, write_crm};
    #[pymodule_export]
    use crate::frames::Table;
    #[pymodule_export]
    use crate::model::{Model, fit_columns};
    #[pymodule_export]
    use crate::report::Report;

    use super::{Bound, PyModule, PyModuleMethods as _, PyResult};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
