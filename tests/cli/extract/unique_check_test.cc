#include "cli/extract/unique_check.h"

#include <filesystem>
#include <random>
#include <set>
#include <string>

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace sluis::cli {
namespace {

// Against a set in memory, with and without spilling.
TEST(UniqueCheckTest, FindsWhatASetFinds) {
  const std::string directory = ::testing::TempDir() + "unique_check_" + std::to_string(getpid());
  const auto spill = common::SpillDirectory::Open(directory);
  SLUIS_ASSERT_OK(spill);
  const common::SecretBytes key = common::SecretBytes::Random(32);
  std::mt19937 random(5);
  for (const std::size_t memory_rows : {1u, 7u, 100u, 5000u}) {
    UniqueCheck check(&*spill, key, memory_rows);
    std::set<std::string> seen;
    std::set<std::uint64_t> expected;
    const std::uint64_t rows = memory_rows == 1 ? 40 : 3000;
    for (std::uint64_t row = 2; row < rows; ++row) {
      const std::string value = std::to_string(random() % 2000);
      SLUIS_ASSERT_OK(check.Add(value, row, row + 1));
      if (!seen.insert(value).second) expected.insert(row);
    }
    std::set<std::uint64_t> found;
    SLUIS_ASSERT_OK(check.Finish([&](std::uint64_t row, std::uint64_t line) {
      EXPECT_EQ(line, row + 1);
      EXPECT_TRUE(found.insert(row).second);
    }));
    EXPECT_EQ(found, expected) << memory_rows;
  }
  std::filesystem::remove_all(directory);
}

TEST(UniqueCheckTest, SaysThatItNeedsADirectoryBeyondItsMemory) {
  UniqueCheck check(nullptr, common::SecretBytes::Random(32), 2);
  SLUIS_ASSERT_OK(check.Add("a", 2, 2));
  SLUIS_ASSERT_OK(check.Add("b", 3, 3));
  const absl::Status status = check.Add("c", 4, 4);
  EXPECT_THAT(status, common::testing::StatusIs(absl::StatusCode::kResourceExhausted, "more than 2 rows"));
  EXPECT_EQ(common::ReasonOf(status), "UNIQUE_TOO_MANY_ROWS");
}

}  // namespace
}  // namespace sluis::cli
