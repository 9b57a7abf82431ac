// ky.cc - Kyrgyz.  A hyphen between number and word makes an ordinal: "5-класс", "2024-жылы".
#include "kani/text/languages/languages.h"

namespace kani {

namespace {

constexpr std::string_view kOrdinal = "%spellout-ordinal";

constexpr OrdinalSuffix kOrdinalSuffixes[] = {
    {U"-чи", kOrdinal},
    {U"-чы", kOrdinal},
    {U"-чу", kOrdinal},
    {U"-чү", kOrdinal},
};

constexpr Follower kFollowers[] = {
    {U"жыл", kOrdinal, 1000},    {U"жылы", kOrdinal, 1000},   {U"жылга", kOrdinal, 1000},
    {U"жылдан", kOrdinal, 1000}, {U"жылдын", kOrdinal, 1000},
};

constexpr Currency kCurrencies[] = {
    {U"сом", U"KGS", {U"сом"}, {U"тыйын"}},
    {U"$", U"USD", {U"доллар"}, {U"цент"}},
    {U"€", U"EUR", {U"евро"}, {U"цент"}},
    {U"£", U"GBP", {U"фунт"}, {U"пенс"}},
    {U"₽", U"RUB", {U"рубль"}, {U"тыйын"}},
    {U"₸", U"KZT", {U"теңге"}, {}},
    {U"¥", U"JPY", {U"иена"}, {}},
};

constexpr Magnitude kMagnitudes[] = {
    {U"миң", {U"миң"}},         {U"млн", {U"миллион"}},       {U"млрд", {U"миллиард"}},
    {U"миллион", {U"миллион"}}, {U"миллиард", {U"миллиард"}},
};

constexpr Unit kUnits[] = {
    {U"%", {U"пайыз"}},
    {U"°", {U"градус"}},
    {U"°C", {U"градус Цельсий"}},
    {U"°С", {U"градус Цельсий"}},
    {U"мм", {U"миллиметр"}},
    {U"см", {U"сантиметр"}},
    {U"м", {U"метр"}},
    {U"км", {U"километр"}},
    {U"м²", {U"чарчы метр"}},
    {U"км²", {U"чарчы километр"}},
    {U"га", {U"гектар"}},
    {U"г", {U"грамм"}},
    {U"кг", {U"килограмм"}},
    {U"т", {U"тонна"}},
    {U"мл", {U"миллилитр"}},
    {U"л", {U"литр"}},
    {U"сек", {U"секунд"}},
    {U"мүн", {U"мүнөт"}},
    {U"мин", {U"мүнөт"}},
    {U"км/саат", {U"километр саатына"}},
    {U"кВт", {U"киловатт"}},
    {U"Вт", {U"ватт"}},
    {U"Гц", {U"герц"}},
    {U"МБ", {U"мегабайт"}},
    {U"ГБ", {U"гигабайт"}},
};

constexpr std::u32string_view kMonths[] = {
    U"январь", U"февраль", U"март",     U"апрель",  U"май",    U"июнь",
    U"июль",   U"август",  U"сентябрь", U"октябрь", U"ноябрь", U"декабрь",
};

constexpr Symbol kSymbols[] = {
    {U'&', U"жана"},
    {U'@', U"эт"},
    {U'#', U"номер", SymbolPlace::kBeforeNumber},
    {U'#', U"хештег", SymbolPlace::kBeforeWord},
    {U'№', U"номер"},
    {U'+', U"плюс"},
    {U'=', U"барабар"},
    {U'/', U"бөлүү", SymbolPlace::kBetweenNumbers},
    {U'%', U"пайыз"},
    {U'~', U"болжол менен", SymbolPlace::kBeforeNumber},
    {U'*', U"көбөйтүү", SymbolPlace::kBetweenNumbers},
    {U'<', U"кичине", SymbolPlace::kBetweenNumbers},
    {U'>', U"чоң", SymbolPlace::kBetweenNumbers},
    {U'°', U"градус"},
    {U'×', U"көбөйтүү"},
    {U'÷', U"бөлүү"},
    {U'−', U"минус"},
    {U'²', U"квадрат"},
    {U'³', U"куб"},
    {U'$', U"доллар"},
    {U'€', U"евро"},
};

constexpr Symbol kUrlSymbols[] = {
    {U'.', U"чекит"},     {U'/', U"слеш"}, {U'-', U"дефис"},         {U'_', U"астыңкы сызык"},
    {U':', U"кош чекит"}, {U'@', U"эт"},   {U'?', U"суроо белгиси"}, {U'=', U"барабар"},
    {U'&', U"жана"},      {U'#', U"тор"},  {U'%', U"пайыз"},         {U'+', U"плюс"},
};

constexpr AbbreviationPlace kNumber = AbbreviationPlace::kBeforeNumber;
constexpr AbbreviationPlace kAny = AbbreviationPlace::kAnywhere;

constexpr Abbreviation kAbbreviations[] = {
    {U"ж.б.", U"жана башка", kAny, true},
    {U"ж. б.", U"жана башка", kAny, true},
    {U"б.з.", U"биздин заман", kAny, true},
    {U"м.", U"мисалы", kAny},
    {U"тел.", U"телефон", kAny},
    {U"көч.", U"көчөсү", kAny},
    {U"б.", U"бет", kNumber},
};

}  // namespace

constexpr Language kKyrgyz = {
    .tag = "ky",
    .decimal_mark = U',',
    .group_mark = U'\u00A0',
    .space_groups = true,
    .numbering = "%spellout-numbering",
    .plurals = U"one|other",
    .fraction_style = FractionStyle::kRules,
    .decimal_word = U"үтүр",
    .minus = U"минус",
    .plus = U"плюс",
    .ratio_word = U"карата",
    .ordinal_suffixes = kOrdinalSuffixes,
    .hyphen_ordinal = kOrdinal,
    .followers = kFollowers,
    .mixed_joiner = U" бүтүн ",
    .currencies = kCurrencies,
    .money_joiner = U" ",
    .magnitudes = kMagnitudes,
    .units = kUnits,
    .months = kMonths,
    .date_pattern = U"{y} жылдын {d} {m}",
    .date_day = kOrdinal,
    .date_year = kOrdinal,
    .day_before_month = kOrdinal,
    .time_pattern = U"{h} {m}",
    .time_full_hour = U"{h} саат",
    .time_small_minute = U"нөл {m}",
    .time_seconds = U" {s} секунд",
    .symbols = kSymbols,
    .url_symbols = kUrlSymbols,
    .abbreviations = kAbbreviations,
};

}  // namespace kani
