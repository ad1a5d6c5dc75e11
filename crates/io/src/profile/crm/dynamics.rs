//! Exports of Dynamics 365 Sales: the columns have the names of Dataverse, or the labels of a
//! spreadsheet.

use super::{ActivityColumns, Export, LeadColumns, LinkColumns, Names, OutcomeColumns, Part, any};

const LEAD: Names = &["leadid", "(Do Not Modify) Lead", "Lead"];
const CREATED: Names = &["createdon", "Created On"];
const OPPORTUNITY: Names = &[
    "opportunityid",
    "(Do Not Modify) Opportunity",
    "Opportunity",
];
const LEAD_OF: Names = &[
    "originatingleadid",
    "_originatingleadid_value",
    "Originating Lead",
];

pub(super) const EXPORTS: &[Export] = &[
    Export {
        what: "opportunities",
        signature: &[OPPORTUNITY, &["actualclosedate", "Actual Close Date"]],
        parts: &[
            any(Part::Outcomes(OutcomeColumns {
                lead: LEAD_OF,
                closed_at: &["actualclosedate", "Actual Close Date"],
                result: &[
                    "statecodename",
                    "statecode",
                    "Status",
                    "statuscode",
                    "Status Reason",
                ],
                amount: &["actualvalue_base", "actualvalue", "Actual Revenue"],
                codes: ["1", "2", "0"],
                ..OutcomeColumns::NONE
            })),
            any(Part::Link(LinkColumns {
                name: "opportunities",
                from: OPPORTUNITY,
                lead: LEAD_OF,
                linked_at: CREATED,
                own_ids: true,
            })),
        ],
    },
    Export {
        what: "activities",
        signature: &[
            &["activityid", "(Do Not Modify) Activity"],
            &["regardingobjectid", "_regardingobjectid_value", "Regarding"],
        ],
        parts: &[any(Part::Activities(ActivityColumns {
            name: "activities",
            lead: &["regardingobjectid", "_regardingobjectid_value", "Regarding"],
            via: "opportunities",
            at: &["actualend", "Actual End", "createdon", "Created On"],
            kinds: &[&["activitytypecodename", "activitytypecode", "Activity Type"]],
            ..ActivityColumns::NONE
        }))],
    },
    Export {
        what: "leads",
        signature: &[
            LEAD,
            CREATED,
            &[
                "leadsourcecodename",
                "leadsourcecode",
                "Lead Source",
                "Topic",
                "subject",
                "statuscode",
                "Status Reason",
            ],
        ],
        parts: &[any(Part::Leads(LeadColumns {
            id: LEAD,
            created_at: CREATED,
            score: &["msdyn_leadscore", "Lead Score"],
            overwritten: OVERWRITTEN,
            ..LeadColumns::NONE
        }))],
    },
];

const OVERWRITTEN: Names = &[
    "(Do Not Modify) Row Checksum",
    "(Do Not Modify) Modified On",
    "statecode*",
    "Status",
    "statuscode*",
    "Status Reason",
    "modifiedon",
    "Modified On",
    "modifiedby*",
    "Modified By",
    "owner*",
    "owningbusinessunit*",
    "owninguser*",
    "qualifyingopportunityid*",
    "Qualifying Opportunity",
    "originatingcaseid*",
    "parentaccountid*",
    "Parent Account for lead",
    "parentcontactid*",
    "Parent Contact for lead",
    "customerid*",
    "accountid*",
    "contactid*",
    "estimatedclosedate",
    "Est. Close Date",
    "estimatedamount*",
    "estimatedvalue*",
    "Est. Value",
    "Est. Revenue",
    "leadqualitycode*",
    "Rating",
    "prioritycode*",
    "Priority",
    "salesstage*",
    "processid",
    "stageid",
    "traversedpath",
    "lastonholdtime",
    "onholdtime",
    "lastusedincampaign",
    "Last Campaign Date",
    "schedulefollowup_*",
    "timespentbymeonemailandmeetings",
    "teamsfollowed",
    "followemail",
    "versionnumber",
    "confirminterest",
    "decisionmaker",
    "evaluatefit",
    "need*",
    "budgetstatus*",
    "purchaseprocess*",
    "purchasetimeframe*",
    "initialcommunication*",
    "msdyn_leadgrade*",
    "msdyn_leadscoretrend*",
    "msdyn_scorereasons",
    "msdyn_scorehistory",
    "msdyn_predictivescoreid*",
    "msdyn_salesassignmentresult*",
];
