#include "disclosure/perturb/method.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/system/int128.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {
namespace {

constexpr int64_t kMaxBase = int64_t{1} << 40;
constexpr int64_t kMaxSmallBase = 1'000;
constexpr int64_t kMaxRandomBase = 1'000'000;
constexpr int32_t kMaxSteps = 3;
constexpr size_t kMaxRanges = 16;

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

absl::Status InRange(const char* name, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, ": ", low, " .. ", high, " is expected"));
}

absl::Status ValidateRanges(const std::vector<RoundingRange>& ranges) {
  if (ranges.empty() || ranges.size() > kMaxRanges || ranges.front().from != 0) {
    return absl::InvalidArgumentError(absl::StrCat("ranges: 1 .. ", kMaxRanges, " are expected, the first from 0"));
  }
  for (size_t k = 0; k < ranges.size(); ++k) {
    SLUIS_RETURN_IF_ERROR(InRange("ranges.base", ranges[k].base, 2, kMaxRandomBase));
    SLUIS_RETURN_IF_ERROR(InRange("ranges.from", ranges[k].from, k == 0 ? 0 : ranges[k - 1].from + 1, kMaxAmount));
  }
  return absl::OkStatus();
}

// The largest base of any range: no value is that far from its rounded one.
int64_t LargestBase(const RandomRoundingMethod& method) {
  int64_t base = 0;
  for (const RoundingRange& range : method.ranges) base = std::max(base, range.base);
  return base;
}

// A table must exist for the design: found by making it.
absl::Status ValidateDesign(const PerturbationDesign& design, int32_t steps, int32_t gap) {
  SLUIS_RETURN_IF_ERROR(InRange("steps", design.steps, 1, steps));
  SLUIS_RETURN_IF_ERROR(InRange("gap", design.gap, 0, gap));
  return DesignTable(design).status();
}

absl::Status ValidateAmounts(const CellKeyAmountMethod& method) {
  SLUIS_RETURN_IF_ERROR(ValidateDesign(method.design, 20, 0));
  // The library looks at its parameters when it is called: so it is, with one cell that holds nothing.
  const std::vector<int64_t> one = {0};
  const std::vector<int64_t> top(static_cast<size_t>(ContributionsNeeded(method)), 0);
  const std::vector<uint64_t> key = {0};
  SLUIS_ASSIGN_OR_RETURN(AmountNoise noise, NoiseOf(method));
  const CellDraws draws(common::SecretBytes(16), "validation");
  return PerturbAmounts({.total = one,
                         .contributors = one,
                         .top_per_cell = static_cast<int32_t>(top.size()),
                         .top = top,
                         .key = key,
                         .sensitive = {}},
                        noise, draws)
      .status();
}

// c with |noise| <= c * total, in thousandths of thousandths of thousandths, rounded up: the largest change times the
// noise width, of each share.
Int128 LargestShareOfTotal(const CellKeyAmountMethod& method) {
  int64_t shares = 0;
  for (const int32_t share : method.share_milli) shares += share;
  const int64_t width = method.width.small_milli;  // m falls from there, or is that everywhere
  return Int128{method.design.max_change} * 1'000 * width * shares +
         Int128{method.sensitive_extra_milli} * width * 1'000;
}

ValueRange RangeOfAmount(const CellKeyAmountMethod& method, int64_t published) {
  constexpr Int128 kOne = 1'000'000'000;
  const Int128 c = LargestShareOfTotal(method);
  // published <= total * (1 + c) + 1 and, where c < 1, published >= total * (1 - c) - 1: the unit is rounding.
  ValueRange range;
  const Int128 least = std::max<Int128>(Int128{published} - 1, 0) * kOne / (kOne + c);
  range.low = static_cast<int64_t>(least);
  if (c < kOne) {
    const Int128 most = ((Int128{published} + 1) * kOne + (kOne - c) - 1) / (kOne - c);
    range.high = static_cast<int64_t>(std::min<Int128>(most, kMaxAmount));
  }
  return range;
}

// Over all ranges that could have led to `published`.
ValueRange RangeOfRounded(const RandomRoundingMethod& method, int64_t published) {
  ValueRange range{.low = kMaxAmount, .high = 0};
  for (size_t k = 0; k < method.ranges.size(); ++k) {
    const auto [from, base] = method.ranges[k];
    if (published % base != 0) continue;
    const bool last = k + 1 == method.ranges.size();
    const int64_t low = std::max(from, published - base + 1);
    const int64_t high = std::min(last ? kMaxAmount : method.ranges[k + 1].from - 1, published + base - 1);
    if (low > high) continue;
    range.low = std::min(range.low, low);
    range.high = std::max(*range.high, high);
  }
  if (range.low > *range.high) return {.low = published, .high = published};  // nothing that the method publishes
  // 0 stays 0: a published value above 0 was none.
  if (published > 0) range.low = std::max<int64_t>(range.low, 1);
  return range;
}

std::string RangesText(const RandomRoundingMethod& method) {
  std::string text = absl::StrCat("base ", method.ranges.front().base);
  for (size_t k = 1; k < method.ranges.size(); ++k) {
    absl::StrAppend(&text, ", from ", method.ranges[k].from, " base ", method.ranges[k].base);
  }
  return text;
}

}  // namespace

absl::StatusOr<AmountNoise> NoiseOf(const CellKeyAmountMethod& method) {
  AmountNoise noise{
      .share_milli = method.share_milli, .width = method.width, .sensitive_extra_milli = method.sensitive_extra_milli};
  SLUIS_ASSIGN_OR_RETURN(noise.table, DesignTable(method.design));
  return noise;
}

absl::Status ValidateMethod(const ProtectionMethod& method) {
  return std::visit(Overloaded{[](const ControlledRoundingMethod& own) {
                                 absl::Status status = InRange("base", own.base, 2, kMaxBase);
                                 status.Update(InRange("max_steps", own.max_steps, 0, kMaxSteps));
                                 return status;
                               },
                               [](const SmallCountMethod& own) { return InRange("base", own.base, 2, kMaxSmallBase); },
                               [](const RandomRoundingMethod& own) { return ValidateRanges(own.ranges); },
                               [](const CellKeyCountMethod& own) { return ValidateDesign(own.design, 1, 15); },
                               [](const CellKeyAmountMethod& own) {
                                 if (own.share_milli.empty() || own.share_milli.size() > 6) {
                                   return absl::InvalidArgumentError("share_milli: 1 .. 6 of them are expected");
                                 }
                                 return ValidateAmounts(own);
                               }},
                    method);
}

bool IsForCounts(const ProtectionMethod& method) { return !IsForAmounts(method); }

bool IsForAmounts(const ProtectionMethod& method) {
  const auto* controlled = std::get_if<ControlledRoundingMethod>(&method);
  return controlled != nullptr ? controlled->amounts : std::holds_alternative<CellKeyAmountMethod>(method);
}

bool NeedsDraws(const ProtectionMethod& method) { return !AddsUp(method); }

bool AddsUp(const ProtectionMethod& method) {
  return std::holds_alternative<ControlledRoundingMethod>(method) || std::holds_alternative<SmallCountMethod>(method);
}

int32_t ContributionsNeeded(const ProtectionMethod& method) {
  const auto* amounts = std::get_if<CellKeyAmountMethod>(&method);
  return amounts == nullptr ? 0 : static_cast<int32_t>(amounts->share_milli.size());
}

std::string DescribeMethod(const ProtectionMethod& method, int32_t steps) {
  constexpr char kDrawn[] = "; unbiased; does not add up; the same records always have the same value";
  return std::visit(
      Overloaded{
          [&](const ControlledRoundingMethod& own) {
            return absl::StrCat("controlled rounding: multiples of ", own.base, "; adds up; each value less than ",
                                (steps + 1) * own.base, " from the true one");
          },
          [](const SmallCountMethod& own) {
            return absl::StrCat("small-count rounding: no value of 1 to ", own.base - 1, "; adds up");
          },
          [&](const RandomRoundingMethod& own) {
            return absl::StrCat("random rounding: ", RangesText(own), "; each value less than ", LargestBase(own),
                                " from the true one", kDrawn);
          },
          [&](const CellKeyCountMethod&) { return absl::StrCat("cell key: noise added to each value", kDrawn); },
          [&](const CellKeyAmountMethod&) { return absl::StrCat("cell key: noise added to each value", kDrawn); }},
      method);
}

ValueRange RangeOfTrueValue(const ProtectionMethod& method, int32_t steps, int64_t published, bool is_leaf) {
  const auto within = [published](int64_t distance, int64_t least) {
    return ValueRange{.low = std::max(published - distance, least), .high = published + distance};
  };
  return std::visit(
      Overloaded{[&](const ControlledRoundingMethod& own) {
                   // What was 0 is 0: a published value above 0 was none.
                   return within((steps + 1) * own.base - 1, published > 0 ? 1 : 0);
                 },
                 [&](const SmallCountMethod& own) {
                   if (!is_leaf) return ValueRange{};
                   if (published == 0) return ValueRange{.low = 0, .high = own.base - 1};
                   if (published == own.base) return ValueRange{.low = 1, .high = own.base};
                   return within(0, 0);
                 },
                 [&](const RandomRoundingMethod& own) { return RangeOfRounded(own, published); },
                 [&](const CellKeyCountMethod& own) { return within(own.design.max_change, published > 0 ? 1 : 0); },
                 [&](const CellKeyAmountMethod& own) { return RangeOfAmount(own, published); }},
      method);
}

}  // namespace sluis::disclosure
