// chunks_test.cc - pieces of similar length, pauses, and where they come from.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "kani/base/error.h"
#include "kani/base/utf8.h"
#include "kani/text/grouping.h"
#include "kani/text/text.h"
#include "kani/text/unicode.h"

namespace kani {
namespace {

std::vector<std::string> texts(const std::vector<Chunk>& chunks) {
  std::vector<std::string> out;
  for (const Chunk& chunk : chunks) out.push_back(chunk.text);
  return out;
}

std::vector<std::string> chunk_texts(std::string_view text, const ChunkOptions& options = {}) {
  return texts(make_chunks(text, options));
}

using Texts = std::vector<std::string>;

TEST(Chunks, join_short_sentences_of_a_paragraph) {
  EXPECT_EQ(chunk_texts("One. Two. Three."), Texts{"One. Two. Three."});
  EXPECT_EQ(chunk_texts("One. Two.\n\nThree."), (Texts{"One. Two.", "Three."}));
  EXPECT_EQ(chunk_texts("One. Two.", {.target_length = 0}), (Texts{"One.", "Two."}));
}

TEST(Chunks, a_line_that_ends_a_sentence_gets_its_full_stop) {
  EXPECT_EQ(chunk_texts("# Title\nText (here)\n- one,\n- two"),
            Texts{"Title. Text (here). one, two"});
  EXPECT_EQ(chunk_texts("- 你好\n- 再见", {.normalize = {.language = "zh"}}), Texts{"你好。 再见"});
}

TEST(Chunks, unspoken_lines_leave_no_gaps) {
  EXPECT_EQ(chunk_texts("A\u2028===\u2028***\u2028B"), Texts{"A. B"});
  EXPECT_EQ(chunk_texts("A.\u2028...\u2028B"), Texts{"A. ... B"});
}

TEST(Chunks, are_of_similar_length) {
  std::string text;
  for (int i = 0; i < 11; ++i) text += "Nineteen characters. ";  // 20 and a space
  // 230 in all: two chunks, of 6 and 5 sentences, not of 9 and 2.
  const auto chunks = make_chunks(text, {.target_length = 200});
  ASSERT_EQ(chunks.size(), 2u);
  EXPECT_EQ(chunks[0].text.size() + chunks[1].text.size(), 229u);
  EXPECT_LE(std::max(chunks[0].text.size(), chunks[1].text.size()), 125u);
}

TEST(Chunks, a_sentence_stays_whole_up_to_max_length) {
  const std::string sentence(390, 'a');
  EXPECT_EQ(chunk_texts(sentence + ". Next."), (Texts{sentence + ".", "Next."}));
}

TEST(Chunks, long_sentences_are_cut_at_clauses_then_words) {
  EXPECT_EQ(chunk_texts("one two three, four five six; seven eight nine",
                        {.target_length = 20, .max_length = 25}),
            (Texts{"one two three,", "four five six;", "seven eight nine"}));
  EXPECT_EQ(chunk_texts("one two three four five six seven eight",
                        {.target_length = 20, .max_length = 30}),
            (Texts{"one two three four", "five six seven eight"}));
  EXPECT_EQ(chunk_texts("今天天气很好，我们去公园",
                        {.normalize = {.language = "zh"}, .target_length = 20, .max_length = 20}),
            (Texts{"今天天气很好，", "我们去公园"}));
}

TEST(Chunks, text_without_spaces_is_cut_between_words_and_clusters) {
  // 今天 天气 很 好 我们 去 公园: 39 units, no word is broken.
  for (const std::string& piece :
       chunk_texts("今天天气很好我们去公园",
                   {.normalize = {.language = "zh"}, .target_length = 12, .max_length = 12})) {
    EXPECT_NE(piece.front(), '\0');
    EXPECT_FALSE(piece.starts_with("天气很好我") || piece.ends_with("我")) << piece;
  }
  // Every "e" carries a dot below that has no composed form with the tilde above.
  std::string text;
  for (int i = 0; i < 50; ++i) text += "q\u0323\u0303";
  for (const std::string& piece : chunk_texts(text, {.target_length = 10, .max_length = 10})) {
    EXPECT_TRUE(piece.starts_with("q")) << piece;
    EXPECT_EQ(utf8_length(piece) % 3, 0u);
  }
}

TEST(Chunks, a_cluster_longer_than_max_length_is_cut_too) {
  EXPECT_EQ(chunk_texts("q\u0323\u0303", {.target_length = 1, .max_length = 1}), Texts{"q"});
}

TEST(Chunks, east_asian_text_counts_by_how_long_it_takes) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "好";
  EXPECT_EQ(
      make_chunks(text, {.normalize = {.language = "zh"}, .target_length = 100, .max_length = 100})
          .size(),
      3u + 1u);
}

TEST(Chunks, pause_tags_cut_and_add_silence) {
  const auto chunks = make_chunks(
      "[pause:1s]One [pause:0.5s] two.[pause:500ms][pause:2s] Three.\n\n[pause:10s]", {});
  ASSERT_EQ(texts(chunks), (Texts{"One", "two.", "Three."}));
  EXPECT_EQ(chunks[0].pause_before_s, 1);
  EXPECT_EQ(chunks[0].pause_after_s, 0.5);
  EXPECT_EQ(chunks[1].pause_before_s, 0);
  EXPECT_EQ(chunks[1].pause_after_s, 2.5);
  EXPECT_EQ(chunks[2].pause_after_s, 10);
  EXPECT_FALSE(chunks[1].ends_paragraph);
  EXPECT_TRUE(chunks[2].ends_paragraph);
}

TEST(Chunks, other_brackets_are_spoken_as_written) {
  for (const char* tag : {"[pause:11s]", "[pause:]", "[pause:s]", "[pause:1.s]", "[pause:1]",
                          "[pause:1m]", "[Pause:1s]", "[pause: 1s]", "[pause:-1s]", "[pause:1e9s]",
                          "[pause:99999999s]", "[pause:1s", "[break]"}) {
    const auto chunks =
        make_chunks(std::string("a ") + tag + " b", {.normalize = {.spell_numbers = false}});
    ASSERT_EQ(chunks.size(), 1u) << tag;
    EXPECT_EQ(chunks[0].text, std::string("a ") + tag + " b");
    EXPECT_EQ(chunks[0].pause_after_s, 0);
  }
}

TEST(Chunks, pauses_of_a_text_are_at_most_a_minute) {
  std::string text = "a";
  for (int i = 0; i < 7; ++i) text += "[pause:9s]";
  const auto chunks = make_chunks(text, {});
  ASSERT_EQ(texts(chunks), (Texts{"a", "[pause: nine seconds]"}));
  EXPECT_EQ(chunks[0].pause_after_s, 54);
}

TEST(Chunks, pauses_work_inside_markdown) {
  const ChunkOptions options{.normalize = {.strip_markdown = true}};
  EXPECT_EQ(chunk_texts("*One [pause:1s] two*", options), (Texts{"One", "two"}));
  // A tag in what is dropped goes with it; the others keep their lengths.
  const auto chunks = make_chunks("<!-- [pause:1s] --> One [pause:2s] two", options);
  ASSERT_EQ(texts(chunks), (Texts{"One", "two"}));
  EXPECT_EQ(chunks[0].pause_before_s, 0);
  EXPECT_EQ(chunks[0].pause_after_s, 2);
}

TEST(Chunks, what_has_nothing_to_speak_is_dropped) {
  for (const char* text :
       {"", " ", "\n\n", "...", "?!", "\U0001F600 \u2764", "---", "[pause:1s]", "\u200B\u202E",
        "\uFFFD", "\u0301\u0301", "( )", "|_|", "\uE000", "\xFF"}) {
    EXPECT_TRUE(make_chunks(text, {}).empty()) << text;
  }
  const auto chunks = make_chunks("One. [pause:1s] ... [pause:2s] Two.", {});
  ASSERT_EQ(texts(chunks), (Texts{"One.", "Two."}));
  EXPECT_EQ(chunks[0].pause_after_s, 3);
}

TEST(Chunks, sources_are_exact_for_what_was_copied) {
  const std::string text = "  Héllo \u200Bworld.  It is  5 o'clock.\n\nBye.";
  const auto chunks = make_chunks(text, {.target_length = 0});
  ASSERT_EQ(texts(chunks), (Texts{"Héllo world.", "It is five o'clock.", "Bye."}));
  const auto source = [&](size_t i) {
    return text.substr(chunks[i].source_begin, chunks[i].source_end - chunks[i].source_begin);
  };
  EXPECT_EQ(source(0), "Héllo \u200Bworld.");
  EXPECT_EQ(source(1), "It is  5 o'clock.");
  EXPECT_EQ(source(2), "Bye.");
}

TEST(Chunks, a_number_knows_the_whole_of_it) {
  const auto chunks = make_chunks("a 1234567 b", {.target_length = 30, .max_length = 30});
  ASSERT_GT(chunks.size(), 2u);
  EXPECT_EQ(chunks[1].source_begin, 2u);
  EXPECT_EQ(chunks[1].source_end, 9u);
}

TEST(Chunks, a_dash_at_the_start_is_no_range) {
  EXPECT_EQ(chunk_texts("-$x"), Texts{"- dollars x"});
}

TEST(Chunks, max_length_zero_is_refused) {
  EXPECT_THROW(make_chunks("a", {.max_length = 0}), Error);
  EXPECT_EQ(chunk_texts("One. Two.", {.target_length = 1000, .max_length = 5}),
            (Texts{"One.", "Two."}));
}

/// Letters and digits of a text, in order: what must not get lost.
std::u32string substance(std::string_view text) {
  std::u32string out;
  for (const char32_t c : to_utf32(text)) {
    if (is_speakable(c)) out.push_back(c);
  }
  return out;
}

struct Sample {
  const char* language;
  const char* text;
};
constexpr Sample kSamples[] = {
    {"en",
     "Dr. Smith paid $3.50 on 2024-03-15 at 10:30, i.e. late. He (yes) went to "
     "https://a.com/b?c=d.\n\n"
     "# Next\n- one\n- two 5%\nIt was 1984! \"Really?\" she asked… Then 1/2 of 1,234.5 kg; 10-20 "
     "more."},
    {"de",
     "Am 3. Mai kostete es 3,50 €, z. B. für Dr. Müller. „Halt!“ Er ging. 10:30 Uhr; 5 Mio. €."},
    {"ru",
     "В 2024 году он заплатил 21 ₽ и 3,14 кг. А. С. Пушкин и т. д. "
     "Потом "
     "15.03.2024."},
    {"zh", "2024年3月15日，我花了¥100。“真的吗？”他说。3.14，50%。然后……他走了！"},
    {"ja", "これは3冊の本です。彼は「行くよ。」と言った。1,234円、50%。"},
    {"ko", "3개를 21살에 샀다. 5시 30분에 갔다! 50%, $3.50."},
    {"ar", "كيف حالك؟ دفعت 5 $ في 15/03/2024، ثم ذهبت. 50%."},
    {"hi", "मैं ठीक हूँ। आप 5 बजे कैसे हैं? हाँ।"},
    {"th", "สวัสดีครับผมชื่อสมชายวันนี้อากาศดีมากเราไปเที่ยวกัน 5 คน"},
};

TEST(Chunks, hold_every_word_in_order_whatever_the_lengths) {
  for (const Sample& sample : kSamples) {
    for (const size_t target : {0, 7, 40, 200}) {
      for (const size_t longest : {9, 50, 400}) {
        const ChunkOptions options{.normalize = {.language = sample.language},
                                   .target_length = target,
                                   .max_length = longest};
        std::string joined;
        for (const Chunk& chunk : make_chunks(sample.text, options)) {
          EXPECT_LE(utf8_length(chunk.text), longest);
          EXPECT_EQ(chunk.text.find('\n'), std::string::npos);
          joined += chunk.text;
        }
        EXPECT_EQ(substance(joined), substance(normalize_text(sample.text, options.normalize)))
            << sample.language << " " << target << " " << longest;
      }
    }
  }
}

TEST(Chunks, sources_never_decrease_and_lie_in_the_text) {
  for (const Sample& sample : kSamples) {
    const std::string_view text = sample.text;
    size_t begin = 0, end = 0;
    for (const Chunk& chunk : make_chunks(
             text,
             {.normalize = {.language = sample.language}, .target_length = 9, .max_length = 20})) {
      EXPECT_LT(chunk.source_begin, chunk.source_end);
      EXPECT_GE(chunk.source_begin, begin);
      EXPECT_GE(chunk.source_end, end);
      EXPECT_LE(chunk.source_end, text.size());
      EXPECT_FALSE(find_invalid_utf8(
          text.substr(chunk.source_begin, chunk.source_end - chunk.source_begin)));
      begin = chunk.source_begin;
      end = chunk.source_end;
    }
  }
}

std::vector<Span> pieces_of(const std::vector<size_t>& lengths) {
  std::vector<Span> pieces;
  size_t begin = 0;
  for (const size_t length : lengths) {
    pieces.push_back({begin, begin + length});
    begin += length;
  }
  return pieces;
}

TEST(Grouping, groups_are_as_few_as_possible_and_within_the_limit) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<size_t> sizes(random() % 40 + 1);
    for (size_t& size : sizes) size = random() % 30 + 1;
    const auto pieces = pieces_of(sizes);
    std::vector<size_t> lengths(pieces.back().end + 1);
    for (size_t i = 0; i < lengths.size(); ++i) lengths[i] = i;
    const size_t limit = 50;
    const auto groups = join_balanced(pieces, lengths, limit);

    size_t greedy = 1, filled = 0;
    for (const size_t size : sizes) {
      if (filled + size > limit) {
        ++greedy;
        filled = 0;
      }
      filled += size;
    }
    EXPECT_EQ(groups.size(), greedy);
    size_t end = 0;
    for (const Span group : groups) {
      EXPECT_EQ(group.begin, end);
      EXPECT_LE(group.size(), limit);
      end = group.end;
    }
    EXPECT_EQ(end, pieces.back().end);
  }
}

TEST(Grouping, a_piece_beyond_the_limit_stays_alone) {
  const auto pieces = pieces_of({5, 100, 5, 5});
  std::vector<size_t> lengths(116);
  for (size_t i = 0; i < lengths.size(); ++i) lengths[i] = i;
  const auto groups = join_balanced(pieces, lengths, 20);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[1].size(), 100u);
  EXPECT_EQ(groups[2].size(), 10u);
}

}  // namespace
}  // namespace kani
