#include "disclosure/rules/contributions.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

Int128 Magnitude(Int128 x) { return x < 0 ? -x : x; }

Int128 RoundToUnits(Int128 millionths) {
  const Int128 rounded = (Magnitude(millionths) + kWeightOne / 2) / kWeightOne;
  return millionths < 0 ? -rounded : rounded;
}

Int128 RoundUp(Int128 a, Int128 b) { return (a + b - 1) / b; }

// One contributor of a cell, while its records are added up.
struct Holding {
  Int128 weighted = 0;  // millionths
  Int128 rounded = 0;   // what it adds to the total
  int64_t weight = kMaxWeight;
  bool asks = false;

  void Add(const Contribution& record) {
    const Int128 millionths = Int128{record.amount} * record.weight;
    weighted += millionths;
    rounded += RoundToUnits(millionths);
    weight = std::min(weight, record.weight);
    asks = asks || record.asks;
  }
  Int128 Amount() const { return std::min(RoundUp(Magnitude(weighted), weight), Magnitude(rounded)); }
};

struct Cell {
  int64_t contributors = 0;
  Int128 total = 0, magnitude = 0, floor = 0, asking = 0;
  std::vector<std::pair<int64_t, int64_t>> largest;  // amount, weight
};

absl::Status CheckRecord(const Contribution& record, size_t at, const ContributionOptions& options) {
  const auto error = [at](const char* what) {
    return absl::InvalidArgumentError(absl::StrCat("record ", at, ": ", what));
  };
  if (record.amount < -kMaxAmount || record.amount > kMaxAmount) return error("the amount is outside -2^50 .. 2^50");
  if (record.amount < 0 && !options.negative) return error("the amount is negative");
  if (options.negative && record.amount < options.least_amount) return error("the amount is below the least amount");
  if (record.weight < kWeightOne || record.weight > kMaxWeight) return error("the weight is outside 1 .. 1000000");
  if (record.weight != kWeightOne && !options.weights) return error("weighted, where no weights are expected");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<int64_t> ParseWeight(std::string_view text) {
  const absl::Status bad = absl::InvalidArgumentError("a weight is a decimal of 1 to 1000000 with at most 6 decimals");
  int64_t weight = 0;
  int digits = 0, decimals = -1;  // decimals: -1 before the point
  for (const char c : text) {
    if (c == '.' && decimals < 0 && digits > 0) {
      decimals = 0;
      continue;
    }
    if (c < '0' || c > '9' || decimals == 6) return bad;
    weight = weight * 10 + (c - '0');
    ++digits;
    decimals += decimals >= 0 ? 1 : 0;
    if (weight > kMaxWeight) return bad;
  }
  if (digits == 0 || decimals == 0) return bad;
  for (int i = std::max(decimals, 0); i < 6; ++i) {
    weight *= 10;
    if (weight > kMaxWeight) return bad;
  }
  if (weight < kWeightOne) return bad;
  return weight;
}

int64_t WeightedAmount(int64_t amount, int64_t weight) {
  return static_cast<int64_t>(RoundToUnits(Int128{amount} * weight));
}

ContributionCollector::ContributionCollector(const ContributionOptions& options) : options_(options) {
  cells_.top_per_cell = options.top;
}

absl::StatusOr<size_t> ContributionCollector::Add(std::span<const Contribution> records) {
  if (options_.top < 0 || options_.top > 64) return absl::InvalidArgumentError("top: must be 0 .. 64");
  if (options_.least_amount > 0 || options_.least_amount < -kMaxAmount) {
    return absl::InvalidArgumentError("least_amount: must be -2^50 .. 0");
  }
  std::vector<Contribution> sorted(records.begin(), records.end());
  for (size_t i = 0; i < sorted.size(); ++i) SLUIS_RETURN_IF_ERROR(CheckRecord(sorted[i], i, options_));
  std::sort(sorted.begin(), sorted.end(),
            [](const Contribution& a, const Contribution& b) { return a.holding < b.holding; });
  Cell cell;
  const auto close = [&](const Holding& holding) {
    const Int128 amount = holding.Amount();
    ++cell.contributors;
    cell.total += holding.rounded;
    cell.magnitude += Magnitude(holding.rounded);
    if (options_.requests && holding.asks) cell.asking = std::max(cell.asking, amount);
    // Bounded by the magnitude, which is checked below before anything is kept.
    cell.largest.emplace_back(static_cast<int64_t>(std::min(amount, Int128{kMaxAmount})), holding.weight);
  };
  Holding holding;
  for (size_t i = 0; i < sorted.size(); ++i) {
    holding.Add(sorted[i]);
    cell.floor -= RoundUp(Magnitude(Int128{options_.least_amount} * sorted[i].weight), kWeightOne);
    if (i + 1 == sorted.size() || sorted[i + 1].holding != sorted[i].holding) {
      close(holding);
      holding = {};
    }
  }
  if (cell.magnitude > kMaxAmount || cell.floor < -kMaxAmount) {
    return absl::OutOfRangeError("a total, magnitude or floor is above 2^50; declare a larger unit");
  }
  // Of equal amounts the one with the smaller weight first: the order must not depend on that of the records.
  const auto kept = std::min(cell.largest.size(), static_cast<size_t>(options_.top));
  std::partial_sort(
      cell.largest.begin(), cell.largest.begin() + static_cast<std::ptrdiff_t>(kept), cell.largest.end(),
      [](const auto& a, const auto& b) { return std::tie(b.first, a.second) < std::tie(a.first, b.second); });
  cells_.contributors.push_back(cell.contributors);
  cells_.total.push_back(static_cast<int64_t>(cell.total));
  cell.largest.resize(static_cast<size_t>(options_.top));
  for (const auto& [amount, weight] : cell.largest) {
    cells_.top.push_back(amount);
    if (options_.weights) cells_.top_weight.push_back(amount > 0 ? weight : 0);
  }
  if (options_.negative) {
    cells_.magnitude.push_back(static_cast<int64_t>(cell.magnitude));
    cells_.floor.push_back(static_cast<int64_t>(cell.floor));
  }
  if (options_.requests) cells_.largest_asking.push_back(static_cast<int64_t>(cell.asking));
  return cells_.total.size() - 1;
}

absl::StatusOr<std::vector<int64_t>> ShiftToNonNegative(const CellContributions& cells) {
  if (cells.floor.size() != cells.total.size())
    return absl::InvalidArgumentError("floor: one entry a cell is expected");
  std::vector<int64_t> shifted(cells.total.size());
  for (size_t i = 0; i < shifted.size(); ++i) {
    const Int128 difference = Int128{cells.total[i]} - cells.floor[i];
    if (difference < 0) return absl::InvalidArgumentError(absl::StrCat("cell ", i, ": the floor is above the total"));
    if (difference > kMaxAmount) {
      return absl::OutOfRangeError(
          absl::StrCat("cell ", i, ": the total is more than 2^50 above its floor; declare a larger unit"));
    }
    shifted[i] = static_cast<int64_t>(difference);
  }
  return shifted;
}

absl::StatusOr<std::vector<int64_t>> FloorsFromCounts(std::span<const int64_t> records, int64_t least_amount) {
  if (least_amount > 0 || least_amount < -kMaxAmount) {
    return absl::InvalidArgumentError("least_amount: must be -2^50 .. 0");
  }
  std::vector<int64_t> floors;
  floors.reserve(records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    if (records[i] < 0) {
      return absl::InvalidArgumentError(absl::StrCat("cell ", i, ": the number of records is negative"));
    }
    const Int128 floor = Int128{records[i]} * least_amount;
    if (floor < -kMaxAmount) {
      return absl::OutOfRangeError(absl::StrCat("cell ", i, ": the floor is below -2^50; declare a larger unit"));
    }
    floors.push_back(static_cast<int64_t>(floor));
  }
  return floors;
}

}  // namespace sluis::disclosure
