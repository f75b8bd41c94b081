#include "disclosure/perturb/perturb.h"

#include <random>

#include "common/status/matchers.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;

constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;

// A table of two rows and two columns: leaves 0 .. 3, sums of rows 4 and 5, of columns 6 and 7, of all 8.
struct SmallTable {
  Relations relations;
  std::vector<int64_t> value;

  explicit SmallTable(std::vector<int64_t> leaves) : value(std::move(leaves)) {
    const auto add = [this](int32_t total, std::vector<int32_t> parts) {
      relations.Add(total, parts);
      value.resize(9);
      value[static_cast<size_t>(total)] = 0;
      for (const int32_t part : parts) value[static_cast<size_t>(total)] += value[static_cast<size_t>(part)];
    };
    add(4, {0, 1});
    add(5, {2, 3});
    add(6, {0, 2});
    add(7, {1, 3});
    add(8, {4, 5});
    relations.Add(8, std::vector<int32_t>{6, 7});
  }
  MeasureToPerturb Measure() const { return {.relations = relations, .value = value}; }
};

PerturbedValues Make(const SmallTable& table, const ProtectionMethod& method, uint64_t seed,
                     std::vector<uint64_t>* draws_out = nullptr) {
  std::vector<uint64_t> keys(table.value.size());
  std::mt19937_64 random(seed);
  for (uint64_t& key : keys) key = random();
  const CellDraws source(common::SecretBytes(16), "count");
  const std::vector<uint64_t> draws = MakeDraws(method, keys, source);
  const auto made = Perturb(table.Measure(), method, draws, *TableOf(method));
  SLUIS_EXPECT_OK(made);
  if (draws_out != nullptr) *draws_out = draws;
  return made.ok() ? *made : PerturbedValues{};
}

// All tables within the ranges of the published values, written out: a cell is pinned if it has one value in all of
// them.
std::vector<int32_t> PinnedByEnumeration(const std::vector<int64_t>& published, const std::vector<uint8_t>& shown,
                                         const ProtectionMethod& method, int64_t most) {
  std::vector<int64_t> low(9, INT64_MAX), high(9, -1);
  for (int64_t code = 0; code < most * most * most * most; ++code) {
    const SmallTable table({code % most, code / most % most, code / most / most % most, code / most / most / most});
    bool fits = true;
    for (size_t i = 0; i < 9 && fits; ++i) {
      const ValueRange range = RangeOfTrueValue(method, 0, published[i], i < 4);
      fits = shown[i] == 0 || (table.value[i] >= range.low && table.value[i] <= range.high.value_or(INT64_MAX));
    }
    for (size_t i = 0; i < 9 && fits; ++i) {
      low[i] = std::min(low[i], table.value[i]);
      high[i] = std::max(high[i], table.value[i]);
    }
  }
  std::vector<int32_t> pinned;
  for (int32_t i = 0; i < 9; ++i) {
    if (low[static_cast<size_t>(i)] == high[static_cast<size_t>(i)]) pinned.push_back(i);
  }
  return pinned;
}

TEST(FindPinned, AgreesWithAllTablesWrittenOut) {
  std::mt19937_64 random(3);
  const ProtectionMethod rr3 = RandomRoundingMethod{{{0, 3}}};
  int told = 0;
  for (int round = 0; round < 60; ++round) {
    const auto count = [&] { return static_cast<int64_t>(random() % 5); };
    const SmallTable table({count(), count(), count(), count()});
    const PerturbedValues made = Make(table, rr3, random());
    PublishedTable published{.relations = table.relations,
                             .published = std::vector<uint8_t>(9, 1),
                             .value = made.value,
                             .upper_bound = std::vector<int64_t>(9, kNoUpperBound)};
    if (round % 2 == 1) published.published[random() % 9] = 0;
    const auto pinned = FindPinned(published, rr3, 0, {});
    SLUIS_ASSERT_OK(pinned);
    EXPECT_EQ(*pinned, PinnedByEnumeration(made.value, published.published, rr3, 9)) << round;
    told += pinned->empty() ? 0 : 1;
  }
  // The attack can succeed: rounding each cell by itself gives true values away now and then.
  EXPECT_GT(told, 0);
}

TEST(FindPinned, FindsNothingInRoundingThatAddsUp) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 30; ++round) {
    const auto count = [&] { return static_cast<int64_t>(random() % 12); };
    const SmallTable table({count(), count(), count(), count()});
    for (const ProtectionMethod& method :
         {ProtectionMethod(ControlledRoundingMethod{.base = 3}), ProtectionMethod(SmallCountMethod{.base = 3})}) {
      const PerturbedValues made = Make(table, method, 1);
      const PublishedTable published{.relations = table.relations,
                                     .published = std::vector<uint8_t>(9, 1),
                                     .value = made.value,
                                     .upper_bound = std::vector<int64_t>(9, kNoUpperBound)};
      const auto pinned = FindPinned(published, method, made.steps, {});
      SLUIS_ASSERT_OK(pinned);
      EXPECT_TRUE(pinned->empty());
    }
  }
}

TEST(CheckPerturbed, TakesWhatPerturbMadeAndNothingElse) {
  const SmallTable table({1, 7, 2, 12});
  const std::vector<ProtectionMethod> methods = {
      ControlledRoundingMethod{.base = 5}, SmallCountMethod{.base = 3}, RandomRoundingMethod{{{0, 3}}},
      CellKeyCountMethod{{.max_change = 5, .variance_milli = 2001, .gap = 2}}};
  for (const ProtectionMethod& method : methods) {
    std::vector<uint64_t> draws;
    const PerturbedValues made = Make(table, method, 5, &draws);
    const auto probabilities = *TableOf(method);
    SLUIS_EXPECT_OK(CheckPerturbed(table.Measure(), method, draws, probabilities, made));
    for (size_t i = 0; i < made.value.size(); ++i) {
      PerturbedValues changed = made;
      changed.value[i] += 1;
      EXPECT_THAT(CheckPerturbed(table.Measure(), method, draws, probabilities, changed), StatusIs(kPrecondition, ""));
    }
    PerturbedValues shorter = made;
    shorter.value.pop_back();
    EXPECT_FALSE(CheckPerturbed(table.Measure(), method, draws, probabilities, shorter).ok());
    if (!draws.empty()) {
      draws.pop_back();
      EXPECT_THAT(CheckPerturbed(table.Measure(), method, draws, probabilities, made),
                  StatusIs(absl::StatusCode::kInvalidArgument, "draws"));
    }
  }
}

TEST(Perturb, RefusesATableOfAnotherDesign) {
  const SmallTable table({1, 7, 2, 12});
  const ProtectionMethod method = CellKeyCountMethod{{.max_change = 5, .variance_milli = 2001}};
  const auto other = DesignTable({.max_change = 4, .variance_milli = 2000});
  SLUIS_ASSERT_OK(other);
  EXPECT_THAT(Perturb(table.Measure(), method, std::vector<uint64_t>(9, 1), *other),
              StatusIs(absl::StatusCode::kInvalidArgument, "design"));
}

}  // namespace
}  // namespace sluis::disclosure
