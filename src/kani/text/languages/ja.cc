// ja.cc - Japanese.  Words of numbers stand without spaces; native counters (一つ, 二人) are left
// to the reading of the characters.
#include "kani/text/languages/languages.h"

namespace kani {

namespace {

constexpr Currency kCurrencies[] = {
    {U"¥", U"JPY", {U"円"}, {}},
    {U"￥", U"", {U"円"}, {}},
    {U"$", U"USD", {U"ドル"}, {U"セント"}},
    {U"€", U"EUR", {U"ユーロ"}, {U"セント"}},
    {U"£", U"GBP", {U"ポンド"}, {U"ペンス"}},
    {U"₩", U"KRW", {U"ウォン"}, {}},
    {U"", U"CNY", {U"人民元"}, {}},
    {U"₽", U"RUB", {U"ルーブル"}, {}},
};

constexpr Magnitude kMagnitudes[] = {
    {U"万", {U"万"}},
    {U"億", {U"億"}},
    {U"兆", {U"兆"}},
};

constexpr Unit kUnits[] = {
    {U"%", {U"パーセント"}},
    {U"％", {U"パーセント"}},
    {U"‰", {U"パーミル"}},
    {U"°", {U"度"}},
    {U"°C", {U"度"}},
    {U"℃", {U"度"}},
    {U"mm", {U"ミリメートル"}},
    {U"cm", {U"センチメートル"}},
    {U"m", {U"メートル"}},
    {U"km", {U"キロメートル"}},
    {U"m²", {U"平方メートル"}},
    {U"km²", {U"平方キロメートル"}},
    {U"m³", {U"立方メートル"}},
    {U"mg", {U"ミリグラム"}},
    {U"g", {U"グラム"}},
    {U"kg", {U"キログラム"}},
    {U"t", {U"トン"}},
    {U"ml", {U"ミリリットル"}},
    {U"mL", {U"ミリリットル"}},
    {U"l", {U"リットル"}},
    {U"L", {U"リットル"}},
    {U"ms", {U"ミリ秒"}},
    {U"s", {U"秒"}},
    {U"min", {U"分"}},
    {U"h", {U"時間"}},
    {U"m/s", {U"メートル毎秒"}},
    {U"km/h", {U"キロメートル毎時"}},
    {U"Hz", {U"ヘルツ"}},
    {U"kHz", {U"キロヘルツ"}},
    {U"MHz", {U"メガヘルツ"}},
    {U"GHz", {U"ギガヘルツ"}},
    {U"V", {U"ボルト"}},
    {U"W", {U"ワット"}},
    {U"kW", {U"キロワット"}},
    {U"dB", {U"デシベル"}},
    {U"KB", {U"キロバイト"}},
    {U"MB", {U"メガバイト"}},
    {U"GB", {U"ギガバイト"}},
    {U"TB", {U"テラバイト"}},
};

constexpr std::u32string_view kMonths[] = {
    U"一月", U"二月", U"三月", U"四月", U"五月",   U"六月",
    U"七月", U"八月", U"九月", U"十月", U"十一月", U"十二月",
};

constexpr Symbol kSymbols[] = {
    {U'&', U"アンド"},
    {U'@', U"アット"},
    {U'#', U"ナンバー", SymbolPlace::kBeforeNumber},
    {U'#', U"ハッシュタグ", SymbolPlace::kBeforeWord},
    {U'+', U"プラス"},
    {U'=', U"イコール"},
    {U'/', U"毎", SymbolPlace::kAfterQuantity},
    {U'%', U"パーセント"},
    {U'~', U"約", SymbolPlace::kBeforeNumber},
    {U'*', U"かける", SymbolPlace::kBetweenNumbers},
    {U'<', U"小なり", SymbolPlace::kBetweenNumbers},
    {U'>', U"大なり", SymbolPlace::kBetweenNumbers},
    {U'°', U"度"},
    {U'℃', U"度"},
    {U'×', U"かける"},
    {U'÷', U"割る"},
    {U'±', U"プラスマイナス"},
    {U'−', U"マイナス"},
    {U'≈', U"約"},
    {U'≤', U"以下"},
    {U'≥', U"以上"},
    {U'²', U"二乗"},
    {U'³', U"三乗"},
    {U'～', U"～"},
};

constexpr Symbol kUrlSymbols[] = {
    {U'.', U"ドット"}, {U'/', U"スラッシュ"}, {U'-', U"ハイフン"},     {U'_', U"アンダーバー"},
    {U':', U"コロン"}, {U'@', U"アット"},     {U'?', U"クエスチョン"}, {U'=', U"イコール"},
    {U'&', U"アンド"}, {U'#', U"シャープ"},   {U'%', U"パーセント"},   {U'+', U"プラス"},
};

}  // namespace

constexpr Language kJapanese = {
    .tag = "ja",
    .decimal_mark = U'.',
    .group_mark = U',',
    .numbering = "%spellout-numbering",
    .plurals = U"other",
    .word_space = U"",
    .decimal_word = U"点",
    .minus = U"マイナス",
    .plus = U"プラス",
    .range_word = U"から",
    .range_marks = U"-–~～〜",
    .ratio_word = U"対",
    .fraction_pattern = U"{d}分の{n}",
    .mixed_joiner = U"と",
    .currencies = kCurrencies,
    .money_joiner = U"",
    .magnitudes = kMagnitudes,
    .units = kUnits,
    .date_order = DateOrder::kYearMonthDay,
    .months = kMonths,
    .date_pattern = U"{y}年{m}{d}日",
    .date_day = "%spellout-numbering",
    .date_year = "%spellout-numbering",
    .time_pattern = U"{h}時{m}分",
    .time_full_hour = U"{h}時",
    .time_seconds = U"{s}秒",
    .symbols = kSymbols,
    .url_symbols = kUrlSymbols,
};

}  // namespace kani
