// ko.cc - Korean.  Counters choose between native and Chinese numerals.
#include "kani/text/languages/languages.h"

namespace kani {

namespace {

constexpr std::string_view kNative = "%spellout-cardinal-native-attributive";
constexpr std::string_view kSino = "%spellout-cardinal-sinokorean";

// The longest word wins: 개월 (months) before 개 (pieces).
constexpr Follower kFollowers[] = {
    {U"개월", kSino},          {U"개", kNative, 1, 99},   {U"명", kNative, 1, 99},
    {U"살", kNative, 1, 99},   {U"시간", kNative, 1, 99}, {U"시", kNative, 1, 12},
    {U"마리", kNative, 1, 99}, {U"잔", kNative, 1, 99},   {U"권", kNative, 1, 99},
    {U"번째", kNative, 1, 99}, {U"가지", kNative, 1, 99}, {U"사람", kNative, 1, 99},
    {U"대", kNative, 1, 99},   {U"병", kNative, 1, 99},   {U"장", kNative, 1, 99},
};

constexpr Currency kCurrencies[] = {
    {U"₩", U"KRW", {U"원"}, {}},
    {U"￦", U"", {U"원"}, {}},
    {U"$", U"USD", {U"달러"}, {U"센트"}},
    {U"€", U"EUR", {U"유로"}, {U"센트"}},
    {U"£", U"GBP", {U"파운드"}, {U"펜스"}},
    {U"¥", U"JPY", {U"엔"}, {}},
    {U"", U"CNY", {U"위안"}, {}},
    {U"₽", U"RUB", {U"루블"}, {}},
};

constexpr Magnitude kMagnitudes[] = {
    {U"만", {U"만"}},
    {U"억", {U"억"}},
    {U"조", {U"조"}},
};

constexpr Unit kUnits[] = {
    {U"%", {U"퍼센트"}},
    {U"‰", {U"퍼밀"}},
    {U"°", {U"도"}},
    {U"°C", {U"도"}},
    {U"℃", {U"도"}},
    {U"mm", {U"밀리미터"}},
    {U"cm", {U"센티미터"}},
    {U"m", {U"미터"}},
    {U"km", {U"킬로미터"}},
    {U"m²", {U"제곱미터"}},
    {U"km²", {U"제곱킬로미터"}},
    {U"m³", {U"세제곱미터"}},
    {U"mg", {U"밀리그램"}},
    {U"g", {U"그램"}},
    {U"kg", {U"킬로그램"}},
    {U"t", {U"톤"}},
    {U"ml", {U"밀리리터"}},
    {U"mL", {U"밀리리터"}},
    {U"l", {U"리터"}},
    {U"L", {U"리터"}},
    {U"ms", {U"밀리초"}},
    {U"s", {U"초"}},
    {U"min", {U"분"}},
    {U"m/s", {U"미터 매 초"}},
    {U"km/h", {U"킬로미터 매 시"}},
    {U"Hz", {U"헤르츠"}},
    {U"kHz", {U"킬로헤르츠"}},
    {U"MHz", {U"메가헤르츠"}},
    {U"GHz", {U"기가헤르츠"}},
    {U"V", {U"볼트"}},
    {U"W", {U"와트"}},
    {U"kW", {U"킬로와트"}},
    {U"dB", {U"데시벨"}},
    {U"KB", {U"킬로바이트"}},
    {U"MB", {U"메가바이트"}},
    {U"GB", {U"기가바이트"}},
    {U"TB", {U"테라바이트"}},
};

constexpr std::u32string_view kMonths[] = {
    U"일월", U"이월", U"삼월", U"사월", U"오월",   U"유월",
    U"칠월", U"팔월", U"구월", U"시월", U"십일월", U"십이월",
};

constexpr Symbol kSymbols[] = {
    {U'&', U"앤드"},
    {U'@', U"골뱅이"},
    {U'#', U"번호", SymbolPlace::kBeforeNumber},
    {U'#', U"해시태그", SymbolPlace::kBeforeWord},
    {U'+', U"더하기"},
    {U'=', U"는"},
    {U'/', U"당", SymbolPlace::kAfterQuantity},
    {U'%', U"퍼센트"},
    {U'~', U"약", SymbolPlace::kBeforeNumber},
    {U'*', U"곱하기", SymbolPlace::kBetweenNumbers},
    {U'<', U"작다", SymbolPlace::kBetweenNumbers},
    {U'>', U"크다", SymbolPlace::kBetweenNumbers},
    {U'°', U"도"},
    {U'℃', U"도"},
    {U'×', U"곱하기"},
    {U'÷', U"나누기"},
    {U'±', U"플러스마이너스"},
    {U'−', U"빼기"},
    {U'≈', U"약"},
    {U'≤', U"이하"},
    {U'≥', U"이상"},
    {U'²', U"제곱"},
    {U'³', U"세제곱"},
};

constexpr Symbol kUrlSymbols[] = {
    {U'.', U"점"},   {U'/', U"슬래시"}, {U'-', U"하이픈"}, {U'_', U"밑줄"},
    {U':', U"콜론"}, {U'@', U"골뱅이"}, {U'?', U"물음표"}, {U'=', U"이퀄"},
    {U'&', U"앤드"}, {U'#', U"샵"},     {U'%', U"퍼센트"}, {U'+', U"플러스"},
};

}  // namespace

constexpr Language kKorean = {
    .tag = "ko",
    .decimal_mark = U'.',
    .group_mark = U',',
    .numbering = "%spellout-cardinal-sinokorean",
    .plurals = U"other",
    .decimal_word = U"점",
    .minus = U"마이너스",
    .plus = U"플러스",
    .range_word = U"에서 ",
    .range_marks = U"-–~～〜",
    .ratio_word = U"대",
    .followers = kFollowers,
    .fraction_pattern = U"{d}분의 {n}",
    .mixed_joiner = U"과 ",
    .currencies = kCurrencies,
    .money_joiner = U" ",
    .magnitudes = kMagnitudes,
    .units = kUnits,
    .date_order = DateOrder::kYearMonthDay,
    .months = kMonths,
    .date_pattern = U"{y}년 {m} {d}일",
    .date_day = "%spellout-cardinal-sinokorean",
    .date_year = "%spellout-cardinal-sinokorean",
    .time_pattern = U"{h} 시 {m} 분",
    .time_full_hour = U"{h} 시",
    .time_seconds = U" {s} 초",
    .time_hour = "%spellout-cardinal-native-attributive",
    .symbols = kSymbols,
    .url_symbols = kUrlSymbols,
};

}  // namespace kani
