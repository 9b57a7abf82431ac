// sequence_test.cc - sequences of ids and back; what is no sequence is refused.
#include "kani/tokens/sequence.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"

namespace kani {
namespace {

TokenLayout small_layout() {
  Lfm2Config config;
  config.audio_tokens_start = 410;
  config.vocab_size = 410 + 4 * 60;
  return TokenLayout::of(config);
}

const std::vector<int32_t> kText = {1, 7, 8};
const std::vector<int32_t> kCodes = {0, 59, 1, 2, 3, 4, 5, 6};
const std::vector<int32_t> kIds = {403, 1,   7,   8,   2,   404, 405, 401,  // text
                                   410, 529, 531, 592, 413, 474, 535, 596,  // two frames
                                   402, 406};

std::string refusal(const std::vector<int32_t>& ids) {
  try {
    parse_sequence(small_layout(), ids);
  } catch (const Error& bad) {
    EXPECT_EQ(bad.code(), ErrorCode::kBadInput);
    return bad.what();
  }
  return "accepted";
}

std::vector<int32_t> changed(size_t index, int32_t id) {
  std::vector<int32_t> ids = kIds;
  ids[index] = id;
  return ids;
}

TEST(Sequence, has_control_ids_where_upstream_has_them) {
  EXPECT_EQ(make_sequence(small_layout(), kText, kCodes), kIds);
}

TEST(Sequence, comes_apart_into_what_it_was_made_of) {
  const SequenceParts parts = parse_sequence(small_layout(), kIds);
  EXPECT_EQ(parts.text, kText);
  EXPECT_EQ(parts.codes, kCodes);
}

TEST(Sequence, no_beginning_of_it_is_one) {
  for (size_t n = 0; n < kIds.size(); ++n)
    EXPECT_NE(refusal({kIds.begin(), kIds.begin() + static_cast<ptrdiff_t>(n)}), "accepted") << n;
}

TEST(Sequence, a_wrong_id_is_named_with_its_place) {
  EXPECT_EQ(refusal(changed(0, 402)), "index 0 has the id 402, expected start of human (403)");
  EXPECT_EQ(refusal(changed(1, 9)), "index 1 has the id 9, expected start of text (1)");
  EXPECT_EQ(refusal(changed(2, 400)), "index 2 has the id 400, text has ids below 400");
  EXPECT_EQ(refusal(changed(2, -5)), "index 2 has the id -5, text has ids below 400");
  EXPECT_EQ(refusal(changed(4, 3)), "index 4 has the id 3, expected end of text (2)");
  EXPECT_EQ(refusal(changed(8, 470)), "index 8 has the id 470, which is no code of codebook 0");
  EXPECT_EQ(refusal(changed(11, 650)), "index 11 has the id 650, which is no code of codebook 3");
  EXPECT_EQ(refusal(changed(16, 413)), "index 16 has the id 413, expected end of speech (402)");
}

}  // namespace
}  // namespace kani
