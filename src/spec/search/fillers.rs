//! What tells no code from another, as data.

/// English words that are in every question.
#[rustfmt::skip]
pub(super) const FILLERS: &[&str] = &[
    "a", "about", "am", "an", "and", "any", "anyone", "are", "as", "at", "be", "because", "been", "being", "but", "by",
    "can", "cannot", "come", "comes", "could", "d", "did", "do", "does", "doing", "for", "from", "get", "gets", "getting",
    "give", "gives", "got", "had", "has", "have", "having", "hello", "help", "hey", "hi", "hong", "how", "i", "if", "in", "is",
    "it", "its", "keep", "keeps", "keeping", "kong", "let", "ll", "m", "me", "mean", "means", "meant", "my", "now", "of", "on",
    "or", "our", "ours", "please", "pls", "plz", "qfpay", "qf", "re", "really", "respcd", "resp", "s", "said", "say", "saying",
    "says", "see", "sees", "should", "so", "t", "tell", "tells", "that", "the", "their", "them", "then", "there", "these",
    "they", "thing", "things", "this", "those", "to", "try", "tried", "trying", "us", "ve", "very", "was", "we", "were",
    "what", "whats", "when", "where", "which", "while", "who", "why", "will", "with", "would", "yet", "you", "your", "still",
    "just", "also", "even", "than", "up", "api", "message", "show", "shows", "reply", "replied", "response", "seem", "seems", "gave", "take", "takes", "took",
    "want", "wants", "wanted", "need", "needs", "reason", "reasons", "given", "happen", "happened", "happens", "happening", "like",
    "look", "looks", "ask", "asks", "asked", "check", "checking", "guys", "team", "thanks", "thank", "sir", "madam", "one", "ones", "something",
    "anything", "always", "everytime", "every", "each", "cause", "into", "much", "many", "lot", "bit", "make", "makes", "made",
    "came", "goes", "going", "went", "know", "think", "thought", "explain", "understand", "complain", "complains", "complaining",
    "suddenly", "actually", "apparently", "supposed", "screen", "popup", "reads", "prints", "returned", "returns",
    "cashier", "staff", "colleague", "developer", "our", "people",
];

/// Phrases put plainly before a text is split into words. `code` is a word of the texts ("payment
/// code"), so it goes only where it means "respcd".
#[rustfmt::skip]
pub(super) const REWRITES: &[(&str, &str)] = &[
    ("’", "'"), ("error code", " "), ("response code", " "), ("status code", " "), ("return code", " "), ("result code", " "),
    ("this code", " "), ("success code", "success"), ("error codes", " "), ("won't", "will not"), ("what code", " "), ("which code", " "), ("code mean", " "), ("咩code", " "), ("乜code", " "),
    ("can't", "cannot"), ("can not", "cannot"), ("couldn't", "cannot"), ("could not", "cannot"), ("unable to", "cannot"),
    ("n't", " not"), ("please confirm the order status before conducting more transactions", "confirm status"),
    ("please confirm the transaction result before conducting more transactions", "confirm status"),
    ("請確認狀態後再操作", "確認狀態"), ("请确认状态后再操作", "确认状态"), ("請確認後再操作", "確認狀態"), ("请确认后再操作", "确认状态"),
    ("ｑｒ", "qr"), ("11點", "十一點"), ("11点", "十一点"), ("12點", "十二點"), ("12点", "十二点"), ("23點", "十一點"), ("11:", " midnight "), ("23:", " midnight "), ("typed", "entered"), ("typing", "entering"), ("23点", "十一点"),
];

/// Chinese words that ask without saying what about, in Simplified characters.
#[rustfmt::skip]
pub(super) const CHINESE_FILLERS: &[&str] = &[
    "是什么意思", "什么意思", "是什么", "为什么", "怎么样", "怎么办", "怎么回事", "怎么", "什么", "请问", "为何", "点解",
    "显示", "提示", "返回", "出现", "代码", "错误码", "返回码", "响应码", "状态码", "我们", "我哋", "佢哋", "他们", "这个", "那个",
    "一个", "可以", "应该", "可不可以", "的", "了", "吗", "呢", "我", "是", "有", "该", "说", "会", "就", "都", "啊", "嘅", "咗",
    "左", "话", "佢", "他", "她", "你", "喇", "啦", "呀", "㗎", "咩", "乜", "乜嘢", "嘢", "系咪", "系", "係", "唧", "喎", "啲", "嗰", "哋", "喺",
    "点", "点搞", "点算", "点办", "边个", "边度", "做咩", "咩事", "咩意思", "即系", "即", "又", "再", "才", "先", "仲", "还", "还是", "在",
    "正在", "紧", "中", "后", "前", "时", "时候", "嗰阵", "嗰时", "阵", "这", "那", "呢个", "呢张", "呢笔", "呢部", "个", "张", "笔", "部", "间", "只",
    "到", "得", "能", "不能", "要", "想", "被", "让", "给", "畀", "俾", "比", "把", "将", "和", "与", "或", "及", "之", "于", "以", "用", "来", "去",
    "请", "勿", "无法", "不可以", "唔可以", "不可", "唔到", "不到", "唔得", "唔能够", "不了", "人", "一下", "多", "今次", "这次", "次", "所以", "因为", "但系", "但是",
    "吧", "嚟", "度", "然后", "跟住", "同埋", "同", "也", "很", "太", "好", "发生", "进行", "原因", "过", "呢只", "这只", "嗰只", "呢种", "这种", "收到", "请求时", "服务员", "同事", "公司",
];
