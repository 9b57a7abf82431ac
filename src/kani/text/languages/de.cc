// de.cc - German.
#include "kani/text/languages/languages.h"

namespace kani {

namespace {

constexpr Gender kF = Gender::kFeminine;
constexpr Gender kN = Gender::kNeuter;

constexpr Precursor kPrecursors[] = {
    {U"der", "%spellout-ordinal"},    {U"die", "%spellout-ordinal"},    {U"das", "%spellout-ordinal"},
    {U"Der", "%spellout-ordinal"},    {U"Die", "%spellout-ordinal"},    {U"Das", "%spellout-ordinal"},
    {U"am", "%spellout-ordinal-n"},   {U"Am", "%spellout-ordinal-n"},   {U"den", "%spellout-ordinal-n"},
    {U"dem", "%spellout-ordinal-n"},  {U"des", "%spellout-ordinal-n"},  {U"im", "%spellout-ordinal-n"},
    {U"Im", "%spellout-ordinal-n"},   {U"zum", "%spellout-ordinal-n"},  {U"Zum", "%spellout-ordinal-n"},
    {U"zur", "%spellout-ordinal-n"},  {U"vom", "%spellout-ordinal-n"},  {U"Vom", "%spellout-ordinal-n"},
    {U"beim", "%spellout-ordinal-n"}, {U"bis", "%spellout-ordinal-n"},  {U"ab", "%spellout-ordinal-m"},
    {U"seit", "%spellout-ordinal-m"}, {U"ins", "%spellout-ordinal"},
};

constexpr FractionName kFractions[] = {
    {2, {U"halb|halbe", kN}},    {3, {U"Drittel", kN}},      {4, {U"Viertel", kN}},
    {5, {U"Fünftel", kN}},       {6, {U"Sechstel", kN}},     {7, {U"Siebtel", kN}},
    {8, {U"Achtel", kN}},        {9, {U"Neuntel", kN}},      {10, {U"Zehntel", kN}},
    {100, {U"Hundertstel", kN}},
};

constexpr Currency kCurrencies[] = {
    {U"€", U"EUR", {U"Euro"}, {U"Cent"}},
    {U"$", U"USD", {U"Dollar"}, {U"Cent"}},
    {U"£", U"GBP", {U"Pfund", kN}, {U"Penny|Pence"}},
    {U"¥", U"JPY", {U"Yen"}, {}},
    {U"", U"CHF", {U"Schweizer Franken"}, {U"Rappen"}},
    {U"₽", U"RUB", {U"Rubel"}, {U"Kopeke|Kopeken", kF}},
    {U"₩", U"KRW", {U"Won"}, {}},
    {U"¢", U"", {U"Cent"}, {}},
};

constexpr Magnitude kMagnitudes[] = {
    {U"Tsd.", {U"tausend", kN}},
    {U"Mio.", {U"Million|Millionen", kF}},
    {U"Mrd.", {U"Milliarde|Milliarden", kF}},
    {U"Million", {U"Million|Millionen", kF}},
    {U"Millionen", {U"Million|Millionen", kF}},
    {U"Milliarde", {U"Milliarde|Milliarden", kF}},
    {U"Milliarden", {U"Milliarde|Milliarden", kF}},
    {U"Billion", {U"Billion|Billionen", kF}},
    {U"Billionen", {U"Billion|Billionen", kF}},
};

constexpr Unit kUnits[] = {
    {U"%", {U"Prozent", kN}},
    {U"‰", {U"Promille", kN}},
    {U"°", {U"Grad"}},
    {U"°C", {U"Grad Celsius"}},
    {U"°F", {U"Grad Fahrenheit"}},
    {U"nm", {U"Nanometer"}},
    {U"µm", {U"Mikrometer"}},
    {U"mm", {U"Millimeter"}},
    {U"cm", {U"Zentimeter"}},
    {U"m", {U"Meter"}},
    {U"km", {U"Kilometer"}},
    {U"m²", {U"Quadratmeter"}},
    {U"km²", {U"Quadratkilometer"}},
    {U"m³", {U"Kubikmeter"}},
    {U"ha", {U"Hektar"}},
    {U"mg", {U"Milligramm", kN}},
    {U"g", {U"Gramm", kN}},
    {U"kg", {U"Kilogramm", kN}},
    {U"t", {U"Tonne|Tonnen", kF}},
    {U"ml", {U"Milliliter"}},
    {U"l", {U"Liter"}},
    {U"ms", {U"Millisekunde|Millisekunden", kF}},
    {U"s", {U"Sekunde|Sekunden", kF}},
    {U"Sek.", {U"Sekunde|Sekunden", kF}},
    {U"min", {U"Minute|Minuten", kF}},
    {U"Min.", {U"Minute|Minuten", kF}},
    {U"h", {U"Stunde|Stunden", kF}},
    {U"Std.", {U"Stunde|Stunden", kF}},
    {U"m/s", {U"Meter pro Sekunde"}},
    {U"km/h", {U"Kilometer pro Stunde"}},
    {U"Hz", {U"Hertz", kN}},
    {U"kHz", {U"Kilohertz", kN}},
    {U"MHz", {U"Megahertz", kN}},
    {U"GHz", {U"Gigahertz", kN}},
    {U"V", {U"Volt", kN}},
    {U"W", {U"Watt", kN}},
    {U"kW", {U"Kilowatt", kN}},
    {U"kWh", {U"Kilowattstunde|Kilowattstunden", kF}},
    {U"kcal", {U"Kilokalorie|Kilokalorien", kF}},
    {U"dB", {U"Dezibel", kN}},
    {U"KB", {U"Kilobyte", kN}},
    {U"MB", {U"Megabyte", kN}},
    {U"GB", {U"Gigabyte", kN}},
    {U"TB", {U"Terabyte", kN}},
};

constexpr std::u32string_view kMonths[] = {
    U"Januar", U"Februar", U"März",      U"April",   U"Mai",      U"Juni",
    U"Juli",   U"August",  U"September", U"Oktober", U"November", U"Dezember",
    U"Jänner", U"Jan",     U"Feb",       U"Aug",     U"Sept",     U"Okt",
    U"Nov",    U"Dez",
};

constexpr Symbol kSymbols[] = {
    {U'&', U"und"},
    {U'@', U"at"},
    {U'#', U"Nummer", SymbolPlace::kBeforeNumber},
    {U'#', U"Hashtag", SymbolPlace::kBeforeWord},
    {U'+', U"plus"},
    {U'=', U"gleich"},
    {U'/', U"pro", SymbolPlace::kAfterQuantity},
    {U'/', U"Schrägstrich", SymbolPlace::kBetweenWords},
    {U'%', U"Prozent"},
    {U'~', U"ungefähr", SymbolPlace::kBeforeNumber},
    {U'*', U"mal", SymbolPlace::kBetweenNumbers},
    {U'<', U"kleiner als", SymbolPlace::kBetweenNumbers},
    {U'>', U"größer als", SymbolPlace::kBetweenNumbers},
    {U'°', U"Grad"},
    {U'×', U"mal"},
    {U'÷', U"geteilt durch"},
    {U'±', U"plus minus"},
    {U'−', U"minus"},
    {U'≈', U"ungefähr"},
    {U'≠', U"ungleich"},
    {U'≤', U"höchstens"},
    {U'≥', U"mindestens"},
    {U'∞', U"unendlich"},
    {U'²', U"Quadrat"},
    {U'³', U"hoch drei"},
    {U'§', U"Paragraf"},
    {U'№', U"Nummer"},
    {U'€', U"Euro"},
    {U'$', U"Dollar"},
    {U'£', U"Pfund"},
};

constexpr Symbol kUrlSymbols[] = {
    {U'.', U"Punkt"},       {U'/', U"Schrägstrich"}, {U'-', U"Minus"},       {U'_', U"Unterstrich"},
    {U':', U"Doppelpunkt"}, {U'@', U"at"},           {U'?', U"Fragezeichen"}, {U'=', U"gleich"},
    {U'&', U"und"},         {U'#', U"Raute"},        {U'%', U"Prozent"},     {U'~', U"Tilde"},
    {U'+', U"plus"},
};

constexpr AbbreviationPlace kName = AbbreviationPlace::kBeforeName;
constexpr AbbreviationPlace kNumber = AbbreviationPlace::kBeforeNumber;
constexpr AbbreviationPlace kAny = AbbreviationPlace::kAnywhere;

constexpr Abbreviation kAbbreviations[] = {
    {U"Dr.", U"Doktor", kName},
    {U"Prof.", U"Professor", kName},
    {U"Hr.", U"Herr", kName},
    {U"Hrn.", U"Herrn", kName},
    {U"Fr.", U"Frau", kName},
    {U"St.", U"Sankt", kName},
    {U"Nr.", U"Nummer", kNumber},
    {U"Nrn.", U"Nummern", kNumber},
    {U"S.", U"Seite", kNumber},
    {U"Bd.", U"Band", kNumber},
    {U"Kap.", U"Kapitel", kNumber},
    {U"Abb.", U"Abbildung", kNumber},
    {U"Art.", U"Artikel", kNumber},
    {U"Abs.", U"Absatz", kNumber},
    {U"Tel.", U"Telefon", kAny},
    {U"z. B.", U"zum Beispiel", kAny},
    {U"z.B.", U"zum Beispiel", kAny},
    {U"z. T.", U"zum Teil", kAny},
    {U"d. h.", U"das heißt", kAny},
    {U"d.h.", U"das heißt", kAny},
    {U"u. a.", U"unter anderem", kAny},
    {U"u.a.", U"unter anderem", kAny},
    {U"v. a.", U"vor allem", kAny},
    {U"i. d. R.", U"in der Regel", kAny},
    {U"o. Ä.", U"oder Ähnliches", kAny},
    {U"usw.", U"und so weiter", kAny, true},
    {U"etc.", U"et cetera", kAny, true},
    {U"bzw.", U"beziehungsweise", kAny},
    {U"ca.", U"circa", kAny},
    {U"evtl.", U"eventuell", kAny},
    {U"ggf.", U"gegebenenfalls", kAny},
    {U"inkl.", U"inklusive", kAny},
    {U"zzgl.", U"zuzüglich", kAny},
    {U"vgl.", U"vergleiche", kAny},
    {U"sog.", U"sogenannte", kAny},
    {U"Mio.", U"", kAny},
    {U"Mrd.", U"", kAny},
    {U"Std.", U"", kAny},
    {U"Min.", U"", kAny},
    {U"Sek.", U"", kAny},
    {U"Str.", U"Straße", AbbreviationPlace::kAfterName},
    {U"v. Chr.", U"vor Christus", kAny, true},
    {U"n. Chr.", U"nach Christus", kAny, true},
};

}  // namespace

constexpr Language kGerman = {
    .tag = "de",
    .decimal_mark = U',',
    .group_mark = U'.',
    .apostrophe_group = U'\'',
    .numbering = "%spellout-numbering",
    .cardinal = {"%spellout-cardinal-masculine", "%spellout-cardinal-feminine",
                 "%spellout-cardinal-neuter"},
    .year = "%spellout-numbering-year",
    .nouns_capitalized = true,
    .plurals = U"one|other",
    .decimal_word = U"Komma",
    .minus = U"minus",
    .plus = U"plus",
    .range_word = U" bis ",
    .ratio_word = U"zu",
    .ordinal_dot = "%spellout-ordinal-r",
    .precursors = kPrecursors,
    .fractions = kFractions,
    .mixed_joiner = U" ",
    .currencies = kCurrencies,
    .money_joiner = U" und ",
    .magnitudes = kMagnitudes,
    .units = kUnits,
    .months = kMonths,
    .date_pattern = U"{d} {m} {y}",
    .date_day = "%spellout-ordinal-r",
    .date_year = "%spellout-numbering-year",
    .time_pattern = U"{h} Uhr {m}",
    .time_full_hour = U"{h} Uhr",
    .time_seconds = U" und {s} Sekunden",
    .time_hour = "%spellout-cardinal-masculine",
    .time_suffix = U"Uhr",
    .symbols = kSymbols,
    .url_symbols = kUrlSymbols,
    .abbreviations = kAbbreviations,
};

}  // namespace kani
