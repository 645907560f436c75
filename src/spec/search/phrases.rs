//! What people ask instead of QFPay's own words, as data for the search over response codes.

/// Ways of asking about a code, besides its texts; a comma ends one. English stands for both
/// languages where its words are concepts. Each is as short as it can be and still mean the code:
/// one of a single concept makes the code the answer where notfound more is said.
#[rustfmt::skip]
pub(super) const PHRASES: &[(&str, &str)] = &[
    ("0000", "success, success payment, success request, money arrived, success order paid, \
        success order created, success final, success order paycode paid"),
    ("1100", "system maintenance, maintenance time, system down, system service down, planned service down, down"),
    ("1101", "reverse, reverse fail, must reverse, have to reverse myself, reverse transaction, half done"),
    ("1102", "duplicate, duplicate click, pressed pay twice, 撳两次, duplicate payment request, \
        retry duplicate, duplicate request system"),
    ("1103", "format, request format, format error, format request not accepted, system cannot parse request, \
        json not form"),
    ("1104", "parameter, parameter error, missing parameter, missing, missing request, wrong value, \
        parameter format, parameter mismatch, method inactive, method merchant inactive, wrong method, \
        method nopermission, method unsupported, filter error, filter, activate method, wallet inactive, \
        card inactive, wechat inactive, unionpay inactive, txcurrcd missing, amount missing"),
    ("1105", "device activate, device disabled, inactive"),
    ("1106", "wrong device number, device notfound, unknown device, device"),
    ("1107", "device permission, nopermission, device not allowed to pay, device not allowed transaction, \
        permission, device refuse"),
    ("1108", "signature, signature mismatch, wrong key, key, key mismatch, signature fail, which key sign, \
        wrong key signature"),
    ("1109", "encrypt, encrypt fail"),
    ("1110", "serial error"),
    ("1111", "external service, external"),
    ("1112", "internal service"),
    ("1113", "user"),
    ("1114", "user disabled, account disabled"),
    ("1115", "account restricted"),
    ("1116", "password fail"),
    ("1117", "offline"),
    ("1118", "riskcontrol, riskcontrol stopped, stopped risk, riskcontrol refuse"),
    ("1119", "kind transaction"),
    ("1120", "time restricted, time forbid transaction, cannot trade this time"),
    ("1121", "kind card unsupported, kind card, card unsupported, kind card forbid"),
    ("1122", "currency, currency unsupported, currency forbid, currency wrong"),
    ("1123", "amount limit, limit, over limit, over amount limit, amount over, amount low, payment over limit, \
        transaction limit, over transaction limit, transaction over limit"),
    ("1124", "same day card cancel full refund, card cancel must be full refund, today partial refund card, \
        must be full refund, void full refund"),
    ("1125", "already refund, already refund again, already refund second refund, refund twice, refund again, \
        payment already refund, refund duplicate transaction, transaction already refund again"),
    ("1126", "original transaction mismatch"),
    ("1127", "database, database fail"),
    ("1128", "filesystem"),
    ("1129", "voucher, upload"),
    ("1130", "date, transaction date forbid, wrong date"),
    ("1131", "channel, channel problem"),
    ("1132", "version, version error"),
    ("1133", "user channel info wrong"),
    ("1134", "card mismatch, card cancel mismatch, other card cancel, different card refund, wrong card cancel, \
        不是 card 原"),
    ("1135", "user config error"),
    ("1136", "transaction notfound, payment notfound, serial notfound, not operational, \
        original transaction notfound, original transaction nothing, number transaction notfound, \
        transaction missing, original transaction missing"),
    ("1137", "contact notfound"),
    ("1138", "key update"),
    ("1139", "card number, card number wrong, stripe, card stripe error, card wrong"),
    ("1140", "merchant unapproved"),
    ("1141", "channel mac, mac, mac error"),
    ("1142", "already close, already close order payment"),
    ("1143", "enter password, payer enter password, payer password, wait password, unconfirmed, \
        payer unconfirmed, wait payer pay, wait payer, wait confirm, payer enter, unpaid enter password, \
        order unpaid wait, wait payer confirm, payer confirm, unpaid wait, payer unpaid, unpaid unconfirmed, \
        password screen"),
    ("1144", "process fail"),
    ("1145", "process, wait, payment process, transaction process, wait result, process result, \
        process repeat pay, wait process result, process order"),
    ("1146", "business"),
    ("1147", "wechat, wechat error, wechat payment fail, wechat payment problem, wechat fail, wechat problem, \
        wechat unsupported"),
    ("1150", "t0, cancel t0, t0 unsupported cancel, cancel unsupported, settlement t0 cancel, \
        settlement cancel, t0 refund"),
    ("1151", "preauth mismatch, preauth info mismatch, preauth"),
    ("1152", "capture date"),
    ("1153", "capture, capture over preauth"),
    ("1154", "internal"),
    ("1155", "refund refuse, refund decline, refund unapproved, refuse payer refund, refund fail, refund, \
        refund unsupported refuse"),
    ("1161", "result unknown, unknown, result, unknown success, transaction unknown, result unknown query, \
        unknown query, unknown payment"),
    ("1170", "channel down"),
    ("1180", "reset, route"),
    ("1181", "expire, expire unpaid, payer expire, expire order pay, payment expire, window order expire, \
        too late pay, unpaid window, payer slow pay, order expire place"),
    ("1201", "lack balance, lack money, balance, lack, payer lack money, wallet lack money, card lack money, \
        wallet lack balance, payer lack balance, account lack money, bank account lack money, \
        lack balance payer wallet"),
    ("1202", "wrong paycode, expire paycode, paycode, refresh paycode, paycode unsupported, show paycode, \
        paycode fail, paycode problem, show wrong paycode, show expire paycode, scan paycode wrong, \
        scan expire paycode"),
    ("1203", "account error, merchant account error, account problem, account abnormal, account config, \
        merchant account config, account unsupported, account, merchant account, payment account config, \
        account wrong config"),
    ("1204", "bank error, bank problem, bank wallet error, bank wallet problem, wallet problem, wallet error, \
        wallet unsupported, wallet down, wallet fail, bank wallet fail, payer bank problem, wallet, bank fail, \
        bank down, payer bank error"),
    ("1205", "transaction fail, fail, payment fail, fail later, decline, card decline, decline fraud, \
        card fail, fraud, bank fraud, declined later, pay fail retry later, fail try again later, \
        payment refuse, payment decline, transaction decline, card problem, fail unknown"),
    ("1212", "unionpay overseas paycode, unionpay mainland paycode, unionpay, unionpay overseas, \
        unionpay mainland, mainland paycode, overseas paycode, mainland payer unionpay, unionpay paycode, \
        overseas"),
    ("1241", "store notfound, store status wrong, store status, store wrong, store notfound status, \
        wrong store number, store number notfound, store unknown"),
    ("1242", "store config, store wrong config, store inactive, store config fail payment, \
        store config cannot pay, store config abnormal, merchant config, config, wrong config, \
        store config transaction"),
    ("1243", "store disabled, store, merchant disabled, disabled, store stopped, store disabled owner, \
        store forbid, store disabled payment, store contact owner, store close"),
    ("1250", "forbid, payment forbid, forbid support, transaction forbid support, refund forbid, \
        transaction stopped"),
    ("1251", "number duplicate, duplicate order, number already, order number exist, store config fix, \
        store config abnormal fix, store config problem fix, wrong config fix, store problem fix, number, \
        number duplicate payment"),
    ("1252", "system error request, place error, place fail, place problem, system error order, \
        place system problem, system crash order"),
    ("1254", "system abnormal, system problem, problem, abnormal, problem fix, system fix, system wrong, \
        system fail, fix, unexpected problem, system, wrong fix"),
    ("1260", "order already pay, already pay, payer already pay, already pay repeat pay, repeat pay, \
        order pay repeat, already pay confirm, transaction already pay, already pay scan, already pay wrong"),
    ("1261", "order unpaid refund, refund unpaid, unpaid order, unpaid payer refund, refund unpaid nonexistent, \
        payer unpaid order"),
    ("1262", "order refund, order already refund, refund done, already refund money, already refund payer"),
    ("1263", "order cancel, cancel, order already cancel, order reverse, already cancel, transaction cancel, \
        order cancel pay"),
    ("1264", "order close, close, wrong cancel"),
    ("1265", "refund night, night, refund promo, promo, refund time, refund window, refund expire, \
        expire window refund, refund forbid, refund unsupported, refund stopped, refund limit time, \
        night refund forbid, promo refund unsupported, order refund forbid, refund old order, \
        cannot be refunded, over refund window, payer refund window, refund order window"),
    ("1266", "amount wrong, order amount wrong, amount mismatch, order amount mismatch, amount, \
        wrong amount transaction"),
    ("1267", "order info mismatch, info mismatch, order mismatch, mismatch, info, wrong info order, \
        info record mismatch"),
    ("1268", "order notfound, number notfound, order unknown, notfound, order query notfound, number unknown, \
        wrong number, order exist, order missing"),
    ("1269", "unsettled, lack unsettled, lack unsettled refund, today lack refund, refund lack balance, \
        refund lack money, lack refund, lack money refund payer, today unsettled, merchant lack balance refund, \
        today lack money refund, lack balance refund today, refund balance, account lack money refund, \
        refund morning, refund morning data, merchant refund lack, lack money refund merchant account"),
    ("1270", "currency partial refund, currency partial, currency refund, partial refund currency forbid, \
        currency full refund, currency only full refund"),
    ("1271", "partial refund, partial, partial refund unsupported, full refund, only full refund, \
        transaction partial refund, partial refund forbid, refund partial order, partial money, \
        only refund partial, unsupported partial"),
    ("1272", "refund over, refund over original, refund amount over, refund over pay, over original, \
        refund over maximum, refund amount, refund amount over original transaction, \
        refund over amount original payment, refund wrong amount, refund amount original, refund limit, \
        over maximum, refund enter over"),
    ("1294", "bank forbid, bank refuse, bank risk, bank stopped, risk, compliance, bank forbid risk, \
        bank compliance, transaction risk, compliance transaction, bank risk stopped, bank disabled, \
        bank decline risk, bank illegal, payment risk"),
    ("1295", "network slow, network, network wait, network fix, slow network fix, slow, network problem, \
        network busy"),
    ("1296", "network slow other method, network other method, network slow later, network slow retry, \
        network slow retry later other method, network retry later, network later"),
    ("1297", "bank busy, busy, bank system busy, bank busy later, bank busy other method, bank system, \
        bank busy retry"),
    ("1298", "network slow repeat pay, slow network already pay, maybe already pay, maybe pay slow, \
        network repeat pay, already pay do not repeat, slow network confirm result later, slow confirm result, \
        network slow result, network maybe pay, maybe pay repeat pay, slow network unknown pay, \
        network already pay"),
    ("2001", "institution"),
    ("2002", "bind, bind fail"),
    ("2003", "signon"),
    ("2004", "payer lack balance"),
    ("2005", "payer paycode, payer wrong paycode, payer expire paycode, payer refresh paycode, \
        payer paycode restart, payer expire paycode refresh"),
    ("2006", "illegal paycode"),
    ("2007", "payer cancel, gaveup, payer gaveup, payer close, payer cancel payment, payer cancel transaction, \
        user cancel, payer refuse pay"),
    ("2008", "channel parameter, wrong parameter channel, parameter passed channel"),
    ("2009", "channel connect fail, channel connect, channel network, connect, connect fail"),
    ("2010", "channel unknown"),
    ("2011", "duplicate number serial, transaction serial duplicate, serial number exist, serial already, serial"),
    ("2012", "certificate, channel certificate, certificate error, channel certificate config"),
    ("2999", "channel wait"),
];
