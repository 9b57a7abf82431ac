// selection.cc - see selection.h.
#include "kani/dataset/selection.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "kani/base/error.h"
#include "kani/dataset/clip_maker.h"
#include "kani/dataset/near_duplicates.h"

namespace kani {
namespace {

using Digest = std::array<std::byte, 32>;

void stop_sources(std::vector<RecordFacts>& facts, const SelectionOptions& options) {
  struct Count {
    size_t records = 0, errors = 0;
  };
  std::map<std::string, Count> sources;
  for (const RecordFacts& one : facts) {
    Count& count = sources[one.source];
    ++count.records;
    count.errors += one.reject && is_record_error(one.reject->reason) ? 1 : 0;
  }
  for (RecordFacts& one : facts) {
    const Count& count = sources[one.source];
    const double share = static_cast<double>(count.errors) / static_cast<double>(count.records);
    if (one.reject || count.errors < options.least_errors || share <= options.max_error_share ||
        options.allowed_errors.contains(one.source))
      continue;
    one.reject = Reject{RejectReason::kSourceStopped, share,
                        concat(count.errors, " of ", count.records,
                               " records of its source are bad, "
                               "at most ",
                               rounded(100 * options.max_error_share, 3), " % may be")};
  }
}

/// Looks at the clips of one split after the other.
class Repeats {
 public:
  Repeats(std::vector<RecordFacts>& facts, const SelectionOptions& options, const CodesOf& codes_of)
      : facts_(facts), options_(options), codes_of_(codes_of) {}

  void look_at(RecordFacts& one, Split split) {
    if (const auto [place, is_new] = sounds_.try_emplace(one.sound, one.index); !is_new) {
      one.reject = Reject{RejectReason::kDuplicateSound, static_cast<double>(place->second),
                          concat("the samples of ", audio(place->second))};
      return;
    }
    const std::vector<int32_t> codes = codes_of_(one);
    if (const auto found = near_.find(codes)) {
      one.reject = Reject{RejectReason::kNearDuplicate, found->share,
                          concat("of the codes are those of ", audio(found->owner))};
      return;
    }
    // What others shall be compared with is remembered even if the text is one too many.
    near_.add(codes, one.index);
    size_t& said = texts_[one.text_key];
    if (split != Split::kTest && said >= options_.texts_per_speaker) {
      one.reject = Reject{RejectReason::kDuplicateText, static_cast<double>(said),
                          "the speaker has said it often enough"};
      return;
    }
    ++said;
    if (split == Split::kTrain) {
      if (held_out_.contains(one.text_key))
        one.reject = Reject{RejectReason::kSplitLeak, {}, "its text is in another split"};
    } else {
      held_out_.insert(one.text_key);
    }
  }

 private:
  struct DigestHash {
    size_t operator()(const Digest& digest) const {
      size_t value = 0;
      for (size_t i = 0; i < sizeof value; ++i) value = value << 8 | static_cast<size_t>(digest[i]);
      return value;
    }
  };
  std::string audio(uint64_t index) const { return printable(facts_[index].audio, 200); }

  const std::vector<RecordFacts>& facts_;
  const SelectionOptions& options_;
  const CodesOf& codes_of_;
  std::unordered_map<Digest, uint64_t, DigestHash> sounds_;
  std::unordered_map<uint64_t, size_t> texts_;
  std::unordered_set<uint64_t> held_out_;
  NearDuplicates near_;
};

/// What one name has of the training split.
struct Share {
  double seconds = 0;
  std::vector<size_t> clips;
};
using Shares = std::map<std::string, Share>;

constexpr size_t kNamesOfOneLarge = 10;  // of so many names one may be larger than all others

/// Seconds that one name may have.  If a few names are larger than the others their share is of
/// what is left when they are cut; if many would have to be cut it is of `total`, all that there
/// is now: a share of what is left would make itself smaller and smaller, down to nothing.
double most_seconds(const Shares& names, double total, const SelectionOptions& options) {
  std::vector<double> largest;
  for (const auto& [text, one] : names) {
    if (!options.allowed_shares.contains(text)) largest.push_back(one.seconds);
  }
  std::sort(largest.rbegin(), largest.rend());
  double rest = total;
  for (size_t cut = 0; cut <= names.size() / kNamesOfOneLarge && cut < largest.size(); ++cut) {
    // The x of x = max_share * (rest + cut * x).
    const double left = 1 - options.max_share * static_cast<double>(cut);
    const double most = options.max_share * rest / left;
    if (left > 0 && largest[cut] <= most) return most;
    rest -= largest[cut];
  }
  return std::max(options.max_share * total, total / static_cast<double>(names.size()));
}

/// Takes clips off the names that have more than their share of the training split; each keeps one.
void limit_shares(std::vector<RecordFacts>& facts, const std::vector<Split>& splits,
                  const SelectionOptions& options, const std::string RecordFacts::*name,
                  RejectReason reason) {
  Shares names;
  double total = 0;
  for (size_t i = 0; i < facts.size(); ++i) {
    if (facts[i].reject || splits[i] != Split::kTrain) continue;
    total += facts[i].seconds;
    if ((facts[i].*name).empty()) continue;
    Share& one = names[facts[i].*name];
    one.seconds += facts[i].seconds;
    one.clips.push_back(i);
  }
  if (names.size() < options.share_names) return;
  const double most = most_seconds(names, total, options);
  for (auto& [text, one] : names) {
    if (options.allowed_shares.contains(text)) continue;
    std::sort(one.clips.begin(), one.clips.end(),
              [&](size_t a, size_t b) { return facts[a].record < facts[b].record; });
    while (one.seconds > most && one.clips.size() > 1) {
      RecordFacts& clip = facts[one.clips.back()];
      one.clips.pop_back();
      one.seconds -= clip.seconds;
      clip.reject = Reject{reason,
                           {},
                           concat(printable(text, 100), " has its share of ",
                                  rounded(100 * options.max_share, 3), " %")};
    }
  }
}

}  // namespace

std::vector<Split> select_clips(std::vector<RecordFacts>& facts, const SelectionOptions& options,
                                const CodesOf& codes_of, const CancelToken* cancel) {
  options.split.test.check(facts);
  stop_sources(facts, options);
  std::vector<Split> splits(facts.size());
  for (size_t i = 0; i < facts.size(); ++i) splits[i] = split_of(facts[i], options.split);
  Repeats repeats(facts, options, codes_of);
  for (const Split split : {Split::kTest, Split::kValid, Split::kTrain}) {
    for (size_t i = 0; i < facts.size(); ++i) {
      if (splits[i] != split || facts[i].reject) continue;
      if (cancel != nullptr && cancel->cancelled())
        throw Error(ErrorCode::kCancelled, "interrupted");
      repeats.look_at(facts[i], split);
    }
  }
  if (options.max_share < 1) {
    limit_shares(facts, splits, options, &RecordFacts::speaker, RejectReason::kSpeakerShare);
    limit_shares(facts, splits, options, &RecordFacts::source, RejectReason::kSourceShare);
  }
  return splits;
}

void check_no_leak(const std::vector<RecordFacts>& facts, const std::vector<Split>& splits) {
  std::map<Digest, Split> sounds, records;
  for (size_t i = 0; i < facts.size(); ++i) {
    if (facts[i].reject) continue;
    const Split split = splits[i];
    if (sounds.try_emplace(facts[i].sound, split).first->second != split ||
        records.try_emplace(facts[i].record, split).first->second != split)
      throw Error(ErrorCode::kInternal, facts[i].audio, " would be in two splits");
  }
}

}  // namespace kani
