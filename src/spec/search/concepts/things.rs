//! Who and what it is about: payers, stores, codes, amounts.
use super::Row;

#[rustfmt::skip]
pub(super) const THINGS: &[Row] = &[
    ("payer", "customer, buyer, shopper, client, consumer, guest, tourist, cardholder, he, she, him, his, her, \
        user phone, guy, lady, man, woman, 客人, 客, 顾客, 消费者, 买家, 付款人, 客户, 付款方, 佢自己, 旅客, \
        游客, 用家, 食客, 事主, 对方, the person, punter, patron, user s phone, diner, mum, kid, 事头婆, 客仔, \
        嗰个客, 个客, 男人, 女士, 先生, 付款者, 買方, 买方, 顾主, 消费方, 个客人"),
    ("user", "用户, 使用者"),
    ("merchant", "seller, 商户, 商家, 商店, 收款方"),
    ("account", "acct, acount, 账户, 户口, 账号, 账户口, 收款户口, 户头"),
    ("store", "shop, outlet, branch, storefront, restaurant branch, 门店, 门市, 店铺, 铺头, 铺, 间铺, 店, 分店, \
        商铺, 分铺, location, branch office, our place, boutique, cafe, restaurant, 商户门店, 店面, 档口, 餐厅, \
        分行, 铺位, 舖頭, 店家, 小店, premises, merchant location, business location, venue, salon, franchise"),
    ("owner", "boss, 店主, 老板, 东主, 老细, proprietor, shop owner, store owner, 事头, 老世, 东家, 负责人"),
    ("device", "terminal, pos, machine, till, register, card reader, reader, udid, gadget, tablet, handset, \
        hardware, opuid, 设备, 终端, 机器, 机, 部机, 台机, 收银机, 读卡器, 刷卡机, 终端机, 卡机, 收款机, \
        our terminal, smartpos, smart pos, handheld, pos terminal, payment terminal, card machine, scanner gun, \
        box, kiosk, cash register, ipad, phone terminal, android pos, 收款设备, 刷卡設備, 手提机, 收银台, \
        扫码机, 碌卡机, 嘟机, 裝置, 装置, 部嘢, tid, terminal id, device id, equipment, our unit, \
        swipe machine, payment machine"),
    ("elsewhere", "flight, ticket price, hotel, train, 机票, 飞机, 机场, 酒店, 高铁, 相机, shoes, recipe, \
        time difference, new york, london, tokyo, milk, passport, gym, netflix, car, dog, cat, movie, weather, \
        护照, 牛奶, 天气, 电影, 屋企网络, my home, at home, 我家, stock, bitcoin, share price, 股票, 股价, \
        指数, 汇率, petition, contract"),
    ("phone", "mobile, smartphone, iphone, laptop, computer, 手机, 电脑, 电话"),
    ("wallet", "e wallet, ewallet, alipay, alipayhk, payme, octopus, apple pay, 钱包, 支付宝, 八达通, 支付户口, \
        付款账户, digital wallet, payment app, boc pay, tap and go, 电子钱包, 手机钱包"),
    ("account wallet", "支付账户"),
    ("bank", "issuing bank, hsbc, 银行, 发卡银行, 发卡行, citibank, bank side, banker, bank end, bank of china, \
        发卡方, 中银, 汇丰, 銀行方面, 银行方面, bank's, card company, lender"),
    ("wechat", "we chat, weixin, wx, wechatpay, tenpay, 微信, 微信支付"),
    ("unionpay", "union pay, upi, cup, quickpass, quick pass, 银联, 云闪付, unionpay app, 银联卡"),
    ("overseas", "foreign, cross border, abroad, international, outside china, 境外, 海外, 国外, 跨境, 外地, \
        non mainland, outside of china, overseas version, 境外版, 国际, 国际版"),
    ("mainland", "domestic, mainlander, china, 内地, 境内, 国内, 大陆, domestic code, prc, mainland chinese, \
        inland, 内地客, 大陆客, 大陆人, 内地人, 内地游客, 国内版, 境内版"),
    ("paycode", "payment code, pay code, qr, qr code, qrcode, barcode, bar code, auth code, auth_code, \
        authcode, payer code, customer code, code, 付款码, 支付码, 条码, 条形码, 二维码, 付钱码, 收款码, 个码, \
        码, 付款二维码, 扣款码, 被扫码, 扫码枪, qr picture, the qr, code image, customer qr, payment qr, \
        scan code, qr payment code, payment barcode, wallet code, 付款嘅码, 二维条码, 支付二维码, 嘟码, \
        付款條碼, 手机码, 收付款码, 支付条码"),
    ("card", "credit card, debit card, visa, mastercard, amex, 卡, 信用卡, 银行卡, 碌卡, 刷卡, 扣账卡, 拍卡, \
        american express, jcb, physical card, 张卡, 信用咭, 咭"),
    ("kind", "type, brand, 类型, 种类, 种, 类, category"),
    ("stripe", "magnetic, magstripe, magnetic stripe, track, swipe, 磁, 磁条, 卡磁"),
    ("method", "pay_type, paytype, pay type, payment type, payment method, pay method, payment option, \
        payment channel type, 支付方式, 支付类型, 付款方式, 支付方法, 付款方法, ways to pay, way of paying, \
        支付渠道, 付款渠道, 支付工具, 付款工具, 收款方式, wallet type, payment scheme, channel type, \
        payment product"),
    ("other method", "other payment method, other method, different payment method, different method, \
        another method, another payment method, another way, different way, pay another way, pay other way, \
        other way, use other, use another, use something else, switch method, alternative payment method, \
        alternative, alternative method, alternative payment, another option, other option, other payment, \
        another payment, other means, another wallet, different wallet, another card, different card, \
        其他支付方式, 其他方式, 换支付方式, 换个支付方式, 换其他支付方式, 更换支付方式, 第二个支付方法, \
        第二个方法, 其他方法, 其他付款方式, 换别的方式, 第二种方法, 换方式, 换个方式, 换种支付方式, 换种方式, \
        第二张卡, 换张卡, 第二种方式, 第二样, 转用其他, 改用其他, 用其他, 换第二个, 换另一种, 另一种, 别的方式, \
        第二种付款方法, 第二隻卡, something else, pay with something else, use a different, try another, \
        change payment, change to another, switch payment, with another, other wallet, swap to, 转第二个, \
        用第二个, 其他方法俾, 转其他, 用其他支付, 别的支付方式, 别的付款, 别的支付, 第二种支付, 换其他, \
        换过第二, 另一个支付方式, 另一张卡, 另外一种, 用另外, 其它支付方式, 其它方式, 其他支付, 另外嘅方法, \
        第二啲方法, 第二个付款方式, 用过第二, 其他支付方法, 第二种"),
    ("balance", "fund, credit left, 余额, 资金, 结余, bank balance, credit, top up, account balance, \
        available balance, wallet balance, 可用余额, 户口余额, 充值, 增值, 钱包余额"),
    ("money", "cash, dough, dosh, 钱, 款项, 现金"),
    ("amount", "sum, price, total, txamt, figure, value paid, 金额, 价钱, 数目, 总额, 总数, 个数, 金额数, 数额, \
        价格, dollar amount, money amount, the number of dollars, sum of money, bill amount, 銀碼, 数字, \
        金額數目, 银码"),
    ("limit", "cap, capped, quota, ceiling, per transaction limit, 限额, 上限, 额度, 最高, 最大, 限制金额, \
        threshold, allowance, per payment limit, upper limit, daily limit, single limit, 限制额, 单笔限额, \
        每日限额, 封顶, 日限"),
    ("restrict", "restriction, 受限, 限制, is limited"),
    ("currency", "hkd, usd, eur, euro, yen, jpy, rmb, cny, txcurrcd, pound, sterling, dollars currency, 货币, \
        币种, 币, 日元, 日圆, 美金, 美元, 人民币, 欧元, 港币, 英镑, 货币种类, 外币, foreign currency, \
        japanese yen, us dollars, baht, sgd, ringgit, thb, aud, 澳币, 新币, 泰铢, 日币, 币别, 啲币, 隻币, 港纸, \
        台币"),
    ("number", "order number, order id, order no, order num, order ref, order reference, out_trade_no, \
        out trade no, outtradeno, out_trade_number, trade no, trade number, merchant order number, \
        reference number, invoice number, 订单号, 单号, 订单编号, 商户订单号, 订单号码, 外部订单号, 张单号, \
        单编号, merchant order no, our order number, order identifier, order reference number, reference, ref, \
        ref no, bill number, order code, 单据号, 商户单号, 单据编号, 订单编码"),
    ("serial", "serial number, serial no, serial num, transaction serial number, sequence number, \
        transaction number, transaction id, trace number, running number, clisn, 流水号, 流水, 交易编号, \
        交易号, 序号, 交易流水号, 序列号, serial code, syssn, sn, trace no, stan, 交易序号, 流水编号, 序列"),
    ("parameter", "param, argument, arg, field, attribute, 参数, 字段, 栏位, 参数值, 个栏, 变量, input value, \
        query param, property, body field, required field, mandatory field, request field, 传参, 入参, 参数名, \
        参数格式"),
    ("missing", "left out, leave out, forgot, omit, lacking field, required, mandatory, absent, incomplete, \
        缺少, 少传, 漏咗, 漏, 缺, 必填, 少了, 少咗, 遗漏, 漏传, 漏填, not provided, not supplied, not given, \
        is required, left blank, left empty, didn't send, not sent, not included, forgotten, forgot to, \
        skipped, 冇填, 没填, 未填, 冇传, 没传, 没有传, 唔齐, 不齐, 不全, 漏掉, 少一个, 漏写"),
    ("format", "malformed, json, form data, content type, body, encoding, parse, unparseable, unreadable, \
        structure, syntax, payload, xml, garbled, 格式, 报文, 解析, 编码, 结构, misformatted, badly formatted, \
        wrong shape, urlencoded, x www form urlencoded, form encoded, utf 8, utf8, charset, decode, \
        deserialize, invalid json, broken json, 格式化, 编码格式, 乱码, 解析不了, 解析唔到"),
    ("signature", "sign, hash, md5, sha256, hmac, checksum, digest, x qf sign, mac check, 签名, 验签, 加签, 签, \
        验证签名, 签署, 数字签名, 验名, sign value, signed string, digital signature, sig, sign error, \
        verification of the sign, 签名值, 签章, 验证签"),
    ("key", "secret, secret key, client key, app key, appkey, appcode, app code, 密钥, 秘钥, 密匙, 钥匙"),
    ("key update", "key update, update key, key rotation, rotate key, renew key, change key, 更新密钥, 换密钥, \
        update my key, update the key"),
    ("password", "passcode, pin, pin code, passwd, pin number, pincode, fingerprint, face id, 密码, 指纹, \
        交易密码, security code, passphrase, biometric, 6 digits, six digits"),
    ("info", "information, detail, data, particulars, 信息, 资料, 数据, 详情, 内容, field values, 訊息"),
    ("config", "configure, configuration, set up, setup, setting, 配置, 设置, 设定, 配好, 设置好, 搞好, 设定好, \
        设好, set up properly, misset, options, profile, 配置好, 開戶設定, misconfig, onboarding, provisioned"),
    ("permission", "authorise, authorize, authorisation, authorization, authority, privilege, entitle, 权限, \
        授权, 准许, have the right, the right to, has the right, access right, access, right to accept"),
    ("system", "platform, server, backend, back end, 系统, 平台, 服务器, 后台, 伺服器, sys, infrastructure, \
        your end, their end, your side, their side, qfpay side, qfpay end, backend system, service provider, \
        系统方, 系统后台, 你哋嗰边, 佢哋嗰边, 平台方, 你们那边, 你们系统, 對方系統, gateway, api gateway"),
    ("maintenance", "maintain, upgrade, downtime, scheduled work, planned work, planned outage, planned, \
        service window, 维护, 升级, 停机, 维修, 保养, 停服, 系统更新, 维护中, 系统升级, patching, \
        being upgraded, being updated, system update, updating, under repair, housekeeping, scheduled downtime, \
        planned downtime, 更新系统, 维护紧, 维修紧, 升级紧, 升级中, 停机维护, 系统维护, 检修, 升级维护, \
        例行维护, 保養中, 整顿, system works, revamp, undergoing, upkeep, service break"),
    ("service", "服务"),
    ("down", "unavailable, outage, knocked out, crashed service, 不可用, 用不了, 挂了, 死机, 暂停服务, \
        不能提供服务, 瘫痪, 挂咗, 死咗, 断线, not available, not reachable, no service, not responding, \
        no response, does not respond, out of service, went down, gone down, is offline, is down, \
        timeout from service, 用唔到服务, 没反应, 冇反应, 冇回应, 无响应, 没响应, 不能用服务, 停咗服务, 宕机, \
        暂不可用"),
    ("offline", "!online, 不在线, 唔在线, 离线, 下线"),
    ("external", "third party, 外部, 第三方, outside service, vendor, 外面, 外界"),
    ("internal", "inside, 内部"),
    ("database", "db, sql, 数据库, 资料库"),
    ("file", "disk, 文件, 档案"),
    ("filesystem", "file system, 文件系统, 档案系统"),
    ("channel", "channeld, acquirer, upstream, 通道, 渠道, 上游, 连接通道"),
    ("route", "路由"),
    ("certificate", "cert, ssl cert, 证书"),
    ("institution", "机构"),
    ("contact", "contact detail, 联系方式, 联络方式"),
    ("version", "sdk version, client version, app version, 版本, 客户端版本"),
    ("voucher", "receipt, proof, 凭证"),
    ("risk", "risky, suspicious, suspicion, suspect, shady, laundering, fishy, flagged, 风险, 可疑, 怀疑, 疑似, \
        洗黑钱, 洗钱, 高危, risky transaction, dodgy, red flag, questionable, high risk, money laundering, aml, \
        suspicious activity, 有可疑, 可疑交易, 有嫌疑, 唔寻常, 高风险, 嫌疑, 黑钱, looks suspicious, unsafe, \
        danger, dangerous, illicit"),
    ("riskcontrol", "risk control, risk team, risk check, risk management, risk engine, risk rule, \
        risk department, risk system, anti fraud system, fraud filter, 风控, 风险控制, 风控系统, 风控部门"),
    ("fraud", "fraudulent, scam, stolen, 欺诈, 诈骗, 盗刷, 骗"),
    ("compliance", "non compliant, noncompliant, !compliant, illegal activity, something illegal, violates, \
        violation, against rules, regulation, 违规, 不合规, 唔合规, 合规, 违法, 涉嫌违规, break the rules, \
        breach, policy breach, against the law, rules, 不合法规, 唔合规矩, 违法违规, 违反规定, 违反, 监管, \
        not compliant, forbidden by law, sanction"),
    ("network", "connection, internet, line, wifi, signal, latency, 网络, 网, 连线, 连接慢, 线路, 上网, 网速, \
        信号, wi fi, broadband, data connection, 4g, 5g, internet connection, wireless, 网线, 网路, 網絡連接, \
        连接, 联网, 上唔到网, 讯号, comms, connectivity, packets, bandwidth"),
    ("slow", "sluggish, congested, congestion, laggy, lagging, lag, crawl, traffic jam, jam, jammed, poor, \
        bad connection, weak, unstable, 慢, 拥挤, 拥堵, 塞, 塞车, 卡顿, 好卡, 拥塞, 挤塞, 擠塞, 缓慢, 好差, \
        唔稳, 不稳定, 不稳, 唔顺, 差劲, 延迟, slow connection, takes forever, takes ages, timed out connection, \
        spotty, patchy, dropping, flaky, intermittent, unresponsive, 慢到, 死慢, 龟速, 网卡, 好塞, 塞晒, \
        断断续续, 网络差, 信号差, 唔稳定, 时断时续, delay, high latency, too slow, very slow, slowness, \
        dragging, choppy, network hung, hung connection"),
    ("busy", "overloaded, swamped, heavy load, too much traffic, 忙, 繁忙, 好忙, 太忙, 爆满, 忙唔切, 负荷过重, \
        忙碌, overwhelmed, high traffic, high load, rush hour, congested bank, at capacity, too many requests, \
        忙碌中, 好多人用, 超负荷, 忙线, 繁忙中, 忙唔过嚟, cannot handle it, cannot handle the load, \
        cannot handle right now"),
    ("result", "outcome, 结果, 最终结果, final status, final result, final state, end result, 最终状态, 最终"),
    ("unknown", "unclear, !know, !known, not sure, nobody know, uncertain, inconclusive, undetermined, 未知, \
        不明, 唔知, 唔清楚, 不清楚, 不确定, 唔确定, 不详, 未明, do not know, not clear, cannot tell, \
        can't tell, no idea, do not know if, doubt, in doubt, not known, not determined, 唔知得唔得, \
        唔知成唔成功, 唔肯定, 不肯定, 不知道, 不知, 成功定失败, 未能确定, 得定唔得, 说不准, no way to tell, \
        not clear whether, unsure, don't know whether, cannot be determined, indeterminate, mystery"),
    ("maybe", "may have, might, might have, perhaps, possibly, in case, 可能, 或者, 或许, 说不定, 若已, 若, \
        如果已, 如果, 若果, 万一, if you have already, if already, might be, may be, not certain, \
        possible that, could have, may already, might already, 可能已, 或者已, 有可能, 似乎, 说唔定, \
        may already have"),
];
