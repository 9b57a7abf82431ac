// ru.cc - Russian.  ICU's rules for years give a genitive, right in a date ("15 марта 2024 года")
// and wrong everywhere else: a year standing alone is read as a cardinal.
#include "kani/text/languages/languages.h"

namespace kani {

namespace {

constexpr Gender kM = Gender::kMasculine;
constexpr Gender kF = Gender::kFeminine;

constexpr OrdinalSuffix kOrdinalSuffixes[] = {
    {U"-й", "%spellout-ordinal-masculine"},
    {U"-ый", "%spellout-ordinal-masculine"},
    {U"-ий", "%spellout-ordinal-masculine"},
    {U"-я", "%spellout-ordinal-feminine"},
    {U"-ая", "%spellout-ordinal-feminine"},
    {U"-е", "%spellout-ordinal-neuter"},
    {U"-ое", "%spellout-ordinal-neuter"},
    {U"-го", "%spellout-ordinal-masculine-genitive"},
    {U"-му", "%spellout-ordinal-masculine-dative"},
    {U"-м", "%spellout-ordinal-masculine-locative"},
    {U"-х", "%spellout-ordinal-plural-genitive"},
};

constexpr Follower kFollowers[] = {
    {U"год", "%spellout-ordinal-masculine", 1000},
    {U"года", "%spellout-ordinal-masculine-genitive", 1000},
    {U"году", "%spellout-ordinal-masculine-locative", 1000},
    {U"годом", "%spellout-ordinal-masculine-ablative", 1000},
    {U"г", "%spellout-ordinal-masculine-genitive", 1000},
};

constexpr FractionName kFractions[] = {
    {2, {U"вторая|вторых", kF}},
    {3, {U"треть|трети|третей", kF}},
    {4, {U"четверть|четверти|четвертей", kF}},
    {5, {U"пятая|пятых", kF}},
    {6, {U"шестая|шестых", kF}},
    {8, {U"восьмая|восьмых", kF}},
    {10, {U"десятая|десятых", kF}},
    {100, {U"сотая|сотых", kF}},
};

// Forms: one, few, many, other (behind a fraction).
constexpr Currency kCurrencies[] = {
    {U"₽", U"RUB", {U"рубль|рубля|рублей|рубля"}, {U"копейка|копейки|копеек|копейки", kF}},
    {U"руб.", U"", {U"рубль|рубля|рублей|рубля"}, {U"копейка|копейки|копеек|копейки", kF}},
    {U"$", U"USD", {U"доллар|доллара|долларов|доллара"}, {U"цент|цента|центов|цента"}},
    {U"€", U"EUR", {U"евро", kM}, {U"цент|цента|центов|цента"}},
    {U"£", U"GBP", {U"фунт|фунта|фунтов|фунта"}, {U"пенс|пенса|пенсов|пенса"}},
    {U"¥", U"JPY", {U"иена|иены|иен|иены", kF}, {}},
    {U"₴", U"UAH", {U"гривна|гривны|гривен|гривны", kF}, {U"копейка|копейки|копеек|копейки", kF}},
    {U"₸", U"KZT", {U"тенге"}, {}},
    {U"", U"KGS", {U"сом|сома|сомов|сома"}, {U"тыйын|тыйына|тыйынов|тыйына"}},
};

constexpr Magnitude kMagnitudes[] = {
    {U"тыс.", {U"тысяча|тысячи|тысяч|тысячи", kF}},
    {U"млн", {U"миллион|миллиона|миллионов|миллиона"}},
    {U"млрд", {U"миллиард|миллиарда|миллиардов|миллиарда"}},
    {U"тысяч", {U"тысяча|тысячи|тысяч|тысячи", kF}},
    {U"тысячи", {U"тысяча|тысячи|тысяч|тысячи", kF}},
    {U"миллион", {U"миллион|миллиона|миллионов|миллиона"}},
    {U"миллиона", {U"миллион|миллиона|миллионов|миллиона"}},
    {U"миллионов", {U"миллион|миллиона|миллионов|миллиона"}},
    {U"миллиардов", {U"миллиард|миллиарда|миллиардов|миллиарда"}},
};

constexpr Unit kUnits[] = {
    {U"%", {U"процент|процента|процентов|процента"}},
    {U"‰", {U"промилле"}},
    {U"°", {U"градус|градуса|градусов|градуса"}},
    {U"°C", {U"градус Цельсия|градуса Цельсия|градусов Цельсия|градуса Цельсия"}},
    {U"°С", {U"градус Цельсия|градуса Цельсия|градусов Цельсия|градуса Цельсия"}},
    {U"мм", {U"миллиметр|миллиметра|миллиметров|миллиметра"}},
    {U"см", {U"сантиметр|сантиметра|сантиметров|сантиметра"}},
    {U"м", {U"метр|метра|метров|метра"}},
    {U"км", {U"километр|километра|километров|километра"}},
    {U"м²", {U"квадратный метр|квадратных метра|квадратных метров|квадратного метра"}},
    {U"км²",
     {U"квадратный километр|квадратных километра|квадратных километров|квадратного километра"}},
    {U"м³", {U"кубический метр|кубических метра|кубических метров|кубического метра"}},
    {U"га", {U"гектар|гектара|гектаров|гектара"}},
    {U"мг", {U"миллиграмм|миллиграмма|миллиграммов|миллиграмма"}},
    {U"г", {U"грамм|грамма|граммов|грамма"}},
    {U"кг", {U"килограмм|килограмма|килограммов|килограмма"}},
    {U"т", {U"тонна|тонны|тонн|тонны", kF}},
    {U"мл", {U"миллилитр|миллилитра|миллилитров|миллилитра"}},
    {U"л", {U"литр|литра|литров|литра"}},
    {U"мс", {U"миллисекунда|миллисекунды|миллисекунд|миллисекунды", kF}},
    {U"с", {U"секунда|секунды|секунд|секунды", kF}, true},
    {U"сек", {U"секунда|секунды|секунд|секунды", kF}},
    {U"мин", {U"минута|минуты|минут|минуты", kF}},
    {U"ч", {U"час|часа|часов|часа"}},
    {U"м/с", {U"метр в секунду|метра в секунду|метров в секунду|метра в секунду"}},
    {U"км/ч", {U"километр в час|километра в час|километров в час|километра в час"}},
    {U"Гц", {U"герц|герца|герц|герца"}},
    {U"кГц", {U"килогерц|килогерца|килогерц|килогерца"}},
    {U"МГц", {U"мегагерц|мегагерца|мегагерц|мегагерца"}},
    {U"ГГц", {U"гигагерц|гигагерца|гигагерц|гигагерца"}},
    {U"В", {U"вольт|вольта|вольт|вольта"}, true},
    {U"Вт", {U"ватт|ватта|ватт|ватта"}},
    {U"кВт", {U"киловатт|киловатта|киловатт|киловатта"}},
    {U"ккал", {U"килокалория|килокалории|килокалорий|килокалории", kF}},
    {U"дБ", {U"децибел|децибела|децибел|децибела"}},
    {U"КБ", {U"килобайт|килобайта|килобайт|килобайта"}},
    {U"МБ", {U"мегабайт|мегабайта|мегабайт|мегабайта"}},
    {U"ГБ", {U"гигабайт|гигабайта|гигабайт|гигабайта"}},
    {U"ТБ", {U"терабайт|терабайта|терабайт|терабайта"}},
};

constexpr std::u32string_view kMonths[] = {
    U"января", U"февраля", U"марта",    U"апреля",  U"мая",    U"июня",
    U"июля",   U"августа", U"сентября", U"октября", U"ноября", U"декабря",
};

constexpr Symbol kSymbols[] = {
    {U'&', U"и"},
    {U'@', U"собака"},
    {U'#', U"номер", SymbolPlace::kBeforeNumber},
    {U'#', U"хештег", SymbolPlace::kBeforeWord},
    {U'№', U"номер"},
    {U'+', U"плюс"},
    {U'=', U"равно"},
    {U'/', U"в", SymbolPlace::kAfterQuantity},
    {U'/', U"дробь", SymbolPlace::kBetweenWords},
    {U'%', U"процент"},
    {U'~', U"около", SymbolPlace::kBeforeNumber},
    {U'*', U"умножить на", SymbolPlace::kBetweenNumbers},
    {U'<', U"меньше", SymbolPlace::kBetweenNumbers},
    {U'>', U"больше", SymbolPlace::kBetweenNumbers},
    {U'°', U"градусов"},
    {U'×', U"умножить на"},
    {U'÷', U"разделить на"},
    {U'±', U"плюс-минус"},
    {U'−', U"минус"},
    {U'≈', U"примерно"},
    {U'≤', U"не больше"},
    {U'≥', U"не меньше"},
    {U'²', U"в квадрате"},
    {U'³', U"в кубе"},
    {U'§', U"параграф"},
    {U'€', U"евро"},
    {U'$', U"долларов"},
    {U'₽', U"рублей"},
};

constexpr Symbol kUrlSymbols[] = {
    {U'.', U"точка"},     {U'/', U"слеш"},    {U'-', U"дефис"},        {U'_', U"подчёркивание"},
    {U':', U"двоеточие"}, {U'@', U"собака"},  {U'?', U"знак вопроса"}, {U'=', U"равно"},
    {U'&', U"и"},         {U'#', U"решётка"}, {U'%', U"процент"},      {U'~', U"тильда"},
    {U'+', U"плюс"},
};

constexpr AbbreviationPlace kName = AbbreviationPlace::kBeforeName;
constexpr AbbreviationPlace kNumber = AbbreviationPlace::kBeforeNumber;
constexpr AbbreviationPlace kAny = AbbreviationPlace::kAnywhere;

constexpr Abbreviation kAbbreviations[] = {
    {U"т. е.", U"то есть", kAny},
    {U"т.е.", U"то есть", kAny},
    {U"т. д.", U"так далее", kAny, true},
    {U"т.д.", U"так далее", kAny, true},
    {U"т. п.", U"тому подобное", kAny, true},
    {U"т.п.", U"тому подобное", kAny, true},
    {U"т. к.", U"так как", kAny},
    {U"т.к.", U"так как", kAny},
    {U"др.", U"другие", kAny, true},
    {U"г-н", U"господин", kName},
    {U"г-жа", U"госпожа", kName},
    {U"г.", U"года", AbbreviationPlace::kAfterNumber},
    {U"гг.", U"годов", AbbreviationPlace::kAfterNumber},
    {U"г.", U"город", kName},
    {U"ул.", U"улица", kName},
    {U"пр.", U"проспект", kName},
    {U"им.", U"имени", kName},
    {U"д.", U"дом", kNumber},
    {U"кв.", U"квартира", kNumber},
    {U"стр.", U"страница", kNumber},
    {U"с.", U"страница", kNumber},
    {U"гл.", U"глава", kNumber},
    {U"рис.", U"рисунок", kNumber},
    {U"табл.", U"таблица", kNumber},
    {U"тел.", U"телефон", kAny},
    {U"проф.", U"профессор", kName},
    {U"акад.", U"академик", kName},
    {U"см.", U"смотри", kAny},
    {U"напр.", U"например", kAny},
    {U"руб.", U"", kAny, true},
    {U"тыс.", U"", kAny},
    {U"до н. э.", U"до нашей эры", kAny, true},
    {U"н. э.", U"нашей эры", kAny, true},
};

}  // namespace

constexpr Language kRussian = {
    .tag = "ru",
    .decimal_mark = U',',
    .group_mark = U'\u00A0',
    .space_groups = true,
    .numbering = "%spellout-numbering",
    .cardinal = {"%spellout-cardinal-masculine", "%spellout-cardinal-feminine",
                 "%spellout-cardinal-neuter"},
    .plurals = U"one|few|many|other",
    .fraction_style = FractionStyle::kRules,
    .decimal_word = U"запятая",
    .minus = U"минус",
    .plus = U"плюс",
    .ratio_word = U"к",
    .ordinal_suffixes = kOrdinalSuffixes,
    .followers = kFollowers,
    .fractions = kFractions,
    .mixed_joiner = U" и ",
    .currencies = kCurrencies,
    .money_joiner = U" ",
    .magnitudes = kMagnitudes,
    .magnitude_plural = U"many",
    .units = kUnits,
    .months = kMonths,
    .date_pattern = U"{d} {m} {y} года",
    .date_day = "%spellout-ordinal-neuter",
    .date_year = "%spellout-ordinal-masculine-genitive",
    .day_before_month = "%spellout-ordinal-neuter",
    .time_pattern = U"{h} {m}",
    .time_full_hour = U"{h} {u}",
    .time_small_minute = U"ноль {m}",
    .time_seconds = U" и {s} секунд",
    .time_hour = "%spellout-cardinal-masculine",
    .hour_word = {U"час|часа|часов|часа"},
    .symbols = kSymbols,
    .url_symbols = kUrlSymbols,
    .abbreviations = kAbbreviations,
};

}  // namespace kani
