//! HubSpot's exports: the columns have the labels of properties, or their internal names.

use super::{
    ActivityColumns, Export, HistoryColumns, LeadColumns, LookupColumns, Names, OutcomeColumns,
    Part, Rows, any,
};

const RECORD: Names = &["Record ID", "hs_object_id", "Object ID", "id"];
const CONTACT: Names = &[
    "Record ID",
    "Record ID - Contact",
    "Contact ID",
    "hs_object_id",
    "vid",
    "id",
];
const CONTACTS_OF: Names = &[
    "Associated Contact IDs",
    "Associated Contact ID",
    "Contact IDs",
    "associations.contacts",
];
const COMPANY_OF: Names = &[
    "Associated Company IDs (Primary)",
    "Primary Associated Company ID",
    "associatedcompanyid",
    "Associated Company IDs",
];

pub(super) const EXPORTS: &[Export] = &[
    Export {
        what: "deals",
        signature: &[&["Deal Stage", "dealstage"], &["Close Date", "closedate"]],
        parts: &[any(Part::Outcomes(OutcomeColumns {
            lead: CONTACTS_OF,
            separator: ";",
            closed_at: &["Close Date", "closedate"],
            result: &["Deal Stage", "dealstage"],
            is_won: &["Is Closed Won", "hs_is_closed_won"],
            is_closed: &["Is Deal Closed?", "Is Closed", "hs_is_closed"],
            amount: &["Amount in company currency", "Amount", "amount"],
            ..OutcomeColumns::NONE
        }))],
    },
    Export {
        what: "property history",
        signature: &[
            &["Property", "Property name", "Property Internal Name"],
            &["Value", "Property value", "New value"],
            &["Timestamp", "Change date", "Changed at", "Date of change"],
        ],
        parts: &[any(Part::History(HistoryColumns {
            lead: CONTACT,
            changed_at: &["Timestamp", "Change date", "Changed at", "Date of change"],
            attribute: &["Property", "Property name", "Property Internal Name"],
            value: &["Value", "Property value", "New value"],
            old_value: &["Old value", "Previous value"],
        }))],
    },
    Export {
        what: "activities",
        signature: &[
            &["Activity date", "hs_timestamp", "Meeting start time"],
            CONTACTS_OF,
        ],
        parts: &[any(Part::Activities(ActivityColumns {
            lead: CONTACTS_OF,
            separator: ";",
            at: &["Activity date", "hs_timestamp", "Meeting start time"],
            recorded_at: &["Create Date", "hs_createdate", "Created at"],
            kinds: &[
                &["Activity type", "hs_activity_type", "Engagement type"],
                &["Call direction", "hs_call_direction", "Direction"],
                &["Email direction", "hs_email_direction"],
            ],
            ..ActivityColumns::NONE
        }))],
    },
    Export {
        what: "companies",
        signature: &[
            RECORD,
            &["Company name", "Company Domain Name", "domain"],
            &[
                "Company owner",
                "Company Domain Name",
                "domain",
                "Number of Associated Contacts",
            ],
        ],
        parts: &[any(Part::Lookup(LookupColumns {
            name: "companies",
            keys: &[(RECORD, COMPANY_OF)],
            overwritten: OVERWRITTEN,
        }))],
    },
    Export {
        what: "contacts",
        signature: &[
            CONTACT,
            &["Create Date", "createdate", "Created at"],
            &[
                "Lifecycle Stage",
                "Lead Status",
                "hs_lead_status",
                "Original Traffic Source",
                "Original Source",
                "Original Source Type",
                "hs_analytics_source",
                "Contact owner",
                "Marketing contact status",
                "HubSpot Score",
                "Became a Lead Date",
                "Associated Deal IDs",
                "Associated Company IDs",
            ],
        ],
        parts: &[
            any(Part::Leads(LeadColumns {
                id: CONTACT,
                created_at: &["Create Date", "createdate", "Created at"],
                account: COMPANY_OF,
                score: &[
                    "HubSpot Score",
                    "hubspotscore",
                    "Lead Score",
                    "Combined score",
                ],
                overwritten: OVERWRITTEN,
                ..LeadColumns::NONE
            })),
            any(Part::Outcomes(OutcomeColumns {
                lead: CONTACT,
                closed_at: &[
                    "Became a Customer Date",
                    "Became a customer date",
                    "hs_lifecyclestage_customer_date",
                ],
                rows: Rows::WonIfDated,
                ..OutcomeColumns::NONE
            })),
        ],
    },
];

const OVERWRITTEN: Names = &[
    "Lifecycle Stage",
    "Lead Status",
    "hs_lead_status",
    "Became a Customer Date",
    "Became an Evangelist Date",
    "Became an Other Lifecycle Date",
    "hs_lifecyclestage_*",
    "Close Date",
    "Days To Close",
    "First Deal Created Date",
    "Recent *",
    "Latest *",
    "Last *",
    "Next *",
    "Time Last *",
    "Time of Last *",
    "Total Revenue",
    "Total open deal value",
    "Event Revenue",
    "Associated Deal*",
    "num_associated_deals",
    "num_contacted_notes",
    "num_notes",
    "num_conversion_events",
    "num_unique_conversion_events",
    "Number of Associated *",
    "Number of Pageviews",
    "Number of Sessions",
    "Number of Form Submissions",
    "Number of Unique Forms Submitted",
    "Number of Times Contacted",
    "Number of Sales Activities",
    "Number of event completions",
    "Number of open deals",
    "Average Pageviews",
    "Average page views",
    "hs_analytics_num_*",
    "hs_analytics_last_*",
    "hs_analytics_average_*",
    "hs_email_*",
    "hs_sales_*",
    "hs_predictive*",
    "hs_latest*",
    "Marketing emails *",
    "Sends Since Last Engagement",
    "Contact owner",
    "Company owner",
    "Owner assigned date",
    "HubSpot Team",
    "hubspot_owner*",
    "Likelihood to close",
    "Contact priority",
    "Contact unworked",
    "Marketing contact status*",
    "hs_marketable_status",
    "Unsubscribed *",
    "Currently in *",
    "Date entered *",
    "Date exited *",
    "Cumulative time in *",
    "Latest time in *",
    "Time in *",
    "notes_last_*",
    "notes_next_*",
    "lastmodifieddate",
    "hs_lastmodifieddate",
    "Updated by *",
    "Merged *",
    "hs_merged_*",
    "Buying Role",
];
