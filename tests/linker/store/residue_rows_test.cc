#include "linker/store/residue_rows.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "linker/encode/permit_plan.h"
#include "tests/linker/store/people.h"

namespace sluis::linker {
namespace {

using testing::Encode;
using testing::Keys;
using testing::MakeEncodedExtract;
using testing::MakePeople;
using testing::SimilarPermit;
using testing::Upload;

// A backbone of 40 records, every tenth of which is spoilt by the test.
class ResidueRowsTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kRecords = 40;
  static constexpr std::size_t kEvery = 10;

  std::size_t width() const { return encodings_.size() / kRecords; }
  std::size_t stable_bytes() const { return plan_.stable_bits / 8; }
  // Overwrites `bytes` bytes from `offset` on of every tenth record, and returns the records that have an encoding
  // then.
  std::vector<std::uint32_t> RowsWith(std::size_t offset, std::size_t bytes, char value) {
    std::string spoilt = encodings_;
    for (std::size_t i = 0; i < kRecords; i += kEvery) spoilt.replace(i * width() + offset, bytes, bytes, value);
    const auto store = common::MakeMemoryStore(RecordStore::Families());
    RecordStore records(*store, permit_.id, testing::StorageKey());
    const absl::Status uploaded =
        Upload(records, MakeEncodedExtract("persons", "p-1", std::vector<Keys>(kRecords, Keys{0, 0}), spoilt), permit_);
    EXPECT_TRUE(uploaded.ok()) << uploaded;
    const auto rows = BackboneRows(records.reader(), **records.reader().Current("persons"), plan_);
    EXPECT_TRUE(rows.ok()) << rows.status();
    // Everyone has a row.
    EXPECT_EQ(rows->records, kRecords);
    EXPECT_EQ(rows->exact.front().size(), kRecords);
    return rows->record_of_row;
  }

  const common::Permit permit_ = SimilarPermit();
  const EncodingPlan plan_ = *PlanOf(permit_);
  const std::string encodings_ = Encode(MakePeople(kRecords, 3), "p");
};

TEST_F(ResidueRowsTest, EncodingsThatThePlanCannotHaveMadeAreNoneInEitherSection) {
  ASSERT_GT(plan_.stable_bits, 0u);
  std::vector<std::uint32_t> all(kRecords);
  std::iota(all.begin(), all.end(), 0);
  std::vector<std::uint32_t> others = all;
  std::erase_if(others, [](std::uint32_t record) { return record % kEvery == 0; });
  const std::size_t first_bytes = width() - stable_bytes();

  EXPECT_EQ(RowsWith(0, 0, 0), all);
  EXPECT_EQ(RowsWith(0, first_bytes, '\xff'), others);
  EXPECT_EQ(RowsWith(first_bytes, stable_bytes(), '\xff'), others);
  // Half of the bits, more than the 200 and some of 512 that the plan sets; no more than random ones of 1,024 would.
  EXPECT_EQ(RowsWith(first_bytes, stable_bytes(), '\x77'), others);
  EXPECT_EQ(RowsWith(0, width(), '\0'), others);
  // A missing section is odd and harmless: it is like nobody's.
  EXPECT_EQ(RowsWith(first_bytes, stable_bytes(), '\0'), all);
}

}  // namespace
}  // namespace sluis::linker
