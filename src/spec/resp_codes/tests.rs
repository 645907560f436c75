use super::*;

/// The official list of 2025 and 2026.
const OFFICIAL: &str = "0000 \
    1100 1101 1102 1103 1104 1105 1106 1107 1108 1125 1136 1142 1143 1145 1147 1150 1155 1181 \
    1201 1202 1203 1204 1205 1212 1241 1242 1243 1250 1251 1252 1254 \
    1260 1261 1262 1263 1264 1265 1266 1267 1268 1269 1270 1271 1272 \
    1294 1295 1296 1297 1298 2005 2011";

/// Codes of older documents only.
const LEGACY: &str = "1109 1110 1111 1112 1113 1114 1115 1116 1117 1118 1119 1120 1121 1122 1123 \
    1124 1126 1127 1128 1129 1130 1131 1132 1133 1134 1135 1137 1138 1139 1140 1141 1144 1146 \
    1151 1152 1153 1154 1161 1170 1180 2001 2002 2003 2004 2006 2007 2008 2009 2010 2012 2999";

fn codes(keep: impl Fn(&RespCode) -> bool) -> String {
    let codes: Vec<&str> = RESP_CODES.iter().filter(|it| keep(it)).map(|it| it.code).collect();
    codes.join(" ")
}

fn reading(code: &str, text: &str, operation: Operation) -> String {
    let it = read(code, text, operation);
    format!("{} {} {}", it.category.word(), it.verdict.word(), it.retry.word())
}

#[test]
fn every_code_of_the_documents_has_one_row_in_order() {
    assert_eq!(codes(|it| it.official), OFFICIAL);
    assert_eq!(codes(|it| !it.official), LEGACY);
    assert_eq!(OFFICIAL.split(' ').count(), 52);
    assert!(RESP_CODES.is_sorted_by(|a, b| a.code < b.code));
}

#[test]
fn every_row_is_complete_in_three_languages() {
    // Characters that exist in Simplified Chinese only.
    let simplified = "请签错误订单号码时间处过关闭败设备无权获务户额币种网络拥挤银联门异结构团预";
    for it in RESP_CODES {
        let texts = [it.en, it.zh_hant, it.zh_hans, it.reading.next_step];
        assert!(texts.iter().all(|text| !text.is_empty()), "{}", it.code);
        let sentences = [it.reading.next_step, it.on_payment, it.on_refund, it.on_query];
        assert!(sentences.iter().all(|text| text.ends_with('.')), "{}", it.code);
        assert!(it.en.is_ascii() && !it.en.ends_with('.'), "{}", it.code);
        for text in [it.zh_hant, it.zh_hans] {
            assert!(text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{}", it.code);
        }
        let stray: String = it.zh_hant.chars().filter(|c| simplified.contains(*c)).collect();
        assert!(stray.is_empty(), "{}: {stray}", it.code);
    }
}

#[test]
fn only_0000_says_that_a_request_was_carried_out() {
    assert_eq!(codes(|it| it.reading.verdict == Verdict::Done), "0000");
    assert_eq!(codes(|it| it.reading.category == Category::Success), "0000");
}

/// The ledger writes "failed" for these, so each must be sure.
#[test]
fn these_codes_say_that_nothing_was_carried_out() {
    insta::assert_snapshot!(codes(|it| it.reading.verdict == Verdict::Refused), @"1103 1104 1105 1106 1107 1108 1109 1110 1113 1114 1115 1116 1117 1118 1119 1121 1122 1123 1126 1132 1133 1134 1135 1137 1138 1139 1140 1146 1147 1151 1153 1181 1201 1202 1203 1204 1205 1212 1241 1242 1243 1250 1266 1267 1270 1271 1272 1294 2001 2002 2003 2004 2005 2006 2007 2008 2012");
    insta::assert_snapshot!(codes(|it| it.reading.verdict == Verdict::Pending), @"1143 1145 1298 2999");
    for it in RESP_CODES {
        let sure = match it.reading.category {
            Category::FixRequest
            | Category::Customer
            | Category::Configuration
            | Category::Failed => true,
            Category::Success
            | Category::Pending
            | Category::Later
            | Category::State
            | Category::Duplicate => false,
        };
        assert!(sure || it.reading.verdict != Verdict::Refused, "{}", it.code);
    }
}

#[test]
fn an_unknown_code_says_nothing_about_the_money() {
    for code in ["9999", "", "00000", "0", "abcd", "1143 "] {
        assert_eq!(read(code, "", Operation::Payment), UNLISTED, "{code}");
    }
    assert_eq!(UNLISTED.verdict, Verdict::Unknown);
}

#[test]
fn where_the_result_is_unknown_the_next_step_is_to_ask() {
    let overloads = RESP_CODES.iter().flat_map(|it| it.overloads).chain(ANY_CODE_OVERLOADS);
    let all = RESP_CODES.iter().map(|it| it.reading).chain(overloads.map(|it| it.reading));
    for it in all.filter(|it| matches!(it.verdict, Verdict::Unknown | Verdict::Pending)) {
        assert!(it.next_step.contains("query_transaction"), "{}", it.next_step);
        assert_ne!(it.retry, Retry::SameNumber, "{}", it.next_step);
    }
}

#[test]
fn the_text_tells_the_second_meaning_of_a_code() {
    use Operation::{Payment, Query, Refund};
    let rows = [
        ("1104", "filter error", Payment, "configuration refused no"),
        ("1104", "txamt is missing", Payment, "fix_request refused no"),
        ("1251", "out_trade_no is used", Refund, "duplicate unknown no"),
        ("1251", "Do not use duplicate out_trade_no for request", Payment, "duplicate unknown no"),
        ("1251", "該門市配置異常，我們正在加緊處理中(1251)", Payment, "configuration refused no"),
        ("1251", "", Payment, "configuration unknown no"),
        (
            "1265",
            "該訂單禁止退款，23:30–00:30 及特殊活動交易不支援退款",
            Refund,
            "later unknown same_number_after_query",
        ),
        ("1265", "超出可退款時限", Refund, "failed refused no"),
        ("1265", "超出可退款时限", Query, "failed refused no"),
        ("1264", "wrong cancel", Refund, "state unknown no"),
        ("1264", "wrong cancel", Payment, "state unknown new_number_after_query"),
        (
            "1124",
            "For void request, it must be a full refund",
            Refund,
            "fix_request refused new_number_after_query",
        ),
        ("1124", "For void request, it must be a full refund", Payment, "state unknown no"),
        (
            "1269",
            "Please try again after 11 AM data update",
            Refund,
            "later unknown same_number_after_query",
        ),
        (
            "1297",
            "Network busy, don't worry, try again",
            Payment,
            "later unknown new_number_after_query",
        ),
        ("1205", "ISO8583 Error Code 34: FRAUD SUSPICION", Payment, "failed refused no"),
        ("1205", "", Payment, "failed refused new_number_after_query"),
        (
            "1297",
            "still have processing requests, do not repeat",
            Refund,
            "later unknown same_number_after_query",
        ),
        (
            "1205",
            "You still have processing requests, do not repeat",
            Refund,
            "later unknown same_number_after_query",
        ),
        ("7777", "still have processing requests", Refund, "later unknown same_number_after_query"),
        ("7777", "still have processing requests", Payment, "pending unknown no"),
    ];
    for (code, text, operation, expected) in rows {
        assert_eq!(reading(code, text, operation), expected, "{code} {text}");
    }
}

#[test]
fn each_word_stands_for_one_thing() {
    let words: Vec<&str> = Category::ALL.into_iter().map(Category::word).collect();
    insta::assert_snapshot!(words.join(" "), @"success pending later fix_request customer configuration state duplicate failed");
    assert!(Category::ALL.into_iter().all(|it| it.meaning().ends_with('.')));
    assert!(Retry::ALL.into_iter().all(|it| it.sentence().ends_with('.')));
    let verdicts: Vec<&str> = Verdict::ALL.into_iter().map(Verdict::word).collect();
    assert_eq!(verdicts, ["done", "pending", "unknown", "refused"]);
}

#[test]
fn no_refund_is_answered_with_how_to_pay_anew() {
    for row in RESP_CODES {
        let told = read(row.code, "", Operation::Refund);
        if told.verdict == Verdict::Refused {
            assert!(!told.next_step.contains("create_payment"), "{}: {}", row.code, told.next_step);
        }
    }
}

#[test]
fn texts_name_only_what_exists() {
    let tools =
        ["create_payment", "query_transaction", "refund", "explain_respcd", "list_pay_types"];
    let known = ["out_trade_no", "auth_code", "refund_no", "txamt", "pay_type", "mchid"];
    for row in RESP_CODES {
        let steps = row.overloads.iter().map(|it| it.reading.next_step);
        for step in steps.chain([row.reading.next_step]) {
            for named in step.split('`').skip(1).step_by(2) {
                assert!(tools.contains(&named) || known.contains(&named), "{}: {named}", row.code);
            }
        }
    }
}
