#include "disclosure/cell_key/perturb.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

constexpr int64_t kMaxTotal = int64_t{1} << 50;
constexpr int kBits = 30;  // widths and changes are multiples of 2^-30
constexpr int64_t kOne = int64_t{1} << kBits;
absl::Status CheckRange(const char* name, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("noise of amounts: ", name, ": ", low, " .. ", high, " is expected"));
}

absl::Status CheckAmountTable(const char* name, const PerturbationTable& table) {
  SLUIS_RETURN_IF_ERROR(common::Annotate(CheckTable(table), name));
  return CheckRange("gap", table.design.gap, 0, 0);
}

absl::Status CheckNoise(const AmountNoise& noise) {
  SLUIS_RETURN_IF_ERROR(CheckRange("number of shares", static_cast<int64_t>(noise.share_milli.size()), 1, 6));
  SLUIS_RETURN_IF_ERROR(CheckRange("the first share_milli", noise.share_milli.front(), 1000, 1000));
  for (size_t j = 1; j < noise.share_milli.size(); ++j) {
    SLUIS_RETURN_IF_ERROR(CheckRange("share_milli", noise.share_milli[j], 1, noise.share_milli[j - 1]));
  }
  SLUIS_RETURN_IF_ERROR(CheckRange("small_milli", noise.width.small_milli, 1, 1000));
  if (noise.width.flex_point.has_value()) {
    SLUIS_RETURN_IF_ERROR(CheckRange("large_milli", noise.width.large_milli, 1, noise.width.small_milli));
    SLUIS_RETURN_IF_ERROR(CheckRange("flex_point", *noise.width.flex_point, 1, int64_t{1} << 40));
    SLUIS_RETURN_IF_ERROR(CheckRange("flex_power", noise.width.flex_power, 2, 8));
  }
  SLUIS_RETURN_IF_ERROR(CheckRange("sensitive_extra_milli", noise.sensitive_extra_milli, 0, 20'000));
  SLUIS_RETURN_IF_ERROR(CheckAmountTable("table", noise.table));
  if (noise.odd.has_value()) {
    SLUIS_RETURN_IF_ERROR(CheckAmountTable("table for odd numbers", *noise.odd));
    SLUIS_RETURN_IF_ERROR(CheckRange("number of shares, with a table for odd numbers",
                                     static_cast<int64_t>(noise.share_milli.size()), 1, 1));
  }
  if (noise.small_cells.has_value())
    SLUIS_RETURN_IF_ERROR(CheckAmountTable("table for small cells", *noise.small_cells));
  return absl::OkStatus();
}

absl::Status CheckCells(const AmountCells& cells, size_t shares) {
  const size_t n = cells.total.size();
  if (cells.contributors.size() != n || cells.key.size() != n ||
      (!cells.sensitive.empty() && cells.sensitive.size() != n) || cells.top_per_cell < 0 ||
      cells.top.size() != n * static_cast<size_t>(cells.top_per_cell)) {
    return absl::InvalidArgumentError("noise of amounts: one entry for each cell is expected in every list");
  }
  if (static_cast<size_t>(cells.top_per_cell) < shares) {
    return absl::InvalidArgumentError("noise of amounts: fewer contributions are known than there are shares");
  }
  for (size_t i = 0; i < n; ++i) {
    const auto top =
        cells.top.subspan(i * static_cast<size_t>(cells.top_per_cell)).first(static_cast<size_t>(cells.top_per_cell));
    const bool ordered = std::is_sorted(top.begin(), top.end(), std::greater<>());
    if (cells.total[i] < -kMaxTotal || cells.total[i] > kMaxTotal || cells.contributors[i] < 0 || !ordered ||
        (!top.empty() && (top.back() < 0 || top.front() > kMaxTotal))) {
      return absl::InvalidArgumentError(
          absl::StrCat("cell ", i, ": totals up to 2^50 and descending absolute contributions are expected"));
    }
  }
  return absl::OkStatus();
}

// The change of row `size` (in 1 / 2^30), between the rows on either side: both have mean 0 and none takes more away
// than its number, so that the mixture has mean 0 and takes away at most `size`.
Int128 ChangeBetweenRows(const PerturbationTable& table, int64_t size, uint64_t draw) {
  const int64_t low = size >> kBits, part = size & (kOne - 1);
  const Int128 first = LookUpChange(table, low, draw), second = LookUpChange(table, low + 1, draw);
  // A change is a multiple of 1 / steps, and rounding it would bias the row: the caller divides by steps.
  return first * (kOne - part) + second * part;
}

class Noise {
 public:
  Noise(const AmountNoise& noise, const DrawSource& draws) : noise_(noise), draws_(draws) {
    for (const int32_t share : noise.share_milli) squared_shares_ += int64_t{share} * share;
  }

  // The noise of one cell times 2^60, rounded up or down to whole units by chance.
  int64_t Perturb(int64_t total, int64_t contributors, std::span<const int64_t> top, uint64_t key,
                  bool sensitive) const {
    if (contributors == 0) return total;
    Int128 sum = 0;  // in units of 2^-60 / steps, with the steps of the table used
    const PerturbationTable& table = TableFor(contributors, top.front());
    const bool small = &table == (noise_.small_cells.has_value() ? &*noise_.small_cells : nullptr);
    const size_t used = small ? 1 : noise_.share_milli.size();
    for (size_t j = 0; j < used; ++j) {
      if (top[j] == 0) break;
      const int64_t width = small ? kOne : NoiseWidthAt(noise_.width, top[j]) * noise_.share_milli[j] / 1000;
      if (width == 0) break;
      const int64_t base = small ? 1 : top[j];
      const Int128 most = Int128{small ? top[j] : 1} << (2 * kBits);  // size of the row: base / (base * width)
      const int64_t size = static_cast<int64_t>(std::min<Int128>(most / width, Int128{1} << (kBits + 20)));
      Int128 change = ChangeBetweenRows(table, size, draws_.Draw(key, static_cast<uint32_t>(j)));
      if (j == 0 && sensitive && noise_.sensitive_extra_milli > 0) {
        const Int128 extra = Int128{noise_.sensitive_extra_milli} * table.design.steps * kOne / 1000;
        const bool down = change < 0 || (change == 0 && (draws_.Draw(key, kSignDraw) & 1) != 0);
        change += down ? -extra : extra;
      }
      sum += change * width * base;
    }
    // floor(sum / unit + chance): the expected value is the noise itself.
    const Int128 unit = (Int128{1} << (2 * kBits)) * table.design.steps;
    // A chance of 0 .. unit - 1: draw * unit / 2^64, with unit = 2^60 * steps.
    const Int128 chance = Int128{draws_.Draw(key, kRoundingDraw)} * table.design.steps / 16;
    const Int128 shifted = sum + chance;
    const Int128 whole = shifted >= 0 ? shifted / unit : -((unit - 1 - shifted) / unit);
    const int64_t result = total + static_cast<int64_t>(whole);
    return sensitive && total >= 0 ? std::max<int64_t>(result, 0) : result;
  }

 private:
  const PerturbationTable& TableFor(int64_t contributors, int64_t largest) const {
    if (noise_.small_cells.has_value() && largest < (int64_t{1} << 25)) {
      // largest < sqrt(V) / (small * sqrt(shares)), squared, all in whole numbers.
      const Int128 left =
          Int128{largest} * largest * squared_shares_ * noise_.width.small_milli * noise_.width.small_milli;
      if (left < Int128{noise_.small_cells->design.variance_milli} * 1'000'000'000) return *noise_.small_cells;
    }
    return noise_.odd.has_value() && contributors % 2 == 1 ? *noise_.odd : noise_.table;
  }

  const AmountNoise& noise_;
  const DrawSource& draws_;
  int64_t squared_shares_ = 0;
};

}  // namespace

absl::StatusOr<std::vector<int64_t>> PerturbCounts(std::span<const int64_t> counts, std::span<const uint64_t> cell_keys,
                                                   const PerturbationTable& table, const DrawSource& draws) {
  SLUIS_RETURN_IF_ERROR(CheckTable(table));
  if (table.design.steps != 1) {
    return absl::InvalidArgumentError("perturbation of counts: the table has steps below 1, it is for amounts");
  }
  if (counts.size() != cell_keys.size()) {
    return absl::InvalidArgumentError("perturbation of counts: one cell key for each count is expected");
  }
  std::vector<int64_t> result;
  result.reserve(counts.size());
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] < 0 || counts[i] > kMaxTotal) {
      return absl::InvalidArgumentError(absl::StrCat("cell ", i, ": a count of 0 .. 2^50 is expected"));
    }
    result.push_back(counts[i] + LookUpChange(table, counts[i], draws.Draw(cell_keys[i])));
  }
  return result;
}

int64_t NoiseWidthAt(const NoiseWidth& width, int64_t x) {
  const int64_t small = kOne * width.small_milli / 1000;
  if (!width.flex_point.has_value() || x <= *width.flex_point) return small;
  // large + 2 (small x - large f) / (f + x) * r^(power - 1) with r = 2 f / (f + x): the same, without large quotients.
  const Int128 f = *width.flex_point, both = f + x;
  const int64_t large = kOne * width.large_milli / 1000;
  const Int128 ratio = 2 * f * kOne / both;
  Int128 rest = 2 * (Int128{small} * x - Int128{large} * f) / both;
  for (int i = 1; i < width.flex_power; ++i) rest = rest * ratio / kOne;
  return static_cast<int64_t>(std::min<Int128>(large + rest, kOne));
}

absl::StatusOr<std::vector<int64_t>> PerturbAmounts(const AmountCells& cells, const AmountNoise& noise,
                                                    const DrawSource& draws) {
  SLUIS_RETURN_IF_ERROR(CheckNoise(noise));
  SLUIS_RETURN_IF_ERROR(CheckCells(cells, noise.share_milli.size()));
  const Noise one(noise, draws);
  std::vector<int64_t> result;
  result.reserve(cells.total.size());
  for (size_t i = 0; i < cells.total.size(); ++i) {
    const size_t kept = static_cast<size_t>(cells.top_per_cell);
    result.push_back(one.Perturb(cells.total[i], cells.contributors[i], cells.top.subspan(i * kept, kept), cells.key[i],
                                 !cells.sensitive.empty() && cells.sensitive[i] != 0));
  }
  return result;
}

}  // namespace sluis::disclosure
