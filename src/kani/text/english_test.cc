// english_test.cc - numbers, signs and abbreviations as English says them.
#include "kani/text/test_cases.h"

namespace kani {
namespace {

TEST(English, years_are_read_in_pairs) {
  expect_spoken("en", {
                          {"1984", "nineteen eighty-four"},
                          {"in 2024", "in twenty twenty-four"},
                          {"1900 or 1905", "nineteen hundred or nineteen oh-five"},
                          {"1500 people", "fifteen hundred people"},
                          {"1066", "one thousand sixty-six"},
                          {"2100 A4", "two thousand one hundred A four"},
                          {"the 1980s, the '90s, the 80s",
                           "the nineteen eighties, the 'nineties, the eighties"},
                          {"wait 80s", "wait eighty seconds"},
                      });
}

TEST(English, whole_numbers_and_decimals) {
  expect_spoken("en", {
                          {"0", "zero"},
                          {"42 and 101", "forty-two and one hundred one"},
                          {"1,234,567",
                           "one million two hundred thirty-four thousand five hundred sixty-seven"},
                          {"3.14", "three point one four"},
                          {"3.50", "three point five zero"},
                          {".5 litres", "point five litres"},
                          {"1,234.5", "one thousand two hundred thirty-four point five"},
                          {"-5 and \u22125", "minus five and minus five"},
                          {"1,2,3", "one, two, three"},
                          {"\uFF11\uFF12", "twelve"},
                          {"I said: 5.", "I said: five."},
                      });
}

TEST(English, codes_are_read_digit_by_digit) {
  expect_spoken(
      "en", {
                {"007", "zero zero seven"},
                {"1234567890", "one two three four five six seven eight nine zero"},
                {"1234567890123456789",
                 "one two three four five six seven eight nine zero one two three four five six "
                 "seven eight nine"},
                {"A4, mp3, H2O, COVID-19", "A four, mp three, H two O, COVID-nineteen"},
                {"10-year-old", "ten-year-old"},
            });
}

TEST(English, ordinals) {
  expect_spoken("en", {
                          {"3rd", "third"},
                          {"the 1st, 2nd and 103rd", "the first, second and one hundred third"},
                          {"21st-century", "twenty-first-century"},
                      });
}

TEST(English, fractions) {
  expect_spoken("en", {
                          {"1/2", "one half"},
                          {"2/3 and 3/4", "two thirds and three quarters"},
                          {"3 1/2", "three and one half"},
                          {"\u00BD or 1\u00BD", "one half or one and one half"},
                          {"24/7", "twenty-four slash seven"},
                      });
}

TEST(English, money) {
  expect_spoken("en", {
                          {"$3.50", "three dollars and fifty cents"},
                          {"$1", "one dollar"},
                          {"$1.00", "one dollar"},
                          {"$0.99", "ninety-nine cents"},
                          {"$3.5", "three point five dollars"},
                          {"5 \u20AC", "five euros"},
                          {"\u00A32.01", "two pounds and one penny"},
                          {"\u00A5100", "one hundred yen"},
                          {"US$5", "five US dollars"},
                          {"-$5", "minus five dollars"},
                          {"USD 5", "five dollars"},
                          {"$5 million", "five million dollars"},
                          {"$3.5M", "three point five million dollars"},
                          {"$10-20", "ten to twenty dollars"},
                          {"$10-$20", "ten to twenty dollars"},
                          {"$5/day", "five dollars per day"},
                      });
}

TEST(English, percent_and_units) {
  expect_spoken("en", {
                          {"50%", "fifty percent"},
                          {"3.5 %", "three point five percent"},
                          {"1 km and 5km", "one kilometer and five kilometers"},
                          {"60 km/h", "sixty kilometers per hour"},
                          {"-20\u00B0C", "minus twenty degrees Celsius"},
                          {"72\u00B0", "seventy-two degrees"},
                          {"16GB", "sixteen gigabytes"},
                          {"5in", "five inches"},
                          {"5 in the morning", "five in the morning"},
                          {"5kg-10kg", "five kilograms to ten kilograms"},
                      });
}

TEST(English, dates) {
  expect_spoken("en", {
                          {"2024-03-15", "March fifteenth, twenty twenty-four"},
                          {"15.03.2024", "March fifteenth, twenty twenty-four"},
                          {"3/15/2024", "March fifteenth, twenty twenty-four"},
                          {"15/3/2024", "March fifteenth, twenty twenty-four"},
                          {"3/4/24", "March fourth, twenty twenty-four"},
                          {"2024-03-15T10:30", "March fifteenth, twenty twenty-four ten thirty"},
                          {"March 15, 2024", "March fifteenth, twenty twenty-four"},
                          {"Jan. 5", "January fifth"},
                          {"13/13/2024", "thirteen slash thirteen slash twenty twenty-four"},
                      });
}

TEST(English, times) {
  expect_spoken("en", {
                          {"10:30", "ten thirty"},
                          {"10:05", "ten oh five"},
                          {"10:00", "ten o'clock"},
                          {"22:00", "twenty-two hundred"},
                          {"10:30:15", "ten thirty and fifteen seconds"},
                          {"5 pm", "five p.m."},
                          {"5:30PM today", "five thirty p.m. today"},
                          {"We met at 5 pm.", "We met at five p.m."},
                          {"We met at 5 p.m.", "We met at five p.m."},
                          {"16:9 and 25:00", "sixteen to nine and twenty-five to zero zero"},
                      });
}

TEST(English, telephone_numbers_and_versions) {
  expect_spoken(
      "en",
      {
          {"555-1234", "five five five, one two three four"},
          {"(555) 123-4567", "five five five, one two three, four five six seven"},
          {"+1 555-123-4567", "plus one, five five five, one two three, four five six seven"},
          {"200-1000", "two hundred to one thousand"},
          {"version 1.2.3", "version one dot two dot three"},
          {"192.168.1.1", "one hundred ninety-two dot one hundred sixty-eight dot one dot one"},
      });
}

TEST(English, ranges) {
  expect_spoken("en", {
                          {"10-20", "ten to twenty"},
                          {"10 \u2013 20", "ten to twenty"},
                          {"1990-95", "nineteen ninety to ninety-five"},
                          {"1990\u20132000", "nineteen ninety to two thousand"},
                          {"5-10%", "five to ten percent"},
                          {"3-2", "three-two"},
                          {"1-2-3", "one-two-three"},
                      });
}

TEST(English, signs) {
  expect_spoken("en", {
                          {"Tom & Jerry @ home", "Tom and Jerry at home"},
                          {"#1 #fun C#", "number one hashtag fun C sharp"},
                          {"2+2=4", "two plus two equals four"},
                          {"3*4 and 3 < 4", "three times four and three is less than four"},
                          {"and/or", "and slash or"},
                          {"~5", "about five"},
                          {"snake_case", "snake case"},
                          {"a -- b", "a \u2014 b"},
                          {"a ----- b", "a b"},
                          {"Wow!!!!!!", "Wow!!!"},
                      });
}

TEST(English, addresses) {
  expect_spoken("en", {
                          {"user@example.com", "user at example dot com"},
                          {"See https://www.example.com/a-b?c=2.",
                           "See example dot com slash a dash b question mark c equals two."},
                          {"open notes.txt", "open notes dot txt"},
                          {"the end.Then", "the end.Then"},
                      });
}

TEST(English, abbreviations_depend_on_their_neighbours) {
  expect_spoken("en", {
                          {"Dr. Smith lives on Main Dr.", "Doctor Smith lives on Main Drive."},
                          {"5 Main St. in St. Louis", "five Main Street in Saint Louis"},
                          {"No. 5", "number five"},
                          {"No. Never.", "No. Never."},
                          {"e.g. this", "for example this"},
                          {"and so on, etc.", "and so on, et cetera."},
                          {"Mr. Smith", "Mr. Smith"},
                          {"Chapter IV, Louis XIV", "Chapter IV, Louis XIV"},
                      });
}

TEST(English, region_and_case_of_the_tag_do_not_matter) {
  for (const char* tag : {"en", "en_us", "en-GB", "en_nyork", "EN", ""}) {
    EXPECT_EQ(normalize_text("50%", {.language = tag}), "fifty percent") << tag;
  }
}

TEST(English, nothing_is_spelled_out_when_not_asked) {
  EXPECT_EQ(normalize_text("Dr. X: $3.50 & 1\u00A0000", {.spell_numbers = false}),
            "Dr. X: $3.50 & 1 000");
}

}  // namespace
}  // namespace kani
