//! The life of a registry, every kind of damage, and every moment at which a process can be killed.

use std::path::Path;

use leadscore_core::Timestamp;
use leadscore_inference::Model;
use serde_json::json;

use super::*;

fn by(text: &str) -> By {
    let (at, _, _) = Timestamp::parse_iso(text).expect("a moment");
    By {
        at,
        user: "ana".to_owned(),
        host: "desk".to_owned(),
        command: "leadscore models".to_owned(),
    }
}

fn because(text: &str) -> Decision {
    Decision {
        because: text.to_owned(),
        evidence: json!({ "log_loss": { "champion": 0.41, "challenger": 0.4 }, "n": 1200 }),
    }
}

/// The model of a fixture, and others like it.
fn model(number: u32) -> Model {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/model-v6.leadscore");
    let mut model = leadscore::read_model(&path).expect("the fixture");
    if number > 0 {
        model.intercept += f64::from(number) / 1024.0;
        model.card.model_id = model.compute_id().expect("encodes");
    }
    model
}

fn lock(folder: &Path, day: u32) -> LockedRegistry {
    Registry::lock(folder, by(&format!("2025-07-{day:02}T06:00:00Z"))).expect("free")
}

/// Three models, two promotions, a challenger, and a run: every role has a model.
fn full(folder: &Path) -> [String; 3] {
    let mut locked = lock(folder, 1);
    let ids = [0, 1, 2].map(|number| {
        locked
            .add(&model(number), Facts::default())
            .expect("a model")
            .id
    });
    locked.promote(&ids[0], because("the first")).expect("room");
    locked.at(by("2025-07-02T06:00:00Z").at);
    locked.promote(&ids[1], because("better")).expect("room");
    locked
        .set_challenger(&ids[2], Decision::default())
        .expect("room");
    locked
        .ran(RunNote {
            key: "k".to_owned(),
            outcome: "done".to_owned(),
            ..RunNote::default()
        })
        .expect("room");
    ids
}

fn kinds(folder: &Path) -> Vec<&'static str> {
    let findings = Registry::verify(folder).expect("readable");
    findings.iter().map(Finding::kind).collect()
}

#[test]
fn models_of_every_format_have_the_id_of_their_content() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut locked = lock(folder.path(), 1);
    for version in 1..=6 {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../../tests/fixtures/model-v{version}.leadscore"));
        let bytes = std::fs::read(path).expect("the fixture");
        let added = locked.add_bytes(&bytes, Facts::default()).expect("a model");
        let known = locked.find(&added.id).expect("added");
        assert!(!added.is_new || locked.bytes_of(known).expect("whole").1 == bytes);
    }
    drop(locked);
    assert!(kinds(folder.path()).is_empty());
}

#[test]
fn a_registry_lives() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().join("models");
    assert!(
        Registry::open(&at)
            .expect("nothing yet")
            .models()
            .is_empty()
    );
    assert!(!at.exists(), "reading makes nothing");
    let [first, second, third] = full(&at);
    let registry = Registry::open(&at).expect("sound");
    let of = |name: &str| registry.find(name).expect("there").id().to_owned();
    assert_eq!(
        (of("@champion"), of("@challenger"), of("@previous")),
        (second.clone(), third.clone(), first.clone())
    );
    assert_eq!(of(&first[..12]), first);
    assert_eq!(
        registry
            .read(registry.role(Role::Champion).expect("one"))
            .expect("whole"),
        model(1)
    );
    let numbers: Vec<u64> = registry.journal().iter().map(|line| line.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);

    let mut locked = lock(&at, 3);
    // The same again changes nothing.
    assert!(
        !locked
            .add(&model(1), Facts::default())
            .expect("known")
            .is_new
    );
    assert_eq!(
        locked
            .promote("@champion", Decision::default())
            .expect("is"),
        None
    );
    assert_eq!(
        locked
            .set_challenger(&third, Decision::default())
            .expect("is"),
        None
    );
    locked.revert(because("fewer wins")).expect("room");
    assert_eq!(locked.roles().champion, Some(first.clone()));
    assert_eq!(locked.roles().previous, Some(second.clone()));
    // What has a role that counts is not retired, and what is retired gets none.
    assert!(matches!(
        locked.retire("@champion", Decision::default()),
        Err(RegistryError::IsChampion { .. })
    ));
    locked.retire("@previous", because("wrong")).expect("room");
    locked
        .retire("@challenger", because("worse"))
        .expect("room");
    assert_eq!(
        (locked.roles().previous, locked.roles().challenger),
        (None, None)
    );
    for result in [
        locked.promote(&second, Decision::default()),
        locked.set_challenger(&third, Decision::default()),
    ] {
        assert!(matches!(result, Err(RegistryError::Retired { .. })));
    }
    assert!(matches!(
        locked.revert(Decision::default()),
        Err(RegistryError::NoRole { .. })
    ));
    drop(locked);
    assert!(kinds(&at).is_empty());
    let text: String = registry
        .why(None)
        .expect("a champion")
        .iter()
        .map(Why::text)
        .collect();
    assert!(
        text.contains("because: better") && text.contains("log loss, champion: 0.41"),
        "{text}"
    );
}

#[test]
fn names_that_are_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let none = Registry::open(folder.path()).expect("empty");
    assert!(matches!(
        none.find("@champion"),
        Err(RegistryError::NoRole { .. })
    ));
    full(folder.path());
    let registry = Registry::open(folder.path()).expect("sound");
    for name in ["", "@", "@Champion", "@champion ", "../head", "zz", "@zz"] {
        let text = registry
            .find(name)
            .map(KnownModel::id)
            .expect_err("none")
            .to_string();
        assert!(text.contains("it has "), "{text}");
    }
}

#[test]
fn whoever_reads_while_another_writes_sees_a_sound_registry() {
    let folder = tempfile::tempdir().expect("a folder");
    let [first, second, _] = full(folder.path());
    let path = folder.path().to_owned();
    let writer = std::thread::spawn(move || {
        for round in 0..60 {
            let mut locked = lock(&path, 9);
            let name = if round % 2 == 0 { &first } else { &second };
            locked.promote(name, Decision::default()).expect("room");
            locked
                .add(&model(100 + round), Facts::default())
                .expect("room");
            locked
                .set_challenger(&model(100 + round).card.model_id, Decision::default())
                .expect("room");
        }
    });
    let mut n_reads = 0;
    while !writer.is_finished() {
        assert_eq!(kinds(folder.path()), Vec::<&str>::new());
        let registry = Registry::open(folder.path()).expect("sound");
        for role in Role::ALL {
            registry
                .read(registry.role(role).expect("one"))
                .expect("whole");
        }
        n_reads += 1;
    }
    writer.join().expect("it wrote");
    assert!(n_reads > 0);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let ids = full(folder.path());
    let model = format!("{}.leadscore", ids[2]);
    for name in ["champion", model.as_str(), "x.leadscore"] {
        let changed = copy(folder.path());
        let path = changed.path().join(name);
        let _ = std::fs::remove_file(&path);
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("there is mkfifo").success());
        assert_eq!(kinds(changed.path()).len(), 1, "{name}");
        let registry = Registry::open(changed.path()).expect("sound");
        assert!(
            registry
                .read(registry.find(&ids[1]).expect("there"))
                .is_ok()
        );
    }
}

#[test]
fn the_lock_lets_one_in() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(".lock"), "{\"pid\": 4194999, \"host\"").expect("room");
    let held = lock(folder.path(), 1);
    let refused = Registry::lock(folder.path(), by("2025-07-02")).expect_err("held");
    let text = refused.to_string();
    assert!(
        text.contains(&format!("process {}", std::process::id())) && text.contains("ana on desk"),
        "{text}"
    );
    drop(held);
    let mut locked = lock(folder.path(), 2);
    // Without its file it locks nobody out, so nothing may be changed any more.
    std::fs::remove_file(folder.path().join(".lock")).expect("there");
    let other = lock(folder.path(), 3);
    assert!(matches!(
        locked.add(&model(0), Facts::default()),
        Err(RegistryError::LockLost { .. })
    ));
    drop((locked, other));
    assert!(kinds(folder.path()).is_empty());
}

#[test]
fn a_clock_that_goes_back_does_not_reorder() {
    let folder = tempfile::tempdir().expect("a folder");
    full(folder.path());
    let mut locked = Registry::lock(folder.path(), by("2019-01-01T00:00:00Z")).expect("free");
    locked.revert(Decision::default()).expect("room");
    let line = locked.journal().last().expect("one");
    assert_eq!(line.at, by("2025-07-02T06:00:00Z").at);
    assert_eq!(line.clock, Some(by("2019-01-01").at));
    drop(locked);
    assert!(kinds(folder.path()).is_empty());
}

#[test]
fn credentials_are_not_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    let command = "leadscore score --connect sc://host:15002/;token=s3cr3t".to_owned();
    let by = By {
        command,
        ..by("2025-07-01")
    };
    let mut locked = Registry::lock(folder.path(), by).expect("free");
    locked.add(&model(0), Facts::default()).expect("room");
    let held = std::fs::read_to_string(folder.path().join(".lock")).expect("text");
    let journal = std::fs::read_to_string(folder.path().join("journal.ndjson")).expect("text");
    assert!(
        !held.contains("s3cr3t") && !journal.contains("s3cr3t"),
        "{journal}"
    );
    assert!(journal.contains("--connect"), "{journal}");
}

/// Copies a registry.
fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(from).expect("readable").flatten() {
        std::fs::copy(entry.path(), to.path().join(entry.file_name())).expect("room");
    }
    to
}

/// Changes the lines of a journal.
fn with_lines(folder: &Path, change: impl FnOnce(&mut Vec<String>)) -> tempfile::TempDir {
    let changed = copy(folder);
    let path = changed.path().join("journal.ndjson");
    let text = std::fs::read_to_string(&path).expect("text");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(&path, text).expect("room");
    changed
}

#[track_caller]
fn is_refused(changed: &Path, what: &str) {
    assert!(!kinds(changed).is_empty(), "{what}");
    assert!(
        matches!(Registry::open(changed), Err(RegistryError::Damaged { .. })),
        "{what}: opened"
    );
    let before = std::fs::read(changed.join("journal.ndjson")).ok();
    assert!(
        Registry::lock(changed, by("2025-08-01")).is_err(),
        "{what}: locked"
    );
    let after = std::fs::read(changed.join("journal.ndjson")).ok();
    assert!(before == after, "{what}: the journal was touched");
}

#[test]
fn a_journal_is_believed_as_a_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = folder.path();
    full(from);
    let n = Registry::open(from).expect("sound").journal().len();
    for line in 0..n {
        is_refused(
            with_lines(from, |lines| drop(lines.remove(line))).path(),
            &format!("without {line}"),
        );
        is_refused(
            with_lines(from, |lines| lines.truncate(line)).path(),
            &format!("only {line}"),
        );
        let twice = with_lines(from, |lines| lines.insert(line, lines[line].clone()));
        is_refused(twice.path(), &format!("{line} twice"));
        let blank = with_lines(from, |lines| lines.insert(line, String::new()));
        is_refused(blank.path(), &format!("blank before {line}"));
        for other in line + 1..n {
            let swapped = with_lines(from, |lines| lines.swap(line, other));
            is_refused(swapped.path(), &format!("{line} and {other} swapped"));
        }
    }
    // One bit anywhere.
    let bytes = std::fs::read(from.join("journal.ndjson")).expect("readable");
    for position in (0..bytes.len()).step_by(23).chain([bytes.len() - 1]) {
        let changed = copy(from);
        let mut bytes = bytes.clone();
        bytes[position] ^= 1 << (position % 8);
        std::fs::write(changed.path().join("journal.ndjson"), bytes).expect("room");
        is_refused(changed.path(), &format!("a bit of byte {position}"));
    }
    for (head, what) in [
        (None, "no head"),
        (Some("7"), "half a head"),
        (Some(""), "an empty head"),
    ] {
        let changed = copy(from);
        std::fs::remove_file(changed.path().join("head")).expect("there");
        if let Some(text) = head {
            std::fs::write(changed.path().join("head"), text).expect("room");
        }
        is_refused(changed.path(), what);
    }
    let gone = copy(from);
    std::fs::remove_file(gone.path().join("journal.ndjson")).expect("there");
    is_refused(gone.path(), "no journal");
}

/// A line that a later version wrote is no damage, and nothing that this version could act on.
#[test]
fn an_event_of_a_later_version_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    full(folder.path());
    let later = with_lines(folder.path(), |lines| {
        let last = lines.last_mut().expect("one");
        *last = last.replace("\"ran\"", "\"sang\"");
    });
    let path = later.path().join("journal.ndjson");
    let text = std::fs::read_to_string(&path).expect("text");
    let hash = sha256(text.lines().last().expect("one").as_bytes());
    std::fs::write(later.path().join("head"), format!("7 {hash}\n")).expect("room");
    assert_eq!(kinds(later.path()), ["line_newer"]);
    is_refused(later.path(), "a later version");
    let text = Registry::open(later.path()).expect_err("later").to_string();
    assert!(
        text.contains("`sang` of version") && !text.contains("put back"),
        "{text}"
    );
}

#[test]
fn files_that_are_not_as_they_were_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = folder.path();
    let ids = full(from);
    let champion = format!("{}.leadscore", ids[1]);
    let bytes = std::fs::read(from.join(&champion)).expect("readable");
    for position in (0..bytes.len()).step_by(bytes.len() / 40) {
        let changed = copy(from);
        let mut bytes = bytes.clone();
        bytes[position] ^= 1 << (position % 8);
        std::fs::write(changed.path().join(&champion), bytes).expect("room");
        assert_eq!(kinds(changed.path()), ["model_altered"], "byte {position}");
        let registry = Registry::open(changed.path()).expect("the journal is sound");
        let known = registry.find("@champion").expect("there");
        assert!(matches!(
            registry.read(known),
            Err(RegistryError::Altered { .. })
        ));
        let mut locked = lock(changed.path(), 9);
        assert!(locked.set_challenger(&ids[0], Decision::default()).is_ok());
        locked
            .promote(&ids[0], Decision::default())
            .expect("another is whole");
        assert!(locked.revert(Decision::default()).is_err());
    }
    for (file, content, expected) in [
        (champion.as_str(), None, "model_missing"),
        (
            champion.as_str(),
            Some(std::fs::read(from.join(format!("{}.leadscore", ids[0]))).expect("there")),
            "model_altered",
        ),
        ("copy.leadscore", Some(bytes.clone()), "model_misnamed"),
        ("champion", Some(ids[0].clone().into_bytes()), "role_file"),
        ("champion", None, "role_file"),
        ("previous", Some(b"\xff".to_vec()), "role_file"),
        ("notes.txt", Some(Vec::new()), "unknown_file"),
        ("broken.leadscore", Some(Vec::new()), "unknown_file"),
    ] {
        let changed = copy(from);
        match content {
            Some(bytes) => std::fs::write(changed.path().join(file), bytes).expect("room"),
            None => std::fs::remove_file(changed.path().join(file)).expect("there"),
        }
        assert_eq!(kinds(changed.path()), [expected], "{file}");
        // The journal counts.
        let registry = Registry::open(changed.path()).expect("the journal is sound");
        assert_eq!(registry.find("@champion").expect("there").id(), ids[1]);
        // Whoever changes it next writes what follows from the journal.
        drop(lock(changed.path(), 9));
        if expected == "role_file" {
            assert!(kinds(changed.path()).is_empty(), "{file}");
        }
        if expected == "model_missing" {
            let mut locked = lock(changed.path(), 9);
            assert!(
                !locked
                    .add_bytes(&bytes, Facts::default())
                    .expect("back")
                    .is_new
            );
            assert!(kinds(changed.path()).is_empty(), "{file}");
        }
    }
    // A model that says that it is another one.
    let mut locked = lock(from, 9);
    let mut liar = model(7);
    liar.card.model_id = "../../etc/x".to_owned();
    assert!(matches!(
        locked.add(&liar, Facts::default()),
        Err(RegistryError::Id { .. })
    ));
    std::fs::write(
        from.join(format!("{}.leadscore", model(7).card.model_id)),
        "x",
    )
    .expect("room");
    assert!(matches!(
        locked.add(&model(7), Facts::default()),
        Err(RegistryError::InTheWay { .. })
    ));
}

/// After each change, every mixture of files from before and after it, as a killed process leaves
/// them, is the state of before or of after, verifies, and is completed by the next.
#[test]
fn a_killed_change_has_happened_or_not() {
    type Change = fn(&mut LockedRegistry) -> Result<(), RegistryError>;
    let changes: [Change; 5] = [
        |locked| locked.add(&model(5), Facts::default()).map(drop),
        |locked| locked.promote("@challenger", Decision::default()).map(drop),
        |locked| locked.revert(Decision::default()).map(drop),
        |locked| locked.retire("@challenger", Decision::default()).map(drop),
        |locked| locked.ran(RunNote::default()).map(drop),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let before = tempfile::tempdir().expect("a folder");
        full(before.path());
        let after = copy(before.path());
        change(&mut lock(after.path(), 9)).expect("room");
        let roles_of = |folder: &Path| Registry::open(folder).expect("sound").roles();
        let (old, new) = (roles_of(before.path()), roles_of(after.path()));
        let read = |folder: &Path, name: &str| std::fs::read(folder.join(name)).ok();
        let (old_journal, new_journal) = (
            read(before.path(), "journal.ndjson").expect("there"),
            read(after.path(), "journal.ndjson").expect("there"),
        );
        let model_name = format!("{}.leadscore", model(5).card.model_id);
        // The line is torn anywhere, and nothing that follows from it is written.
        for length in (old_journal.len()..new_journal.len())
            .step_by(37)
            .chain([new_journal.len() - 1])
        {
            let torn = copy(before.path());
            std::fs::write(torn.path().join("journal.ndjson"), &new_journal[..length])
                .expect("room");
            std::fs::write(torn.path().join(format!(".new-{model_name}")), "half").expect("room");
            assert!(kinds(torn.path()).is_empty(), "{number}, {length}");
            assert_eq!(roles_of(torn.path()), old, "{number}, {length}");
            let locked = lock(torn.path(), 10);
            assert!(!torn.path().join(format!(".new-{model_name}")).exists());
            drop(locked);
            assert_eq!(
                read(torn.path(), "journal.ndjson"),
                Some(old_journal.clone())
            );
        }
        // The line is whole, and any of what follows is written, except the head, which is last.
        for mask in 0..16_u8 {
            let mixed = copy(before.path());
            std::fs::write(mixed.path().join("journal.ndjson"), &new_journal).expect("room");
            for (bit, role) in Role::ALL.into_iter().enumerate() {
                if mask >> bit & 1 == 1 {
                    let path = mixed.path().join(role.name());
                    let _ = std::fs::remove_file(&path);
                    if let Some(bytes) = read(after.path(), role.name()) {
                        std::fs::write(&path, bytes).expect("room");
                    }
                }
            }
            if let Some(bytes) = read(after.path(), &model_name) {
                let unnamed = if mask & 8 == 8 { "" } else { ".new-" };
                std::fs::write(mixed.path().join(format!("{unnamed}{model_name}")), bytes)
                    .expect("room");
            }
            assert!(
                kinds(mixed.path()).is_empty(),
                "{number}, {mask}: {:?}",
                kinds(mixed.path())
            );
            let registry = Registry::open(mixed.path()).expect("sound");
            assert_eq!(registry.roles(), new, "{number}, {mask}");
            for known in registry.models() {
                registry.read(known).expect("every model can be used");
            }
            drop(lock(mixed.path(), 10));
            for name in [
                "journal.ndjson",
                "head",
                "champion",
                "challenger",
                "previous",
                &model_name,
            ] {
                assert_eq!(
                    read(mixed.path(), name),
                    read(after.path(), name),
                    "{number}, {mask}: {name}"
                );
            }
        }
    }
}
