// What counts as the same word.
#include "kani/eval/spoken_words.h"

#include <gtest/gtest.h>

namespace kani {
namespace {

using Words = std::vector<std::string>;

TEST(SpokenWords, case_and_punctuation_do_not_count) {
  EXPECT_EQ(spoken_words("Good morning, this is \"Helen\"!", "en"),
            (Words{"good", "morning", "this", "is", "helen"}));
  EXPECT_EQ(spoken_words("A well-known fact", "en"), (Words{"a", "well", "known", "fact"}));
}

TEST(SpokenWords, apostrophes_stay_inside_words_in_one_form) {
  EXPECT_EQ(spoken_words("Don’t, 'tis the dogs' bone", "en"),
            (Words{"don't", "tis", "the", "dogs", "bone"}));
}

TEST(SpokenWords, numbers_and_signs_are_words_as_the_model_says_them) {
  EXPECT_EQ(spoken_words("Room 21", "en"), spoken_words("room twenty-one", "en"));
  EXPECT_EQ(spoken_words("5 %", "en"), spoken_words("five percent", "en"));
  EXPECT_EQ(spoken_words("Tengo 3 perros", "es"), (Words{"tengo", "tres", "perros"}));
}

TEST(SpokenWords, other_scripts_keep_their_letters_and_marks) {
  EXPECT_EQ(spoken_words("¿Dónde está el niño?", "es"), (Words{"dónde", "está", "el", "niño"}));
  EXPECT_EQ(spoken_words("ПРИВЕТ, мир", "ru"), (Words{"привет", "мир"}));
}

TEST(SpokenWords, nothing_to_say_is_no_words) { EXPECT_TRUE(spoken_words("… ---", "en").empty()); }

TEST(SpokenWords, characters_have_one_space_between_words) {
  EXPECT_EQ(spoken_characters({"two", "words"}), U"two words");
}

TEST(ExpectedSeconds, grows_with_what_is_to_be_said) {
  // 15 letters and spaces are a second, and 0.3 s of silence.
  EXPECT_NEAR(expected_seconds("abcde fghij klm", "en"), 1.3, 1e-9);
  EXPECT_GT(expected_seconds("1987", "en"), expected_seconds("one", "en"));
}

}  // namespace
}  // namespace kani
