#include <filesystem>
#include <string>

#include "common/status/matchers.h"
#include "disclosure/attack/attack.h"
#include "disclosure/suppress/suppress.h"
#include "gtest/gtest.h"
#include "tests/disclosure/instances.h"

// Published test tables. The figures to beat are those of the safe ones among the usual tools, on the same cells, rule
// and costs: GaussSuppression 1.2.3 with intervals for the two-dimensional tables. None finished the three-dimensional
// one; there the limit is that of a plain sequential heuristic before any cleanup.

namespace sluis::disclosure {
namespace {

struct Expectation {
  std::string name;
  bool with_count;
  int64_t max_cleanup_lps;
  int64_t primary_cells;
  int64_t cost_to_beat;
};

void PrintTo(const Expectation& e, std::ostream* out) { *out << e.name << (e.with_count ? " with count" : ""); }

class SuppressInstance : public ::testing::TestWithParam<Expectation> {};

TEST_P(SuppressInstance, IsSafeAndCheap) {
  const Expectation& expected = GetParam();
  const std::filesystem::path directory = testing::InstanceDirectory(expected.name);
  if (!std::filesystem::exists(directory)) GTEST_SKIP() << "no test data: set SLUIS_TEST_DATA to its directory";
  const CellSystem system = std::filesystem::exists(directory / "rows.csv")
                                ? testing::ReadGenericInstance(directory)
                                : testing::ReadHierarchicalInstance(directory, expected.with_count);
  SuppressOptions options;
  options.max_cleanup_lps = expected.max_cleanup_lps;
  const auto result = Suppress(system, options);
  SLUIS_ASSERT_OK(result);
  EXPECT_EQ(result->primary_cells, expected.primary_cells);
  EXPECT_EQ(result->recomputable, 0);
  EXPECT_LE(result->secondary_cost, expected.cost_to_beat);
  SLUIS_EXPECT_OK(CheckCertificate(system, result->pattern, result->certificate));

  const auto levels = VerifyLevels(system, result->pattern, {});
  SLUIS_ASSERT_OK(levels);
  EXPECT_TRUE(levels->shortfalls.empty());
  EXPECT_EQ(levels->levels, static_cast<int64_t>(result->certificate.claims.size()));
  for (int32_t m = 0; m < static_cast<int32_t>(system.measures.size()); ++m) {
    const auto exact = FindExact(Publish(system, m, result->pattern, /*keep_bounds=*/false), {});
    SLUIS_ASSERT_OK(exact);
    EXPECT_TRUE(exact->exact_cells.empty());
  }
  RecordProperty("secondary_cells", static_cast<int>(result->secondary_cells));
  RecordProperty("secondary_cost", std::to_string(result->secondary_cost));
}

INSTANTIATE_TEST_SUITE_P(Published, SuppressInstance,
                         ::testing::Values(Expectation{"flat2d_20x50", false, 20'000, 60, 4'658},
                                           Expectation{"flat2d_20x50", true, 20'000, 60, 4'658},
                                           Expectation{"hier2d_small", false, 20'000, 38, 394'711},
                                           Expectation{"hier2d_small", true, 20'000, 38, 394'711},
                                           Expectation{"hier3d_10k", false, 500, 442, 2'698'721}),
                         [](const auto& info) {
                           return info.param.name + (info.param.with_count ? "_with_count" : "");
                         });

TEST(SuppressInstanceControl, PrimariesAloneAreFoundOut) {
  const std::filesystem::path directory = testing::InstanceDirectory("hier2d_small");
  if (!std::filesystem::exists(directory)) GTEST_SKIP() << "no test data: set SLUIS_TEST_DATA to its directory";
  const CellSystem system = testing::ReadHierarchicalInstance(directory);
  Pattern primaries(static_cast<size_t>(system.num_cells), 0);
  for (int32_t i = 0; i < system.num_cells; ++i) primaries[static_cast<size_t>(i)] = system.IsPrimary(i);
  const auto levels = VerifyLevels(system, primaries, {});
  SLUIS_ASSERT_OK(levels);
  EXPECT_GT(levels->shortfalls.size(), 60u);
  const auto exact = FindExact(Publish(system, 0, primaries, false), {});
  SLUIS_ASSERT_OK(exact);
  EXPECT_GT(exact->exact_cells.size(), 20u);
}

}  // namespace
}  // namespace sluis::disclosure
