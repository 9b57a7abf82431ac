// Where a long recording is cut, and what becomes one piece.
#include "kani/dataset/pieces.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"
#include "kani/base/random.h"

namespace kani {
namespace {

/// "12-30", or with its reason "12-30 piece_too_long".
std::string said(const std::vector<Piece>& pieces) {
  std::string text;
  for (const Piece& one : pieces) {
    text += concat(text.empty() ? "" : ", ", one.first, "-", one.last);
    if (one.reject) text += concat(" ", reject_name(one.reject->reason));
  }
  return text;
}

/// Sentences of `length` seconds with silence of `pause` behind each.
struct Talk {
  explicit Talk(std::vector<double> lengths, double pause = 0.5) {
    for (const double length : lengths) {
      segments.push_back({seconds, seconds + length, concat("s", segments.size())});
      silences.push_back({seconds + length, seconds + length + pause});
      seconds += length + pause;
    }
  }
  std::vector<Piece> pieces(const PieceOptions& options = {}) const {
    return make_pieces(segments, silences, seconds, options);
  }
  std::vector<TimedText> segments;
  std::vector<Silence> silences;
  double seconds = 0;
};

TEST(Pieces, neighbours_are_joined_as_far_as_the_limit_allows) {
  const auto pieces = Talk({10, 10, 8, 10, 10}).pieces();
  EXPECT_EQ(said(pieces), "0-3, 3-5");
  EXPECT_EQ(pieces[0].start_s, 0);
  EXPECT_EQ(pieces[0].end_s, 29.25);  // the middle of half a second of silence
  EXPECT_EQ(pieces[1].start_s, 29.25);
  EXPECT_EQ(pieces[1].end_s, 50.25);
}

TEST(Pieces, of_long_silence_a_little_stays_at_both_ends) {
  const auto pieces = Talk({5, 5}, 4).pieces();  // over 2 s: not joined
  EXPECT_EQ(said(pieces), "0-1, 1-2");
  EXPECT_EQ(pieces[0].end_s, 5.3);
  EXPECT_EQ(pieces[1].start_s, 8.7);
  EXPECT_EQ(pieces[1].end_s, 14.3);
}

TEST(Pieces, a_short_rest_is_not_lost_if_it_can_take_something_of_its_neighbour) {
  // Greedily 29 s would be one, and the last second none.
  EXPECT_EQ(said(Talk({14, 14, 1}).pieces()), "0-1, 1-3");
  EXPECT_EQ(said(Talk({1, 29}).pieces()), "0-1 piece_too_short, 1-2");
}

TEST(Pieces, without_silence_nothing_is_cut) {
  Talk talk({10, 12, 12});
  talk.silences = {{34, 34.5}};  // the speaker goes on between the sentences
  const auto pieces = talk.pieces();
  EXPECT_EQ(said(pieces), "0-3 piece_too_long");
  EXPECT_NEAR(*pieces[0].reject->value, 34.75 + 0.5, 0.6);
  EXPECT_EQ(pieces[0].reject->detail, "no silence of 0.3 s to cut it at; at most 30 s");
  talk.silences = {{10.1, 10.5}};
  EXPECT_EQ(said(talk.pieces()), "0-1, 1-3");
}

TEST(Pieces, silence_inside_of_a_sentence_is_no_place_to_cut) {
  Talk talk({20, 20});
  talk.silences = {{10, 11}, {30, 31}};
  EXPECT_EQ(said(talk.pieces()), "0-2 piece_too_long");
}

TEST(Pieces, a_silence_belongs_to_one_gap_and_to_the_right_one) {
  // "I" is 0.1 s long; the pause is behind it, and reaches the gap before it as times are rough.
  std::vector<TimedText> words = {{0, 9.9, "say"}, {9.95, 10.05, "I"}, {10.45, 20, "think"}};
  const Silence pause[] = {{10.05, 10.45}};
  auto pieces = make_pieces(words, pause, 20, {.max_seconds = 15});
  EXPECT_EQ(said(pieces), "0-2, 2-3");
  words = {{0, 10, "say"}, {10.4, 10.5, "I"}, {10.52, 20, "think"}};
  const Silence before[] = {{10, 10.4}};
  pieces = make_pieces(words, before, 20, {.max_seconds = 15});
  EXPECT_EQ(said(pieces), "0-1, 1-3");
}

TEST(Pieces, times_without_a_gap_and_overlapping_ones_are_cut_where_it_is_silent) {
  std::vector<TimedText> sentences = {{0, 10, "a"}, {10, 20, "b"}, {19.9, 30, "c"}};
  const Silence silences[] = {{9.7, 10.1}, {19.8, 20.2}};
  EXPECT_EQ(said(make_pieces(sentences, silences, 30, {.max_seconds = 15})), "0-1, 1-2, 2-3");
  sentences[1].end_s = 25;  // still speaks when the next has begun
  EXPECT_EQ(said(make_pieces(sentences, silences, 30, {.max_seconds = 25})), "0-1, 1-3");
}

TEST(Pieces, sound_without_text_is_in_no_piece) {
  // Music from 10.5 to 40, silent at both ends.
  const std::vector<TimedText> sentences = {{0, 10, "a"}, {41, 50, "b"}};
  const Silence silences[] = {{10, 10.5}, {40.4, 41}};
  const auto pieces = make_pieces(sentences, silences, 50, {});
  EXPECT_EQ(said(pieces), "0-1, 1-2");
  EXPECT_EQ(pieces[0].end_s, 10.25);
  EXPECT_EQ(pieces[1].start_s, 40.7);
}

TEST(Pieces, segments_behind_the_end_are_rejected_with_what_they_say) {
  Talk talk({10, 10, 10});
  talk.seconds = 15;
  talk.silences.resize(1);
  const auto pieces = talk.pieces();
  EXPECT_EQ(said(pieces), "0-1, 1-3 cut");
  EXPECT_EQ(*pieces[1].reject->value, 31);
}

TEST(Pieces, one_piece_of_anything_that_fits) {
  EXPECT_EQ(said(Talk({5}).pieces()), "0-1");
  EXPECT_EQ(said(Talk({1}).pieces()), "0-1 piece_too_short");
  EXPECT_EQ(said(make_pieces({}, {}, 5, {})), "");
}

TEST(Pieces, of_anything_at_all_each_segment_is_in_one_piece_within_the_limits) {
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<TimedText> segments;
    std::vector<Silence> silences;
    double at = 0;
    for (int i = 0; i < 60; ++i) {
      at += random.next_uniform() * (i % 7 == 0 ? 3 : 0.3);
      segments.push_back({at, at + random.next_uniform() * 6, "x"});
      if (round % 2 == 0) at = segments.back().end_s;
    }
    for (double s = 0; s < at;) {
      s += 0.5 + random.next_uniform() * (round % 5);
      silences.push_back({s, s + 0.3 + random.next_uniform() * 0.5});
      s = silences.back().end_s;
    }
    const PieceOptions options;
    size_t next = 0;
    double end_s = 0;
    for (const Piece& one : make_pieces(segments, silences, at * 0.9, options)) {
      EXPECT_EQ(one.first, next);
      EXPECT_GT(one.last, one.first);
      next = one.last;
      if (one.reject) continue;
      EXPECT_GE(one.start_s, end_s - 1e-3);
      EXPECT_GE(one.end_s - one.start_s, options.min_seconds - 1e-3);
      EXPECT_LE(one.end_s - one.start_s, options.max_seconds + 1e-3);
      end_s = one.end_s;
    }
    EXPECT_EQ(next, segments.size());
  }
}

TEST(Pieces, many_words_in_one_place_take_no_time_squared) {
  std::vector<TimedText> words;
  std::vector<Silence> silences;
  for (size_t i = 0; i < 200'000; ++i) words.push_back({i < 100'000 ? 0.0 : 50'000.0, 80'000, "x"});
  for (size_t i = 0; i < 100'000; ++i)
    silences.push_back({static_cast<double>(i) * 0.8, static_cast<double>(i) * 0.8 + 0.4});
  EXPECT_EQ(said(make_pieces(words, silences, 80'000, {})), "0-200000 piece_too_long");
  for (TimedText& one : words) one.end_s = one.start_s;
  EXPECT_FALSE(make_pieces(words, silences, 80'000, {}).empty());
}

TEST(Pieces, texts_are_joined_as_their_script_is_written) {
  const auto joined = [](const char* a, const char* b) {
    return joined_text(std::vector<TimedText>{{0, 1, a}, {1, 2, " \n"}, {1, 2, b}});
  };
  EXPECT_EQ(joined(" Good ", "\tmorning.\n"), "Good morning.");
  EXPECT_EQ(joined("你好。", "我是谁"), "你好。我是谁");
  EXPECT_EQ(joined("안녕", "하세요"), "안녕 하세요");
  EXPECT_EQ(joined("สวัสดี", "ครับ"), "สวัสดีครับ");
  EXPECT_EQ(joined("你好", "Anna"), "你好 Anna");
  EXPECT_EQ(joined("", "one"), "one");
}

}  // namespace
}  // namespace kani
