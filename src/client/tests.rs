//! What every answer makes of a payment or refund, on one screen.
use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::*;
use crate::spec::resp_codes::{ANY_CODE_OVERLOADS, Overload, RESP_CODES};

/// Codes that stand in one line of the snapshot.
const IN_A_LINE: usize = 16;

/// The event of a payment to be paid later, of one by the payer's code, and of a refund.
fn events(respcd: &str, text: &str) -> [&'static str; 3] {
    let body = json!({"respcd": respcd, "resperr": text}).to_string();
    let exchange = Answer::parse(body.as_bytes(), SignatureCheck::Absent);
    let payment = |flow| payment_event(&exchange, flow).word();
    [payment(Flow::Mpm), payment(Flow::Cpm), refund_event(&exchange).word()]
}

/// Every code, and two that are in no table, by what it makes of each operation.
#[test]
fn what_each_code_makes_of_a_payment_and_a_refund() {
    let mut groups: BTreeMap<[&str; 3], Vec<&str>> = BTreeMap::new();
    for code in RESP_CODES.iter().map(|it| it.code).chain(["0001", "00000"]) {
        groups.entry(events(code, "")).or_default().push(code);
    }
    let groups = groups.iter().map(|([payment, by_code, refund], codes)| {
        let lines: Vec<String> = codes.chunks(IN_A_LINE).map(|it| it.join(" ")).collect();
        let codes = lines.join("\n    ");
        format!("payment {payment}, by the payer's code {by_code}, refund {refund}:\n    {codes}")
    });
    insta::assert_snapshot!(groups.collect::<Vec<_>>().join("\n"), @"
    payment accepted, by the payer's code accepted, refund accepted:
        1143 1145 1298 2999
    payment accepted, by the payer's code paid, refund refunded:
        0000
    payment lost, by the payer's code lost, refund lost:
        1100 1101 1102 1111 1112 1120 1124 1125 1127 1128 1129 1130 1131 1136 1141 1142
        1144 1150 1152 1154 1155 1161 1170 1180 1251 1252 1254 1260 1261 1262 1263 1264
        1265 1268 1269 1295 1296 1297 2009 2010 2011 0001 00000
    payment refused, by the payer's code refused, refund refused:
        1103 1104 1105 1106 1107 1108 1109 1110 1113 1114 1115 1116 1117 1118 1119 1121
        1122 1123 1126 1132 1133 1134 1135 1137 1138 1139 1140 1146 1147 1151 1153 1181
        1201 1202 1203 1204 1205 1212 1241 1242 1243 1250 1266 1267 1270 1271 1272 1294
        2001 2002 2003 2004 2005 2006 2007 2008 2012
    ");
}

/// One line a text that changes what its code means; `any` stands for a code that by itself refuses.
#[test]
fn what_each_text_makes_of_its_code() {
    let any = ANY_CODE_OVERLOADS.iter().map(|it| ("any", it));
    let own = RESP_CODES.iter().flat_map(|row| row.overloads.iter().map(|it| (row.code, it)));
    let line = |(shown, overload): (&str, &Overload)| {
        let code = if shown == "any" { "1202" } else { shown };
        let events: BTreeSet<_> = overload.texts.iter().map(|it| events(code, it)).collect();
        let [payment, by_code, refund] = events.first().unwrap();
        assert_eq!((events.len(), payment), (1, by_code), "{shown}");
        let texts = overload.texts.join(" / ");
        format!("{shown:<4} | payment {payment:<7} | refund {refund:<7} | {texts}")
    };
    insta::assert_snapshot!(any.chain(own).map(line).collect::<Vec<_>>().join("\n"), @"
    any  | payment refused | refund lost    | still have processing requests
    1104 | payment refused | refund refused | filter error
    1124 | payment lost    | refund refused | must be a full refund
    1205 | payment refused | refund refused | fraud suspicion / iso8583 error code 34
    1251 | payment lost    | refund lost    | out_trade_no is used / duplicate out_trade_no
    1251 | payment refused | refund refused | not been configured correctly / 配置異常 / 配置异常
    1264 | payment lost    | refund lost    | wrong cancel
    1265 | payment refused | refund refused | 超出可退款時限 / 超出可退款时限
    1265 | payment lost    | refund lost    | 23:30 / 11:30pm / 11:30 pm
    1269 | payment lost    | refund lost    | 11 am / 11am
    1297 | payment lost    | refund lost    | network busy, don't worry / network busy, don’t worry
    ");
}

#[test]
fn each_failure_is_not_sent_or_lost_and_never_a_refusal() {
    let mut lines: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for failure in retry::Failure::ALL {
        let exchange = Err(failure.into());
        let event = payment_event(&exchange, Flow::Cpm).word();
        assert_eq!(refund_event(&exchange).word(), event);
        lines.entry(event).or_default().push(format!("{failure:?}"));
    }
    let lines = lines.iter().map(|(event, failures)| format!("{event}: {}", failures.join(" ")));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
    lost: Redirect ServerError TimedOut Broken TooLarge WrongSignature Empty Html NotJson NotObject NoRespcd TwoStatuses OtherOrder
    not_sent: ClientUnbuilt TooLate NoTurn NoConnection RateLimited
    ");
}
