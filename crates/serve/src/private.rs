//! Files that only whoever runs the server may read.

use std::fs::OpenOptions;
use std::path::Path;

/// Makes a file that is not there yet, readable to its owner alone, before anything is in it.
pub(crate) fn private_file(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).map(|_| ())
}
