#include "tests/linker/encode/attacks/stored_beside.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/linker/encode/attacks/attacks.h"

// What the linker learns beside the bits of encodings. `tests/bench/hardening_table` prints the figures.

namespace sluis::linker::attacks {
namespace {

using common::Normaliser;

TEST(MeasureMasks, CountsByHand) {
  // Eleven complete records, two without the second feature, one without both.
  std::vector<std::uint64_t> present(11, 0b11);
  present.insert(present.end(), {0b01, 0b01, 0b00});
  const MaskLeakage masks = MeasureMasks(present);
  EXPECT_NEAR(masks.full, 11.0 / 14, 1e-12);
  EXPECT_NEAR(masks.unique, 1.0 / 14, 1e-12);
  EXPECT_NEAR(masks.rare, 3.0 / 14, 1e-12);
  EXPECT_NEAR(masks.entropy, 0.94637, 1e-5);  // -(11/14 log2 11/14 + 2/14 log2 2/14 + 1/14 log2 1/14)
}

TEST(MatchKeyAlignment, NamesKeysOfOneFieldAndNotCombinedOnes) {
  const auto people = DrawPopulation(60'000, 1), sample = DrawPopulation(60'000, 2);
  const common::MatchKey control = {"control", "match-keys", {{"surname", Normaliser::kName}}};
  const common::MatchKey combined = {
      "combined",
      "match-keys",
      {{"born", Normaliser::kDate}, {"sex", Normaliser::kSex}, {"surname", Normaliser::kPhoneticName}}};
  EXPECT_GT(MatchKeyAlignment(control, people, sample), 0.08);
  EXPECT_LT(MatchKeyAlignment(combined, people, sample), 0.005);
}

// A missing feature sets no bits, so their number tells which is missing, though the linker is not told. Balancing sets
// half of all bits whatever is missing.
TEST(MasksReadFromOnes, AreReadUnlessEncodingsAreBalanced) {
  const auto people = WithSlips(DrawPopulation(4000, 1), 3);
  EncodingPlan balanced = PersonPlan();
  balanced.hardening.balanced = true;
  EXPECT_GT(MasksReadFromOnes(Encode(people, UnhardenedRecordLevel(), "project", "custodian")), 0.3);
  EXPECT_GT(MasksReadFromOnes(Encode(people, PersonPlan(), "project", "custodian")), 0.1)
      << "now withstood: say so in README.md";
  EXPECT_EQ(MasksReadFromOnes(Encode(people, balanced, "project", "custodian")), 0);
}

// Two projects share no bits, but a person who lacks a feature in one lacks it in the other too.
TEST(TwoProjects, AreLinkedByWhatIsMissing) {
  const auto people = WithSlips(DrawPopulation(1000, 1), 3);
  const EncodingPlan field_level = UnhardenedFieldLevel();
  const Encodings here = Encode(people, field_level, "project", "custodian"),
                  there = Encode(people, field_level, "other project", "custodian");
  EXPECT_GT(LinkAdvantage(here, there, Channel::kPresent), 0.55);
}

}  // namespace
}  // namespace sluis::linker::attacks
