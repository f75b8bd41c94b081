#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "linker/fuzzy/compare.h"
#include "linker/fuzzy/compare_fields.h"
#include "tests/linker/fuzzy/sources.h"

// Kept comparisons are found again by a hash over their input and the algorithm's version, not over the program. If
// results change and the version does not, a work directory gives the old ones.

namespace sluis::linker {
namespace {

using testing::FieldPlan;
using testing::FieldSource;
using testing::Plan;
using testing::Source;

constexpr char kWhatToDo[] =
    "comparisons have other results than before: raise kAlgorithm in linker/fuzzy/comparison_store.cc, then enter the "
    "new digest here";

// Log odds and estimates to two places, which do not depend on the order of additions.
std::string DigestOf(const absl::StatusOr<CompareResult>& result) {
  EXPECT_THAT(result, common::testing::IsOk());
  if (!result.ok()) return "";
  EXPECT_TRUE(result->report.fit.credible) << result->report.fit.why_not;
  EXPECT_GE(result->pairs.size(), 100u);
  std::string text;
  const auto append = [&text](double value) {
    char number[32];
    std::snprintf(number, sizeof(number), " %.2f", value);
    text += number;
  };
  for (const ScoredPair& pair : result->pairs) {
    text += "\n" + std::to_string(pair.a) + " " + std::to_string(pair.b);
    append(pair.log_odds);
  }
  text += "\n";
  append(result->report.fit.precision.value);
  append(result->report.fit.recall.value);
  const common::Hash256 hash = common::Sha256(text);
  return common::HexEncode(common::AsChars(hash)).substr(0, 16);
}

TEST(GoldenComparison, GivesWhatThisVersionOfTheAlgorithmGaveAtRecordLevel) {
  MatchPlan plan = Plan();
  plan.encoding.bits = 512;
  plan.encoding.stable_bits = 512;
  const MatchSource a = Source("a", 0, 240, 1), b = Source("b", 100, 300, 2);
  const CompareSide side_a{&a, {}}, side_b{&b, {}};
  EXPECT_EQ(DigestOf(Compare(side_a, &side_b, false, plan, {}, 5)), "1bdeaeb9cb9468fa") << kWhatToDo;
}

TEST(GoldenComparison, GivesWhatThisVersionOfTheAlgorithmGaveAtFieldLevel) {
  const MatchSource a = FieldSource("a", 0, 300, 1), b = FieldSource("b", 100, 400, 2);
  const CompareSide side_a{&a, {}}, side_b{&b, {}};
  EXPECT_EQ(DigestOf(CompareFields(side_a, &side_b, false, FieldPlan(), {}, 5, {})), "7cbc1d59e0ddcf93") << kWhatToDo;
}

}  // namespace
}  // namespace sluis::linker
