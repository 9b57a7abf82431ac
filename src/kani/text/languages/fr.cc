// fr.cc - French.
#include "kani/text/languages/languages.h"

namespace kani {

namespace {

constexpr Gender kM = Gender::kMasculine;
constexpr Gender kF = Gender::kFeminine;

constexpr OrdinalSuffix kOrdinalSuffixes[] = {
    {U"er", "%spellout-ordinal-masculine"},  {U"ers", "%spellout-ordinal-masculine-plural"},
    {U"re", "%spellout-ordinal-feminine"},   {U"ère", "%spellout-ordinal-feminine"},
    {U"e", "%spellout-ordinal-masculine"},   {U"es", "%spellout-ordinal-masculine-plural"},
    {U"ème", "%spellout-ordinal-masculine"}, {U"èmes", "%spellout-ordinal-masculine-plural"},
};

constexpr FractionName kFractions[] = {
    {2, {U"demi|demis", kM}},         {3, {U"tiers", kM}},
    {4, {U"quart|quarts", kM}},       {5, {U"cinquième|cinquièmes", kM}},
    {6, {U"sixième|sixièmes", kM}},   {7, {U"septième|septièmes", kM}},
    {8, {U"huitième|huitièmes", kM}}, {9, {U"neuvième|neuvièmes", kM}},
    {10, {U"dixième|dixièmes", kM}},  {100, {U"centième|centièmes", kM}},
};

// The third form is for millions: "un million d'euros".
constexpr Currency kCurrencies[] = {
    {U"€", U"EUR", {U"euro|euros|d'euros"}, {U"centime|centimes"}},
    {U"$", U"USD", {U"dollar|dollars|de dollars"}, {U"cent|cents"}},
    {U"£", U"GBP", {U"livre|livres|de livres", kF}, {U"penny|pence"}},
    {U"¥", U"JPY", {U"yen|yens|de yens"}, {}},
    {U"", U"CHF", {U"franc suisse|francs suisses|de francs suisses"}, {U"centime|centimes"}},
    {U"", U"CAD", {U"dollar canadien|dollars canadiens|de dollars canadiens"}, {U"cent|cents"}},
    {U"₽", U"RUB", {U"rouble|roubles|de roubles"}, {U"kopeck|kopecks"}},
    {U"¢", U"", {U"cent|cents"}, {}},
};

constexpr Magnitude kMagnitudes[] = {
    {U"million", {U"million|millions"}},    {U"millions", {U"million|millions"}},
    {U"milliard", {U"milliard|milliards"}}, {U"milliards", {U"milliard|milliards"}},
    {U"M", {U"million|millions"}, true},    {U"Md", {U"milliard|milliards"}, true},
};

constexpr Unit kUnits[] = {
    {U"%", {U"pour cent"}},
    {U"‰", {U"pour mille"}},
    {U"°", {U"degré|degrés"}},
    {U"°C", {U"degré Celsius|degrés Celsius"}},
    {U"°F", {U"degré Fahrenheit|degrés Fahrenheit"}},
    {U"mm", {U"millimètre|millimètres"}},
    {U"cm", {U"centimètre|centimètres"}},
    {U"m", {U"mètre|mètres"}},
    {U"km", {U"kilomètre|kilomètres"}},
    {U"m²", {U"mètre carré|mètres carrés"}},
    {U"km²", {U"kilomètre carré|kilomètres carrés"}},
    {U"m³", {U"mètre cube|mètres cubes"}},
    {U"ha", {U"hectare|hectares"}},
    {U"mg", {U"milligramme|milligrammes"}},
    {U"g", {U"gramme|grammes"}},
    {U"kg", {U"kilogramme|kilogrammes"}},
    {U"t", {U"tonne|tonnes", kF}},
    {U"ml", {U"millilitre|millilitres"}},
    {U"l", {U"litre|litres"}},
    {U"ms", {U"milliseconde|millisecondes", kF}},
    {U"s", {U"seconde|secondes", kF}},
    {U"min", {U"minute|minutes", kF}},
    {U"h", {U"heure|heures", kF}},
    {U"m/s", {U"mètre par seconde|mètres par seconde"}},
    {U"km/h", {U"kilomètre heure|kilomètres heure"}},
    {U"Hz", {U"hertz"}},
    {U"kHz", {U"kilohertz"}},
    {U"MHz", {U"mégahertz"}},
    {U"GHz", {U"gigahertz"}},
    {U"V", {U"volt|volts"}},
    {U"W", {U"watt|watts"}},
    {U"kW", {U"kilowatt|kilowatts"}},
    {U"kWh", {U"kilowattheure|kilowattheures"}},
    {U"kcal", {U"kilocalorie|kilocalories", kF}},
    {U"dB", {U"décibel|décibels"}},
    {U"Ko", {U"kilooctet|kilooctets"}},
    {U"Mo", {U"mégaoctet|mégaoctets"}},
    {U"Go", {U"gigaoctet|gigaoctets"}},
    {U"To", {U"téraoctet|téraoctets"}},
};

constexpr std::u32string_view kMonths[] = {
    U"janvier", U"février", U"mars",      U"avril",   U"mai",      U"juin",
    U"juillet", U"août",    U"septembre", U"octobre", U"novembre", U"décembre",
};

constexpr Symbol kSymbols[] = {
    {U'&', U"et"},
    {U'@', U"arobase"},
    {U'#', U"numéro", SymbolPlace::kBeforeNumber},
    {U'#', U"mot-dièse", SymbolPlace::kBeforeWord},
    {U'+', U"plus"},
    {U'=', U"égale"},
    {U'/', U"par", SymbolPlace::kAfterQuantity},
    {U'/', U"barre oblique", SymbolPlace::kBetweenWords},
    {U'%', U"pour cent"},
    {U'~', U"environ", SymbolPlace::kBeforeNumber},
    {U'*', U"fois", SymbolPlace::kBetweenNumbers},
    {U'<', U"inférieur à", SymbolPlace::kBetweenNumbers},
    {U'>', U"supérieur à", SymbolPlace::kBetweenNumbers},
    {U'°', U"degrés"},
    {U'×', U"fois"},
    {U'÷', U"divisé par"},
    {U'±', U"plus ou moins"},
    {U'−', U"moins"},
    {U'≈', U"environ"},
    {U'≤', U"au plus"},
    {U'≥', U"au moins"},
    {U'²', U"au carré"},
    {U'³', U"au cube"},
    {U'§', U"paragraphe"},
    {U'№', U"numéro"},
    {U'€', U"euros"},
    {U'$', U"dollars"},
    {U'£', U"livres"},
};

constexpr Symbol kUrlSymbols[] = {
    {U'.', U"point"},
    {U'/', U"barre oblique"},
    {U'-', U"tiret"},
    {U'_', U"tiret bas"},
    {U':', U"deux points"},
    {U'@', U"arobase"},
    {U'?', U"point d'interrogation"},
    {U'=', U"égale"},
    {U'&', U"et"},
    {U'#', U"dièse"},
    {U'%', U"pour cent"},
    {U'~', U"tilde"},
    {U'+', U"plus"},
};

constexpr AbbreviationPlace kName = AbbreviationPlace::kBeforeName;
constexpr AbbreviationPlace kNumber = AbbreviationPlace::kBeforeNumber;
constexpr AbbreviationPlace kAny = AbbreviationPlace::kAnywhere;

constexpr Abbreviation kAbbreviations[] = {
    {U"M.", U"monsieur", kName},
    {U"MM.", U"messieurs", kName},
    {U"Mme", U"madame", kName},
    {U"Mmes", U"mesdames", kName},
    {U"Mlle", U"mademoiselle", kName},
    {U"Dr", U"docteur", kName},
    {U"Dr.", U"docteur", kName},
    {U"Pr", U"professeur", kName},
    {U"Me", U"maître", kName},
    {U"St", U"saint", kName},
    {U"Ste", U"sainte", kName},
    {U"n°", U"numéro", kNumber},
    {U"N°", U"Numéro", kNumber},
    {U"p.", U"page", kNumber},
    {U"pp.", U"pages", kNumber},
    {U"chap.", U"chapitre", kNumber},
    {U"art.", U"article", kNumber},
    {U"vol.", U"volume", kNumber},
    {U"fig.", U"figure", kNumber},
    {U"av.", U"avenue", kName},
    {U"bd", U"boulevard", kName},
    {U"tél.", U"téléphone", kAny},
    {U"p. ex.", U"par exemple", kAny},
    {U"c.-à-d.", U"c'est-à-dire", kAny},
    {U"etc.", U"et cetera", kAny, true},
    {U"env.", U"environ", kAny},
    {U"cf.", U"voir", kAny},
    {U"av. J.-C.", U"avant Jésus-Christ", kAny, true},
    {U"apr. J.-C.", U"après Jésus-Christ", kAny, true},
};

}  // namespace

constexpr Language kFrench = {
    .tag = "fr",
    .decimal_mark = U',',
    .group_mark = U'\u202F',
    .space_groups = true,
    .numbering = "%spellout-numbering",
    .cardinal = {"%spellout-cardinal-masculine", "%spellout-cardinal-feminine"},
    .plurals = U"one|other|many",
    .fraction_style = FractionStyle::kNumber,
    .decimal_word = U"virgule",
    .minus = U"moins",
    .plus = U"plus",
    .range_word = U" à ",
    .ratio_word = U"à",
    .ordinal_suffixes = kOrdinalSuffixes,
    .fractions = kFractions,
    .mixed_joiner = U" et ",
    .currencies = kCurrencies,
    .money_joiner = U" et ",
    .magnitudes = kMagnitudes,
    .magnitude_plural = U"many",
    .units = kUnits,
    .months = kMonths,
    .date_pattern = U"{d} {m} {y}",
    .date_day = "%spellout-numbering",
    .date_year = "%spellout-numbering",
    .first_day = U"premier",
    .time_pattern = U"{h} {u} {m}",
    .time_full_hour = U"{h} {u}",
    .time_seconds = U" et {s} secondes",
    .time_hour = "%spellout-cardinal-feminine",
    .hour_word = {U"heure|heures", kF},
    .time_mark = U'h',
    .symbols = kSymbols,
    .url_symbols = kUrlSymbols,
    .abbreviations = kAbbreviations,
};

}  // namespace kani
