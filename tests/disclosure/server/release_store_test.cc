#include "disclosure/server/release_store.h"

#include "tests/disclosure/server/gate_records.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;

class ReleaseStoreTest : public testing::GateRecords {
 protected:
  static common::SecretBytes Key() { return common::SecretBytes::CopyOf(std::vector<std::uint8_t>(32, 1)); }
  const common::Permit own_ = MakePermit("own-project"), other_ = MakePermit("other-project");
};

TEST_F(ReleaseStoreTest, RefusesRegistersThatWereReleasedBeforeThereWasALedger) {
  const ReleaseStore own(store_, own_, Key()), other(store_, other_, Key());
  KeepRelease(own, "work-2026");
  SLUIS_EXPECT_OK(other.CheckNotReleased({0, 1}));
  common::WriteBatch batch;  // as format version 1 wrote it
  batch.Put("released_registers", "spiffe://example/custodian/persons persons", "own-project/work-2026");
  SLUIS_ASSERT_OK(store_.Write(batch, true));
  SLUIS_EXPECT_OK(own.CheckNotReleased({1}));
  const absl::Status refused = other.CheckNotReleased({0, 1});
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition, "register persons was released as work-2026"));
  EXPECT_EQ(common::ReasonOf(refused), "RELEASED_BEFORE");
  EXPECT_EQ(refused.message().find("own-project"), absl::string_view::npos);
}

TEST_F(ReleaseStoreTest, CountsTheReleasesOfAProjectOnly) {
  const ReleaseStore own(store_, own_, Key()), other(store_, other_, Key());
  EXPECT_EQ(*ReleaseStore::Count(store_, "own-project"), 0u);
  KeepRelease(own, "a");
  KeepRelease(own, "b");
  KeepRelease(other, "a");
  EXPECT_EQ(*ReleaseStore::Count(store_, "own-project"), 2u);
  EXPECT_EQ(*ReleaseStore::Count(store_, "other-project"), 1u);
  EXPECT_EQ(*ReleaseStore::Count(store_, "own"), 0u);
}

}  // namespace
}  // namespace sluis::disclosure
