// bpe_test.cc - vocabulary, merges and the two ways of merging against the definition: repeat until
// nothing merges.
#include "kani/tokens/bpe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "kani/base/random.h"

namespace kani {
namespace {

/// Bytes are ids 0 to 255; each merge of two token texts makes the next id.
Bpe make_bpe(const std::vector<std::pair<std::string, std::string>>& merges) {
  Bpe bpe;
  bpe.tokens = TokenTable(256 + merges.size(), 256 + merges.size());
  int32_t next = 0;
  const auto add = [&](const std::string& text) {
    bpe.tokens.set(next, text);
    EXPECT_TRUE(bpe.tokens.make_searchable(next));
    return next++;
  };
  for (size_t byte = 0; byte < 256; ++byte)
    bpe.byte_ids[byte] = add(std::string(1, static_cast<char>(byte)));
  bpe.merges = MergeTable(merges.size());
  for (const auto& [left, right] : merges) {
    const int32_t merged = add(left + right);
    EXPECT_TRUE(bpe.merges.add(bpe.tokens.find(left), bpe.tokens.find(right), merged));
  }
  return bpe;
}

std::vector<int32_t> encode(const Bpe& bpe, std::string_view piece) {
  Bpe::Scratch scratch;
  std::vector<int32_t> ids;
  bpe.encode(piece, scratch, ids);
  return ids;
}

/// The definition, in quadratic time.
std::vector<int32_t> encode_slowly(const Bpe& bpe, std::string_view piece) {
  std::vector<int32_t> ids;
  for (const char c : piece) ids.push_back(bpe.byte_ids[static_cast<unsigned char>(c)]);
  for (;;) {
    uint32_t best = MergeTable::kNone;
    size_t place = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      if (const uint32_t rank = bpe.merges.rank(ids[i], ids[i + 1]); rank < best) {
        best = rank;
        place = i;
      }
    }
    if (best == MergeTable::kNone) return ids;
    ids[place] = bpe.merges.merged(best);
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
}

TEST(TokenTable, tokens_are_found_by_their_bytes) {
  TokenTable table(5, 3);
  table.set(4, "abc");
  table.set(0, std::string(100, 'x'));
  table.set(1, "abc");
  EXPECT_TRUE(table.make_searchable(4));
  EXPECT_TRUE(table.make_searchable(0));
  EXPECT_FALSE(table.make_searchable(1));  // the bytes are 4's
  EXPECT_EQ(table.find("abc"), 4);
  EXPECT_EQ(table.find(std::string(100, 'x')), 0);
  EXPECT_EQ(table.find("ab"), -1);
  EXPECT_EQ(table.find(""), -1);
  EXPECT_EQ(table.bytes(4), "abc");
  EXPECT_EQ(table.bytes(2), "");
  EXPECT_FALSE(table.has(2));
  EXPECT_EQ(TokenTable().find("a"), -1);
}

TEST(MergeTable, pairs_have_the_rank_of_their_order) {
  MergeTable merges(2);
  EXPECT_TRUE(merges.add(7, 8, 9));
  EXPECT_TRUE(merges.add(8, 7, 10));
  EXPECT_FALSE(merges.add(7, 8, 11));
  EXPECT_EQ(merges.rank(7, 8), 0u);
  EXPECT_EQ(merges.rank(8, 7), 1u);
  EXPECT_EQ(merges.merged(1), 10);
  EXPECT_EQ(merges.rank(7, 7), MergeTable::kNone);
}

TEST(Bpe, the_lowest_rank_merges_first_and_the_leftmost_of_equals) {
  const Bpe bpe = make_bpe({{"b", "c"}, {"a", "b"}, {"a", "a"}, {"bc", "d"}});
  EXPECT_EQ(encode(bpe, "abc"), (std::vector<int32_t>{'a', 256}));
  EXPECT_EQ(encode(bpe, "abcd"), (std::vector<int32_t>{'a', 259}));
  EXPECT_EQ(encode(bpe, "aaa"), (std::vector<int32_t>{258, 'a'}));
  EXPECT_EQ(encode(bpe, "x"), (std::vector<int32_t>{'x'}));
}

TEST(Bpe, whole_pieces_are_looked_up_first_only_if_asked_for) {
  Bpe bpe = make_bpe({{"a", "b"}, {"b", "c"}, {"a", "bc"}});
  EXPECT_EQ(encode(bpe, "abc"), (std::vector<int32_t>{256, 'c'}));
  bpe.whole_pieces_first = true;
  EXPECT_EQ(encode(bpe, "abc"), (std::vector<int32_t>{258}));
}

TEST(Bpe, short_and_long_pieces_follow_the_definition) {
  Random random(7);
  std::vector<std::pair<std::string, std::string>> list;
  std::vector<std::string> texts = {"a", "b", "c"};
  while (list.size() < 60) {  // random merges of what exists, all with different results
    const std::string left = texts[random.next_u64() % texts.size()];
    const std::string right = texts[random.next_u64() % texts.size()];
    if (std::find(texts.begin(), texts.end(), left + right) != texts.end() ||
        left.size() + right.size() > 12)
      continue;
    list.emplace_back(left, right);
    texts.push_back(left + right);
  }
  const Bpe bpe = make_bpe(list);
  for (int run = 0; run < 2000; ++run) {
    std::string piece(1 + random.next_u64() % 120,
                      ' ');  // below and above the border between the two ways
    for (char& c : piece) c = static_cast<char>('a' + random.next_u64() % 4);  // "d" never merges
    ASSERT_EQ(encode(bpe, piece), encode_slowly(bpe, piece)) << piece;
  }
}

TEST(Bpe, a_megabyte_in_one_piece_is_not_quadratic) {
  const Bpe bpe = make_bpe({{"a", "a"}, {"aa", "aa"}, {"aaaa", "aaaa"}});
  EXPECT_EQ(encode(bpe, std::string(1'000'001, 'a')).size(), 125'001u);
}

}  // namespace
}  // namespace kani
