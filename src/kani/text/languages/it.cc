// it.cc - Italian.
#include "kani/text/languages/languages.h"

namespace kani {

namespace {

constexpr Gender kM = Gender::kMasculine;
constexpr Gender kF = Gender::kFeminine;

constexpr OrdinalSuffix kOrdinalSuffixes[] = {
    {U"º", "%spellout-ordinal-masculine"},
    {U"°", "%spellout-ordinal-masculine"},
    {U"ª", "%spellout-ordinal-feminine"},
};

constexpr FractionName kFractions[] = {
    {2, {U"mezzo|mezzi", kM}},           {3, {U"terzo|terzi", kM}}, {4, {U"quarto|quarti", kM}},
    {5, {U"quinto|quinti", kM}},         {6, {U"sesto|sesti", kM}}, {7, {U"settimo|settimi", kM}},
    {8, {U"ottavo|ottavi", kM}},         {9, {U"nono|noni", kM}},   {10, {U"decimo|decimi", kM}},
    {100, {U"centesimo|centesimi", kM}},
};

// The third form is for millions: "un milione di euro".
constexpr Currency kCurrencies[] = {
    {U"€", U"EUR", {U"euro|euro|di euro"}, {U"centesimo|centesimi"}},
    {U"$", U"USD", {U"dollaro|dollari|di dollari"}, {U"centesimo|centesimi"}},
    {U"£", U"GBP", {U"sterlina|sterline|di sterline", kF}, {U"penny|pence"}},
    {U"¥", U"JPY", {U"yen|yen|di yen"}, {}},
    {U"",
     U"CHF",
     {U"franco svizzero|franchi svizzeri|di franchi svizzeri"},
     {U"centesimo|centesimi"}},
    {U"₽", U"RUB", {U"rublo|rubli|di rubli"}, {U"copeco|copechi"}},
    {U"¢", U"", {U"centesimo|centesimi"}, {}},
};

constexpr Magnitude kMagnitudes[] = {
    {U"mila", {U"mila"}},
    {U"milione", {U"milione|milioni"}},
    {U"milioni", {U"milione|milioni"}},
    {U"miliardo", {U"miliardo|miliardi"}},
    {U"miliardi", {U"miliardo|miliardi"}},
    {U"mln", {U"milione|milioni"}},
    {U"mld", {U"miliardo|miliardi"}},
};

constexpr Unit kUnits[] = {
    {U"%", {U"per cento"}},
    {U"‰", {U"per mille"}},
    {U"°C", {U"grado Celsius|gradi Celsius"}},
    {U"°F", {U"grado Fahrenheit|gradi Fahrenheit"}},
    {U"mm", {U"millimetro|millimetri"}},
    {U"cm", {U"centimetro|centimetri"}},
    {U"m", {U"metro|metri"}},
    {U"km", {U"chilometro|chilometri"}},
    {U"m²", {U"metro quadrato|metri quadrati"}},
    {U"mq", {U"metro quadrato|metri quadrati"}},
    {U"km²", {U"chilometro quadrato|chilometri quadrati"}},
    {U"m³", {U"metro cubo|metri cubi"}},
    {U"ha", {U"ettaro|ettari"}},
    {U"mg", {U"milligrammo|milligrammi"}},
    {U"g", {U"grammo|grammi"}},
    {U"kg", {U"chilogrammo|chilogrammi"}},
    {U"t", {U"tonnellata|tonnellate", kF}},
    {U"ml", {U"millilitro|millilitri"}},
    {U"l", {U"litro|litri"}},
    {U"ms", {U"millisecondo|millisecondi"}},
    {U"s", {U"secondo|secondi"}},
    {U"min", {U"minuto|minuti"}},
    {U"h", {U"ora|ore", kF}},
    {U"m/s", {U"metro al secondo|metri al secondo"}},
    {U"km/h", {U"chilometro all'ora|chilometri all'ora"}},
    {U"Hz", {U"hertz"}},
    {U"kHz", {U"chilohertz"}},
    {U"MHz", {U"megahertz"}},
    {U"GHz", {U"gigahertz"}},
    {U"V", {U"volt"}},
    {U"W", {U"watt"}},
    {U"kW", {U"chilowatt"}},
    {U"kWh", {U"chilowattora"}},
    {U"kcal", {U"chilocaloria|chilocalorie", kF}},
    {U"dB", {U"decibel"}},
    {U"KB", {U"kilobyte"}},
    {U"MB", {U"megabyte"}},
    {U"GB", {U"gigabyte"}},
    {U"TB", {U"terabyte"}},
};

constexpr std::u32string_view kMonths[] = {
    U"gennaio", U"febbraio", U"marzo",     U"aprile",  U"maggio",   U"giugno",
    U"luglio",  U"agosto",   U"settembre", U"ottobre", U"novembre", U"dicembre",
};

constexpr Symbol kSymbols[] = {
    {U'&', U"e"},
    {U'@', U"chiocciola"},
    {U'#', U"numero", SymbolPlace::kBeforeNumber},
    {U'#', U"hashtag", SymbolPlace::kBeforeWord},
    {U'+', U"più"},
    {U'=', U"uguale"},
    {U'/', U"al", SymbolPlace::kAfterQuantity},
    {U'/', U"barra", SymbolPlace::kBetweenWords},
    {U'%', U"per cento"},
    {U'~', U"circa", SymbolPlace::kBeforeNumber},
    {U'*', U"per", SymbolPlace::kBetweenNumbers},
    {U'<', U"minore di", SymbolPlace::kBetweenNumbers},
    {U'>', U"maggiore di", SymbolPlace::kBetweenNumbers},
    {U'°', U"gradi"},
    {U'×', U"per"},
    {U'÷', U"diviso"},
    {U'±', U"più o meno"},
    {U'−', U"meno"},
    {U'≈', U"circa"},
    {U'≤', U"al massimo"},
    {U'≥', U"almeno"},
    {U'²', U"al quadrato"},
    {U'³', U"al cubo"},
    {U'§', U"paragrafo"},
    {U'№', U"numero"},
    {U'€', U"euro"},
    {U'$', U"dollari"},
    {U'£', U"sterline"},
};

constexpr Symbol kUrlSymbols[] = {
    {U'.', U"punto"},
    {U'/', U"barra"},
    {U'-', U"trattino"},
    {U'_', U"trattino basso"},
    {U':', U"due punti"},
    {U'@', U"chiocciola"},
    {U'?', U"punto di domanda"},
    {U'=', U"uguale"},
    {U'&', U"e"},
    {U'#', U"cancelletto"},
    {U'%', U"per cento"},
    {U'~', U"tilde"},
    {U'+', U"più"},
};

constexpr AbbreviationPlace kName = AbbreviationPlace::kBeforeName;
constexpr AbbreviationPlace kNumber = AbbreviationPlace::kBeforeNumber;
constexpr AbbreviationPlace kAny = AbbreviationPlace::kAnywhere;

constexpr Abbreviation kAbbreviations[] = {
    {U"Sig.", U"signor", kName},
    {U"sig.", U"signor", kName},
    {U"Sig.ra", U"signora", kName},
    {U"sig.ra", U"signora", kName},
    {U"Dott.", U"dottor", kName},
    {U"dott.", U"dottor", kName},
    {U"Dott.ssa", U"dottoressa", kName},
    {U"Dr.", U"dottor", kName},
    {U"Prof.", U"professor", kName},
    {U"prof.", U"professor", kName},
    {U"Ing.", U"ingegner", kName},
    {U"Avv.", U"avvocato", kName},
    {U"n.", U"numero", kNumber},
    {U"p.", U"pagina", kNumber},
    {U"pag.", U"pagina", kNumber},
    {U"pagg.", U"pagine", kNumber},
    {U"cap.", U"capitolo", kNumber},
    {U"art.", U"articolo", kNumber},
    {U"vol.", U"volume", kNumber},
    {U"fig.", U"figura", kNumber},
    {U"tel.", U"telefono", kAny},
    {U"ecc.", U"eccetera", kAny, true},
    {U"es.", U"esempio", kAny},
    {U"ca.", U"circa", kAny},
    {U"a.C.", U"avanti Cristo", kAny, true},
    {U"d.C.", U"dopo Cristo", kAny, true},
};

}  // namespace

constexpr Language kItalian = {
    .tag = "it",
    .decimal_mark = U',',
    .group_mark = U'.',
    .numbering = "%spellout-numbering",
    .cardinal = {"%spellout-cardinal-masculine", "%spellout-cardinal-feminine"},
    .plurals = U"one|other|many",
    .fraction_style = FractionStyle::kNumber,
    .decimal_word = U"virgola",
    .minus = U"meno",
    .plus = U"più",
    .range_word = U" a ",
    .ratio_word = U"a",
    .ordinal_suffixes = kOrdinalSuffixes,
    .fractions = kFractions,
    .mixed_joiner = U" e ",
    .currencies = kCurrencies,
    .money_joiner = U" e ",
    .magnitudes = kMagnitudes,
    .magnitude_plural = U"many",
    .units = kUnits,
    .months = kMonths,
    .date_pattern = U"{d} {m} {y}",
    .date_day = "%spellout-numbering",
    .date_year = "%spellout-numbering",
    .first_day = U"primo",
    .time_pattern = U"{h} e {m}",
    .time_full_hour = U"{h} in punto",
    .time_seconds = U" e {s} secondi",
    .time_hour = "%spellout-cardinal-feminine",
    .symbols = kSymbols,
    .url_symbols = kUrlSymbols,
    .abbreviations = kAbbreviations,
};

}  // namespace kani
