//! Exports of Odoo's CRM: the columns have the names of fields (import-compatible) or their labels.

use super::{ActivityColumns, Export, LeadColumns, Names, OutcomeColumns, Part, Rows, any};

const LEAD: Names = &[".id", "id", "ID", "External ID"];
const CREATED: Names = &["create_date", "Created on"];
const CLOSED: Names = &["date_closed", "Closed Date"];

pub(super) const EXPORTS: &[Export] = &[
    Export {
        what: "messages",
        signature: &[
            &["res_id", "Related Document ID"],
            &["message_type", "Type"],
            &["date", "Date"],
        ],
        parts: &[any(Part::Activities(ActivityColumns {
            name: "messages",
            lead: &["res_id", "Related Document ID"],
            at: &["date", "Date"],
            recorded_at: CREATED,
            kinds: &[
                &["message_type", "Type"],
                &["subtype_id", "subtype_id/name", "Subtype"],
            ],
            ..ActivityColumns::NONE
        }))],
    },
    Export {
        what: "leads and opportunities",
        signature: &[
            LEAD,
            CREATED,
            &[
                "stage_id",
                "stage_id/id",
                "stage_id/name",
                "Stage",
                "won_status",
            ],
            &[
                "probability",
                "Probability",
                "Probability (%)",
                "expected_revenue",
                "Expected Revenue",
                "date_closed",
                "Closed Date",
            ],
        ],
        parts: &[
            any(Part::Leads(LeadColumns {
                id: LEAD,
                created_at: CREATED,
                score: &["lead_score", "Score", "x_score"],
                overwritten: OVERWRITTEN,
                categories: &[
                    "country_id*",
                    "state_id*",
                    "source_id*",
                    "medium_id*",
                    "campaign_id*",
                    "tag_ids*",
                    "lang_id*",
                    "team_id*",
                    "company_id*",
                ],
                ..LeadColumns::NONE
            })),
            any(Part::Outcomes(OutcomeColumns {
                lead: LEAD,
                closed_at: CLOSED,
                result: &["won_status", "Is Won", "Won/Lost"],
                amount: &["expected_revenue", "Expected Revenue"],
                ..OutcomeColumns::NONE
            })),
            any(Part::Outcomes(OutcomeColumns {
                lead: LEAD,
                closed_at: CLOSED,
                result: &["stage_id/name", "stage_id", "Stage", "stage_id/id"],
                amount: &["expected_revenue", "Expected Revenue"],
                rows: Rows::LostUnlessWon,
                ..OutcomeColumns::NONE
            })),
        ],
    },
];

const OVERWRITTEN: Names = &[
    "stage_id*",
    "Stage",
    "won_status",
    "Is Won",
    "Won/Lost",
    "active",
    "Active",
    "type",
    "Type",
    "probability",
    "Probability",
    "Probability (%)",
    "automated_probability",
    "Automated Probability",
    "is_automated_probability",
    "expected_revenue",
    "Expected Revenue",
    "prorated_revenue",
    "Prorated Revenue",
    "recurring_*",
    "Recurring *",
    "lost_reason*",
    "Lost Reason",
    "lost_feedback",
    "date_closed",
    "Closed Date",
    "date_open",
    "Assignment Date",
    "date_conversion",
    "Conversion Date",
    "date_last_stage_update",
    "Last Stage Update",
    "date_deadline",
    "Expected Closing",
    "day_open",
    "Days to Assign",
    "day_close",
    "Days to Close",
    "duration_tracking",
    "write_date",
    "Last Updated on",
    "write_uid*",
    "user_id*",
    "Salesperson",
    "partner_id*",
    "Customer",
    "priority",
    "Priority",
    "activity_*",
    "Next Activity *",
    "message_*",
    "meeting_*",
    "order_ids*",
    "sale_amount_total",
    "Sum of Orders",
    "sale_order_count",
    "quotation_count",
    "color",
    "kanban_state",
    "Color Index",
];
