// es.cc - Spanish.
#include "kani/text/languages/languages.h"

namespace kani {

namespace {

constexpr Gender kM = Gender::kMasculine;
constexpr Gender kF = Gender::kFeminine;

constexpr OrdinalSuffix kOrdinalSuffixes[] = {
    {U"º", "%spellout-ordinal-masculine"},
    {U".º", "%spellout-ordinal-masculine"},
    {U"ª", "%spellout-ordinal-feminine"},
    {U".ª", "%spellout-ordinal-feminine"},
    {U"er", "%spellout-ordinal-masculine-adjective"},
    {U".er", "%spellout-ordinal-masculine-adjective"},
    {U"ro", "%spellout-ordinal-masculine"},
    {U"do", "%spellout-ordinal-masculine"},
    {U"to", "%spellout-ordinal-masculine"},
    {U"ra", "%spellout-ordinal-feminine"},
    {U"da", "%spellout-ordinal-feminine"},
    {U"ta", "%spellout-ordinal-feminine"},
};

constexpr FractionName kFractions[] = {
    {2, {U"medio|medios", kM}},    {3, {U"tercio|tercios", kM}},
    {4, {U"cuarto|cuartos", kM}},  {5, {U"quinto|quintos", kM}},
    {6, {U"sexto|sextos", kM}},    {7, {U"séptimo|séptimos", kM}},
    {8, {U"octavo|octavos", kM}},  {9, {U"noveno|novenos", kM}},
    {10, {U"décimo|décimos", kM}}, {100, {U"centésimo|centésimos", kM}},
};

// The third form is for millions: "un millón de euros".
constexpr Currency kCurrencies[] = {
    {U"€", U"EUR", {U"euro|euros|de euros"}, {U"céntimo|céntimos"}},
    {U"$", U"USD", {U"dólar|dólares|de dólares"}, {U"centavo|centavos"}},
    {U"£", U"GBP", {U"libra|libras|de libras", kF}, {U"penique|peniques"}},
    {U"¥", U"JPY", {U"yen|yenes|de yenes"}, {}},
    {U"", U"MXN", {U"peso mexicano|pesos mexicanos|de pesos mexicanos"}, {U"centavo|centavos"}},
    {U"₽", U"RUB", {U"rublo|rublos|de rublos"}, {U"kopek|kopeks"}},
    {U"", U"CHF", {U"franco suizo|francos suizos|de francos suizos"}, {U"céntimo|céntimos"}},
    {U"¢", U"", {U"centavo|centavos"}, {}},
};

constexpr Magnitude kMagnitudes[] = {
    {U"mil", {U"mil"}},
    {U"millón", {U"millón|millones"}},
    {U"millones", {U"millón|millones"}},
    {U"billón", {U"billón|billones"}},
    {U"billones", {U"billón|billones"}},
    {U"M", {U"millón|millones"}, true},
};

constexpr Unit kUnits[] = {
    {U"%", {U"por ciento"}},
    {U"‰", {U"por mil"}},
    {U"°", {U"grado|grados"}},
    {U"°C", {U"grado Celsius|grados Celsius"}},
    {U"ºC", {U"grado Celsius|grados Celsius"}},
    {U"°F", {U"grado Fahrenheit|grados Fahrenheit"}},
    {U"mm", {U"milímetro|milímetros"}},
    {U"cm", {U"centímetro|centímetros"}},
    {U"m", {U"metro|metros"}},
    {U"km", {U"kilómetro|kilómetros"}},
    {U"m²", {U"metro cuadrado|metros cuadrados"}},
    {U"km²", {U"kilómetro cuadrado|kilómetros cuadrados"}},
    {U"m³", {U"metro cúbico|metros cúbicos"}},
    {U"ha", {U"hectárea|hectáreas", kF}},
    {U"mg", {U"miligramo|miligramos"}},
    {U"g", {U"gramo|gramos"}},
    {U"kg", {U"kilogramo|kilogramos"}},
    {U"t", {U"tonelada|toneladas", kF}},
    {U"ml", {U"mililitro|mililitros"}},
    {U"l", {U"litro|litros"}},
    {U"ms", {U"milisegundo|milisegundos"}},
    {U"s", {U"segundo|segundos"}},
    {U"min", {U"minuto|minutos"}},
    {U"h", {U"hora|horas", kF}},
    {U"m/s", {U"metro por segundo|metros por segundo"}},
    {U"km/h", {U"kilómetro por hora|kilómetros por hora"}},
    {U"Hz", {U"hercio|hercios"}},
    {U"kHz", {U"kilohercio|kilohercios"}},
    {U"MHz", {U"megahercio|megahercios"}},
    {U"GHz", {U"gigahercio|gigahercios"}},
    {U"V", {U"voltio|voltios"}},
    {U"W", {U"vatio|vatios"}},
    {U"kW", {U"kilovatio|kilovatios"}},
    {U"kWh", {U"kilovatio hora|kilovatios hora"}},
    {U"kcal", {U"kilocaloría|kilocalorías", kF}},
    {U"dB", {U"decibelio|decibelios"}},
    {U"KB", {U"kilobyte|kilobytes"}},
    {U"MB", {U"megabyte|megabytes"}},
    {U"GB", {U"gigabyte|gigabytes"}},
    {U"TB", {U"terabyte|terabytes"}},
};

constexpr std::u32string_view kMonths[] = {
    U"enero", U"febrero", U"marzo",      U"abril",   U"mayo",      U"junio",
    U"julio", U"agosto",  U"septiembre", U"octubre", U"noviembre", U"diciembre",
};

constexpr Symbol kSymbols[] = {
    {U'&', U"y"},
    {U'@', U"arroba"},
    {U'#', U"número", SymbolPlace::kBeforeNumber},
    {U'#', U"almohadilla", SymbolPlace::kBeforeWord},
    {U'+', U"más"},
    {U'=', U"igual a"},
    {U'/', U"por", SymbolPlace::kAfterQuantity},
    {U'/', U"barra", SymbolPlace::kBetweenWords},
    {U'%', U"por ciento"},
    {U'~', U"aproximadamente", SymbolPlace::kBeforeNumber},
    {U'*', U"por", SymbolPlace::kBetweenNumbers},
    {U'<', U"menor que", SymbolPlace::kBetweenNumbers},
    {U'>', U"mayor que", SymbolPlace::kBetweenNumbers},
    {U'°', U"grados"},
    {U'×', U"por"},
    {U'÷', U"entre"},
    {U'±', U"más menos"},
    {U'−', U"menos"},
    {U'≈', U"aproximadamente"},
    {U'≤', U"como máximo"},
    {U'≥', U"como mínimo"},
    {U'²', U"al cuadrado"},
    {U'³', U"al cubo"},
    {U'§', U"sección"},
    {U'№', U"número"},
    {U'€', U"euros"},
    {U'$', U"dólares"},
    {U'£', U"libras"},
};

constexpr Symbol kUrlSymbols[] = {
    {U'.', U"punto"},      {U'/', U"barra"},       {U'-', U"guion"},         {U'_', U"guion bajo"},
    {U':', U"dos puntos"}, {U'@', U"arroba"},      {U'?', U"interrogación"}, {U'=', U"igual"},
    {U'&', U"y"},          {U'#', U"almohadilla"}, {U'%', U"por ciento"},    {U'~', U"virgulilla"},
    {U'+', U"más"},
};

constexpr AbbreviationPlace kName = AbbreviationPlace::kBeforeName;
constexpr AbbreviationPlace kNumber = AbbreviationPlace::kBeforeNumber;
constexpr AbbreviationPlace kAny = AbbreviationPlace::kAnywhere;

constexpr Abbreviation kAbbreviations[] = {
    {U"Sr.", U"señor", kName},
    {U"Sra.", U"señora", kName},
    {U"Srta.", U"señorita", kName},
    {U"Sres.", U"señores", kName},
    {U"Dr.", U"doctor", kName},
    {U"Dra.", U"doctora", kName},
    {U"D.", U"don", kName},
    {U"Dña.", U"doña", kName},
    {U"Prof.", U"profesor", kName},
    {U"Sta.", U"santa", kName},
    {U"Sto.", U"santo", kName},
    {U"Ud.", U"usted", kAny, true},
    {U"Uds.", U"ustedes", kAny, true},
    {U"Av.", U"avenida", kName},
    {U"Avda.", U"avenida", kName},
    {U"C/", U"calle", kName},
    {U"núm.", U"número", kNumber},
    {U"n.º", U"número", kNumber},
    {U"nº", U"número", kNumber},
    {U"pág.", U"página", kNumber},
    {U"págs.", U"páginas", kNumber},
    {U"cap.", U"capítulo", kNumber},
    {U"art.", U"artículo", kNumber},
    {U"vol.", U"volumen", kNumber},
    {U"fig.", U"figura", kNumber},
    {U"tel.", U"teléfono", kAny},
    {U"Tel.", U"Teléfono", kAny},
    {U"p. ej.", U"por ejemplo", kAny},
    {U"p.ej.", U"por ejemplo", kAny},
    {U"etc.", U"etcétera", kAny, true},
    {U"aprox.", U"aproximadamente", kAny},
    {U"EE. UU.", U"Estados Unidos", kAny, true},
    {U"EE.UU.", U"Estados Unidos", kAny, true},
    {U"EE.", U"", kAny},
    {U"a. C.", U"antes de Cristo", kAny, true},
    {U"d. C.", U"después de Cristo", kAny, true},
};

}  // namespace

constexpr Language kSpanish = {
    .tag = "es",
    .decimal_mark = U',',
    .group_mark = U'.',
    .numbering = "%spellout-numbering",
    .cardinal = {"%spellout-cardinal-masculine", "%spellout-cardinal-feminine"},
    .plurals = U"one|other|many",
    .fraction_style = FractionStyle::kNumber,
    .decimal_word = U"coma",
    .minus = U"menos",
    .plus = U"más",
    .range_word = U" a ",
    .ratio_word = U"a",
    .ordinal_suffixes = kOrdinalSuffixes,
    .fractions = kFractions,
    .mixed_joiner = U" y ",
    .currencies = kCurrencies,
    .money_joiner = U" con ",
    .magnitudes = kMagnitudes,
    .magnitude_plural = U"many",
    .units = kUnits,
    .months = kMonths,
    .date_pattern = U"{d} de {m} de {y}",
    .first_day = U"uno",
    .time_pattern = U"{h} y {m}",
    .time_full_hour = U"{h} en punto",
    .time_seconds = U" y {s} segundos",
    .time_hour = "%spellout-cardinal-feminine",
    .am = U"de la mañana",
    .pm = U"de la tarde",
    .symbols = kSymbols,
    .url_symbols = kUrlSymbols,
    .abbreviations = kAbbreviations,
};

}  // namespace kani
