//! What is done: to pay, to refund, to wait.
use super::Row;

#[rustfmt::skip]
pub(super) const DEEDS: &[Row] = &[
    ("pay", "paid, payment, settle bill, took money, take money, receive money, collect, charge, purchase, buy, \
        bought, checkout, check out, 支付, 付款, 付, 付钱, 付费, 畀钱, 俾钱, 给钱, 比钱, 畀咗钱, 俾咗钱, \
        畀左钱, 俾左钱, 找数, 埋单, 买单, 结账, 收款, 收钱, 收到钱, 收唔到钱, 收不了款, 收唔到款, 收不到款, \
        收不到钱, 收到款, 缴费, 交钱, 收费, 扣款, 消费, 做生意, 交费, paying for, payer pays, money taken, \
        paid for, process payment, accept payment, taking payment, ring up, 收数, 落钱, 付不到, 收钱唔到, 过数, \
        转账, 打钱, 支付宝付"),
    ("transaction", "txn, trx, transact, trade, deal, 交易, 买卖, 呢单交易, 这单交易, 单交易, 该单交易, 那单交易"),
    ("order", "invoice, 订单, 张单, 单, 帐单, 账单, 定单"),
    ("refund", "money back, give back, gave back, given back, pay back, paid back, return money, money return, \
        went back, go back, send back, sent back, got back, get back, reimburse, reimbursement, chargeback, \
        退款, 退钱, 退返, 退还, 退回, 退, 退货, 还钱, 退番, return, return the money, return the payment, \
        gave the money back, give the money back, give him back, give her back, pay him back, \
        reverse the charge, refund money, rebate, repay, credit back, credit him, credit her, 退俾, 退畀, \
        退番钱, 退返钱, 退货款, 退咗钱俾, 退给, 攞返钱, 攞返啲钱, 拎返钱, 拿回钱, 把钱退, 还返钱, 要返钱, \
        退返俾, 回水, 退费, 返还, cash back, give cash back, take back a charge, take back, hand back, \
        returned to him, returned to her, returned to the customer, back to the customer, back to him, \
        back to her, money went back, send the money back, put the money back, credit the customer, \
        money to be returned, claw back, send it back, undo the charge, refunded to"),
    ("already refund", "退咗, 退左, 退过, 退过款, 退过钱, 退咗款, 退咗钱, 退左款, 退左钱, 退了款, 退了钱, \
        got his money back already, money already back, 退咗俾, 已退, 已经退, refunded earlier, \
        previously refunded, refunded before, refunded once, money was already sent back"),
    ("already pay", "俾过钱, 畀过钱, 付过, 付过款, 给过钱, 付了款, 付了钱, 给了钱, 已付, 支付过, 找咗数, \
        埋咗单, settled already, already settled, bill settled, paid earlier, previously paid, \
        settled the bill, already been charged, been charged, already charged, has been settled, was settled, \
        paid up, fully paid, paid in full"),
    ("already close", "关咗, 关左, 闩咗, 闩左, 关掉, 关了, 已关, 已关闭, 已经关, 已经关闭, 早就关, 早关, \
        已经闩, 之前关"),
    ("already cancel", "取消咗, 取消左, 取消了, 撤咗, 撤销了"),
    ("cancel", "cancellation, void, revoke, annul, call off, withdraw, scrap, 取消, 撤销, 撤单, 作废, 撤回, 撤, \
        cxl, 废单, nullified, called it off, withdrawn, 已取消, 已撤, 已撤销, 撤掉, 取消掉, 作废了, undo, \
        undone, dropped the order, cancelled out, rescinded, retracted"),
    ("reverse", "reversal, rollback, roll back, 冲正, 回滚, 反向, 冲销, reversing the payment, \
        undo the payment, roll it back, unwind, 冲回, 冲正交易, 反转, 冲账"),
    ("close", "shut, 关闭, 关, 闩, 关单, 闭单, closed off, shut down order, wrapped up, 关闭咗, 被关, 閂, 截单, \
        关单了, closed out, finalised, finalized, terminated order"),
    ("request", "submit, submission, post, call, api call, 请求, 提交, 呼叫, 调用, 接口, endpoint, hit the api, \
        my call, http request, resubmit, api request, 送出请求, call api, 发请求, 提交过"),
    ("place", "place order, create order, order creation, make order, making order request, send order, \
        submit order, order request, start payment, initiate payment, initiate, 下单, 落单, 开单, 创建订单, \
        建立订单, 发起交易, 发起支付, 发起, 发送交易请求, 发送交易, 发送, 提交订单, 送出, \
        when creating the order, creating the payment, when ordering, make an order, placing the order, \
        place an order, create an order, create the order, create payment, create a payment, \
        making the order request, open an order, submit an order, 开张单, 开新单, 建单, 生成订单, 创建支付, \
        发起订单, 发起请求, 下单时, 落订单, 发单, 提交交易"),
    ("refuse", "deny, denied, denial, reject, rejection, refusal, turn down, knock back, decline refund, 拒绝, \
        拒, 被拒, 驳回, 唔批, 不批, 打回头, 打回, 推咗, 拒咗, 拒左, 否决, not granted, overruled, vetoed, \
        wouldn't accept, 唔接纳, 不接纳, 唔受理, 俾人拒绝, 拒绝咗, 被拒绝, 没有批准, 未获批准, 唔批准, 不批准, \
        唔获批, 未获批, 唔过批, 驳咗, 打返转头, 拒收, not approve, disapprove, refuse to, thumbs down, \
        will not approve"),
    ("decline", "issuer, bounced, 拒付, 碌唔到, 碌卡碌唔到, 刷不了, 刷唔到, 刷不过, 卡被拒, 被拒付, 嘟唔到, \
        card refused, card rejected, card won't go through, bounced back, declined card, 卡刷不过, 刷卡失败, \
        卡唔过, 张卡唔过, 张卡俾人拒, 张卡被拒, 碌唔过, 卡付失败, card issuer, the issuer, honour, honor, \
        do not honour, do not honor, turned down card"),
    ("retry", "try again, retried, 重试, 再试, 试多次, 再嚟过, 再来, give it another go, another go, \
        another try, try once more, once more, try it again, retry later, redo, 再试过, 试过, 再做过, 再来一次, \
        重新尝试, 重来, 再试一次, 过阵再试, 试多一次"),
    ("repeat pay", "pay again, pay twice, paid twice, repeat payment, repeat pay, second payment, charge again, \
        charged twice, double charge, 再俾多次, 俾多次, 畀多次, 再碌, 碌多次, 重复支付, 重复付款, 再付, 再付款, \
        再支付, 再俾, 再畀, 付两次, 付多次, 俾两次, 畀两次, 扣两次, 重复扣款, 再付一次, charge him again, \
        charge her again, pay once more, second charge, pay the same again, double pay, repeat the payment, \
        re pay, charge the customer again, taken twice, pay it again, 再收, 再收多次, 再收钱, 收两次, 收多次, \
        再俾钱, 再畀钱, 再付钱, 重复扣, 重复收, 俾多次钱, 再俾过, 俾咗两次, 付了两次, 重复俾, 扣多次, 多付一次, \
        再次付款, 再次支付, 俾两次钱"),
    ("enter", "input, put in, putting in, punch in, 输入, 输紧, 输, 入紧, 入, 打紧, 撳紧, 按紧, 键入, 撳, \
        types in, fills in, 填紧, 输入中, prompt"),
    ("enter password", "typing pin, typing password, typing passcode, typing code, 打密码, 按密码, 输密码, \
        入密码, 撳密码"),
    ("confirm", "confirmation, 确认, 撳确认, 按确认, tap confirm, press confirm, approve on phone, \
        authorise on phone, accept on phone, 撳确定, 批准付款"),
    ("show", "shown, present, display, 出示, 展示, 影, 俾我睇"),
    ("scan", "scanner, 扫, 扫码, 扫描, 拍, 嘟"),
    ("refresh", "renew, regenerate, reload, new code, update code, 刷新, 更新个码, 重新整理, 换个码, \
        open again, re open the app, update the code, reload the code, new qr, fresh code, 换码, 重新出码, \
        换过个码, 重新生成, 更新二维码"),
    ("wait", "hold on, hang on, be patient, awaiting, 请稍候, 稍候, 稍等, 等, 等候, 等待, 等紧, 等多阵, 等一阵, \
        耐心, wait a moment, stand by, please hold, hold the line, in the queue, queue, 稍等一下, 等下, 等一下, \
        等等, 等待中, 耐心等"),
    ("process", "in progress, pending, ongoing, underway, under way, still going, in flight, hanging, stuck, \
        spinning, 处理, 处理中, 处理紧, 进行中, 转圈, 转紧, 搞紧, 跑紧, 挂起, being processed, still running, \
        working on the payment, being handled, loading, in the works, not finished, not final, \
        not completed yet, still pending, 处理当中, 仲处理, 处理着, 系统处理中, 未有结果, 没有结果, 未出结果, \
        还没结果, 等结果, 仲未有结果, 搞緊, working on it, still working on it, in limbo, hasn't finished, \
        not finished yet, unfinished, under processing, in the middle, crunching, awaiting result, halfway, \
        not done yet"),
    ("fix", "resolve, repair, working to fix, looking into, sort out, team on, 解决, 加紧解决, 加紧处理, 加紧, \
        抢修, 修复, 整紧, 跟进, 搞返, 修理, 修紧, on the case, solve, being solved, being fixed, \
        being resolved, handling it, dealing with it, taking care, rectify, remedy, engineers, 工程师, \
        处理问题, 修, working on this, working on fix"),
    ("encrypt", "encryption, decrypt, decryption, cipher, 加密, 解密, 加解密, crypto, cryptographic"),
    ("upload", "上传"),
    ("connect", "reach, reachable, 连上, 联系上, 接通"),
    ("reset", "重置"),
    ("capture", "预授权完成"),
    ("preauth", "pre auth, preauthorisation, preauthorization, pre authorisation, pre authorization, \
        pre authorised, pre authorized, authorisation hold, 预授权"),
    ("bind", "bound, link merchant, 绑定"),
    ("signon", "sign on, sign in, signin, login, log in, logon, 签到, 登录, 登入"),
    ("query", "look up, check result, enquire, inquire, 查询, 须查询, enquiry, check status, must query, \
        lookup, inquiry, 须查, 要查, 查返, 查下"),
    ("quantity", "how much, how many, 几多, 多少, 几多钱"),
    ("how to", "how to, how do i, how can i, how do we, how can we, are there, can i use, which can i, 点样, \
        如何"),
];
