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

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use crate::{SessionOptions, Sessions, State};

    #[test]
    fn files_with_sessions_and_leads_are_their_owners() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (state, sessions) = (folder.path().join("s"), folder.path().join("p"));
        let _state = State::open(&state).expect("room");
        let _sessions = Sessions::open(&sessions, SessionOptions::default()).expect("room");
        for path in [state, sessions] {
            let mode = std::fs::metadata(&path)
                .expect("a file")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        }
    }
}
