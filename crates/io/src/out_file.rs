//! Files that appear whole or not at all, one or several at once: temporary files beside their
//! targets, synced, then renamed.
//!
//! Renames of several files are one step for whoever comes later: a journal beside the targets
//! names them before the first is renamed, and the next run that writes there completes what a
//! killed one began.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::TablesError;
use crate::journal::{
    Rename, complete_and_clean, inode_of, rename_all, temporary_in, write_journals,
};
use crate::targets::{folder_of, real, refuse_remote, two_of_one_name};
use crate::unfinished::{Unfinished, forget, naming};

/// A file that appears under its name only when it is finished; dropped before, it leaves nothing
/// behind.
#[derive(Debug)]
pub struct OutFile {
    target: PathBuf,
    writer: Writer,
}

#[derive(Debug)]
enum Writer {
    /// A file without its name yet.
    Temporary(tempfile::TempPath, BufWriter<File>),
    /// A pipe or a device, opened by the first write: opening a pipe waits for its reader.
    Direct(Option<BufWriter<File>>),
}

/// A file that is written and synced, and still has to get its name; dropped before, it leaves
/// nothing behind.
#[derive(Debug)]
pub struct FinishedFile {
    target: PathBuf,
    /// With the lock that says that somebody is at it; none where the target is a pipe or a device.
    temporary: Option<(tempfile::TempPath, File)>,
}

impl FinishedFile {
    /// Whether a file has exactly these bytes already; false where there is no such file.
    ///
    /// # Errors
    ///
    /// [`TablesError::Io`] where one of the two cannot be read.
    pub fn is_same_as(&self, path: &Path) -> Result<bool, TablesError> {
        let Some((temporary, _)) = &self.temporary else {
            return Ok(false);
        };
        let error = |source| TablesError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        };
        let other = match File::open(path) {
            Ok(file) => file,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(error(source)),
        };
        let own = File::open(temporary).map_err(error)?;
        let sizes = (
            own.metadata().map_err(error)?,
            other.metadata().map_err(error)?,
        );
        if sizes.0.len() != sizes.1.len() {
            return Ok(false);
        }
        let (mut own, mut other) = (BufReader::new(own), BufReader::new(other));
        loop {
            let (a, b) = (
                own.fill_buf().map_err(error)?,
                other.fill_buf().map_err(error)?,
            );
            let n = a.len().min(b.len());
            if a[..n] != b[..n] {
                return Ok(false);
            }
            if n == 0 {
                return Ok(a.is_empty() && b.is_empty());
            }
            own.consume(n);
            other.consume(n);
        }
    }
}

impl OutFile {
    /// Opens a temporary file in the folder of `target`.
    ///
    /// A target that is a link is written where the link leads, one that is a pipe or a device
    /// directly. A file that is replaced keeps its mode; a new one gets that of any new file of
    /// this user (umask).
    ///
    /// # Errors
    ///
    /// [`TablesError::Io`] where the folder does not exist or cannot be written.
    pub fn create(target: &Path) -> Result<Self, TablesError> {
        let error = |action| {
            move |source| TablesError::Io {
                action,
                path: target.to_owned(),
                source,
            }
        };
        refuse_remote(target)?;
        if target.is_dir() {
            return Err(TablesError::Format {
                path: target.to_owned(),
                found: "this is a folder".to_owned(),
                help: "name a file in it".to_owned(),
            });
        }
        if target.metadata().is_ok_and(|meta| !meta.is_file()) {
            return Ok(Self {
                target: target.to_owned(),
                writer: Writer::Direct(None),
            });
        }
        let named = target;
        let target = led_to(target).map_err(error("follow the link"))?;
        let folder = folder_of(&target);
        if !folder.is_dir() {
            return Err(TablesError::Format {
                path: named.to_owned(),
                found: format!("there is no folder {}", folder.display()),
                help: "make it first, or write elsewhere".to_owned(),
            });
        }
        complete_and_clean(folder);
        let (file, path) = temporary_in(folder).map_err(error("create"))?;
        Ok(Self {
            target,
            writer: Writer::Temporary(path, BufWriter::with_capacity(1 << 20, file)),
        })
    }

    /// Writes everything to disk; the file has no name yet.
    ///
    /// # Errors
    ///
    /// [`TablesError::Io`]; the target is then as it was before.
    pub fn close(mut self) -> Result<FinishedFile, TablesError> {
        let target = std::mem::take(&mut self.target);
        let error = |source| TablesError::Io {
            action: "write",
            path: target.clone(),
            source,
        };
        let writer = std::mem::replace(&mut self.writer, Writer::Direct(None));
        let temporary = match writer {
            Writer::Direct(writer) => {
                let mut writer = writer
                    .map_or_else(|| open_directly(&target), Ok)
                    .map_err(error)?;
                writer.flush().map_err(error)?;
                None
            }
            Writer::Temporary(path, writer) => {
                let unfinished = Unfinished(path.to_path_buf());
                let file = writer
                    .into_inner()
                    .map_err(|failure| error(failure.into_error()))?;
                if let Ok(before) = target.metadata() {
                    file.set_permissions(before.permissions()).map_err(error)?;
                }
                file.sync_all().map_err(error)?;
                // From here on the finished file looks after its name.
                std::mem::forget(unfinished);
                Some((path, file))
            }
        };
        Ok(FinishedFile { target, temporary })
    }

    /// Writes everything to disk and gives the file its name.
    ///
    /// # Errors
    ///
    /// [`TablesError::Io`]; the target is then as it was before.
    pub fn finish(self) -> Result<(), TablesError> {
        publish(vec![self.close()?])
    }
}

/// Where a link leads, be there a file yet or not.
fn led_to(target: &Path) -> std::io::Result<PathBuf> {
    let mut target = target.to_owned();
    for _ in 0..40 {
        if !target.is_symlink() {
            return Ok(target);
        }
        target = folder_of(&target).join(std::fs::read_link(&target)?);
    }
    Err(std::io::Error::other("the link leads to itself"))
}

fn open_directly(target: &Path) -> std::io::Result<BufWriter<File>> {
    Ok(BufWriter::new(File::options().write(true).open(target)?))
}

impl Drop for OutFile {
    fn drop(&mut self) {
        if let Writer::Temporary(path, _) = &self.writer {
            forget(path);
        }
    }
}

impl Drop for FinishedFile {
    fn drop(&mut self) {
        if let Some((path, _)) = &self.temporary {
            forget(path);
        }
    }
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut self.writer {
            Writer::Temporary(_, writer) => writer.write(bytes),
            Writer::Direct(writer) => {
                if writer.is_none() {
                    *writer = Some(open_directly(&self.target)?);
                }
                writer.as_mut().expect("opened above").write(bytes)
            }
        }
    }
    fn flush(&mut self) -> std::io::Result<()> {
        match &mut self.writer {
            Writer::Temporary(_, writer) | Writer::Direct(Some(writer)) => writer.flush(),
            Writer::Direct(None) => Ok(()),
        }
    }
}

/// Gives finished files their names: all of them, or none.
///
/// A run that is killed in between is completed by the next one that writes to one of the folders.
///
/// # Errors
///
/// [`TablesError::Io`]; every target is then as it was before.
pub fn publish(files: Vec<FinishedFile>) -> Result<(), TablesError> {
    let mut renames = Vec::new();
    for file in &files {
        if let Some((temporary, handle)) = &file.temporary {
            let error = |source| TablesError::Io {
                action: "write",
                path: file.target.clone(),
                source,
            };
            let absolute = |path: &Path| std::path::absolute(path).map_err(error);
            let target = real(&file.target).map_or_else(|| absolute(&file.target), Ok)?;
            renames.push(Rename {
                temporary: absolute(temporary)?,
                target,
                inode: inode_of(&handle.metadata().map_err(error)?),
            });
        }
    }
    let twice = renames.iter().enumerate().find(|(position, rename)| {
        renames[..*position]
            .iter()
            .any(|other| other.target == rename.target)
    });
    if let Some((_, rename)) = twice {
        return Err(two_of_one_name(rename.target.clone()));
    }
    let _naming = naming();
    let journals = if renames.len() > 1 {
        write_journals(&renames)?
    } else {
        Vec::new()
    };
    let outcome = rename_all(&renames);
    for (path, _) in journals {
        forget(&path);
        // A journal that stays says what is true already.
        let _ = path.close();
    }
    outcome?;
    for mut file in files {
        if let Some((temporary, _)) = file.temporary.take() {
            forget(&temporary);
            // It has another name by now.
            std::mem::forget(temporary);
        }
    }
    Ok(())
}

/// Fails early where a file could not be written, before the work whose result it would hold.
///
/// # Errors
///
/// As [`OutFile::create`].
pub fn check_target(path: &Path) -> Result<(), TablesError> {
    OutFile::create(path).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{HOME, SETTLED};
    use crate::targets::refuse_inputs;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .expect("readable")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn file(path: &Path, text: &str) -> FinishedFile {
        let mut file = OutFile::create(path).expect("writable");
        file.write_all(text.as_bytes()).expect("room");
        file.close().expect("room")
    }

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).expect("there")
    }

    #[test]
    fn what_a_killed_run_left_is_removed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let long_ago = std::time::SystemTime::now() - 2 * SETTLED;
        let left = |name: &str, time: std::time::SystemTime| {
            let file = File::create(folder.path().join(name)).expect("room");
            file.set_modified(time).expect("a file's owner may");
            file
        };
        let now = std::time::SystemTime::now();
        left(".leadscore-dead.tmp", long_ago);
        left(".leadscore-young.tmp", now);
        left("scores.tmp", long_ago);
        // Whoever made it has ended: process ids are far smaller.
        left(&format!(".leadscore-{}-4194999-x.tmp", *HOME), now);
        left(
            &format!(".leadscore-{}-{}-x.tmp", *HOME, std::process::id()),
            now,
        );
        left(".leadscore-elsewhere-4194999-x.tmp", now);
        let used = left(".leadscore-used.tmp", long_ago);
        used.lock().expect("free");
        drop(OutFile::create(&folder.path().join("scores.csv")).expect("writable"));
        let own = format!(".leadscore-{}-{}-x.tmp", *HOME, std::process::id());
        let mut expected = vec![
            ".leadscore-elsewhere-4194999-x.tmp",
            ".leadscore-used.tmp",
            ".leadscore-young.tmp",
            "scores.tmp",
            &own,
        ];
        expected.sort_unstable();
        assert_eq!(names(folder.path()), expected);
    }

    #[test]
    fn several_files_appear_together_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        publish(vec![file(&at("a"), "1"), file(&at("b"), "1")]).expect("room");
        publish(vec![file(&at("a"), "2"), file(&at("b"), "2")]).expect("room");
        assert_eq!(
            (read(&at("a")), read(&at("b")), names(folder.path()).len()),
            ("2".to_owned(), "2".to_owned(), 2)
        );
        // The second target became a folder meanwhile.
        let (first, second, third) = (
            file(&at("a"), "3"),
            file(&at("c"), "3"),
            file(&at("d"), "3"),
        );
        std::fs::create_dir_all(at("d/full")).expect("room");
        assert!(publish(vec![first, second, third]).is_err());
        assert_eq!((read(&at("a")), at("c").exists()), ("2".to_owned(), false));
        assert_eq!(names(folder.path()), ["a", "b", "d"]);
        assert!(publish(vec![file(&at("a"), "4"), file(&at("a"), "5")]).is_err());
        assert_eq!(read(&at("a")), "2");
    }

    /// As a run leaves it that is killed after any number of renames, also with a journal in the
    /// other folder alone.
    #[test]
    fn a_killed_run_is_completed_or_forgotten_as_a_whole() {
        for (n_renamed, has_other_journal, expected) in [
            (0, true, "new"),
            (1, true, "new"),
            (2, true, "new"),
            (0, false, "old"),
        ] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let at = |name: &str| folder.path().join(name);
            for name in ["a", "b"] {
                std::fs::create_dir(at(name)).expect("room");
                std::fs::write(at(name).join("x"), "old").expect("room");
            }
            let dead = |name: &str| at(name).join(format!(".leadscore-{}-4194999-x.tmp", *HOME));
            let renames: Vec<Rename> = ["a", "b"]
                .map(|name| {
                    std::fs::write(dead(name), "new").expect("room");
                    Rename {
                        temporary: dead(name),
                        target: at(name).join("x"),
                        inode: inode_of(&dead(name).metadata().expect("there")),
                    }
                })
                .into();
            let journal = |name: &str| {
                std::fs::write(
                    dead(name).with_extension("journal"),
                    serde_json::to_vec(&renames).expect("a list"),
                )
                .expect("room");
            };
            journal("b");
            if has_other_journal {
                journal("a");
            }
            renames[..n_renamed].iter().for_each(|rename| {
                std::fs::rename(&rename.temporary, &rename.target).expect("room");
            });
            for name in ["a", "b"] {
                drop(OutFile::create(&at(name).join("y")).expect("writable"));
            }
            for name in ["a", "b"] {
                assert_eq!(
                    (read(&at(name).join("x")).as_str(), names(&at(name)).len()),
                    (expected, 1),
                    "{name} after {n_renamed}"
                );
            }
        }
    }

    /// A list that others could have written is not followed.
    #[cfg(unix)]
    #[test]
    fn a_journal_of_others_gives_no_file_a_name() {
        use std::os::unix::fs::PermissionsExt;
        for (mode, expected) in [(0o600, "new"), (0o622, "old")] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let at = |name: &str| folder.path().join(name);
            let temporary = at(&format!(".leadscore-{}-4194999-x.tmp", *HOME));
            std::fs::write(at("x"), "old").expect("room");
            std::fs::write(&temporary, "new").expect("room");
            let inode = inode_of(&temporary.metadata().expect("there"));
            let journal = temporary.with_extension("journal");
            std::fs::write(
                &journal,
                serde_json::to_vec(&[Rename {
                    temporary,
                    target: at("x"),
                    inode,
                }])
                .expect("a list"),
            )
            .expect("room");
            std::fs::set_permissions(&journal, std::fs::Permissions::from_mode(mode)).expect("own");
            complete_and_clean(folder.path());
            assert_eq!(read(&at("x")), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_modes_kept() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("real"), "old").expect("room");
        std::fs::set_permissions(at("real"), std::fs::Permissions::from_mode(0o640)).expect("own");
        std::os::unix::fs::symlink("real", at("link")).expect("room");
        publish(vec![file(&at("link"), "new")]).expect("room");
        assert_eq!(
            (read(&at("real")).as_str(), at("link").is_symlink()),
            ("new", true)
        );
        assert_eq!(
            at("real").metadata().expect("there").permissions().mode() & 0o777,
            0o640
        );
        std::os::unix::fs::symlink("nowhere", at("dangling")).expect("room");
        publish(vec![file(&at("dangling"), "new")]).expect("room");
        assert_eq!(
            (read(&at("nowhere")).as_str(), at("dangling").is_symlink()),
            ("new", true)
        );
        std::os::unix::fs::symlink("round", at("round")).expect("room");
        assert!(OutFile::create(&at("round")).is_err());
        std::fs::hard_link(at("real"), at("other")).expect("room");
        for target in ["real", "link", "other"] {
            assert!(
                refuse_inputs([at(target).as_path()], &[at("real")]).is_err(),
                "{target}"
            );
        }
        assert!(refuse_inputs([at("new").as_path()], &[at("real")]).is_ok());
    }
}
