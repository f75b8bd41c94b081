#include "tests/disclosure/suppress/dense_table.h"

#include <string>

#include "common/status/matchers.h"
#include "disclosure/attack/attack.h"
#include "disclosure/suppress/suppress.h"
#include "gtest/gtest.h"

namespace sluis::disclosure {
namespace {

TEST(DenseTable, IsProtectedInBothMeasures) {
  const CellSystem system = testing::MakeDenseTable({.regions = false});
  const auto result = Suppress(system, {});
  SLUIS_ASSERT_OK(result);
  EXPECT_EQ(system.num_cells, 1'800);
  EXPECT_GT(result->primary_cells, 450);
  SLUIS_EXPECT_OK(CheckCertificate(system, result->pattern, result->certificate));
  const auto levels = VerifyLevels(system, result->pattern, {});
  SLUIS_ASSERT_OK(levels);
  EXPECT_TRUE(levels->shortfalls.empty());
  EXPECT_EQ(levels->levels, static_cast<int64_t>(result->certificate.claims.size()));
  // A deviation serves both directions of both measures as far as bounds allow: fewer programs than one in three
  // levels, where four levels a cell are due.
  EXPECT_LT(3 * result->construct_lps, levels->levels);
  RecordProperty("construct_lps", std::to_string(result->construct_lps));
  RecordProperty("secondary_cost", std::to_string(result->secondary_cost));
}

TEST(DenseTable, GivesTheSameResultTwice) {
  const CellSystem system = testing::MakeDenseTable({.regions = false, .persons = 4'000});
  const auto first = Suppress(system, {});
  const auto second = Suppress(system, {});
  SLUIS_ASSERT_OK(first);
  SLUIS_ASSERT_OK(second);
  EXPECT_EQ(first->pattern, second->pattern);
  EXPECT_EQ(EncodeCertificate(first->certificate), EncodeCertificate(second->certificate));
}

}  // namespace
}  // namespace sluis::disclosure
