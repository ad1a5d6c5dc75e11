//! Salesforce's exports: the columns have the names of the API (data export, Data Loader) or the
//! labels of reports.

use super::{
    ActivityColumns, Export, HistoryColumns, LeadColumns, LinkColumns, LookupColumns, MergeColumns,
    Names, OutcomeColumns, Part, Rows, any, of,
};

const CREATED: Names = &["CreatedDate", "Created Date", "Create Date"];
const LEAD: Names = &["Id", "Lead ID"];
const CONVERTED_AT: Names = &["ConvertedDate", "Converted Date"];
const OPPORTUNITY: Names = &["Id", "Opportunity ID"];
const CONTACT: Names = &["Id", "Contact ID"];
const ACCOUNT_OF: Names = &["AccountId", "Account ID"];

/// What opportunities say, whatever leads they reach.
const OUTCOMES: OutcomeColumns = OutcomeColumns {
    lead: OPPORTUNITY,
    closed_at: &["CloseDate", "Close Date"],
    result: &["StageName", "Stage"],
    is_won: &["IsWon", "Won"],
    is_closed: &["IsClosed", "Closed"],
    amount: &["Amount"],
    ..OutcomeColumns::NONE
};

const TASKS: ActivityColumns = ActivityColumns {
    lead: &["WhoId", "Who ID", "Name ID"],
    at: CREATED,
    kinds: &[&["TaskSubtype", "EventSubtype", "Task Subtype"], &["Type"]],
    ..ActivityColumns::NONE
};

pub(super) const EXPORTS: &[Export] = &[
    Export {
        what: "opportunities",
        signature: &[
            OPPORTUNITY,
            &["StageName", "Stage"],
            &["CloseDate", "Close Date"],
        ],
        parts: &[
            of(
                "leads",
                Part::Outcomes(OutcomeColumns {
                    via: "conversions",
                    ..OUTCOMES
                }),
            ),
            of(
                "contacts",
                Part::Outcomes(OutcomeColumns {
                    via: "contact_roles",
                    ..OUTCOMES
                }),
            ),
        ],
    },
    Export {
        what: "contact roles",
        signature: &[
            &["OpportunityId", "Opportunity ID"],
            &["ContactId", "Contact ID"],
        ],
        parts: &[of(
            "contacts",
            Part::Link(LinkColumns {
                name: "contact_roles",
                from: &["OpportunityId", "Opportunity ID"],
                lead: &["ContactId", "Contact ID"],
                linked_at: CREATED,
                own_ids: false,
            }),
        )],
    },
    Export {
        what: "lead history",
        signature: &[
            &["LeadId", "Lead ID"],
            &["Field", "Field / Event"],
            &["NewValue", "New Value"],
        ],
        parts: &[of(
            "leads",
            Part::History(HistoryColumns {
                lead: &["LeadId", "Lead ID"],
                changed_at: &["CreatedDate", "Edit Date"],
                attribute: &["Field", "Field / Event"],
                value: &["NewValue", "New Value"],
                old_value: &["OldValue", "Old Value"],
            }),
        )],
    },
    Export {
        what: "campaign members",
        signature: &[
            &["CampaignId", "Campaign ID"],
            &["LeadId", "Lead ID", "ContactId", "Contact ID"],
            &[
                "HasResponded",
                "FirstRespondedDate",
                "Responded",
                "Member Status",
            ],
        ],
        parts: &[
            of(
                "leads",
                Part::Activities(ActivityColumns {
                    name: "campaigns",
                    lead: &["LeadId", "Lead ID"],
                    at: CREATED,
                    ..ActivityColumns::NONE
                }),
            ),
            of(
                "contacts",
                Part::Activities(ActivityColumns {
                    name: "campaigns",
                    lead: &["ContactId", "Contact ID"],
                    at: CREATED,
                    ..ActivityColumns::NONE
                }),
            ),
        ],
    },
    Export {
        what: "tasks and events",
        signature: &[
            &["WhoId", "Who ID", "Name ID"],
            &[
                "ActivityDate",
                "ActivityDateTime",
                "TaskSubtype",
                "EventSubtype",
                "Task Subtype",
                "StartDateTime",
            ],
            CREATED,
        ],
        parts: &[
            of(
                "leads",
                Part::Activities(ActivityColumns {
                    via: "converted_contacts",
                    ..TASKS
                }),
            ),
            of("contacts", Part::Activities(TASKS)),
        ],
    },
    Export {
        what: "leads",
        signature: &[
            LEAD,
            &["LeadSource", "Lead Source", "Status", "Lead Status"],
            &[
                "IsConverted",
                "Converted",
                "ConvertedDate",
                "Converted Date",
            ],
        ],
        parts: &[
            any(Part::Leads(LeadColumns {
                id: LEAD,
                created_at: CREATED,
                score: &[
                    "pi__score__c",
                    "Pardot Score",
                    "Lead_Score__c",
                    "Score__c",
                    "Lead Score",
                ],
                overwritten: OVERWRITTEN,
                ..LeadColumns::NONE
            })),
            of(
                "leads",
                Part::Link(LinkColumns {
                    name: "conversions",
                    from: &["ConvertedOpportunityId", "Opportunity ID"],
                    lead: LEAD,
                    linked_at: CONVERTED_AT,
                    own_ids: false,
                }),
            ),
            of(
                "leads",
                Part::Link(LinkColumns {
                    name: "converted_contacts",
                    from: &["ConvertedContactId", "Contact ID"],
                    lead: LEAD,
                    linked_at: &[],
                    own_ids: true,
                }),
            ),
            of(
                "leads",
                Part::Merges(MergeColumns {
                    from: LEAD,
                    into: &["MasterRecordId", "Master Record ID"],
                }),
            ),
            of(
                "leads",
                Part::Outcomes(OutcomeColumns {
                    lead: LEAD,
                    closed_at: CONVERTED_AT,
                    rows: Rows::WonIfDated,
                    ..OutcomeColumns::NONE
                }),
            ),
        ],
    },
    Export {
        what: "accounts",
        signature: &[
            &["Id", "Account ID"],
            &[
                "AccountSource",
                "BillingCountry",
                "Billing Country",
                "NumberOfEmployees",
            ],
            &["Name", "Account Name"],
        ],
        parts: &[of(
            "contacts",
            Part::Lookup(LookupColumns {
                name: "accounts",
                keys: &[(&["Id", "Account ID"], ACCOUNT_OF)],
                overwritten: OVERWRITTEN,
            }),
        )],
    },
    Export {
        what: "contacts",
        signature: &[CONTACT, ACCOUNT_OF, &["LastName", "Last Name"]],
        parts: &[any(Part::Leads(LeadColumns {
            id: CONTACT,
            created_at: CREATED,
            account: ACCOUNT_OF,
            score: &["pi__score__c", "Pardot Score", "Score__c"],
            overwritten: OVERWRITTEN,
            ..LeadColumns::NONE
        }))],
    },
];

const OVERWRITTEN: Names = &[
    "Status",
    "Lead Status",
    "Rating",
    "IsConverted",
    "Converted",
    "Converted*",
    "Opportunity ID",
    "Opportunity Name",
    "Opportunity Amount",
    "OwnerId",
    "Lead Owner",
    "Contact Owner",
    "Account Owner",
    "Owner*",
    "LastModified*",
    "Last Modified*",
    "LastActivity*",
    "Last Activity*",
    "LastViewedDate",
    "LastReferencedDate",
    "LastTransferDate",
    "SystemModstamp",
    "IsUnreadByOwner",
    "Unread By Owner",
    "MasterRecordId",
    "Master Record ID",
    "FirstCallDateTime",
    "FirstEmailDateTime",
    "EmailBounced*",
    "Jigsaw*",
    "ActivityMetric*",
    "ScoreIntelligenceId",
    "pi__last_activity__c",
    "pi__grade__c",
    "Type",
];
