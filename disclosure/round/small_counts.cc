#include "disclosure/round/small_counts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/add_up/add_up.h"
#include "disclosure/round/leaf_choice.h"

namespace sluis::disclosure {
namespace {

constexpr int64_t kMaxCount = int64_t{1} << 40;

absl::Status CheckInput(const Relations& relations, std::span<const int64_t> counts, std::span<const uint8_t> published,
                        const SmallCountOptions& options) {
  if (options.base < 2 || options.base > 1'000) {
    return absl::InvalidArgumentError("small-count rounding: a base of 2 .. 1000 is expected");
  }
  if (!published.empty() && published.size() != counts.size()) {
    return absl::InvalidArgumentError("small-count rounding: published: one entry for each cell is expected");
  }
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] < 0 || counts[i] > kMaxCount) {
      return absl::InvalidArgumentError(absl::StrCat("cell ", i, ": a count of 0 .. 2^40 is expected"));
    }
  }
  const int64_t broken = FirstBrokenRelation(relations, counts);
  if (broken >= 0) return absl::InvalidArgumentError(absl::StrCat("relation ", broken, " does not add up"));
  return absl::OkStatus();
}

class SmallCounts {
 public:
  SmallCounts(const Relations& relations, const AddUpOrder& order, const LeafReach& reach,
              std::span<const int64_t> counts, std::vector<uint8_t> published, const SmallCountOptions& options)
      : relations_(relations),
        order_(order),
        reach_(reach),
        counts_(counts),
        published_(std::move(published)),
        options_(options),
        rounded_(order.leaves.size(), 0) {}

  SmallCountRounding Run() {
    SmallCountRounding result{.value = std::vector<int64_t>(counts_.begin(), counts_.end())};
    while (AddLeavesOfSmallCells(result.value)) {
      ++result.rounds;
      result.value = Choose();
    }
    result.rounded_leaves = std::count(rounded_.begin(), rounded_.end(), 1);
    for (size_t c = 0; c < counts_.size(); ++c) {
      if (published_[c] == 0) continue;
      const int64_t distance = std::abs(result.value[c] - counts_[c]);
      result.max_distance = std::max(result.max_distance, distance);
      result.squared_distance += Int128{distance} * distance;
    }
    return result;
  }

 private:
  [[nodiscard]] bool IsSmall(int64_t value) const { return value > 0 && value < options_.base; }

  // Leaves below the base that reach a small published cell. True if there are new ones.
  bool AddLeavesOfSmallCells(const std::vector<int64_t>& value) {
    bool added = false;
    for (size_t k = 0; k < order_.leaves.size(); ++k) {
      if (rounded_[k] != 0 || !IsSmall(counts_[static_cast<size_t>(order_.leaves[k])])) continue;
      const std::span<const int32_t> cells = reach_.cells(k);
      const bool reaches = std::any_of(cells.begin(), cells.end(), [&](int32_t cell) {
        return published_[static_cast<size_t>(cell)] != 0 && IsSmall(value[static_cast<size_t>(cell)]);
      });
      rounded_[k] = reaches ? 1 : 0;
      added = added || reaches;
    }
    return added;
  }

  // 0 or the base for each leaf to be rounded, everything else added up.
  [[nodiscard]] std::vector<int64_t> Choose() const {
    std::vector<size_t> choosing;
    std::vector<int64_t> error(counts_.size(), 0), own_error;
    std::vector<int32_t> item_of(counts_.size(), -1);
    for (size_t k = 0; k < rounded_.size(); ++k) {
      if (rounded_[k] == 0) continue;
      const size_t leaf = static_cast<size_t>(order_.leaves[k]);
      item_of[leaf] = static_cast<int32_t>(choosing.size());
      choosing.push_back(k);
      own_error.push_back(-counts_[leaf]);
      for (const int32_t cell : reach_.cells(k)) error[static_cast<size_t>(cell)] -= counts_[leaf];
    }
    LeafChoice choice(reach_, choosing, options_.base, std::move(error), published_, LeafChoice::Cost::kSquared);
    choice.Balance(own_error);
    choice.Improve(GroupsOfItems(relations_, item_of), options_.max_evaluations);
    std::vector<int64_t> value(counts_.begin(), counts_.end());
    for (size_t i = 0; i < choosing.size(); ++i) {
      value[static_cast<size_t>(order_.leaves[choosing[i]])] = choice.upper()[i] != 0 ? options_.base : 0;
    }
    AddUp<int64_t>(relations_, order_, value);
    return value;
  }

  const Relations& relations_;
  const AddUpOrder& order_;
  const LeafReach& reach_;
  std::span<const int64_t> counts_;
  std::vector<uint8_t> published_;
  SmallCountOptions options_;
  std::vector<uint8_t> rounded_;  // of each leaf
};

}  // namespace

absl::StatusOr<SmallCountRounding> RoundSmallCounts(const Relations& relations, std::span<const int64_t> counts,
                                                    std::span<const uint8_t> published,
                                                    const SmallCountOptions& options) {
  const int32_t num_cells = static_cast<int32_t>(counts.size());
  SLUIS_ASSIGN_OR_RETURN(const AddUpOrder order, OrderFromLeaves(relations, num_cells));
  SLUIS_RETURN_IF_ERROR(CheckInput(relations, counts, published, options));
  SLUIS_ASSIGN_OR_RETURN(const LeafReach reach, ReachOfLeaves(relations, order, num_cells));
  std::vector<uint8_t> shown(published.begin(), published.end());
  if (shown.empty()) shown.assign(counts.size(), 1);
  SmallCountRounding result = SmallCounts(relations, order, reach, counts, shown, options).Run();
  if (FirstBrokenRelation(relations, result.value) >= 0) {
    return absl::FailedPreconditionError(
        "small-count rounding: cells are totals over different leaves; round tables that share totals separately");
  }
  return result;
}

}  // namespace sluis::disclosure
