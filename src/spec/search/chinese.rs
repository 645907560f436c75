//! Traditional characters and variants folded to Simplified ones, for the characters of our tables.
use std::collections::HashMap;

/// Traditional characters and variants whose Simplified forms are in our texts and tables.
const TRADITIONAL: &str = "\
    並亂佔併來係個們備傢傳價優兒內兩凈凍別創勁動務匯卽參員問啓啟喎單嗎嗮嗰嘗噹嚐嚮嚴國圓報場壞夠夾實審寫寶將尋對帐師帳幣幾庫廢廣廳張彆彔彙後復態憑應懷戶掃掛換搵搶摺撳擁擊擋據擠攔敗數斷\
    於昇時暫曏曬書會東査條棄業極榘構槍標樣機檔檢檯欄權歐氣決沒沖況淨淩減準滙滾滿潰為無營爲狀獲現甚異當瘓癱發盜監確碼祇祕種穩穫筆箇簽籤紋納紙級細終結絕絡給統絶綁經綫維網緊線編緩緻總繫繳\
    續纔聯脩腦臺與舊舖萬蒐蔘處號衕衝裝製複覈見規訂計訊記設許証詐詢試話該詳認誤說説調請證識護讀變讓豐負貨責買費資賣賬踰車載輸轉辦迴這連進遊過達違遞遲遺還邊釦鈅鈡銀銖銷鋪錄錢錯録鍵鍾鎊鎖\
    鐘鐵鑰門閂閃閉開間閤闆關陞陣陸際險隻雙離雲電響頁頂項順須預頓頭題額類顧顯風颱飛養餘駁騙驗髮鬚麪麫麵麼麽點齊齣龜";
/// The Simplified forms, character by character.
const SIMPLIFIED: &str = "\
    并乱占并来系个们备家传价优儿内两净冻别创劲动务汇即参员问启启㖞单吗晒𠮶尝当尝向严国圆报场坏够夹实审写宝将寻对账师账币几库废广厅张别录汇后复态凭应怀户扫挂换揾抢折揿拥击挡据挤拦败数断\
    于升时暂向晒书会东查条弃业极矩构枪标样机档检台栏权欧气决没冲况净凌减准汇滚满溃为无营为状获现什异当痪瘫发盗监确码只秘种稳获笔个签签纹纳纸级细终结绝络给统绝绑经线维网紧线编缓致总系缴\
    续才联修脑台与旧铺万搜参处号同冲装制复核见规订计讯记设许证诈询试话该详认误说说调请证识护读变让丰负货责买费资卖账逾车载输转办回这连进游过达违递迟遗还边扣钥钟银铢销铺录钱错录键钟镑锁\
    钟铁钥门闩闪闭开间合板关升阵陆际险只双离云电响页顶项顺须预顿头题额类顾显风台飞养余驳骗验发须面面面么么点齐出龟";

/// Traditional characters to Simplified ones.
#[derive(Debug)]
pub(super) struct Fold(HashMap<char, char>);

impl Fold {
    pub(super) fn new() -> Self {
        Self(TRADITIONAL.chars().zip(SIMPLIFIED.chars()).collect())
    }

    pub(super) fn apply(&self, text: &str) -> String {
        text.chars().map(|c| self.0.get(&c).copied().unwrap_or(c)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_stand_in_line() {
        assert_eq!(TRADITIONAL.chars().count(), SIMPLIFIED.chars().count());
        assert_eq!(Fold::new().apply("訂單已關閉，請確認"), "订单已关闭，请确认");
    }
}
