#include "linker/cluster/evaluate.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>
#include <vector>

#include "absl/status/status.h"

namespace sluis::linker {
namespace {

std::uint64_t PairsOf(std::uint64_t records) { return records * (records - 1) / 2; }

double Share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 1 : static_cast<double>(part) / static_cast<double>(whole);
}

// Calls visit(begin, end) for each run of positions in `order` with equal keys.
template <typename Key, typename Visitor>
void ForEachRun(const std::vector<std::uint32_t>& order, Key key, Visitor visit) {
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && key(order[end]) == key(order[begin])) {
      ++end;
    }
    visit(begin, end);
    begin = end;
  }
}

}  // namespace

absl::StatusOr<PartitionQuality> EvaluatePartition(std::span<const std::uint32_t> found,
                                                   std::span<const std::uint32_t> truth) {
  if (found.size() != truth.size()) {
    return absl::InvalidArgumentError("a result and a truth of different lengths cannot be compared");
  }
  if (found.size() > std::numeric_limits<std::uint32_t>::max()) {
    return absl::InvalidArgumentError("evaluation is limited to 2^32 - 1 records");
  }
  PartitionQuality result;
  if (found.empty()) {
    return result;
  }
  PairwiseQuality& pairwise = result.pairwise;
  std::vector<std::uint32_t> order(found.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto cell = [&](std::uint32_t record) { return std::tie(found[record], truth[record]); };
  const auto by_truth = [&](std::uint32_t record) { return truth[record]; };
  std::sort(order.begin(), order.end(), [&](std::uint32_t x, std::uint32_t y) { return truth[x] < truth[y]; });
  std::vector<std::uint32_t> true_size(found.size());  // by record, the size of its true entity
  ForEachRun(order, by_truth, [&](std::size_t begin, std::size_t end) {
    pairwise.true_pairs += PairsOf(end - begin);
    for (std::size_t i = begin; i < end; ++i) {
      true_size[order[i]] = static_cast<std::uint32_t>(end - begin);
    }
  });
  std::sort(order.begin(), order.end(), [&](std::uint32_t x, std::uint32_t y) { return cell(x) < cell(y); });
  ForEachRun(
      order, [&](std::uint32_t record) { return found[record]; },
      [&](std::size_t begin, std::size_t end) { pairwise.found_pairs += PairsOf(end - begin); });
  double precision = 0;
  double recall = 0;
  std::size_t entity_begin = 0;
  std::size_t entity_end = 0;
  ForEachRun(order, cell, [&](std::size_t begin, std::size_t end) {
    if (begin >= entity_end) {
      entity_begin = begin;
      entity_end = begin;
      while (entity_end < order.size() && found[order[entity_end]] == found[order[begin]]) {
        ++entity_end;
      }
    }
    const auto together = static_cast<double>(end - begin);
    pairwise.both += PairsOf(end - begin);
    precision += together * together / static_cast<double>(entity_end - entity_begin);
    recall += together * together / static_cast<double>(true_size[order[begin]]);
  });
  pairwise.quality = {Share(pairwise.both, pairwise.found_pairs), Share(pairwise.both, pairwise.true_pairs),
                      Share(2 * pairwise.both, pairwise.found_pairs + pairwise.true_pairs)};
  const auto records = static_cast<double>(found.size());
  precision /= records;
  recall /= records;
  result.b_cubed = {precision, recall, 2 * precision * recall / (precision + recall)};
  return result;
}

}  // namespace sluis::linker
