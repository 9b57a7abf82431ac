// pt.cc - Portuguese.
#include "kani/text/languages/languages.h"

namespace kani {

namespace {

constexpr Gender kM = Gender::kMasculine;
constexpr Gender kF = Gender::kFeminine;

constexpr OrdinalSuffix kOrdinalSuffixes[] = {
    {U"º", "%spellout-ordinal-masculine"}, {U".º", "%spellout-ordinal-masculine"},
    {U"°", "%spellout-ordinal-masculine"}, {U"ª", "%spellout-ordinal-feminine"},
    {U".ª", "%spellout-ordinal-feminine"},
};

constexpr FractionName kFractions[] = {
    {2, {U"meio|meios", kM}},      {3, {U"terço|terços", kM}},
    {4, {U"quarto|quartos", kM}},  {5, {U"quinto|quintos", kM}},
    {6, {U"sexto|sextos", kM}},    {7, {U"sétimo|sétimos", kM}},
    {8, {U"oitavo|oitavos", kM}},  {9, {U"nono|nonos", kM}},
    {10, {U"décimo|décimos", kM}}, {100, {U"centésimo|centésimos", kM}},
};

// The third form is for millions: "um milhão de euros".
constexpr Currency kCurrencies[] = {
    {U"R$", U"BRL", {U"real|reais|de reais"}, {U"centavo|centavos"}},
    {U"€", U"EUR", {U"euro|euros|de euros"}, {U"cêntimo|cêntimos"}},
    {U"$", U"USD", {U"dólar|dólares|de dólares"}, {U"centavo|centavos"}},
    {U"US$", U"", {U"dólar|dólares|de dólares"}, {U"centavo|centavos"}},
    {U"£", U"GBP", {U"libra|libras|de libras", kF}, {U"péni|pence"}},
    {U"¥", U"JPY", {U"iene|ienes|de ienes"}, {}},
    {U"", U"CHF", {U"franco suíço|francos suíços|de francos suíços"}, {U"cêntimo|cêntimos"}},
    {U"₽", U"RUB", {U"rublo|rublos|de rublos"}, {U"copeque|copeques"}},
    {U"¢", U"", {U"centavo|centavos"}, {}},
};

constexpr Magnitude kMagnitudes[] = {
    {U"mil", {U"mil"}},
    {U"milhão", {U"milhão|milhões"}},
    {U"milhões", {U"milhão|milhões"}},
    {U"bilhão", {U"bilhão|bilhões"}},
    {U"bilhões", {U"bilhão|bilhões"}},
    {U"mi", {U"milhão|milhões"}, true},
    {U"bi", {U"bilhão|bilhões"}, true},
};

constexpr Unit kUnits[] = {
    {U"%", {U"por cento"}},
    {U"‰", {U"por mil"}},
    {U"°C", {U"grau Celsius|graus Celsius"}},
    {U"ºC", {U"grau Celsius|graus Celsius"}},
    {U"°F", {U"grau Fahrenheit|graus Fahrenheit"}},
    {U"mm", {U"milímetro|milímetros"}},
    {U"cm", {U"centímetro|centímetros"}},
    {U"m", {U"metro|metros"}},
    {U"km", {U"quilômetro|quilômetros"}},
    {U"m²", {U"metro quadrado|metros quadrados"}},
    {U"km²", {U"quilômetro quadrado|quilômetros quadrados"}},
    {U"m³", {U"metro cúbico|metros cúbicos"}},
    {U"ha", {U"hectare|hectares"}},
    {U"mg", {U"miligrama|miligramas"}},
    {U"g", {U"grama|gramas"}},
    {U"kg", {U"quilograma|quilogramas"}},
    {U"t", {U"tonelada|toneladas", kF}},
    {U"ml", {U"mililitro|mililitros"}},
    {U"l", {U"litro|litros"}},
    {U"ms", {U"milissegundo|milissegundos"}},
    {U"s", {U"segundo|segundos"}},
    {U"min", {U"minuto|minutos"}},
    {U"h", {U"hora|horas", kF}},
    {U"m/s", {U"metro por segundo|metros por segundo"}},
    {U"km/h", {U"quilômetro por hora|quilômetros por hora"}},
    {U"Hz", {U"hertz"}},
    {U"kHz", {U"quilohertz"}},
    {U"MHz", {U"megahertz"}},
    {U"GHz", {U"gigahertz"}},
    {U"V", {U"volt|volts"}},
    {U"W", {U"watt|watts"}},
    {U"kW", {U"quilowatt|quilowatts"}},
    {U"kWh", {U"quilowatt-hora|quilowatts-hora"}},
    {U"kcal", {U"quilocaloria|quilocalorias", kF}},
    {U"dB", {U"decibel|decibéis"}},
    {U"KB", {U"kilobyte|kilobytes"}},
    {U"MB", {U"megabyte|megabytes"}},
    {U"GB", {U"gigabyte|gigabytes"}},
    {U"TB", {U"terabyte|terabytes"}},
};

constexpr std::u32string_view kMonths[] = {
    U"janeiro", U"fevereiro", U"março",    U"abril",   U"maio",     U"junho",
    U"julho",   U"agosto",    U"setembro", U"outubro", U"novembro", U"dezembro",
};

constexpr Symbol kSymbols[] = {
    {U'&', U"e"},
    {U'@', U"arroba"},
    {U'#', U"número", SymbolPlace::kBeforeNumber},
    {U'#', U"hashtag", SymbolPlace::kBeforeWord},
    {U'+', U"mais"},
    {U'=', U"igual a"},
    {U'/', U"por", SymbolPlace::kAfterQuantity},
    {U'/', U"barra", SymbolPlace::kBetweenWords},
    {U'%', U"por cento"},
    {U'~', U"cerca de", SymbolPlace::kBeforeNumber},
    {U'*', U"vezes", SymbolPlace::kBetweenNumbers},
    {U'<', U"menor que", SymbolPlace::kBetweenNumbers},
    {U'>', U"maior que", SymbolPlace::kBetweenNumbers},
    {U'°', U"graus"},
    {U'×', U"vezes"},
    {U'÷', U"dividido por"},
    {U'±', U"mais ou menos"},
    {U'−', U"menos"},
    {U'≈', U"aproximadamente"},
    {U'≤', U"no máximo"},
    {U'≥', U"no mínimo"},
    {U'²', U"ao quadrado"},
    {U'³', U"ao cubo"},
    {U'§', U"parágrafo"},
    {U'№', U"número"},
    {U'€', U"euros"},
    {U'$', U"dólares"},
    {U'£', U"libras"},
};

constexpr Symbol kUrlSymbols[] = {
    {U'.', U"ponto"},       {U'/', U"barra"},     {U'-', U"hífen"},        {U'_', U"sublinhado"},
    {U':', U"dois pontos"}, {U'@', U"arroba"},    {U'?', U"interrogação"}, {U'=', U"igual"},
    {U'&', U"e"},           {U'#', U"cerquilha"}, {U'%', U"por cento"},    {U'~', U"til"},
    {U'+', U"mais"},
};

constexpr AbbreviationPlace kName = AbbreviationPlace::kBeforeName;
constexpr AbbreviationPlace kNumber = AbbreviationPlace::kBeforeNumber;
constexpr AbbreviationPlace kAny = AbbreviationPlace::kAnywhere;

constexpr Abbreviation kAbbreviations[] = {
    {U"Sr.", U"senhor", kName},
    {U"Sra.", U"senhora", kName},
    {U"Srta.", U"senhorita", kName},
    {U"Dr.", U"doutor", kName},
    {U"Dra.", U"doutora", kName},
    {U"Prof.", U"professor", kName},
    {U"Profa.", U"professora", kName},
    {U"Eng.", U"engenheiro", kName},
    {U"Av.", U"avenida", kName},
    {U"R.", U"rua", kName},
    {U"Sta.", U"santa", kName},
    {U"Sto.", U"santo", kName},
    {U"n.º", U"número", kNumber},
    {U"nº", U"número", kNumber},
    {U"núm.", U"número", kNumber},
    {U"p.", U"página", kNumber},
    {U"pág.", U"página", kNumber},
    {U"págs.", U"páginas", kNumber},
    {U"cap.", U"capítulo", kNumber},
    {U"art.", U"artigo", kNumber},
    {U"vol.", U"volume", kNumber},
    {U"fig.", U"figura", kNumber},
    {U"tel.", U"telefone", kAny},
    {U"p. ex.", U"por exemplo", kAny},
    {U"etc.", U"et cetera", kAny, true},
    {U"aprox.", U"aproximadamente", kAny},
    {U"a.C.", U"antes de Cristo", kAny, true},
    {U"d.C.", U"depois de Cristo", kAny, true},
};

}  // namespace

constexpr Language kPortuguese = {
    .tag = "pt",
    .decimal_mark = U',',
    .group_mark = U'.',
    .numbering = "%spellout-numbering",
    .cardinal = {"%spellout-cardinal-masculine", "%spellout-cardinal-feminine"},
    .plurals = U"one|other|many",
    .fraction_style = FractionStyle::kNumber,
    .decimal_word = U"vírgula",
    .minus = U"menos",
    .plus = U"mais",
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
    .date_pattern = U"{d} de {m} de {y}",
    .date_day = "%spellout-numbering",
    .date_year = "%spellout-numbering",
    .first_day = U"primeiro",
    .time_pattern = U"{h} e {m}",
    .time_full_hour = U"{h} {u}",
    .time_seconds = U" e {s} segundos",
    .time_hour = "%spellout-cardinal-feminine",
    .hour_word = {U"hora|horas", kF},
    .time_mark = U'h',
    .symbols = kSymbols,
    .url_symbols = kUrlSymbols,
    .abbreviations = kAbbreviations,
};

}  // namespace kani
