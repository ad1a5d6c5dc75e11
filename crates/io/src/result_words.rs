//! What words of a CRM say about a deal: won, lost or still open, in the languages that CRMs speak
//! most.

use leadscore_config::YES;

/// What a text says about a deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Won,
    Lost,
    Open,
    /// A truth value.
    Yes,
    /// A truth value.
    No,
    /// A denied win or loss, both at once, or none of these words.
    Nothing,
}

const WON: &[&str] = &[
    // English, German, French, Spanish, Portuguese, Italian, Dutch, Polish, Swedish, Russian
    "won",
    "win",
    "closedwon",
    "converted",
    "customer",
    "sold",
    "signed",
    "success",
    "successful",
    "gewonnen",
    "verkauft",
    "kunde",
    "gagné",
    "gagnée",
    "gagne",
    "gagnee",
    "vendu",
    "signé",
    "conclu",
    "ganado",
    "ganada",
    "vendido",
    "vendida",
    "cerrado ganado",
    "ganho",
    "ganha",
    "vencido",
    "vinto",
    "vinta",
    "venduto",
    "acquisito",
    "verkocht",
    "wygrana",
    "wygrany",
    "wygrane",
    "sprzedane",
    "vunnen",
    "vunnet",
    "såld",
    "выигран",
    "выиграна",
    "выиграно",
    "продано",
    "успешно",
];
const LOST: &[&str] = &[
    "lost",
    "lose",
    "closedlost",
    "rejected",
    "declined",
    "disqualified",
    "unqualified",
    "dead",
    "failed",
    "failure",
    "cancelled",
    "canceled",
    "abandoned",
    "churned",
    "refused",
    "verloren",
    "abgelehnt",
    "abgesagt",
    "absage",
    "storniert",
    "perdu",
    "perdue",
    "refusé",
    "refusée",
    "annulé",
    "abandonné",
    "perdido",
    "perdida",
    "rechazado",
    "rechazada",
    "descartado",
    "cancelado",
    "cancelada",
    "rejeitado",
    "recusado",
    "perso",
    "persa",
    "rifiutato",
    "annullato",
    "afgewezen",
    "geannuleerd",
    "przegrana",
    "przegrany",
    "przegrane",
    "utracona",
    "odrzucona",
    "stracona",
    "förlorad",
    "förlorat",
    "проигран",
    "проиграна",
    "проиграно",
    "потерян",
    "отказ",
    "отклонен",
    "отклонён",
];
const OPEN: &[&str] = &[
    "open",
    "new",
    "working",
    "qualified",
    "prospect",
    "prospecting",
    "negotiation",
    "negotiating",
    "proposal",
    "quote",
    "pending",
    "contacted",
    "lead",
    "demo",
    "qualification",
    "discovery",
    "presentation",
    "appointmentscheduled",
    "offen",
    "neu",
    "angebot",
    "verhandlung",
    "ouvert",
    "ouverte",
    "nouveau",
    "nouvelle",
    "négociation",
    "proposition",
    "abierto",
    "abierta",
    "nuevo",
    "nueva",
    "negociación",
    "propuesta",
    "aberto",
    "aberta",
    "novo",
    "nova",
    "negociação",
    "proposta",
    "aperto",
    "aperta",
    "nuovo",
    "nuova",
    "negoziazione",
    "nieuw",
    "onderhandeling",
    "offerte",
    "otwarte",
    "otwarta",
    "nowe",
    "nowa",
    "negocjacje",
    "öppen",
    "ny",
    "открыт",
    "открыта",
    "новый",
    "новая",
    "переговоры",
    "progress",
    "bearbeitung",
];
const DENIED: &[&str] = &[
    "not", "no", "non", "won't", "wont", "isn't", "never", "without", "nicht", "kein", "keine",
    "nie", "niet", "geen", "ne", "pas", "sin", "sem", "não", "nao", "senza", "bez", "inte", "ej",
    "не", "нет", "un", "ikke", "ikkje", "mai", "aldrig", "aldri", "jamais", "nunca", "jamás",
    "nooit", "nigdy", "almost", "nearly",
];
const NO: &[&str] = &[
    "false",
    "f",
    "no",
    "n",
    "0",
    "0.0",
    "nein",
    "non",
    "não",
    "nao",
    "nee",
    "nie",
    "нет",
    "いいえ",
    "否",
    "falsch",
    "faux",
    "falso",
    "onwaar",
    "fałsz",
    "nej",
];
/// Words of scripts without blanks are looked for within a text.
const WON_WITHIN: &[&str] = &["受注", "成約", "獲得", "赢单", "成交", "已赢", "赢得"];
const LOST_WITHIN: &[&str] = &[
    "失注",
    "見送り",
    "不成立",
    "敗",
    "输单",
    "丢单",
    "已输",
    "失败",
];
const OPEN_WITHIN: &[&str] = &[
    "商談中",
    "新規",
    "提案",
    "交渉",
    "进行中",
    "新建",
    "谈判",
    "跟进",
];
const DENIED_WITHIN: &[&str] = &["未", "不", "没"];

/// What a cell says about a deal.
pub(crate) fn says(text: &str) -> Says {
    let lower = text.trim().to_lowercase().replace('’', "'");
    if YES.contains(&lower.as_str()) {
        return Says::Yes;
    }
    if NO.contains(&lower.as_str()) {
        return Says::No;
    }
    let words: Vec<String> = words_of(text);
    let has = |list: &[&str]| {
        words.iter().any(|word| list.contains(&word.as_str())) || list.contains(&lower.as_str())
    };
    let within = |list: &[&str]| list.iter().any(|word| lower.contains(word));
    let is_denied = has(DENIED) || within(DENIED_WITHIN) && !within(LOST_WITHIN);
    match (
        has(WON) || within(WON_WITHIN),
        has(LOST) || within(LOST_WITHIN),
    ) {
        (true, true) => Says::Nothing,
        (true, false) if is_denied || !is_plain_win(text, &words) => Says::Nothing,
        (true, false) => Says::Won,
        (false, true) if is_denied => Says::Nothing,
        (false, true) => Says::Lost,
        (false, false) if has(OPEN) || within(OPEN_WITHIN) => Says::Open,
        (false, false) => Says::Nothing,
    }
}

/// Whether nothing stands beside the words for winning that could turn them: `Won by competitor` is
/// none, nor `Almost won`.
fn is_plain_win(text: &str, words: &[String]) -> bool {
    const BESIDE: &[&str] = &[
        "closed",
        "close",
        "deal",
        "deals",
        "opportunity",
        "opp",
        "is",
        "stage",
        "status",
        "as",
        "a",
        "contract",
        "new",
        "geschlossen",
        "abgeschlossen",
        "auftrag",
        "vertrag",
        "cerrado",
        "cerrada",
        "venta",
        "fermé",
        "fermée",
        "clos",
        "affaire",
        "chiuso",
        "chiusa",
        "fechado",
        "fechada",
        "negócio",
        "gesloten",
        "zamknięta",
        "zamknięte",
        "stängd",
        "сделка",
        "закрыта",
        "закрыто",
    ];
    let is_known = |word: &String| WON.contains(&word.as_str()) || BESIDE.contains(&word.as_str());
    let is_asian = WON_WITHIN.iter().any(|word| text.contains(word));
    !text.contains(['!', '?', '¬']) && (is_asian || words.iter().all(is_known))
}

/// Words in lower case, also those that stand together: `ClosedWon`, `closed_won`.
pub(crate) fn words_of(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut was_lower = false;
    for c in text.replace('’', "'").chars() {
        let ends = !(c.is_alphanumeric() || c == '\'');
        if (ends || c.is_uppercase() && was_lower) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if !ends {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether a column's name says that it holds what became of a deal.
pub(crate) fn names_a_result(column: &str) -> bool {
    const NAMES: &[&str] = &[
        "result",
        "outcome",
        "status",
        "stage",
        "state",
        "won",
        "iswon",
        "lost",
        "converted",
        "conversion",
        "isconverted",
        "win",
        "dealstage",
        "phase",
        "ergebnis",
        "statut",
        "résultat",
        "estado",
        "etapa",
        "resultado",
        "stato",
        "fase",
        "esito",
        "wynik",
        "etap",
        "resultat",
        "resultaat",
        "rezultat",
        "rezultatet",
        "utfall",
        "udfald",
        "utfallet",
        "tulos",
        "výsledek",
        "vysledek",
        "stav",
        "eredmény",
        "durum",
        "sonuç",
        "situação",
        "situacao",
        "étape",
        "etape",
        "stufe",
        "disposition",
        "статус",
        "этап",
        "ステータス",
        "ステージ",
        "状态",
        "阶段",
    ];
    let words = words_of(column);
    words.iter().any(|word| NAMES.contains(&word.as_str()))
        || NAMES.contains(&column.to_lowercase().as_str())
}

/// Whether a column's name says that it tells which rows were deleted, as `IsDeleted` does.
pub(crate) fn is_called_deleted(column: &str) -> bool {
    const NAMES: &[&[&str]] = &[
        &["deleted"],
        &["is", "deleted"],
        &["isdeleted"],
        &["hs", "is", "deleted"],
        &["deal", "deleted"],
        &["lead", "deleted"],
        &["contact", "deleted"],
        &["in", "trash"],
        &["trashed"],
        &["deleted", "flag"],
        &["gelöscht"],
        &["supprimé"],
        &["eliminado"],
    ];
    let words = words_of(column);
    NAMES.iter().any(|name| words.iter().eq(name.iter()))
}

/// Whether a column's name says that it tells when rows were deleted, as `deleted_at` does.
pub(crate) fn is_called_deletion_time(column: &str) -> bool {
    const WHEN: &[&str] = &["at", "on", "date", "time"];
    let words = words_of(column);
    words.iter().any(|word| word == "deleted")
        && words.iter().any(|word| WHEN.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_about_deals() {
        for won in [
            "Closed Won",
            "closedwon",
            "ClosedWon",
            "closed_won",
            "won",
            "Gewonnen",
            "Gagnée",
            "Cerrado ganado",
            "Ganho",
            "Vinto",
            "Wygrana",
            "受注",
            "赢单",
            "выиграна",
        ] {
            assert_eq!(says(won), Says::Won, "{won}");
        }
        for lost in [
            "Closed Lost",
            "closedlost",
            "Verloren",
            "Perdu",
            "Perdida",
            "Perso",
            "Przegrana",
            "失注",
            "输单",
            "проигран",
            "Disqualified",
        ] {
            assert_eq!(says(lost), Says::Lost, "{lost}");
        }
        for nothing in [
            "not won",
            "Won't buy",
            "won’t buy",
            "nicht gewonnen",
            "non gagné",
            "no ganado",
            "não ganho",
            "non vinto",
            "niet gewonnen",
            "nie wygrana",
            "not lost",
            "won or lost",
            "7",
        ] {
            assert_eq!(says(nothing), Says::Nothing, "{nothing}");
        }
        for open in ["Prospecting", "In Progress", "Qualified", "Offen", "商談中"] {
            assert_eq!(says(open), Says::Open, "{open}");
        }
        assert_eq!(
            (says("TRUE"), says("False"), says("1"), says("nein")),
            (Says::Yes, Says::No, Says::Yes, Says::No)
        );
    }

    #[test]
    fn names_of_deletions() {
        assert!(is_called_deletion_time("Deleted At") && is_called_deletion_time("deletedDate"));
        assert!(!is_called_deletion_time("deleted") && !is_called_deletion_time("created_at"));
        for name in [
            "IsDeleted",
            "is_deleted",
            "Deleted",
            "isdeleted",
            "DELETED FLAG",
        ] {
            assert!(is_called_deleted(name), "{name}");
        }
        for name in [
            "deleted_at",
            "n_deleted",
            "emails deleted",
            "archived",
            "delete",
        ] {
            assert!(!is_called_deleted(name), "{name}");
        }
    }

    #[test]
    fn names_of_results() {
        assert!(
            [
                "Deal Stage",
                "IsWon",
                "status",
                "sales_stage",
                "Ergebnis",
                "hs_is_closed_won"
            ]
            .iter()
            .all(|name| names_a_result(name))
        );
        assert!(
            ["won_date", "amount", "owner", "state_code"]
                .iter()
                .filter(|name| names_a_result(name))
                .count()
                <= 2
        );
    }
}
