#include "linker/encode/token_ranks.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <numeric>

#include "linker/encode/wipe.h"

namespace sluis::linker {
namespace {

constexpr std::size_t kLanes = 4;
using Lanes = std::int32_t __attribute__((vector_size(4 * kLanes)));

}  // namespace

TokenRanks::~TokenRanks() { WipeElements(ranks_); }

std::span<const std::uint32_t> TokenRanks::PlacesOf(std::span<CachedToken* const> tokens) {
  const std::size_t size = tokens.size();
  places_.resize(size);
  if (size > ranks_.size()) {
    Sort(tokens);
    return places_;
  }
  // In the order of signed numbers, which is what vector instructions compare. Of the last lanes some are nobody's.
  for (std::size_t i = 0; i < size; ++i) ranks_[i] = static_cast<std::int32_t>(tokens[i]->rank ^ 0x80000000);
  std::size_t sum = 0;
  for (std::size_t begin = 0; begin < size; begin += kLanes) {
    Lanes mine, smaller{};
    std::memcpy(&mine, ranks_.data() + begin, sizeof mine);
    for (std::size_t j = 0; j < size; ++j) smaller -= ranks_[j] < mine;  // true is -1
    for (std::size_t i = begin; i < std::min(begin + kLanes, size); ++i) {
      places_[i] = static_cast<std::uint32_t>(smaller[i - begin]);
      sum += places_[i];
    }
  }
  // Ranks are the beginnings of seeds: where two are equal, some pair was counted for neither.
  if (sum != size * (size - 1) / 2) Sort(tokens);
  return places_;
}

void TokenRanks::Sort(std::span<CachedToken* const> tokens) {
  order_.resize(tokens.size());
  std::iota(order_.begin(), order_.end(), std::uint32_t{0});
  std::ranges::sort(order_, {}, [&](std::uint32_t i) -> const common::Hash256& { return tokens[i]->seed; });
  for (std::uint32_t place = 0; place < order_.size(); ++place) places_[order_[place]] = place;
}

}  // namespace sluis::linker
