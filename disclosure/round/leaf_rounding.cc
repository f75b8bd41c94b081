#include "disclosure/round/leaf_rounding.h"

#include <algorithm>
#include <utility>

#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

constexpr int64_t kRepairsPerLeaf = 2'000;

}  // namespace

absl::StatusOr<LeafRounding> LeafRounding::Create(const Relations& relations, std::span<const int64_t> values,
                                                  int64_t base) {
  LeafRounding result(relations, values, base);
  const int32_t num_cells = static_cast<int32_t>(values.size());
  SLUIS_ASSIGN_OR_RETURN(result.order_, OrderFromLeaves(relations, num_cells));
  SLUIS_ASSIGN_OR_RETURN(result.reach_, ReachOfLeaves(relations, result.order_, num_cells));
  result.counts_.assign(values.size(), 1);
  std::vector<int32_t> item_of(values.size(), -1);
  for (size_t k = 0; k < result.order_.leaves.size(); ++k) {
    const size_t leaf = static_cast<size_t>(result.order_.leaves[k]);
    if (values[leaf] % base == 0) continue;
    item_of[leaf] = static_cast<int32_t>(result.choosing_.size());
    result.choosing_.push_back(k);
    result.own_error_.push_back(-(values[leaf] % base));
  }
  result.groups_ = GroupsOfItems(relations, item_of);
  return result;
}

LeafChoice LeafRounding::NewChoice() const {
  std::vector<int64_t> error(values_.size(), 0);
  for (size_t i = 0; i < choosing_.size(); ++i) {
    for (const int32_t cell : reach_.cells(choosing_[i])) error[static_cast<size_t>(cell)] += own_error_[i];
  }
  return LeafChoice(reach_, choosing_, base_, std::move(error), counts_, LeafChoice::Cost::kDistance);
}

std::vector<int64_t> LeafRounding::FromNothing(int64_t max_evaluations) const {
  LeafChoice choice = NewChoice();
  choice.Balance(own_error_);
  return Finish(std::move(choice), max_evaluations);
}

std::vector<int64_t> LeafRounding::From(std::span<const uint8_t> up, int64_t max_evaluations) const {
  LeafChoice choice = NewChoice();
  std::vector<uint8_t> upper;
  for (const size_t k : choosing_) upper.push_back(up[static_cast<size_t>(order_.leaves[k])]);
  choice.StartFrom(upper);
  return Finish(std::move(choice), max_evaluations);
}

std::vector<int64_t> LeafRounding::Finish(LeafChoice choice, int64_t max_evaluations) const {
  choice.Improve(groups_, max_evaluations);
  // Where nothing lies within the nearest multiples, a small table shows it soon.
  choice.Repair(groups_, std::min(max_evaluations, kRepairsPerLeaf * static_cast<int64_t>(choosing_.size())));
  choice.Improve(groups_, max_evaluations);
  std::vector<int64_t> result(values_.begin(), values_.end());
  for (size_t i = 0; i < choosing_.size(); ++i) {
    const size_t leaf = static_cast<size_t>(order_.leaves[choosing_[i]]);
    result[leaf] += own_error_[i] + (choice.upper()[i] != 0 ? base_ : 0);
  }
  AddUp<int64_t>(*relations_, order_, result);
  return result;
}

}  // namespace sluis::disclosure
