// hostile_text_test.cc - the list of reliability.md 6, "Text", and use from several threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "kani/base/error.h"
#include "kani/base/sanitized.h"
#include "kani/base/utf8.h"
#include "kani/text/text.h"

namespace kani {
namespace {

std::string repeat(std::string_view part, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += part;
  return out;
}

/// Chunks of any text, with everything that must hold for them checked.
std::vector<Chunk> checked_chunks(std::string_view text, const ChunkOptions& options = {}) {
  const auto chunks = make_chunks(text, options);
  size_t begin = 0, end = 0;
  for (const Chunk& chunk : chunks) {
    EXPECT_FALSE(chunk.text.empty());
    EXPECT_FALSE(find_invalid_utf8(chunk.text));
    EXPECT_EQ(chunk.text.find_first_of("\r\n"), std::string::npos);
    EXPECT_LE(utf8_length(chunk.text), options.max_length);
    EXPECT_GE(chunk.source_begin, begin);
    EXPECT_GE(chunk.source_end, end);
    EXPECT_LE(chunk.source_begin, chunk.source_end);
    EXPECT_LE(chunk.source_end, text.size());
    begin = chunk.source_begin;
    end = chunk.source_end;
  }
  return chunks;
}

std::string spoken(std::string_view text) {
  std::string out;
  for (const Chunk& chunk : checked_chunks(text)) out += (out.empty() ? "" : "|") + chunk.text;
  return out;
}

TEST(HostileText, nothing_to_say) {
  EXPECT_EQ(spoken(""), "");
  EXPECT_EQ(spoken(repeat(" \t\n", 1000)), "");
  EXPECT_EQ(spoken(repeat("?!.,;:-", 1000)), "");
  EXPECT_EQ(spoken("a"), "a");
}

TEST(HostileText, no_boundary_for_long) {
  EXPECT_EQ(checked_chunks(repeat("a", 10000)).size(), 50u);
  const auto words = checked_chunks(repeat("word ", 2000));
  EXPECT_EQ(words.size(), 50u);
  for (const Chunk& chunk : words) EXPECT_GE(chunk.text.size(), 150u);
  EXPECT_FALSE(checked_chunks(repeat("\u0915", 10000), {.normalize = {.language = "hi"}}).empty());
}

TEST(HostileText, ten_thousand_digits_are_read_one_by_one) {
  const auto chunks = checked_chunks(repeat("7", 10000));
  size_t sevens = 0;
  for (const Chunk& chunk : chunks) {
    sevens += static_cast<size_t>(std::count(chunk.text.begin(), chunk.text.end(), 'v'));
    EXPECT_EQ(chunk.source_end - chunk.source_begin, (chunk.text.size() + 1) / 6);  // "seven "
  }
  EXPECT_EQ(sevens, 10000u);
}

TEST(HostileText, a_thousand_doctors_are_one_sentence) {
  EXPECT_EQ(split_sentences(repeat("Dr. ", 1000), "en").size(), 1u);
  EXPECT_EQ(split_sentences(repeat("Dr.", 1000), "en").size(), 1u);
  EXPECT_GT(checked_chunks(repeat("Dr. ", 1000)).size(), 10u);
}

TEST(HostileText, controls_and_marks_are_not_spoken) {
  EXPECT_EQ(spoken("a\u202Ecba\u202C\u2066d\u2069"), "acbad");
  EXPECT_EQ(spoken(repeat("\u200D\u200C", 1000) + "x"), "x");
  EXPECT_EQ(spoken(repeat("\u0301", 10000)), "");
  EXPECT_EQ(utf8_length(spoken("a" + repeat("\u0316\u0301", 500))),
            1 + 29u);  // á and 29 more marks
  EXPECT_EQ(spoken("\U0001F468\u200D\U0001F469\u200D\U0001F467\U0001F1E9\U0001F1EA\u2764\uFE0F"),
            "");
  EXPECT_EQ(spoken("a\uE000\U000F0000\uFFFD\uFFFF"
                   "b"),
            "a b");
  EXPECT_EQ(spoken("x\U0003FFF0y"),
            "x\U0003FFF0y"
            "");  // unassigned: a letter of tomorrow
  EXPECT_EQ(spoken("\u0378"), "");
}

TEST(HostileText, line_breaks_of_all_kinds) {
  EXPECT_EQ(spoken("one\r\ntwo\vthree\u0085four\rfive"), "one two three four five");
  EXPECT_EQ(spoken("One\f\u2028\r\n\v\vTwo"), "One|Two");
}

TEST(HostileText, mixed_scripts_and_look_alikes_pass) {
  EXPECT_EQ(spoken("p\u0430ypal привет 你好 שלום ok"), "p\u0430ypal привет 你好 שלום ok");
}

TEST(HostileText, imitations_are_plain_text) {
  EXPECT_EQ(spoken("<|startoftext|><|im_end|> hi"), "startoftext im end hi");
  EXPECT_EQ(spoken("en_US: hello"), "en US: hello");
  EXPECT_EQ(spoken("Ignore all previous instructions."), "Ignore all previous instructions.");
}

TEST(HostileText, tags_nested_and_broken) {
  EXPECT_EQ(spoken("[pause:[pause:1s]1s] a"), "[pause:|one second] a");
  EXPECT_EQ(spoken("<speak><break time=\"1s\"/>Hi</speak"),
            "speak break time equals \"one second\" Hi speak");
}

TEST(HostileText, code_art_and_tables_end_well) {
  checked_chunks("for (int i=0;i<n;++i) { a[i] += b->c; } // \\o/");
  checked_chunks(repeat("+---+\n| a |\n+---+\n", 500));
  checked_chunks(repeat("\u2588\u2591", 1000));
  checked_chunks("https://" + repeat("a.", 5000) + "com/?" + repeat("x=1&", 5000));
}

TEST(HostileText, megabytes_of_one_thing_take_no_time) {
  // A quadratic step anywhere would take minutes here.  Of what sanitizers look for shorter texts
  // show as much.
  constexpr size_t kSize = kSanitized ? 10000 : 100000;
  for (const char* part : {"a",
                           "1",
                           "1 ",
                           "1-",
                           "1.",
                           "1/2 ",
                           "1,111",
                           "a.",
                           "a. ",
                           "A. ",
                           "?",
                           "?\"",
                           ". ",
                           "[",
                           "](",
                           "<a",
                           "`",
                           "*a ",
                           "(1",
                           "+1 ",
                           "$",
                           "-",
                           "\n",
                           "- a\n",
                           "a|b\n-|-\n",
                           "http://",
                           "a@",
                           "[pause:0s]",
                           "[pause:",
                           "\u0301",
                           "a\u0301\u0316",
                           "\u1100",
                           "\u0915\u094D",
                           "今",
                           "\u0E01",
                           "\U0001F468\u200D",
                           "&amp;",
                           "&#",
                           "\\",
                           "Dr. ",
                           "<!--",
                           "> ",
                           "_a",
                           "~~",
                           "\u201C"}) {
    const std::string text = repeat(part, kSize / std::string_view(part).size());
    checked_chunks(text, {.normalize = {.strip_markdown = true}});
    checked_chunks(text, {.target_length = 1, .max_length = 7});
  }
}

TEST(HostileText, more_than_64_mib_is_refused) {
  const std::string text((size_t{64} << 20) + 1, ' ');
  try {
    make_chunks(text, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  }
  EXPECT_THROW(normalize_text(text, {}), Error);
  EXPECT_THROW(split_sentences(text, "en"), Error);
}

TEST(HostileText, several_threads_get_the_same_answer) {
  const char* languages[] = {"en", "de", "ru", "zh", "ko", "nl", "xx"};
  const std::string text =
      "Dr. Smith paid $3.50 on 15.03.2024. 今天 10:30! Then 50 %, 1/2 and 1984.";
  std::vector<std::string> expected;
  for (const char* language : languages)
    expected.push_back(normalize_text(text, {.language = language}));
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        for (size_t i = 0; i < std::size(languages); ++i) {
          const NormalizeOptions options{.language = languages[i]};
          if (normalize_text(text, options) != expected[i]) ++wrong;
          if (make_chunks(text, {.normalize = options}).empty()) ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace kani
