//! How it is: partial, expired, not found.
use super::Row;

#[rustfmt::skip]
pub(super) const STATES: &[Row] = &[
    ("partial", "part, some of it, only some, half, portion, fraction, less than full, 部分, 一部分, 部份, \
        一半, 半, 少少, 一啲, 一些, 退啲, 退半, 退部分, 几十蚊, 其中, some of the money, some of his money, \
        some money, a bit of it, a bit of the money, part of it, part refund, half of it, half the money, \
        partial amount, a part, in part, just part, only part, a bit back, some back, portion of, one item, \
        one of the items, part only, not the whole, not all, not everything, not the full, 净退, 退少少, \
        退一半, 退部份, 退返一半, 一部份, 其中一件, 一件, 一半钱, 部分金额, 小部分, 部分嘅钱, 退返部分, 部分款, \
        split, # of #, # out of #, in two parts, installment, piecemeal, a third, quarter of, a quarter, \
        single item, one of two, one item only, fifty percent, a few dollars, couple of dollars, 10 percent, \
        bits of, a slice, less than the total, less than the full, smaller amount, not the full amount"),
    ("full", "whole, entire, everything, all of it, complete refund, full amount, 全额, 全部, 全数, 整单, 成单, \
        全款, 整笔, 成笔, whole amount, the lot, fully, in full, 100 percent, entire amount, entire order, \
        whole order, the whole thing, 成笔退, 全退, 整笔退, 全部退, 全单, 全额退款, 一次过, all or nothing, \
        in one go, everything back, in its entirety, 100%, must be all"),
    ("only", "just, 只, 只能, 净係, 净系, 先得, 先至得"),
    ("over", "exceed, exceeding, above, more than, greater, greater than, larger, larger than, bigger, \
        bigger than, higher than, too much, too many, too high, too big, too large, too great, beyond, surpass, \
        excessive, 超过, 超出, 超, 大过, 大于, 多过, 多于, 高过, 高于, 太多, 太大, 太高, 爆, 爆咗, 过多, 多咗, \
        多左, 多了, 比原来多, 超额, 过大, more, too large a, too big a, larger amount, bigger amount, higher, \
        went over, goes over, too much money, excess, overly large, 超咗, 超了, 大咗, 高出, 超越, 大过头, \
        太多钱, 多过头, 超过咗, 超過左, 比原本多, 比原来大, 大个, 多退, 超标, over the, over a, over my, \
        over our, over limit, over what, over than, # on a #, # instead of #, # for a #, extra, surplus, \
        overshoot, double what, twice what, above what, exceedingly, too generous, more back than, bigger refund"),
    ("original", "original payment, initial, first payment, charged originally, 原, 原交易, 原本, 原来, 原先, \
        原单, 原来嗰单, 付的, 俾嘅, 买嘅, 收嘅, 原价, than paid, than he paid, than she paid, than they paid, \
        than was paid, than customer paid, originally paid, original price, what he paid, what she paid, \
        what they paid, what was paid, what the customer paid, paid amount, amount paid, original purchase, \
        initially paid, 原本俾, 原来付, 实付, 实收, 原单金额, 已付金额, 原本張單, 买入价"),
    ("maximum", "max, refundable, refundable amount, left to refund, remaining, 可退, 可退款, 可退金额, \
        剩余可退, 可退款金额, 剩余"),
    ("lack", "insufficient, insufficiency, !enough, !sufficient, !足够, !够,  short of, run short, falls short, \
        short on, short, low, too low, too little, too small, empty, ran out of, out of fund, nothing left, \
        skint, 不足, 不够, 唔够, 少过, 见底, 空空, 净返少少, 不足够, 唔足够, 欠缺, not have enough, \
        doesn't have enough, don't have enough, hasn't enough, without enough, short by, too poor, not cover, \
        doesn't cover, cannot cover, can't cover, won't cover, under funded, underfunded, shortfall, \
        empty wallet, zero balance, depleted, dried up, 唔够数, 不够数, 冇咁多, 没那么多, 冇咁多钱, 少咗钱, \
        唔够畀, 唔够俾, 不够付, 不够退, 唔够退, 唔够扣, 余钱唔够, 不够扣, 欠, 数唔够, 零余额, 空咗"),
    ("unsettled", "settled amount, settlement, takings, not settled, turnover, pot, pool, earned, revenue, \
        未结算, 未结, 结算, 营业额, 生意, 收入, 入账, 收款额, 流水额, 待结算, sales today, settling, \
        enough sales, today's sales, today's takings, daily sales, settled funds, collected today, \
        received today, intake, money in today, till money, cash flow, made today, what we took, took in, \
        taken today, have taken, enough takings, day's sales, 今日生意, 今日收, 今天收, 当日收, 今日营业额, \
        今日收入, 当天收入, 当天交易额, 今天收款, 今日收款, 收返嚟, 进账, 营收, 未清算, 未交收, 今日啲数, \
        可退资金"),
    ("today", "today's, same day, this day, daily, 今日, 今天, 当日, 当天, 即日, 同日"),
    ("expire", "expiry, expiration, timeout, time out, ran out time, run out time, stale, outdated, \
        out of date, lapse, old, no longer valid, no longer good, too slow to pay, took too long, too long, \
        overdue, dead code, elapsed, 过期, 超时, 逾时, 失效, 过咗期, 过左期, 过时, 过咗时间, 过咗时, 到期, \
        逾期, 耐冇俾, 旧, 旧码, 时间到, 超时未付, 过了时间, 时间过咗, 过晒期, 过了期, 太久, 作废咗, in time, \
        on time, time ran out, not in time, after the deadline, went stale, no longer works, past its time, \
        beyond time, didn't pay in time, waited too long, not paid in time, 过咗钟, 过钟, 超过时间, 超时关闭, \
        没及时付, 冇及时俾, 时效过了, 时限过, 过有效期, 有效期过咗, 唔够时间, 迟咗, 逾时未付, 已逾期, 失咗效, \
        过气, validity over, validity is over, is up, run out, ran out of time, no longer active, past due, \
        went cold, has lapsed, went past, past its validity, past its expiry, past expiry, expiry passed, \
        time limit passed, not paid within, within the time, too late to pay"),
    ("wrong", "incorrect, error, err, fault, faulty, bad, invalid, mistake, mistaken, not right, !correct, \
        !valid, !properly, improper, !recognised, !recognized, inaccurate, messed up, broken, no good, !good, \
        错, 错误, 错咗, 错左, 错了, 出错, 不对, 唔对, 唔啱, 唔正确, 不正确, 有误, 无效, 報错, 报错, 有错, 搞错, \
        填错, 打错, 不妥, 写错, 传错, 唔识, 不认, 唔认, mistyped, typo, unacceptable, bogus, corrupt, flawed, \
        erroneous, not ok, incorrect value, not recognise, doesn't recognise, unrecognised, unrecognized, screwy"),
    ("wrong config", "misconfigured, misconfiguration, 配置错误, 配错, 设错, set up wrong, set up incorrectly, \
        not set up, not configured, not set up properly, not been set up, configured wrong, badly configured, \
        setup incomplete, incomplete setup, isn't configured, 未配置好, 没配好, 没配置好, 冇配置好, 设定错误, \
        未设定好, 没设置好, 未搞好, 设错咗, 配置有问题, 配置异常, 设定有问题, 设定出错, 未设好, \
        not set correctly, not set right, isn't set properly, not set properly, set up badly, not provisioned, \
        wrong settings, incorrect settings, bad settings"),
    ("illegal", "!legal, !legitimate, unlawful, 不合法, 唔合法, 非法"),
    ("illegal paycode", "!paycode, 不是付款码, 唔系付款码, 唔係付款碼"),
    ("abnormal", "abnormality, anomaly, exception, unusual, weird, strange, unexpected, irregular, 异常, \
        不正常, 唔正常, 怪怪地, 古怪, 唔妥, out of order, not normal, haywire, 有古怪, 唔正路, 反常, 异样"),
    ("problem", "issue, trouble, something wrong, went wrong, gone wrong, going wrong, hiccup, glitch, \
        acting up, playing up, 问题, 出问题, 有问题, 出事, 故障, 出咗事, 状况, 毛病, 坏, 坏咗, 坏了, 唔掂, \
        有事, snag, mess, difficulty, bug, malfunction, screwed up, 出状况, 唔妥当, 死火, 出咗问题, 有啲问题, \
        坏晒, 撞板, 爆煲, 出毛病, 崩了, 崩溃, 炸了, 瘫咗"),
    ("fail", "failure, failed to, unsuccessful, !success, !successful, !through, !go through, !work, !succeed, \
        fell through, flop, crash, 失败, 唔成功, 不成功, 未成功, 过唔到, 过不了, 过不去, 俾唔到, 畀唔到, \
        付唔到, 付不了, 付不出去, 唔得, 衰咗, 失败咗, 交易不了, 做唔到交易, 唔过, 冇过到, 冇成功, \
        won't go through, will not go through, not go through, didn't go through, no luck, doesn't work, \
        not working, did not work, couldn't complete, cannot complete, not complete, unable to complete, \
        fall through, goes wrong, bombed, failed payment, no success, uncompleted, not succeed, 支付不了, \
        付款不了, 付款唔到, 支付唔到, 支付不成功, 交易唔到, 交易唔成功, 交易不成功, 过数唔到, 收银失败, \
        碌极都唔得, 唔过得, 付不成, 交易未能完成, 未能完成, 完成不了, 搞唔掂, 俾钱俾唔到, 俾唔到钱, 付款未成功, \
        付不了钱, 未能成功, fell over, didn't happen, not done, could not be done, not processed, \
        unable to process, cannot process, could not process, cannot be processed, not be processed, no go, dud"),
    ("success", "successful, succeed, succeeded, ok, okay, fine, went through, gone through, all good, \
        all zeros, zeros, complete, done, accepted, approve, 成功, 搞掂, 搞定, 得咗, 得左, 完成, 顺利, 过咗, \
        通过, 成功咗, 冇问题, 没问题, 全部零, 四个零, all fine, went fine, good to go, received ok, \
        was accepted, paid ok, all done, okey, 交易完成, 得咗喇, 支付成功, 付款成功, 成功了, 已成功, 成事, \
        tick, green tick, thumbs up, all 0s, four 0s, green light, four zeros, fully successful"),
    ("activate", "activation, active, enable, turned on, switched on, open for us, registered device, 启用, \
        激活, 开通, 启动, 开启, 开咗, 开启动"),
    ("disable", "suspend, suspension, deactivated, shut off, shut down, frozen, freeze, switched off, \
        turned off, taken offline, locked, terminated, banned store, 禁用, 停用, 封, 封咗, 封了, 冻结, 停咗, \
        停业, 封铺, 锁咗, 停左, 下架, 停权, 被停, 封锁, 封禁, 拉黑, taken down, switched my store off, \
        barred store, cut off our, put on hold, on hold, suspend our, account suspended, 停止使用, 暂停使用, \
        暂停营业, 停了, 被封, 俾人封, 被冻结, 冻结咗, 停止服务, 禁了, 停用了, 关停, 无效化, 闩咗间铺, 停咗用, \
        俾人停, blocked store, locked out, closed down our, access closed, revoked access, \
        not operational store, switched us off, turned us off, disabled by, cut us off"),
    ("forbid", "forbidden, prohibit, prohibition, banned, bar, barred, disallow, !allow, !permit, 禁止, 不准, \
        唔准, 唔畀, 唔俾, 不允许, 唔允许, 不让, 禁, 唔比, 唔畀过, 唔俾过, 不许, 不给, 不可以做, 不得, \
        won't let, will not let, not permitted, does not permit, isn't allowed, not allowed, outlawed, \
        off limits, blacklisted, 不可交易, 唔比做, 唔畀做, 不准许, 被禁止, 禁咗, 严禁, 黑名单, 唔俾做, 不允許, \
        唔准许, 不让做, 禁用交易, restricted transaction, does not allow, not let us, don't let us, \
        will not let us, isn't permitted, may not be made, banned transaction"),
    ("stopped", "block by bank, intercept, held up, 拦截, 拦, 拦咗, 拦住, 截, 截停, 挡, 挡咗, 拦下, 截住, \
        halted, killed, blocked, shot down, not let through, won't let through, put a stop, freeze payment, \
        被拦截, 被拦, 被截, 拦低, 唔放行, 不放行, 叫停, 被阻止, 阻止, 擋住"),
    ("unsupported", "!support, !take, !possible, 不支持, 不支援, 唔支援, 唔支持, 唔收, 不收, 用唔到, 用不到, \
        不能用"),
    ("refuse unsupported", "not accept, doesn't accept, isn't accepted, not taken, 不接受, 唔接受, 不受理"),
    ("support", "支持, 支援, 客服, customer service, hotline, helpdesk, help desk, 客户服务"),
    ("match", "agree, correspond, tally, consistent, 匹配, 一致, 符合, 吻合, line up, add up, reconcile, fit"),
    ("mismatch", "!match, !agree, !correspond, !tally, !consistent, differ, different, difference, discrepancy, \
        inconsistent, conflicting, 不符, 不匹配, 唔匹配, 唔夹, 夹唔到, 对唔上, 对唔到, 对不上, 不一致, 唔一致, \
        唔同, 不同, 不吻合, 不一样, 有出入, 唔一样, 对唔啱, doesn't line up, not line up, does not add up, \
        do not agree, not what, not the same, isn't the same, aren't the same, unequal, varies, 对唔番, 对唔返, \
        核对不上, 核对唔到, 对不到, 夹唔埋, 不相符, 唔相符, 不对应, 唔对应, 不对版, 有差异, 有分别, 相差, 冲突, \
        两边唔同, 对不起来"),
    ("duplicate", "duplication, dup, double, repeat, repetition, twice, two times, second time, same request, \
        reuse, re used, used before, used already, already used, already taken, taken already, in use, same, \
        used, clash, collides, collision, not unique, must be unique, resent, sent again, resend, \
        submitted again, recycled, 重复, 重覆, 重复咗, 撞, 撞咗, 撞号, 撞单, 用过, 两次, 两遍, 多次, 双重, \
        已使用, 已存在, 一样, 同一个, 相同, 已被使用, 撞左, 重用, 再用, 用咗, 被占用, 重提, 两下, 多一下, 连续, \
        唔唯一, 不唯一, 两回, 又用, 重号, 同一张单号, multiple times, identical, copy, double up, repeat of, \
        same id, same one, non unique, already been used, been used, was used, has been used, had been used, \
        in use already, taken, 重复使用, 重新用, 用返, 用返同一个, 同一, 重复了, 二次, 第二次, 撞车, 复用, \
        已用, 已经用过, 已经存在, 重复嘅, 重覆咗, 两份, 连撳, 撳多咗, 双击, id already exists, \
        number already exists, order already exists, two payments, both times, two orders, two identical, \
        second order, clone, already have that number, replayed, double submission, submitted twice, \
        sent it twice, pressed twice, clicked twice, tapped twice, came in twice, identical calls, hit twice, \
        same payload, two calls, repeat order"),
    ("already", "before, previously, earlier, once, past, prior, since, 已, 已经, 之前, 早, 早就, 早已, 经已, \
        先前, 曾经, 过㗎, 㗎喇, 咗㗎, 已經, beforehand, in the past, 一早, 早前, 之前已, 前已, 老早, 一早就"),
    ("exist", "found, find, located, 存在, 找到, 揾到, 查到"),
    ("notfound", "!exist, !found, !find, !such, !trace, !record, nonexistent, non existent, can not find, \
        cannot find, couldn't find, can't find, unable to find, unable to locate, cannot locate, no such, \
        nothing found, no record, no result, nothing exist, nothing there, came up empty, nowhere, \
        unknown order, unknown transaction, never heard of, is gone, vanished, no longer there, no match found, \
        not in system, 不存在, 唔存在, 找不到, 揾唔到, 搵唔到, 查不到, 查唔到, 查无, 冇呢张, 冇呢个, 冇呢笔, \
        冇呢单, 冇呢间, 没有这个, 没这个, 没有这笔, 没这笔, 没有这张, 没有该, 没有此, 冇记录, 没有记录, 无记录, \
        见唔到, 不见了, 唔见咗, 消失, 冇晒, 不曾存在, 冇料到, 搜不到, 找唔到, not there, is not there, \
        no trace, not exist, cannot be found, not found, not on file, not in your system, can't see, \
        cannot see, no longer exist, isn't found, does not exist, missing order, no matching, \
        nowhere to be found, not listed, doesn't show up, not show up, isn't showing, 查唔返, 无此, 没此, 冇此, \
        并无, 冇记载, 无相关, 没有找到, 冇揾到, 揾极都揾唔到, 揾唔返, 未找到, 未搵到, 未揾到, 检索不到, 睇唔到, \
        查冇, 没查到, 冇查到, 系统冇, 冇呢, 没有呢"),
    ("unpaid", "!pay, !paid, !payment, outstanding, !settled, !been paid, never paid, nobody paid, \
        without paying, 未支付, 未付款, 未付, 未畀钱, 未俾钱, 未比钱, 未给钱, 没付款, 没付钱, 没支付, 没有支付, \
        没有付款, 冇俾钱, 冇畀钱, 未找数, 未埋单, 未收到钱, 还没付, 未收款, 没给钱, 没有给钱, 还没给钱, 冇比钱, \
        冇付款, 没收到钱, 冇收到钱, 冇人俾钱, 冇人畀钱, 没人付款, 没人付钱, 冇人付款, 未曾付款, 未俾, 未畀, \
        didn't pay, hasn't paid, haven't been paid, not received payment, no money received, \
        not received the money, no money came, money not received, no money in, 冇收钱, 没收钱, 没有收到钱, \
        冇收到款, 未收钱, never came in, never came, never arrived, never received, did not arrive, \
        not arrived, money hasn't arrived, no funds received, nothing received, nothing paid, nothing was paid, \
        no payment received, unsettled order, still owes, owes, yet to pay, didn't come through, \
        not come through, nobody has paid, no one paid, no one has paid, still to be paid, hasn't been settled, \
        not been settled, pay nothing, paid nothing, not a cent, not charged, wasn't charged"),
    ("unpaid wait", "not paid yet, not yet paid, yet paid, not pay yet, 尚未支付, 仲未俾, 仲未畀, 仲未俾钱, \
        仲未畀钱, 仲未付款, 尚未付款, 还没付款, 还没支付, 还没付钱, 等付款, 等俾钱"),
    ("unconfirmed", "!confirm, !tapped, !pressed, !finished, 未确认, 没确认, 还没确认, 未撳确认, 未按确认, \
        仲未撳, not approved on phone, has not confirmed, didn't confirm, not confirmed, 未确定, 冇撳确认, \
        没有确认, 冇确认, 还没点确认, 未撳, 没按确认, 未同意"),
    ("inactive", "!activate, !active, !enabled, !turned on, !switched on, !opened, !registered, \
        deactivated device, unactivated, dormant, 未启用, 未激活, 未开通, 未启动, 没开通, 没激活, 没启用, \
        还没激活, 还没开通, 冇开通, 未开启, 没有激活, 没有启用, 没有开通, 冇激活, 未开机, \
        has not been activated, not been activated, never activated, needs activation, needs activating, \
        not live, not yet live, not active, isn't active, not set live, not yet enabled, awaiting activation, \
        唔激活, 要激活, 需要激活, 要启用, 冇启用, 未通, not open, is not open, not turned on for, \
        never switched on, hasn't been switched on, switched off for us, brand new terminal"),
    ("nopermission", "!permission, !authorised, !authorized, no right, lacks rights, !privilege, !authority, \
        !entitled, unauthorised, unauthorized, no permission, lacks permission, permission denied, 无权限, \
        冇权限, 没权限, 没有权限, 权限不足, 未授权, 没授权, 冇授权, 无权, 冇权, 没有授权, 唔够权限, 不够权限, \
        access denied, no access, not have access, not have right, insufficient rights, \
        insufficient permission, insufficient privilege, insufficient authority, not enough rights, \
        not enough permission"),
    ("unapproved", "under review, pending approval, in review, awaiting approval, vetting, kyc, reviewed, \
        未审核, 审核中, 未批, 没批, 未审批, 审批, 未通过审核, 审核, 审核未通过, 未审核通过, 待审核, \
        account not approved, not been approved, not approved yet, not yet approved"),
    ("gaveup", "gave up, give up, changed mind, changed her mind, backed out, walked away, walked off, left, \
        bailed, abandoned, abort, closed app, closed page, exited, pulled out, quit, dismissed, hit cancel, \
        pressed cancel, tapped cancel, pressed back, 唔要, 不要了, 不想付, 唔想俾, 放弃, 唔买, 行咗去, 走咗, \
        反悔, 退出, 唔俾喇, 不买了, 改变主意, 改变咗主意, 主动取消, 自己取消, 自己关, 自己闩, changed his mind, \
        changed their mind, decided not to, doesn't want, didn't want, no longer wants, left the page, \
        closed the page, closed the app, closed the payment, cancelled on his phone, hit back, \
        canceled himself, cancelled it himself, didn't go ahead, not go ahead, aborted it, ran off, ran away, \
        left the shop, stepped away, swiped away, 离开, 走人, 唔想买, 唔买喇, 唔付, 按咗取消, 撳咗取消, 撳取消, \
        按取消, 点了取消, 自行取消, 中途取消, 唔俾钱走, 退出咗, 关了页面, 关掉页面, 中途退出, 突然唔要, \
        冇俾走咗, 佢取消, 自己撳取消"),
    ("t0", "t+0, t 0, d0, d+0, instant settlement, settled instantly, same day settlement, \
        immediate settlement, settled at once, settled immediately, get settled instantly, instantly settled, \
        instant payout, paid out instantly, real time settlement, 即时结算, 即时到账, 实时结算, 即日结算, \
        实时到账, 秒到, 当日结算, 即时过数"),
    ("night", "midnight, 11pm, 11 pm, 11:30pm, 23 30, 2330, late evening, evening, late, 12am, 12 am, \
        after hours, 0 30am, half past eleven, half past 11, overnight, 0:30, 11 30 pm, 夜晚, 半夜, 凌晨, 深夜, \
        晚上, 十一点半, 十二点, 夜晚黑, 晚间, 午夜, 子夜, 收工后, 好夜, 夜间, 夜, pm, 23 45, 11 45 pm, 11 45, \
        at night, late at night, so late, 夜咗, 太夜, 零点, 零时, 半夜三更, 通宵, 十一点, 11 45pm, past eleven, \
        near midnight, around midnight, nighttime, night time, 11 59, half eleven, bedtime, small hours, \
        eleven at night, before midnight, after midnight"),
    ("morning", "11 am, 11am, eleven, in the morning, 早上, 上午, 朝早, 朝早十一点"),
    ("promo", "promotion, promotional, special offer, offer, campaign, discount, coupon, special deal, \
        deal of day, sale price, event, 活动, 优惠, 推广, 特殊活动, 促销, 折扣, 特价, 优惠券, 减价, 特别活动, \
        推广期, special promotion, special event, sale item, clearance, voucher discount, bundle, deal price, \
        reduced price, flash sale, 减价货, 特卖, 优惠价, 打折, 特惠, 推广活动, 活动商品, 特价货, 优惠单, \
        优惠交易, 大减价, 清货, flash deal, special price, member price, loyalty, double eleven, black friday, \
        give away, buy one get one, happy hour"),
    ("window", "deadline, period, refund window, refund period, too late, too old, cut off, cutoff, months ago, \
        weeks ago, last month, last year, days ago, time limit, long ago, ages ago, past date, aged, 期限, \
        时限, 退款期, 可退款时间, 可退款的时间, 太耐之前, 好耐之前, 上个月, 几个月前, 半年前, 太久之前, 太旧, \
        过咗退款期, 时间限制, 太迟, 退款期限, 个几月前, 两个月前, 成个月前, 上月, 旧年, refund deadline, \
        time window, allowed period, past the deadline, too late to, past the refund, expired refund, \
        long time ago, 90 days, 180 days, 30 days, 29 days, a year ago, over a month, weeks old, months old, \
        half a year, old purchase, old order, quarter ago, 过期限, 超过期限, 时限过咗, 半年, 一年前, 几个月, \
        三个月, 两个月, 上年, 太耐, 很久以前, 隔咗好耐, 买咗好耐, 去年, 退款时限, 过时限, 超出时限, 超过时间限制"),
    ("time", "hour, 时间, 时段, 钟数, 呢个钟"),
    ("date", "day allowed, calendar, 日期, 日子"),
    ("later", "afterwards, in a moment, few minutes, some time, 稍后, 迟啲, 迟些, 晚点, 过阵, 等阵, 一阵, 陣間, \
        阵间, 晚些, 过一会, in a while, after a while, later on, another time, some other time, \
        in a few minutes, in a bit, 迟下, 迟少少, 过一阵, 过会, 过一会儿, 晚一点, 迟啲先, 陣先, 过下, 等下先"),
    ("notfound order", "no order, 冇张单, 冇单, no order like that, no such order"),
    ("notfound transaction", "no transaction, no trade, 冇交易"),
    ("notfound store", "no store, no shop"),
    ("notfound user", "no user, 冇用户"),
    ("lack money", "冇钱, 没钱, 无钱, 没有钱, 唔够钱, 不够钱, 钱不够, 钱唔够, no money, no cash, cannot afford, \
        afford, short of cash, not enough money, enough money, out of money, has no money, penniless"),
    ("lack balance", "no fund, no balance, 冇余额, 没余额"),
    ("lack", "broke"),
    ("status", "state, condition, 状态"),
    ("business", "业务"),
];
