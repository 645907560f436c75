//! Second meanings of codes, told by the text that comes with them (contract §4.4; texts as seen
//! in production by integrators).
use super::{Category, Operation, Overload, Reading, Retry, Verdict};

/// On any code.
pub static ANY_CODE_OVERLOADS: &[Overload] = &[Overload {
    on: Some(Operation::Refund),
    texts: &["still have processing requests"],
    meaning: "Another refund of this payment is still being processed.",
    reading: Reading {
        category: Category::Later,
        verdict: Verdict::Unknown,
        retry: Retry::SameNumberAfterQuery,
        next_step: "Wait, call `query_transaction` until the earlier refund is final, and only then refund what is left.",
    },
}];

pub(super) static R1104: &[Overload] = &[Overload {
    on: None,
    texts: &["filter error"],
    meaning: "The payment type is not enabled for this merchant.",
    reading: Reading {
        category: Category::Configuration,
        verdict: Verdict::Refused,
        retry: Retry::No,
        next_step: "Choose another type with `list_pay_types`, or ask the merchant to have QFPay enable this one.",
    },
}];

pub(super) static R1124: &[Overload] = &[Overload {
    on: Some(Operation::Refund),
    texts: &["must be a full refund"],
    meaning: "A card paid today can only be refunded in full.",
    reading: Reading {
        category: Category::FixRequest,
        verdict: Verdict::Refused,
        retry: Retry::NewNumberAfterQuery,
        next_step: "Call `refund` for the full amount today, or for a part of it from tomorrow on.",
    },
}];

pub(super) static R1205: &[Overload] = &[Overload {
    on: None,
    texts: &["fraud suspicion", "iso8583 error code 34"],
    meaning: "The bank that issued the card declined it on suspicion of fraud.",
    reading: Reading {
        category: Category::Failed,
        verdict: Verdict::Refused,
        retry: Retry::No,
        next_step: "Do not retry this card; ask the payer for another card or method.",
    },
}];

pub(super) static R1251: &[Overload] = &[
    Overload {
        on: None,
        texts: &["out_trade_no is used", "duplicate out_trade_no"],
        meaning: "This out_trade_no was used before.",
        reading: Reading {
            category: Category::Duplicate,
            verdict: Verdict::Unknown,
            retry: Retry::No,
            next_step: "Call `query_transaction` with this `out_trade_no`: the first request counts. Do not pay or refund again.",
        },
    },
    Overload {
        on: None,
        texts: &["not been configured correctly", "配置異常", "配置异常"],
        meaning: "The store is not configured correctly, and QFPay is at work on it.",
        reading: Reading {
            category: Category::Configuration,
            verdict: Verdict::Refused,
            retry: Retry::No,
            next_step: "Ask the merchant to have QFPay support check the store; sending the request again does not help.",
        },
    },
];

pub(super) static R1264: &[Overload] = &[Overload {
    on: Some(Operation::Refund),
    texts: &["wrong cancel"],
    meaning: "The payment has already been refunded in full.",
    reading: Reading {
        category: Category::State,
        verdict: Verdict::Unknown,
        retry: Retry::No,
        next_step: "Call `query_transaction`: it will show the refund. Do not refund again.",
    },
}];

/// The refund window first: its text is the more exact one.
pub(super) static R1265: &[Overload] = &[
    Overload {
        on: None,
        texts: &["超出可退款時限", "超出可退款时限"],
        meaning: "The time in which this payment could be refunded has passed, for example 29 days for FPS.",
        reading: Reading {
            category: Category::Failed,
            verdict: Verdict::Refused,
            retry: Retry::No,
            next_step: "Do not refund through QFPay; the merchant returns the money another way.",
        },
    },
    Overload {
        on: None,
        texts: &["23:30", "11:30pm", "11:30 pm"],
        meaning: "No refunds are made from 23:30 to 00:30 Hong Kong time, nor for some promotions.",
        reading: Reading {
            category: Category::Later,
            verdict: Verdict::Unknown,
            retry: Retry::SameNumberAfterQuery,
            next_step: "Wait until after 00:30 Hong Kong time, call `query_transaction`, and call `refund` again if nothing was refunded.",
        },
    },
];

pub(super) static R1269: &[Overload] = &[Overload {
    on: None,
    texts: &["11 am", "11am"],
    meaning: "The balance that refunds are paid from is not brought up to date until about 11:00 Hong Kong time.",
    reading: Reading {
        category: Category::Later,
        verdict: Verdict::Unknown,
        retry: Retry::SameNumberAfterQuery,
        next_step: "Wait until after 11:00 Hong Kong time, call `query_transaction`, and call `refund` again if nothing was refunded.",
    },
}];

pub(super) static R1297: &[Overload] = &[Overload {
    on: None,
    texts: &["network busy, don't worry", "network busy, don’t worry"],
    meaning: "The network is busy, or the amount is over a limit, or a parameter of the channel is missing.",
    reading: Reading {
        category: Category::Later,
        verdict: Verdict::Unknown,
        retry: Retry::NewNumberAfterQuery,
        next_step: "Call `query_transaction`; if nothing was paid, check the amount and the parameters with `list_pay_types` before a new attempt.",
    },
}];
