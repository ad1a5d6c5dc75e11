//! What the names and the cells of a column say it is: a time, an id, or what is nobody's business.

use crate::result_words::words_of;

/// What columns of phone numbers are called.
const PHONE: &[&str] = &[
    "phone",
    "telephone",
    "tel",
    "mobile",
    "fax",
    "telefon",
    "handy",
    "téléphone",
    "telefono",
    "teléfono",
    "celular",
];

/// What columns of names are called.
const NAME: &[&str] = &[
    "name",
    "firstname",
    "lastname",
    "surname",
    "vorname",
    "nachname",
    "nom",
    "prénom",
    "nombre",
    "apellido",
    "nome",
    "cognome",
    "naam",
    "imię",
    "nazwisko",
    "имя",
    "фамилия",
    "氏名",
    "姓名",
];

/// What columns of addresses are called.
const ADDRESS: &[&str] = &[
    "street",
    "address",
    "strasse",
    "straße",
    "adresse",
    "dirección",
    "endereço",
    "indirizzo",
    "adres",
];

/// What columns of free texts are called.
const FREE_TEXT: &[&str] = &[
    "note",
    "notes",
    "comment",
    "comments",
    "description",
    "remarks",
    "message",
    "notizen",
    "bemerkung",
    "kommentar",
    "beschreibung",
    "nota",
    "notas",
    "descripción",
    "observações",
];

pub(super) fn is_called_a_time(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "date",
        "time",
        "at",
        "ts",
        "timestamp",
        "created",
        "createdate",
        "closed",
        "closedate",
        "datum",
        "zeit",
        "fecha",
        "data",
        "dato",
        "дата",
        "日時",
        "日期",
        "created_at",
        "when",
        "on",
        "entered",
        "day",
    ];
    let words = words_of(name);
    // Who created a row is no time: `CreatedById`.
    !is_called_an_id(name)
        && words.iter().any(|word| {
            NAMES.contains(&word.as_str())
                || word.ends_with("date")
                || word.ends_with("datum")
                || word.ends_with("time")
        })
}

pub(super) fn is_called_an_id(name: &str) -> bool {
    let words = words_of(name);
    words
        .iter()
        .any(|word| matches!(word.as_str(), "id" | "ids" | "uuid" | "guid" | "vid"))
        || name.ends_with("Id")
        || name.ends_with("ID")
}

/// What says who somebody is, or is told in words of its own.
pub(super) fn private(name: &str, cells: &[&str], n_distinct: usize) -> Option<&'static str> {
    let words = words_of(name);
    let is = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let share = |test: &dyn Fn(&str) -> bool| {
        2 * cells.iter().take(2_000).filter(|cell| test(cell)).count() > cells.len().min(2_000)
    };
    if is(&["email", "mail", "e-mail", "emails"]) && share(&|cell| cell.contains('@'))
        || share(&|cell| is_an_address(cell))
    {
        return Some("an e-mail address");
    }
    if is(PHONE) {
        return Some("a phone number");
    }
    if share(&|cell| {
        cell.starts_with("http://") || cell.starts_with("https://") || cell.starts_with("www.")
    }) || is(&["url", "linkedin", "website"])
    {
        return Some("an address on the web");
    }
    let is_many = 2 * n_distinct > cells.len() || n_distinct > 200;
    if is(NAME) && is_many {
        return Some("a name");
    }
    if is(ADDRESS) && is_many {
        return Some("an address");
    }
    if is(FREE_TEXT) {
        return Some("free text");
    }
    let mean_length = cells
        .iter()
        .take(2_000)
        .map(|cell| cell.chars().count())
        .sum::<usize>()
        / cells.len().clamp(1, 2_000);
    (mean_length > 40 && is_many && share(&|cell| cell.contains(' '))).then_some("free text")
}

fn is_an_address(cell: &str) -> bool {
    cell.split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && host.contains('.') && !cell.contains(' '))
}
