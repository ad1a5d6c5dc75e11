//! A made company in the exports of five CRMs: the same leads, deals and activities, with the columns
//! and the dirt that each product's files have.

use std::fmt::Write as _;

use leadscore_core::Timestamp;

use crate::fuzz::Random;

/// What every lead really is.
#[derive(Debug, Clone)]
pub struct Lead {
    /// Its number, from 0.
    pub number: usize,
    /// Minutes since the start of 2022.
    pub created: i64,
    source: usize,
    industry: usize,
    country: usize,
    title: usize,
    employees: Option<u32>,
    interests: Vec<usize>,
    score: u32,
    company: usize,
    /// The minute and the kind of each activity, in order.
    activities: Vec<(i64, usize)>,
    deal: Option<Deal>,
    /// The part of its chance that its attributes have, in log-odds.
    pub strength: f64,
}

#[derive(Debug, Clone)]
struct Deal {
    created: i64,
    closed: Option<i64>,
    is_won: bool,
    amount: u32,
    /// Another lead that the deal belongs to as well.
    with: Option<usize>,
}

/// The company.
#[derive(Debug)]
pub struct World {
    /// All leads, by their numbers.
    pub leads: Vec<Lead>,
}

/// A file of an export: its name and its content.
pub type File = (&'static str, String);

const SOURCES: [&str; 6] = [
    "Organic Search",
    "Paid Search",
    "Referrals",
    "Direct Traffic",
    "Offline Sources",
    "Email Marketing",
];
const SOURCE_EFFECT: [f64; 6] = [0.2, -0.3, 0.9, 0.0, -0.8, 0.3];
const INDUSTRIES: [&str; 6] = [
    "Computer Software",
    "Retail",
    "Banking",
    "Construction",
    "Health, Wellness & Fitness",
    "Education",
];
const INDUSTRY_EFFECT: [f64; 6] = [0.6, -0.4, 0.2, -0.2, 0.0, -0.5];
const COUNTRIES: [&str; 5] = ["Germany", "United States", "France", "Österreich", "India"];
const TITLES: [&str; 8] = [
    "CEO",
    "Head of Marketing",
    "Marketing Manager",
    "Student",
    "IT Manager",
    "VP, Sales",
    "Software Engineer",
    "Founder & CEO",
];
const TITLE_EFFECT: [f64; 8] = [0.9, 0.6, 0.2, -1.5, 0.0, 0.5, -0.4, 0.9];
const INTERESTS: [&str; 5] = ["pricing", "integrations", "support", "api", "security"];
const INTEREST_EFFECT: [f64; 5] = [0.8, 0.3, 0.0, 0.1, 0.4];
const KINDS: [&str; 4] = ["Call", "Email", "Meeting", "Task"];
const KIND_EFFECT: [f64; 4] = [0.5, 0.15, 0.9, 0.0];
const DAY: i64 = 24 * 60;
/// The last day with data, in days since the start of 2022.
const END: i64 = 3 * 365;

impl World {
    /// `n` leads of three years.
    pub fn new(n: usize, seed: u64) -> Self {
        let mut random = Random(seed);
        let mut leads: Vec<Lead> = (0..n)
            .map(|number| Lead::new(number, &mut random))
            .collect();
        for number in 0..n {
            leads[number].live(&mut random);
            // Some deals are those of a colleague, too.
            let has_deal = leads[number].deal.is_some();
            if has_deal && number > 0 && random.below(8) == 0 {
                let other = random.below(number);
                if leads[other].deal.is_none() {
                    leads[number].deal.as_mut().expect("has one").with = Some(other);
                }
            }
        }
        Self { leads }
    }

    /// Takes each deal from all but one of its leads.
    pub fn without_shared_deals(&mut self) {
        let deals = self.leads.iter_mut().filter_map(|lead| lead.deal.as_mut());
        deals.for_each(|deal| deal.with = None);
    }
}

/// A number between 0 and 1.
fn uniform(random: &mut Random) -> f64 {
    (random.bits() >> 11) as f64 / (1_u64 << 53) as f64
}

impl Lead {
    fn new(number: usize, random: &mut Random) -> Self {
        let created = random.below((END * DAY) as usize) as i64;
        let (source, industry) = (random.below(6), random.below(6));
        let (country, title) = (random.below(5), random.below(8));
        let size = (1.0 + 9.0 * uniform(random)).exp() as u32;
        let employees = (random.below(7) != 0).then_some(size);
        let interests: Vec<usize> = (0..5).filter(|_| random.below(4) == 0).collect();
        let strength = SOURCE_EFFECT[source]
            + INDUSTRY_EFFECT[industry]
            + TITLE_EFFECT[title]
            + interests
                .iter()
                .map(|&interest| INTEREST_EFFECT[interest])
                .sum::<f64>()
            + 0.25 * (f64::from(size).ln() - 5.5);
        let score = (20.0
            + 8.0 * SOURCE_EFFECT[source]
            + 6.0 * TITLE_EFFECT[title]
            + 30.0 * uniform(random))
        .max(0.0) as u32;
        Self {
            number,
            created,
            source,
            industry,
            country,
            title,
            employees,
            interests,
            score,
            company: random.below(900),
            activities: Vec::new(),
            deal: None,
            strength,
        }
    }

    /// What it does and what becomes of it, week by week.
    fn live(&mut self, random: &mut Random) {
        let mut warmth = 0.0;
        let mut week = self.created;
        let mut age = 0;
        while week < END * DAY && age < 60 {
            warmth *= 0.7;
            let n_done = if uniform(random) < 0.25 / (1.0 + 0.1 * f64::from(age)) + 0.05 * warmth {
                1 + random.below(2)
            } else {
                0
            };
            for _ in 0..n_done {
                let kind = random.below(4);
                let at = week + random.below(7 * DAY as usize) as i64;
                if at < END * DAY {
                    self.activities.push((at, kind));
                    warmth += KIND_EFFECT[kind];
                }
            }
            let end = week + 7 * DAY;
            let odds = (-5.3 + self.strength + 1.2 * warmth - 0.03 * f64::from(age)).exp();
            if uniform(random) < odds / (1.0 + odds) && end + DAY < END * DAY {
                self.close(end + random.below(DAY as usize) as i64, true, random);
                break;
            }
            if uniform(random) < 0.015 && end + DAY < END * DAY {
                self.close(end + random.below(DAY as usize) as i64, false, random);
                break;
            }
            week = end;
            age += 1;
        }
        // Some deals are open.
        if self.deal.is_none() && random.below(4) == 0 {
            self.deal = Some(Deal {
                created: self.created + random.below(3 * DAY as usize) as i64,
                closed: None,
                is_won: false,
                amount: 500 + random.below(40_000) as u32,
                with: None,
            });
        }
        self.activities.sort_unstable();
        if let Some(closed) = self.deal.as_ref().and_then(|deal| deal.closed) {
            self.activities.retain(|(at, _)| *at < closed);
        }
    }

    fn close(&mut self, at: i64, is_won: bool, random: &mut Random) {
        let span = (at - self.created).max(2) as usize;
        self.deal = Some(Deal {
            created: self.created + random.below(span / 2) as i64,
            closed: Some(at),
            is_won,
            amount: 500 + random.below(40_000) as u32,
            with: None,
        });
    }

    /// Whether it has not been won or lost, by its own deal or another's.
    pub fn is_open(&self, world: &World) -> bool {
        let closes = |deal: &Deal| deal.closed.is_some();
        let by_other = world
            .leads
            .iter()
            .filter_map(|lead| lead.deal.as_ref())
            .any(|deal| deal.with == Some(self.number) && closes(deal));
        !by_other && !self.deal.as_ref().is_some_and(closes)
    }

    fn first_name(&self) -> &'static str {
        ["Ada", "Björn", "Chloé", "Dmitri", "O'Neil"][self.number % 5]
    }

    fn last_name(&self) -> String {
        format!("Müller-{}", self.number)
    }

    fn email(&self) -> String {
        format!("person{}@firm{}.example", self.number, self.company)
    }

    fn interests(&self, separator: &str) -> String {
        let names: Vec<&str> = self
            .interests
            .iter()
            .map(|&interest| INTERESTS[interest])
            .collect();
        names.join(separator)
    }

    /// Written in the ways that people write it.
    fn title(&self) -> String {
        let title = TITLES[self.title];
        match self.number % 6 {
            0 => title.to_uppercase(),
            1 => format!("{title} "),
            _ => title.to_owned(),
        }
    }

    /// A stage that fits what became of it.
    fn stage(&self, won: &str, lost: &str) -> String {
        match &self.deal {
            Some(deal) if deal.is_won => won.to_owned(),
            Some(deal) if deal.closed.is_some() => lost.to_owned(),
            _ => ["Appointment Scheduled", "Qualified To Buy", "Contract Sent"][self.number % 3]
                .to_owned(),
        }
    }

    fn last_activity(&self) -> Option<i64> {
        self.activities.last().map(|(at, _)| *at)
    }
}

/// A minute as text.
fn time(minute: i64, format: &str) -> String {
    let start = Timestamp::from_ymd(2022, 1, 1).expect("exists").micros();
    let at = Timestamp::from_micros(start + minute * 60_000_000);
    at.naive()
        .expect("within the calendar")
        .format(format)
        .to_string()
}

fn optional(minute: Option<i64>, format: &str) -> String {
    minute.map_or_else(String::new, |minute| time(minute, format))
}

/// A table of texts, as CSV.
struct Csv {
    text: String,
    end: &'static str,
}

impl Csv {
    fn new(columns: &[&str], end: &'static str) -> Self {
        let mut csv = Self {
            text: String::new(),
            end,
        };
        csv.row(columns);
        csv
    }

    fn row<T: AsRef<str>>(&mut self, cells: &[T]) {
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                self.text.push(',');
            }
            let cell = cell.as_ref();
            if cell.contains([',', '"', '\n', '\r']) {
                let _ = write!(self.text, "\"{}\"", cell.replace('"', "\"\""));
            } else {
                self.text.push_str(cell);
            }
        }
        self.text.push_str(self.end);
    }
}

/// A free text with what breaks careless readers.
fn note(lead: &Lead) -> String {
    match lead.number % 4 {
        0 => format!("said \"call me, later\"\nthen nothing ({})", lead.number),
        1 => "a; b, c".to_owned(),
        _ => String::new(),
    }
}

/// HubSpot: contacts with 40 columns, deals, companies and activities, with a byte order mark.
pub fn hubspot(world: &World) -> Vec<File> {
    const FORMAT: &str = "%Y-%m-%d %H:%M";
    let mut contacts = Csv::new(
        &[
            "Record ID",
            "First Name",
            "Last Name",
            "Email",
            "Phone Number",
            "Job Title",
            "Company Name",
            "Industry",
            "Country/Region",
            "Number of Employees",
            "Product interests",
            "Original Traffic Source",
            "Original Traffic Source Drill-Down 1",
            "Create Date",
            "Lifecycle Stage",
            "Lead Status",
            "HubSpot Score",
            "Contact owner",
            "Marketing contact status",
            "Number of Pageviews",
            "Number of Sessions",
            "Number of Form Submissions",
            "Number of Sales Activities",
            "Number of Associated Deals",
            "Recent Deal Amount",
            "Recent Deal Close Date",
            "Total Revenue",
            "Days To Close",
            "Last Activity Date",
            "Last Contacted",
            "Last Modified Date",
            "Time Last Seen",
            "Became a Lead Date",
            "Became a Marketing Qualified Lead Date",
            "Became a Customer Date",
            "Associated Company IDs",
            "Associated Deal IDs",
            "Persona",
            "Preferred language",
            "Message",
        ],
        "\r\n",
    );
    let mut deals = Csv::new(
        &[
            "Record ID",
            "Deal Name",
            "Deal Stage",
            "Pipeline",
            "Amount",
            "Create Date",
            "Close Date",
            "Deal owner",
            "Is Closed Won",
            "Is Deal Closed?",
            "Closed Lost Reason",
            "Associated Contact IDs",
            "Associated Company IDs",
        ],
        "\r\n",
    );
    let mut calls = Csv::new(
        &[
            "Record ID",
            "Activity type",
            "Activity date",
            "Create date",
            "Call notes",
            "Associated Contact IDs",
        ],
        "\r\n",
    );
    for lead in &world.leads {
        let id = (10_250_000_000 + lead.number as u64).to_string();
        let deal = lead.deal.as_ref();
        let is_won = deal.is_some_and(|deal| deal.is_won);
        let closed = deal.and_then(|deal| deal.closed);
        let n_done = lead.activities.len();
        contacts.row(&[
            id.clone(),
            lead.first_name().to_owned(),
            lead.last_name(),
            lead.email(),
            format!("+49 30 {:07}", lead.number),
            lead.title(),
            format!("Firm {}, Inc.", lead.company),
            INDUSTRIES[lead.industry].to_owned(),
            COUNTRIES[lead.country].to_owned(),
            lead.employees.map_or_else(String::new, |n| n.to_string()),
            lead.interests(";"),
            SOURCES[lead.source].to_owned(),
            String::new(),
            time(lead.created, FORMAT),
            if is_won { "Customer" } else { "Lead" }.to_owned(),
            if closed.is_some() { "Open deal" } else { "New" }.to_owned(),
            lead.score.to_string(),
            "Sam Sales (sam@us.example)".to_owned(),
            "Marketing contact".to_owned(),
            (3 * n_done + 20 * usize::from(is_won)).to_string(),
            n_done.to_string(),
            (n_done / 2).to_string(),
            n_done.to_string(),
            if deal.is_some() { "1" } else { "" }.to_owned(),
            deal.map_or_else(String::new, |deal| deal.amount.to_string()),
            optional(closed, FORMAT),
            if is_won {
                deal.map_or_else(String::new, |deal| deal.amount.to_string())
            } else {
                String::new()
            },
            closed
                .filter(|_| is_won)
                .map_or_else(String::new, |at| ((at - lead.created) / DAY).to_string()),
            optional(lead.last_activity(), FORMAT),
            optional(lead.last_activity(), FORMAT),
            time(END * DAY - 1 - lead.number as i64 % DAY, FORMAT),
            optional(lead.last_activity(), FORMAT),
            time(lead.created, FORMAT),
            optional(lead.activities.get(2).map(|(at, _)| *at), FORMAT),
            optional(closed.filter(|_| is_won), FORMAT),
            (9_000 + lead.company).to_string(),
            deal.map_or_else(String::new, |_| (20_000 + lead.number).to_string()),
            if lead.number % 3 == 0 {
                "persona_1"
            } else {
                ""
            }
            .to_owned(),
            "en".to_owned(),
            note(lead),
        ]);
        if let Some(deal) = deal {
            let others = deal.with.map_or_else(String::new, |other| {
                format!(";{}", 10_250_000_000 + other as u64)
            });
            deals.row(&[
                (20_000 + lead.number).to_string(),
                format!("Firm {} - New Deal", lead.company),
                lead.stage("Closed Won", "Closed Lost"),
                "Sales Pipeline".to_owned(),
                deal.amount.to_string(),
                time(deal.created, FORMAT),
                time(deal.closed.unwrap_or(END * DAY + 30 * DAY), FORMAT),
                "Sam Sales".to_owned(),
                is_won.to_string(),
                deal.closed.is_some().to_string(),
                String::new(),
                format!("{id}{others}"),
                (9_000 + lead.company).to_string(),
            ]);
        }
        for (number, (at, kind)) in lead.activities.iter().enumerate() {
            calls.row(&[
                (lead.number * 100 + number).to_string(),
                KINDS[*kind].to_owned(),
                time(*at, FORMAT),
                time(*at, FORMAT),
                "spoke, briefly".to_owned(),
                id.clone(),
            ]);
        }
    }
    vec![
        (
            "hubspot-crm-exports-all-contacts.csv",
            format!("\u{feff}{}", contacts.text),
        ),
        (
            "hubspot-crm-exports-all-deals.csv",
            format!("\u{feff}{}", deals.text),
        ),
        ("hubspot-crm-exports-activities.csv", calls.text),
    ]
}

/// Salesforce: the files of a data export, where every cell is in quotes and times are in UTC.
pub fn salesforce(world: &World) -> Vec<File> {
    const FORMAT: &str = "%Y-%m-%dT%H:%M:00.000Z";
    let id = |prefix: &str, number: usize| format!("{prefix}5g00000{number:06}AAA");
    let mut leads = Csv::new(
        &[
            "Id",
            "IsDeleted",
            "MasterRecordId",
            "LastName",
            "FirstName",
            "Salutation",
            "Title",
            "Company",
            "Street",
            "City",
            "State",
            "PostalCode",
            "Country",
            "Phone",
            "MobilePhone",
            "Fax",
            "Email",
            "Website",
            "Description",
            "LeadSource",
            "Status",
            "Industry",
            "Rating",
            "AnnualRevenue",
            "NumberOfEmployees",
            "OwnerId",
            "HasOptedOutOfEmail",
            "IsConverted",
            "ConvertedDate",
            "ConvertedAccountId",
            "ConvertedContactId",
            "ConvertedOpportunityId",
            "IsUnreadByOwner",
            "CreatedDate",
            "CreatedById",
            "LastModifiedDate",
            "SystemModstamp",
            "LastActivityDate",
            "Product_Interests__c",
            "pi__score__c",
        ],
        "\n",
    );
    let mut opportunities = Csv::new(
        &[
            "Id",
            "IsDeleted",
            "AccountId",
            "Name",
            "StageName",
            "Amount",
            "Probability",
            "CloseDate",
            "Type",
            "LeadSource",
            "IsClosed",
            "IsWon",
            "ForecastCategory",
            "OwnerId",
            "CreatedDate",
        ],
        "\n",
    );
    let mut tasks = Csv::new(
        &[
            "Id",
            "WhoId",
            "WhatId",
            "Subject",
            "ActivityDate",
            "Status",
            "Priority",
            "TaskSubtype",
            "IsClosed",
            "IsDeleted",
            "CreatedDate",
            "CompletedDateTime",
        ],
        "\n",
    );
    for lead in &world.leads {
        let lead_id = id("00Q", lead.number);
        let deal = lead.deal.as_ref();
        let is_won = deal.is_some_and(|deal| deal.is_won);
        let converted = deal.map(|deal| deal.created);
        let is_converted = converted.is_some();
        let of = |prefix: &str| {
            if is_converted {
                id(prefix, lead.number)
            } else {
                String::new()
            }
        };
        let mut row = vec![
            lead_id.clone(),
            "false".to_owned(),
            String::new(),
            lead.last_name(),
            lead.first_name().to_owned(),
            String::new(),
            lead.title(),
            format!("Firm {}, Inc.", lead.company),
            format!("Street {}", lead.number),
            "Berlin".to_owned(),
            String::new(),
            format!("0{}", 1_000 + lead.number % 9_000),
            COUNTRIES[lead.country].to_owned(),
            format!("(030) {:07}", lead.number),
            String::new(),
            String::new(),
            lead.email(),
            String::new(),
            note(lead),
            SOURCES[lead.source].to_owned(),
            if is_converted {
                "Closed - Converted"
            } else {
                "Open - Not Contacted"
            }
            .to_owned(),
            INDUSTRIES[lead.industry].to_owned(),
            if is_won { "Hot" } else { "" }.to_owned(),
            String::new(),
            lead.employees.map_or_else(String::new, |n| n.to_string()),
            id("005", lead.number % 7),
            (lead.number % 20 == 0).to_string(),
            is_converted.to_string(),
            optional(converted, "%Y-%m-%d"),
            of("001"),
            of("003"),
            of("006"),
            "false".to_owned(),
            time(lead.created, FORMAT),
            id("005", 1),
            time(END * DAY - 1, FORMAT),
            time(END * DAY - 1, FORMAT),
            optional(lead.last_activity(), "%Y-%m-%d"),
            lead.interests(";"),
            lead.score.to_string(),
        ];
        leads.row(&row);
        // A duplicate that somebody put into the trash, with what it did.
        if lead.number % 15 == 0 {
            let trashed = id("00Q", 500_000 + lead.number);
            (row[0], row[1]) = (trashed.clone(), "true".to_owned());
            leads.row(&row);
            for (number, (at, kind)) in lead.activities.iter().enumerate() {
                let task = id("00T", 500_000 + lead.number * 10 + number);
                tasks.row(&task_row(
                    task,
                    trashed.clone(),
                    time(*at, "%Y-%m-%d"),
                    time(*at, FORMAT),
                    *kind,
                ));
            }
        }
        if let Some(deal) = deal {
            opportunities.row(&[
                id("006", lead.number),
                "false".to_owned(),
                id("001", lead.number),
                format!("Firm {}", lead.company),
                lead.stage("Closed Won", "Closed Lost"),
                format!("{}.0", deal.amount),
                if is_won { "100.0" } else { "10.0" }.to_owned(),
                time(deal.closed.unwrap_or(END * DAY + 30 * DAY), "%Y-%m-%d"),
                String::new(),
                SOURCES[lead.source].to_owned(),
                deal.closed.is_some().to_string(),
                is_won.to_string(),
                String::new(),
                id("005", lead.number % 7),
                time(deal.created, FORMAT),
            ]);
        }
        for (number, (at, kind)) in lead.activities.iter().enumerate() {
            // What a lead did is its contact's once it is converted.
            let who = if is_converted {
                id("003", lead.number)
            } else {
                lead_id.clone()
            };
            let task = id("00T", lead.number * 100 + number);
            tasks.row(&task_row(
                task,
                who,
                time(*at, "%Y-%m-%d"),
                time(*at, FORMAT),
                *kind,
            ));
        }
    }
    vec![
        ("Lead.csv", leads.text),
        ("Opportunity.csv", opportunities.text),
        ("Task.csv", tasks.text),
    ]
}

/// A row of Salesforce's tasks, without those that nobody fills.
fn task_row(id: String, who: String, day: String, at: String, kind: usize) -> [String; 12] {
    [
        id,
        who,
        String::new(),
        "Talk".to_owned(),
        day,
        "Completed".to_owned(),
        "Normal".to_owned(),
        KINDS[kind].to_owned(),
        "true".to_owned(),
        "false".to_owned(),
        at.clone(),
        at,
    ]
}

/// Pipedrive: deals, which are the leads, and activities; amounts have the currency in a column of
/// their own.
pub fn pipedrive(world: &World) -> Vec<File> {
    const FORMAT: &str = "%Y-%m-%d %H:%M:%S";
    let mut deals = Csv::new(
        &[
            "Deal - ID",
            "Deal - Title",
            "Deal - Creator",
            "Deal - Owner",
            "Deal - Value",
            "Deal - Currency of Value",
            "Deal - Weighted value",
            "Deal - Probability",
            "Deal - Organization",
            "Deal - Pipeline",
            "Deal - Contact person",
            "Deal - Stage",
            "Deal - Label",
            "Deal - Status",
            "Deal - Deal created",
            "Deal - Update time",
            "Deal - Last stage change",
            "Deal - Next activity date",
            "Deal - Last activity date",
            "Deal - Won time",
            "Deal - Last email received",
            "Deal - Lost time",
            "Deal - Deal closed on",
            "Deal - Lost reason",
            "Deal - Visible to",
            "Deal - Total activities",
            "Deal - Done activities",
            "Deal - Activities to do",
            "Deal - Email messages count",
            "Deal - Expected close date",
            "Deal - Lead source",
            "Deal - Industry",
            "Deal - Country",
            "Deal - Job title",
            "Deal - Employees",
            "Deal - Interests",
            "Deal - Score",
            "Deal - Notes",
            "Person - Email",
            "Person - Phone",
        ],
        "\n",
    );
    let mut activities = Csv::new(
        &[
            "Activity - Subject",
            "Activity - Type",
            "Activity - Due date",
            "Activity - Done",
            "Activity - Marked as done time",
            "Activity - Assigned to user",
            "Deal - ID",
            "Activity - Add time",
        ],
        "\n",
    );
    for lead in &world.leads {
        let deal = lead.deal.as_ref();
        let is_won = deal.is_some_and(|deal| deal.is_won);
        let closed = deal.and_then(|deal| deal.closed);
        let n_done = lead.activities.len().to_string();
        let status = match closed {
            Some(_) if is_won => "Won",
            Some(_) => "Lost",
            None => "Open",
        };
        deals.row(&[
            (lead.number + 1).to_string(),
            format!("Firm {} deal", lead.company),
            "Sam Sales".to_owned(),
            format!("Rep {}", lead.number % 7),
            deal.map_or(0, |deal| deal.amount).to_string(),
            "EUR".to_owned(),
            "0".to_owned(),
            if is_won { "100" } else { "" }.to_owned(),
            format!("Firm {}", lead.company),
            "Pipeline".to_owned(),
            format!("{} {}", lead.first_name(), lead.last_name()),
            lead.stage("Negotiations Started", "Proposal Made"),
            if is_won { "Hot" } else { "" }.to_owned(),
            status.to_owned(),
            time(lead.created, FORMAT),
            time(END * DAY - 1, FORMAT),
            optional(lead.last_activity(), FORMAT),
            String::new(),
            optional(lead.last_activity(), "%Y-%m-%d"),
            optional(closed.filter(|_| is_won), FORMAT),
            String::new(),
            optional(closed.filter(|_| !is_won), FORMAT),
            optional(closed, FORMAT),
            if closed.is_some() && !is_won {
                "Price"
            } else {
                ""
            }
            .to_owned(),
            "All users".to_owned(),
            n_done.clone(),
            n_done,
            "0".to_owned(),
            "0".to_owned(),
            time(lead.created + 60 * DAY, "%Y-%m-%d"),
            SOURCES[lead.source].to_owned(),
            INDUSTRIES[lead.industry].to_owned(),
            COUNTRIES[lead.country].to_owned(),
            lead.title(),
            lead.employees.map_or_else(String::new, |n| n.to_string()),
            lead.interests(", "),
            lead.score.to_string(),
            note(lead),
            lead.email(),
            format!("030-{:07}", lead.number),
        ]);
        for (at, kind) in &lead.activities {
            activities.row(&[
                "Talk".to_owned(),
                KINDS[*kind].to_owned(),
                time(*at, "%Y-%m-%d"),
                "Done".to_owned(),
                time(*at, FORMAT),
                "Rep".to_owned(),
                (lead.number + 1).to_string(),
                time(*at, FORMAT),
            ]);
        }
    }
    vec![
        ("deals-11592345-17.csv", deals.text),
        ("activities-11592345-18.csv", activities.text),
    ]
}

/// Dynamics 365: the columns of Dataverse, with statuses as codes and ids in upper and lower case
/// hexadecimals.
pub fn dynamics(world: &World) -> Vec<File> {
    const FORMAT: &str = "%Y-%m-%dT%H:%M:00Z";
    let id = |kind: usize, number: usize| format!("{kind:08x}-1c2d-ee11-8179-{number:012x}");
    let mut leads = Csv::new(
        &[
            "leadid",
            "subject",
            "firstname",
            "lastname",
            "fullname",
            "emailaddress1",
            "telephone1",
            "mobilephone",
            "jobtitle",
            "companyname",
            "address1_line1",
            "address1_city",
            "address1_postalcode",
            "address1_country",
            "websiteurl",
            "description",
            "leadsourcecodename",
            "industrycodename",
            "numberofemployees",
            "revenue",
            "leadqualitycodename",
            "prioritycodename",
            "salesstagename",
            "statecode",
            "statuscodename",
            "ownerid",
            "owneridname",
            "createdon",
            "modifiedon",
            "qualifyingopportunityid",
            "parentaccountid",
            "parentcontactid",
            "estimatedclosedate",
            "estimatedvalue",
            "budgetstatusname",
            "donotemail",
            "new_interests",
            "msdyn_leadscore",
            "versionnumber",
            "transactioncurrencyidname",
        ],
        "\r\n",
    );
    let mut opportunities = Csv::new(
        &[
            "opportunityid",
            "name",
            "originatingleadid",
            "statecode",
            "statuscodename",
            "actualclosedate",
            "estimatedclosedate",
            "actualvalue",
            "estimatedvalue",
            "createdon",
            "modifiedon",
        ],
        "\r\n",
    );
    let mut activities = Csv::new(
        &[
            "activityid",
            "subject",
            "activitytypecode",
            "regardingobjectid",
            "statecode",
            "createdon",
            "actualend",
            "scheduledend",
        ],
        "\r\n",
    );
    for lead in &world.leads {
        let deal = lead.deal.as_ref();
        let is_won = deal.is_some_and(|deal| deal.is_won);
        let of = |kind: usize| deal.map_or_else(String::new, |_| id(kind, lead.number));
        leads.row(&[
            id(1, lead.number),
            "Interested".to_owned(),
            lead.first_name().to_owned(),
            lead.last_name(),
            format!("{} {}", lead.first_name(), lead.last_name()),
            lead.email(),
            format!("030/{:07}", lead.number),
            String::new(),
            lead.title(),
            format!("Firm {}", lead.company),
            format!("Street {}", lead.number),
            "Berlin".to_owned(),
            format!("{:05}", lead.number % 99_999),
            COUNTRIES[lead.country].to_owned(),
            String::new(),
            note(lead),
            SOURCES[lead.source].to_owned(),
            INDUSTRIES[lead.industry].to_owned(),
            lead.employees.map_or_else(String::new, |n| n.to_string()),
            String::new(),
            if is_won { "Hot" } else { "Warm" }.to_owned(),
            "Default Value".to_owned(),
            String::new(),
            if deal.is_some() { "1" } else { "0" }.to_owned(),
            if deal.is_some() { "Qualified" } else { "New" }.to_owned(),
            id(9, lead.number % 7),
            format!("Rep {}", lead.number % 7),
            time(lead.created, FORMAT),
            time(END * DAY - 1, FORMAT),
            of(2),
            of(3),
            of(4),
            String::new(),
            deal.map_or_else(String::new, |deal| format!("{}.00", deal.amount)),
            if is_won { "Will Buy" } else { "" }.to_owned(),
            "False".to_owned(),
            lead.interests(";"),
            lead.score.to_string(),
            (1_000_000 + lead.number).to_string(),
            "Euro".to_owned(),
        ]);
        if let Some(deal) = deal {
            let state = match deal.closed {
                Some(_) if is_won => "1",
                Some(_) => "2",
                None => "0",
            };
            opportunities.row(&[
                id(2, lead.number),
                format!("Firm {}", lead.company),
                id(1, lead.number),
                state.to_owned(),
                if is_won { "Won" } else { "In Progress" }.to_owned(),
                optional(deal.closed, FORMAT),
                time(deal.created + 90 * DAY, "%Y-%m-%d"),
                if is_won {
                    format!("{}.0000", deal.amount)
                } else {
                    String::new()
                },
                format!("{}.0000", deal.amount),
                time(deal.created, FORMAT),
                time(END * DAY - 1, FORMAT),
            ]);
        }
        for (number, (at, kind)) in lead.activities.iter().enumerate() {
            // What comes after a lead is qualified regards the opportunity.
            let regards = match deal {
                Some(deal) if *at > deal.created => id(2, lead.number),
                _ => id(1, lead.number),
            };
            let kind = ["phonecall", "email", "appointment", "task"][*kind];
            activities.row(&[
                id(7, lead.number * 100 + number),
                "Talk".to_owned(),
                kind.to_owned(),
                regards,
                "1".to_owned(),
                time(*at, FORMAT),
                time(*at, FORMAT),
                time(*at, FORMAT),
            ]);
        }
    }
    vec![
        ("leads.csv", leads.text),
        ("opportunities.csv", opportunities.text),
        ("activitypointers.csv", activities.text),
    ]
}

/// Odoo: one table, import-compatible, where `False` is an empty cell, and messages.
pub fn odoo(world: &World) -> Vec<File> {
    const FORMAT: &str = "%Y-%m-%d %H:%M:%S";
    let mut leads = Csv::new(
        &[
            "id",
            ".id",
            "name",
            "contact_name",
            "partner_name",
            "email_from",
            "phone",
            "mobile",
            "function",
            "street",
            "city",
            "zip",
            "country_id",
            "lang_id",
            "website",
            "description",
            "source_id",
            "medium_id",
            "campaign_id",
            "tag_ids",
            "x_industry",
            "x_employees",
            "x_score",
            "type",
            "stage_id",
            "probability",
            "automated_probability",
            "expected_revenue",
            "priority",
            "active",
            "lost_reason_id",
            "user_id",
            "team_id",
            "create_date",
            "write_date",
            "date_open",
            "date_closed",
            "date_last_stage_update",
            "date_deadline",
            "partner_id",
        ],
        "\n",
    );
    let mut messages = Csv::new(
        &[
            "id",
            "date",
            "message_type",
            "subtype_id",
            "res_id",
            "model",
            "author_id",
        ],
        "\n",
    );
    for lead in &world.leads {
        let deal = lead.deal.as_ref();
        let is_won = deal.is_some_and(|deal| deal.is_won);
        let closed = deal.and_then(|deal| deal.closed);
        let is_lost = closed.is_some() && !is_won;
        let probability = if is_won {
            "100.0"
        } else if is_lost {
            "0.0"
        } else {
            "23.4"
        };
        leads.row(&[
            format!("__export__.crm_lead_{}_7f1c", lead.number),
            (lead.number + 1).to_string(),
            format!("Firm {} opportunity", lead.company),
            format!("{} {}", lead.first_name(), lead.last_name()),
            format!("Firm {}", lead.company),
            lead.email(),
            format!("+49 30 {:07}", lead.number),
            String::new(),
            lead.title(),
            String::new(),
            "Berlin".to_owned(),
            format!("{:05}", lead.number % 99_999),
            COUNTRIES[lead.country].to_owned(),
            String::new(),
            String::new(),
            note(lead),
            SOURCES[lead.source].to_owned(),
            String::new(),
            String::new(),
            lead.interests(","),
            INDUSTRIES[lead.industry].to_owned(),
            lead.employees.map_or_else(String::new, |n| n.to_string()),
            lead.score.to_string(),
            "opportunity".to_owned(),
            if is_won {
                "Won"
            } else {
                ["New", "Qualified", "Proposition"][lead.number % 3]
            }
            .to_owned(),
            probability.to_owned(),
            "23.4".to_owned(),
            deal.map_or_else(|| "0.0".to_owned(), |deal| format!("{}.0", deal.amount)),
            "1".to_owned(),
            if is_lost { "False" } else { "True" }.to_owned(),
            if is_lost { "Too expensive" } else { "" }.to_owned(),
            format!("Rep {}", lead.number % 7),
            "Sales".to_owned(),
            time(lead.created, FORMAT),
            time(END * DAY - 1, FORMAT),
            time(lead.created, FORMAT),
            optional(closed, FORMAT),
            optional(lead.last_activity(), FORMAT),
            String::new(),
            if is_won {
                format!("Firm {}", lead.company)
            } else {
                String::new()
            },
        ]);
        for (number, (at, kind)) in lead.activities.iter().enumerate() {
            messages.row(&[
                (lead.number * 100 + number).to_string(),
                time(*at, FORMAT),
                ["comment", "email", "notification", "comment"][*kind].to_owned(),
                KINDS[*kind].to_owned(),
                (lead.number + 1).to_string(),
                "crm.lead".to_owned(),
                "Rep".to_owned(),
            ]);
        }
    }
    vec![
        ("crm.lead.csv", leads.text),
        ("mail.message.csv", messages.text),
    ]
}
