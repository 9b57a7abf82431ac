// zh.cc - Mandarin Chinese.  Words of numbers stand without spaces.
#include "kani/text/languages/languages.h"

namespace kani {

namespace {

constexpr std::string_view kLiang = "%spellout-cardinal-alternate2";  // 两 instead of 二

constexpr Follower kFollowers[] = {
    {U"年", "%spellout-numbering-year", 1000},
    {U"年", kLiang, 0, 999},
    {U"个", kLiang},
    {U"個", kLiang},
    {U"位", kLiang},
    {U"只", kLiang},
    {U"条", kLiang},
    {U"张", kLiang},
    {U"本", kLiang},
    {U"次", kLiang},
    {U"天", kLiang},
    {U"件", kLiang},
    {U"家", kLiang},
    {U"点", kLiang},
    {U"小时", kLiang},
    {U"分钟", kLiang},
    {U"种", kLiang},
    {U"岁", kLiang},
};

constexpr Currency kCurrencies[] = {
    {U"¥", U"CNY", {U"元"}, {}},          {U"￥", U"RMB", {U"元"}, {}},
    {U"$", U"USD", {U"美元"}, {U"美分"}}, {U"US$", U"", {U"美元"}, {U"美分"}},
    {U"€", U"EUR", {U"欧元"}, {U"欧分"}}, {U"£", U"GBP", {U"英镑"}, {U"便士"}},
    {U"₩", U"KRW", {U"韩元"}, {}},        {U"₽", U"RUB", {U"卢布"}, {}},
    {U"", U"JPY", {U"日元"}, {}},
};

constexpr Magnitude kMagnitudes[] = {
    {U"万", {U"万"}},
    {U"亿", {U"亿"}},
};

constexpr Unit kUnits[] = {
    {U"%", {U"百分之#"}},    {U"％", {U"百分之#"}},
    {U"‰", {U"千分之#"}},    {U"°", {U"度"}},
    {U"°C", {U"摄氏度"}},    {U"℃", {U"摄氏度"}},
    {U"°F", {U"华氏度"}},    {U"mm", {U"毫米"}},
    {U"cm", {U"厘米"}},      {U"m", {U"米"}},
    {U"km", {U"公里"}},      {U"m²", {U"平方米"}},
    {U"km²", {U"平方公里"}}, {U"m³", {U"立方米"}},
    {U"mg", {U"毫克"}},      {U"g", {U"克"}},
    {U"kg", {U"公斤"}},      {U"t", {U"吨"}},
    {U"ml", {U"毫升"}},      {U"mL", {U"毫升"}},
    {U"l", {U"升"}},         {U"L", {U"升"}},
    {U"ms", {U"毫秒"}},      {U"s", {U"秒"}},
    {U"min", {U"分钟"}},     {U"h", {U"小时"}},
    {U"m/s", {U"米每秒"}},   {U"km/h", {U"公里每小时"}},
    {U"Hz", {U"赫兹"}},      {U"kHz", {U"千赫"}},
    {U"MHz", {U"兆赫"}},     {U"GHz", {U"吉赫"}},
    {U"V", {U"伏"}},         {U"W", {U"瓦"}},
    {U"kW", {U"千瓦"}},      {U"kWh", {U"千瓦时"}},
    {U"dB", {U"分贝"}},
};

constexpr std::u32string_view kMonths[] = {
    U"一月", U"二月", U"三月", U"四月", U"五月",   U"六月",
    U"七月", U"八月", U"九月", U"十月", U"十一月", U"十二月",
};

constexpr Symbol kSymbols[] = {
    {U'&', U"和"},
    {U'@', U"艾特"},
    {U'#', U"号", SymbolPlace::kBeforeNumber},
    {U'+', U"加"},
    {U'=', U"等于"},
    {U'/', U"每", SymbolPlace::kAfterQuantity},
    {U'%', U"百分之"},
    {U'~', U"约", SymbolPlace::kBeforeNumber},
    {U'*', U"乘以", SymbolPlace::kBetweenNumbers},
    {U'<', U"小于", SymbolPlace::kBetweenNumbers},
    {U'>', U"大于", SymbolPlace::kBetweenNumbers},
    {U'°', U"度"},
    {U'℃', U"摄氏度"},
    {U'×', U"乘以"},
    {U'÷', U"除以"},
    {U'±', U"正负"},
    {U'−', U"减"},
    {U'≈', U"约等于"},
    {U'≤', U"小于等于"},
    {U'≥', U"大于等于"},
    {U'²', U"平方"},
    {U'³', U"立方"},
    {U'～', U"～"},
};

constexpr Symbol kUrlSymbols[] = {
    {U'.', U"点"},   {U'/', U"斜杠"}, {U'-', U"杠"},     {U'_', U"下划线"},
    {U':', U"冒号"}, {U'@', U"艾特"}, {U'?', U"问号"},   {U'=', U"等于"},
    {U'&', U"和"},   {U'#', U"井号"}, {U'%', U"百分号"}, {U'+', U"加"},
};

}  // namespace

constexpr Language kChinese = {
    .tag = "zh",
    .decimal_mark = U'.',
    .group_mark = U',',
    .numbering = "%spellout-cardinal",
    .plurals = U"other",
    .word_space = U"",
    .decimal_word = U"点",
    .minus = U"负",
    .plus = U"加",
    .range_word = U"到",
    .range_marks = U"-–~～〜",
    .ratio_word = U"比",
    .followers = kFollowers,
    .fraction_pattern = U"{d}分之{n}",
    .mixed_joiner = U"又",
    .currencies = kCurrencies,
    .money_joiner = U"",
    .magnitudes = kMagnitudes,
    .units = kUnits,
    .date_order = DateOrder::kYearMonthDay,
    .months = kMonths,
    .date_pattern = U"{y}年{m}{d}日",
    .date_day = "%spellout-cardinal",
    .date_year = "%spellout-numbering-year",
    .time_pattern = U"{h}点{m}分",
    .time_full_hour = U"{h}点",
    .time_small_minute = U"零{m}",
    .time_seconds = U"{s}秒",
    .time_hour = "%spellout-cardinal-alternate2",
    .symbols = kSymbols,
    .url_symbols = kUrlSymbols,
};

}  // namespace kani
