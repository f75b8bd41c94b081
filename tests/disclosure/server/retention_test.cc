#include "disclosure/server/retention.h"

#include <optional>

#include "common/rpc/runtime.h"
#include "tests/common/store/temporary_directory.h"
#include "tests/disclosure/server/gate_records.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;

constexpr std::int64_t kLastSecond = 20'001 * std::int64_t{86'400} - 1;  // of the last day of retention

class RetentionTest : public testing::GateRecords {
 protected:
  // A keystore with the storage keys of two projects.
  std::unique_ptr<common::Keystore> MakeKeystore(const std::string& name) {
    auto keystore = common::Keystore::Create(
        directory_ / name,
        common::UnlockSource::Passphrase(common::SecretBytes::CopyOf(common::AsBytes("correct horse")),
                                         common::PassphraseCost::Cheapest()));
    EXPECT_THAT(keystore, common::testing::IsOk());
    for (const std::string project : {"p", "q"}) {
      common::KeyEntry entry;
      entry.id = project + "/storage";
      entry.project = project;
      entry.purpose = common::kStoragePurpose;
      SLUIS_EXPECT_OK((*keystore)->Add(entry, common::SecretBytes::CopyOf(std::vector<std::uint8_t>(32, 1))));
    }
    return *std::move(keystore);
  }
  ReleaseStore Releases(const common::Permit& permit) {
    return ReleaseStore(store_, permit, common::SecretBytes::CopyOf(std::vector<std::uint8_t>(32, 1)));
  }

  common::testing::TemporaryDirectory directory_;
  const common::Permit p_ = MakePermit("p"), q_ = MakePermit("q");
};

TEST_F(RetentionTest, KeepsEverythingOnTheLastDayAndDeletesItOnTheNext) {
  const auto keystore = MakeKeystore("keys");
  const ReleaseStore releases = Releases(p_), others = Releases(q_);
  KeepRelease(releases, "one");
  KeepRelease(releases, "two");
  KeepRelease(others, "one");

  SLUIS_ASSERT_OK(EndRetention(p_, store_, *log_, *keystore, kLastSecond));
  EXPECT_EQ(Entries("retention"), 0u);
  EXPECT_EQ(*releases.File("one", "table.csv"), "1");

  SLUIS_ASSERT_OK(EndRetention(p_, store_, *log_, *keystore, kLastSecond + 1));
  for (const std::string release : {"one", "two"}) {
    EXPECT_EQ(*releases.Find(release), std::nullopt);
    for (const std::string file : {"table.csv", "evidence.sealed"}) {
      EXPECT_THAT(releases.File(release, file), StatusIs(absl::StatusCode::kNotFound, ""));
    }
  }
  EXPECT_THAT(keystore->Find("p", "storage"), StatusIs(absl::StatusCode::kNotFound, ""));
  const auto entry = log_->Find("retention", {{"project", "p"}, {"releases", std::int64_t{2}}});
  SLUIS_ASSERT_OK(entry);
  EXPECT_TRUE(entry->has_value());
  // What stays: other projects.
  EXPECT_EQ(*others.File("one", "evidence.sealed"), "2");
  SLUIS_EXPECT_OK(keystore->Find("q", "storage"));

  SLUIS_ASSERT_OK(EndRetention(p_, store_, *log_, *keystore, kLastSecond + 86'400));
  EXPECT_EQ(Entries("retention"), 1u);
}

TEST_F(RetentionTest, AFailedWriteDeletesNothingAndLeavesTheKey) {
  const auto keystore = MakeKeystore("keys");
  const ReleaseStore releases = Releases(p_);
  KeepRelease(releases, "one");
  store_.full = true;
  EXPECT_THAT(EndRetention(p_, store_, *log_, *keystore, kLastSecond + 1),
              StatusIs(absl::StatusCode::kResourceExhausted, ""));
  EXPECT_EQ(*releases.File("one", "table.csv"), "1");
  SLUIS_EXPECT_OK(keystore->Find("p", "storage"));
  store_.full = false;
  SLUIS_ASSERT_OK(EndRetention(p_, store_, *log_, *keystore, kLastSecond + 1));
  EXPECT_EQ(Entries("retention"), 1u);
  EXPECT_EQ(*releases.Find("one"), std::nullopt);
}

TEST_F(RetentionTest, AfterACrashBeforeTheKeyIsGoneTheNextRunDestroysIt) {
  KeepRelease(Releases(p_), "one");
  SLUIS_ASSERT_OK(EndRetention(p_, store_, *log_, *MakeKeystore("first"), kLastSecond + 1));
  const auto as_before = MakeKeystore("second");  // the keystore as it was before the crash
  SLUIS_ASSERT_OK(EndRetention(p_, store_, *log_, *as_before, kLastSecond + 1));
  EXPECT_THAT(as_before->Find("p", "storage"), StatusIs(absl::StatusCode::kNotFound, ""));
  EXPECT_EQ(Entries("retention"), 1u);
}

TEST_F(RetentionTest, WhatCameAfterTheEndIsDeletedToo) {
  const auto keystore = MakeKeystore("keys");
  SLUIS_ASSERT_OK(EndRetention(p_, store_, *log_, *keystore, kLastSecond + 1));
  EXPECT_EQ(Entries("retention"), 1u);
  KeepRelease(Releases(p_), "late");
  SLUIS_ASSERT_OK(EndRetention(p_, store_, *log_, *keystore, kLastSecond + 1));
  EXPECT_EQ(*Releases(p_).Find("late"), std::nullopt);
  EXPECT_EQ(Entries("retention"), 2u);
}

}  // namespace
}  // namespace sluis::disclosure
