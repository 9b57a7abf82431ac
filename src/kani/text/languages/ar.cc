// ar.cc - Arabic.  One and two of a thing are said by the noun alone; the forms behind other
// numbers are the plural from three to ten and the singular above.
#include "kani/text/languages/languages.h"

namespace kani {

namespace {

constexpr Gender kM = Gender::kMasculine;
constexpr Gender kF = Gender::kFeminine;

constexpr FractionName kFractions[] = {
    {2, {U"# نصف|=نصف|=نصفان|أنصاف", kM}},  {3, {U"# ثلث|=ثلث|=ثلثان|أثلاث", kM}},
    {4, {U"# ربع|=ربع|=ربعان|أرباع", kM}},  {5, {U"# خمس|=خمس|=خمسان|أخماس", kM}},
    {10, {U"# عشر|=عشر|=عشران|أعشار", kM}},
};

// Forms: zero, one, two, few, many, other.
constexpr Currency kCurrencies[] = {
    {U"$",
     U"USD",
     {U"دولار|=دولار واحد|=دولاران|دولارات|دولارا|دولار"},
     {U"سنت|=سنت واحد|=سنتان|سنتات|سنتا|سنت"}},
    {U"€", U"EUR", {U"يورو|=يورو واحد|يورو"}, {U"سنت|=سنت واحد|=سنتان|سنتات|سنتا|سنت"}},
    {U"£", U"GBP", {U"جنيه|=جنيه واحد|=جنيهان|جنيهات|جنيها|جنيه"}, {}},
    {U"¥", U"JPY", {U"ين"}, {}},
    {U"",
     U"SAR",
     {U"ريال|=ريال واحد|=ريالان|ريالات|ريالا|ريال"},
     {U"هللة|=هللة واحدة|=هللتان|هللات|هللة|هللة", kF}},
    {U"", U"AED", {U"درهم|=درهم واحد|=درهمان|دراهم|درهما|درهم"}, {}},
    {U"", U"EGP", {U"جنيه|=جنيه واحد|=جنيهان|جنيهات|جنيها|جنيه"}, {}},
};

constexpr Magnitude kMagnitudes[] = {
    {U"ألف", {U"ألف"}},
    {U"مليون", {U"مليون"}},
    {U"مليار", {U"مليار"}},
};

constexpr Unit kUnits[] = {
    {U"%", {U"بالمئة"}},
    {U"٪", {U"بالمئة"}},
    {U"°", {U"درجة|=درجة واحدة|=درجتان|درجات|درجة|درجة", kF}},
    {U"°C",
     {U"درجة مئوية|=درجة مئوية واحدة|=درجتان مئويتان|درجات مئوية|درجة مئوية|درجة مئوية", kF}},
    {U"مم", {U"مليمتر"}},
    {U"سم", {U"سنتيمتر"}},
    {U"م", {U"متر|=متر واحد|=متران|أمتار|مترا|متر"}},
    {U"كم", {U"كيلومتر|=كيلومتر واحد|=كيلومتران|كيلومترات|كيلومترا|كيلومتر"}},
    {U"كجم", {U"كيلوغرام|=كيلوغرام واحد|=كيلوغرامان|كيلوغرامات|كيلوغراما|كيلوغرام"}},
    {U"كغ", {U"كيلوغرام|=كيلوغرام واحد|=كيلوغرامان|كيلوغرامات|كيلوغراما|كيلوغرام"}},
    {U"cm", {U"سنتيمتر"}},
    {U"m", {U"متر|=متر واحد|=متران|أمتار|مترا|متر"}},
    {U"km", {U"كيلومتر|=كيلومتر واحد|=كيلومتران|كيلومترات|كيلومترا|كيلومتر"}},
    {U"g", {U"غرام|=غرام واحد|=غرامان|غرامات|غراما|غرام"}},
    {U"kg", {U"كيلوغرام|=كيلوغرام واحد|=كيلوغرامان|كيلوغرامات|كيلوغراما|كيلوغرام"}},
    {U"km/h",
     {U"كيلومتر في الساعة|=كيلومتر في الساعة|=كيلومتران في الساعة|كيلومترات في الساعة|"
      U"كيلومترا في الساعة|كيلومتر في الساعة"}},
    {U"MB", {U"ميغابايت"}},
    {U"GB", {U"غيغابايت"}},
};

constexpr std::u32string_view kMonths[] = {
    U"يناير", U"فبراير", U"مارس",   U"أبريل",  U"مايو",   U"يونيو",
    U"يوليو", U"أغسطس",  U"سبتمبر", U"أكتوبر", U"نوفمبر", U"ديسمبر",
};

constexpr Symbol kSymbols[] = {
    {U'&', U"و"},
    {U'@', U"آت"},
    {U'#', U"رقم", SymbolPlace::kBeforeNumber},
    {U'#', U"وسم", SymbolPlace::kBeforeWord},
    {U'+', U"زائد"},
    {U'=', U"يساوي"},
    {U'/', U"لكل", SymbolPlace::kAfterQuantity},
    {U'/', U"شرطة مائلة", SymbolPlace::kBetweenWords},
    {U'%', U"بالمئة"},
    {U'٪', U"بالمئة"},
    {U'~', U"حوالي", SymbolPlace::kBeforeNumber},
    {U'*', U"ضرب", SymbolPlace::kBetweenNumbers},
    {U'<', U"أصغر من", SymbolPlace::kBetweenNumbers},
    {U'>', U"أكبر من", SymbolPlace::kBetweenNumbers},
    {U'°', U"درجة"},
    {U'×', U"ضرب"},
    {U'÷', U"على"},
    {U'−', U"ناقص"},
    {U'≈', U"تقريبا"},
};

constexpr Symbol kUrlSymbols[] = {
    {U'.', U"نقطة"},   {U'/', U"شرطة مائلة"}, {U'-', U"شرطة"},          {U'_', U"شرطة سفلية"},
    {U':', U"نقطتان"}, {U'@', U"آت"},         {U'?', U"علامة استفهام"}, {U'=', U"يساوي"},
    {U'&', U"و"},      {U'#', U"وسم"},        {U'%', U"بالمئة"},        {U'+', U"زائد"},
};

constexpr Abbreviation kAbbreviations[] = {
    {U"د.", U"دكتور"},
    {U"أ.", U"أستاذ"},
};

}  // namespace

constexpr Language kArabic = {
    .tag = "ar",
    .decimal_mark = U'.',
    .group_mark = U',',
    .numbering = "%spellout-numbering",
    .cardinal = {"%spellout-cardinal-masculine", "%spellout-cardinal-feminine"},
    .plurals = U"zero|one|two|few|many|other",
    .decimal_word = U"فاصل",
    .minus = U"ناقص",
    .plus = U"زائد",
    .range_word = U" إلى ",
    .ratio_word = U"إلى",
    .fractions = kFractions,
    .mixed_joiner = U" و",
    .currencies = kCurrencies,
    .money_joiner = U" و",
    .magnitudes = kMagnitudes,
    .units = kUnits,
    .months = kMonths,
    .date_pattern = U"{d} {m} {y}",
    .date_day = "%spellout-numbering",
    .date_year = "%spellout-numbering-year",
    .time_pattern = U"{h} و{m} دقيقة",
    .time_full_hour = U"{h}",
    .time_seconds = U" و{s} ثانية",
    .time_hour = "%spellout-ordinal-feminine",
    .symbols = kSymbols,
    .url_symbols = kUrlSymbols,
    .abbreviations = kAbbreviations,
};

}  // namespace kani
