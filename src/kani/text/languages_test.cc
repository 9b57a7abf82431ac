// languages_test.cc - one table per language other than English, and languages without a table.
#include "kani/text/test_cases.h"

namespace kani {
namespace {

TEST(Languages, german) {
  expect_spoken(
      "de",
      {
          {"3,50 €", "drei Euro und fünfzig Cent"},
          {"1.234,5", "eintausendzweihundertvierunddreißig Komma fünf"},
          {"1.234.567", "eine Million zweihundertvierunddreißigtausendfünfhundertsiebenundsechzig"},
          {"3.5", "drei Komma fünf"},
          {"Im Jahr 1984", "Im Jahr neunzehnhundertvierundachtzig"},
          {"Der 3. Mai, am 3. Mai, 3. Mai", "Der dritte Mai, am dritten Mai, dritter Mai"},
          {"die 2. Klasse", "die zweite Klasse"},
          {"die 80er Jahre, 1920er", "die achtziger Jahre, neunzehnhundertzwanziger"},
          {"am 15.03.2024 um 10:30 Uhr",
           "am fünfzehnten März zweitausendvierundzwanzig um zehn Uhr dreißig"},
          {"10.30 Uhr", "zehn Uhr dreißig"},
          {"1 Haus, 1 kg, 1 t", "ein Haus, ein Kilogramm, eine Tonne"},
          {"5 Mio. €", "fünf Millionen Euro"},
          {"-5 °C und 50 %", "minus fünf Grad Celsius und fünfzig Prozent"},
          {"10-20", "zehn bis zwanzig"},
          {"1/2 und 3/4", "ein halb und drei Viertel"},
          {"z. B. Nr. 5, d. h. S. 7", "zum Beispiel Nummer fünf, das heißt Seite sieben"},
          {"030 1234567", "null drei null, eins zwei drei vier fünf sechs sieben"},
          {"A & B", "A und B"},
      });
}

TEST(Languages, spanish) {
  expect_spoken("es",
                {
                    {"$3.50 y 3,50 €",
                     "tres dólares con cincuenta centavos y tres euros con cincuenta céntimos"},
                    {"5 millones €", "cinco millones de euros"},
                    {"3,14 y 3,05", "tres coma catorce y tres coma cero cinco"},
                    {"15/03/2024", "quince de marzo de dos mil veinticuatro"},
                    {"El 1 de mayo", "El uno de mayo"},
                    {"1 libro y 1", "un libro y uno"},
                    {"3º, 2ª, 1er", "tercero, segunda, primer"},
                    {"10:30", "diez y treinta"},
                    {"a las 5 p.m.", "a las cinco de la tarde."},
                    {"50 %", "cincuenta por ciento"},
                    {"Sr. García, pág. 5", "señor García, página cinco"},
                    {"1/2, -5 °C", "un medio, menos cinco grados Celsius"},
                });
}

TEST(Languages, french) {
  expect_spoken(
      "fr", {
                {"3,50 €", "trois euros et cinquante centimes"},
                {"5 M€", "cinq millions d'euros"},
                {"1 234 567", "un million deux cent trente-quatre mille cinq cent soixante-sept"},
                {"1\u202F234", "mille deux cent trente-quatre"},
                {"3,14", "trois virgule quatorze"},
                {"le 1 mai, 1er, 2e", "le premier mai, premier, deuxième"},
                {"01/03/2024", "premier mars deux mille vingt-quatre"},
                {"10h30, 1h", "dix heures trente, une heure"},
                {"M. Dupont, n° 5", "monsieur Dupont, numéro cinq"},
                {"01 23 45 67 89", "zéro un, deux trois, quatre cinq, six sept, huit neuf"},
                {"50 %", "cinquante pour cent"},
            });
}

TEST(Languages, italian) {
  expect_spoken("it", {
                          {"3,50 €, 1 €", "tre euro e cinquanta centesimi, un euro"},
                          {"15/03/2024", "quindici marzo duemilaventiquattro"},
                          {"1° maggio", "primo maggio"},
                          {"10:30", "dieci e trenta"},
                          {"Sig. Rossi", "signor Rossi"},
                          {"21 case", "ventun case"},
                          {"-5 °C, 50%", "meno cinque gradi Celsius, cinquanta per cento"},
                      });
}

TEST(Languages, portuguese) {
  expect_spoken("pt", {
                          {"R$ 3,50", "três reais e cinquenta centavos"},
                          {"R$ 5 milhões", "cinco milhões de reais"},
                          {"15/03/2024", "quinze de março de dois mil e vinte e quatro"},
                          {"10h30", "dez e trinta"},
                          {"1º de maio", "primeiro de maio"},
                          {"3,14", "três vírgula catorze"},
                          {"50%", "cinquenta por cento"},
                      });
}

TEST(Languages, russian) {
  expect_spoken("ru",
                {
                    {"1984", "одна тысяча девятьсот восемьдесят четыре"},
                    {"в 2024 году", "в две тысячи двадцать четвертом году"},
                    {"2024 г.", "две тысячи двадцать четвертого года."},
                    {"15.03.2024", "пятнадцатое марта две тысячи двадцать четвертого года"},
                    {"15 марта", "пятнадцатое марта"},
                    {"1 ₽, 2 ₽, 5 ₽", "один рубль, два рубля, пять рублей"},
                    {"3,50 ₽", "три рубля пятьдесят копеек"},
                    {"21 км, 22 км, 25 км",
                     "двадцать один километр, двадцать два километра, двадцать пять километров"},
                    {"1 т, 2,5 кг", "одна тонна, две целых пять десятых килограмма"},
                    {"3,14", "три целых четырнадцать сотых"},
                    {"10-20 лет", "десять-двадцать лет"},
                    {"5 млн долларов, $5 млн", "пять миллионов долларов, пять миллионов долларов"},
                    {"ул. Ленина, д. 5", "улица Ленина, дом пять"},
                    {"3-й, 5-я", "третий, пятая"},
                    {"10:30, 5:00", "десять тридцать, пять часов"},
                });
}

TEST(Languages, chinese) {
  expect_spoken("zh", {
                          {"2024年3月15日", "二〇二四年三月十五日"},
                          {"2024-03-15", "二〇二四年三月十五日"},
                          {"2个人，12个，2点", "两个人，十二个，两点"},
                          {"¥100，$3.50", "一百元，三美元五十美分"},
                          {"50%，3.14，-5°C", "百分之五十，三点一四，负五摄氏度"},
                          {"1/2", "二分之一"},
                          {"10-20公里，5～6", "十到二十公里，五到六"},
                          {"10:30 10:05", "十点三十分 十点零五分"},
                          {"第3章 iPhone15", "第三章 iPhone十五"},
                          {"13812345678", "一三八一二三四五六七八"},
                      });
}

TEST(Languages, japanese) {
  expect_spoken("ja", {
                          {"2024年3月15日", "二千二十四年三月十五日"},
                          {"1,234円、¥100", "千二百三十四円、百円"},
                          {"50%、3.14", "五十パーセント、三点一四"},
                          {"10:30", "十時三十分"},
                          {"1/2", "二分の一"},
                          {"10-20km", "十から二十キロメートル"},
                      });
}

TEST(Languages, korean) {
  expect_spoken("ko", {
                          {"3개, 3개월", "세 개, 삼 개월"},
                          {"21살 5시 30분", "스물한 살 다섯 시 삼십 분"},
                          {"2024-03-15", "이천이십사년 삼월 십오일"},
                          {"₩1000, $3.50", "천 원, 삼 달러 오십 센트"},
                          {"10~20명", "십에서 이십 명"},
                          {"50%, -5°C", "오십 퍼센트, 마이너스 오 도"},
                      });
}

TEST(Languages, arabic) {
  expect_spoken("ar", {
                          {"1 $، 2 $، 5 $", "دولار واحد، دولاران، خمسة دولارات"},
                          {"٣ و 50%", "ثلاثة و خمسون بالمئة"},
                          {"3.14", "ثلاثة فاصل واحد أربعة"},
                          {"15/03/2024", "خمسة عشر مارس ألفين وأربعة وعشرون"},
                          {"1/2", "نصف"},
                      });
}

TEST(Languages, kyrgyz) {
  expect_spoken("ky", {
                          {"5-класс, 2024-жылы", "бешинчи класс, эки миң жыйырма төртүнчү жылы"},
                          {"15.03.2024", "эки миң жыйырма төртүнчү жылдын он бешинчи март"},
                          {"3,50 сом, $5", "үч сом элүү тыйын, беш доллар"},
                          {"3,14, -5 °C, 50%",
                           "үч бүтүн жүздөн он төрт, минус беш градус Цельсий, элүү пайыз"},
                          {"10-20", "он-жыйырма"},
                      });
}

TEST(Languages, without_a_table_icu_spells_numbers_and_signs_stay) {
  expect_spoken("nl", {{"50% van 3,14 & 1984",
                        "vijftig% van drie komma een vier & duizendnegenhonderdvierentachtig"}});
  expect_spoken("tr", {{"-5 ve 12345678901",
                        "eksi beş ve bir iki üç dört beş altı yedi sekiz dokuz sıfır bir"}});
}

TEST(Languages, icu_does_not_know_leave_digits) {
  for (const char* tag : {"xx", "tlh", "123", "e", "averyverylonglanguagetag", "\xFF\xFE", "_"}) {
    EXPECT_EQ(normalize_text("50% of 3.14 & 007", {.language = tag}), "50% of 3.14 & 0 0 7") << tag;
  }
}

TEST(Languages, spelled_numbers_hold_no_invisible_characters) {
  for (const char* tag : {"de", "it", "th", "sv", "en", "ar"}) {
    const std::string words = normalize_text("1234567", {.language = tag});
    EXPECT_EQ(words.find("\u00AD"), std::string::npos) << tag;
    EXPECT_EQ(words.find("\u200B"), std::string::npos) << tag;
    EXPECT_EQ(words.find("  "), std::string::npos) << tag;
  }
}

}  // namespace
}  // namespace kani
