//! Pipedrive's exports, where deals are the leads: the columns begin with what they are of, such as
//! `Deal - Title`.

use super::{
    ActivityColumns, Export, LeadColumns, LookupColumns, Names, OutcomeColumns, Part, any,
};

const DEAL: Names = &["Deal - ID", "Deal - Pipedrive System ID", "Deal ID"];
const ORGANIZATION_OF: Names = &[
    "Deal - Organization ID",
    "Organization - ID",
    "Deal - Organization",
    "Organization",
];

pub(super) const EXPORTS: &[Export] = &[
    Export {
        what: "activities",
        signature: &[
            &["Activity - Subject", "Activity - Type"],
            &[
                "Activity - Marked as done time",
                "Activity - Due date",
                "Activity - Done",
            ],
        ],
        parts: &[any(Part::Activities(ActivityColumns {
            name: "activities",
            lead: &["Deal - ID", "Activity - Deal ID", "Deal ID"],
            at: &["Activity - Marked as done time"],
            kinds: &[&["Activity - Type"]],
            ..ActivityColumns::NONE
        }))],
    },
    Export {
        what: "deals",
        signature: &[
            DEAL,
            &["Deal - Status"],
            &[
                "Deal - Deal created",
                "Deal - Creation date",
                "Deal - Add time",
                "Deal - Created",
            ],
        ],
        parts: &[
            any(Part::Leads(LeadColumns {
                id: DEAL,
                created_at: &[
                    "Deal - Deal created",
                    "Deal - Creation date",
                    "Deal - Add time",
                    "Deal - Created",
                ],
                account: ORGANIZATION_OF,
                score: &["Deal - Score", "Deal - Lead score"],
                overwritten: OVERWRITTEN,
                ..LeadColumns::NONE
            })),
            any(Part::Outcomes(OutcomeColumns {
                lead: DEAL,
                closed_at: &[
                    "Deal - Deal closed on",
                    "Deal - Closed on",
                    "Deal - Close time",
                ],
                result: &["Deal - Status"],
                amount: &["Deal - Value"],
                ..OutcomeColumns::NONE
            })),
        ],
    },
    Export {
        what: "organizations",
        signature: &[
            &["Organization - Name"],
            &["Organization - ID", "Organization - Name"],
        ],
        parts: &[any(Part::Lookup(LookupColumns {
            name: "organizations",
            keys: &[
                (
                    &["Organization - ID"],
                    &["Deal - Organization ID", "Organization - ID"],
                ),
                (
                    &["Organization - Name"],
                    &["Deal - Organization", "Organization"],
                ),
            ],
            overwritten: OVERWRITTEN,
        }))],
    },
];

const OVERWRITTEN: Names = &[
    "Deal - Status",
    "Deal - Stage*",
    "Deal - Probability",
    "Deal - Value",
    "Deal - Weighted value",
    "Deal - Product*",
    "Deal - Lost *",
    "Deal - Won *",
    "Deal - Closed on",
    "Deal - Deal closed on",
    "Deal - Close time",
    "Deal - Expected close date",
    "Deal - Last *",
    "Deal - Next *",
    "Deal - Update time",
    "Deal - Total activities",
    "Deal - Done activities",
    "Deal - Activities *",
    "Deal - Email messages count",
    "Deal - Files *",
    "Deal - Notes *",
    "Deal - Followers *",
    "Deal - Participants *",
    "Deal - Owner",
    "Deal - Label",
    "Deal - Archive*",
    "Deal - Visible to",
    "Organization - Open deals",
    "Organization - Won deals",
    "Organization - Lost deals",
    "Organization - Closed deals",
    "Organization - Last *",
    "Organization - Next *",
    "Organization - Update time",
    "Organization - Total activities",
    "Organization - Done activities",
    "Organization - Activities *",
    "Organization - Email messages count",
    "Organization - Owner",
    "Organization - Label",
    "Organization - Visible to",
    "Person - Open deals",
    "Person - Won deals",
    "Person - Lost deals",
    "Person - Closed deals",
    "Person - Last *",
    "Person - Next *",
    "Person - Total activities",
    "Person - Done activities",
];
