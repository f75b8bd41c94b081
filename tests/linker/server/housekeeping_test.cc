#include "linker/server/housekeeping.h"

#include "common/rpc/runtime.h"
#include "common/rpc/server.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "linker/store/link_project.h"
#include "tests/linker/server/project.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::kNow;
using testing::Project;

constexpr std::int64_t kDay = 86'400;

class Housekeeping : public ::testing::Test {
 protected:
  absl::Status KeepHouseAt(std::int64_t now_seconds) {
    return KeepHouse({*project_.permits, project_.stores, *project_.store, *project_.log, *project_.keystore},
                     now_seconds);
  }
  // The first second after the retention of the permit.
  std::int64_t AfterRetention() const { return (project_.permit().retention_end + 1) * kDay; }
  void Fill() {
    project_.Deliver("persons", "p-1");
    project_.Deliver("jobs", "j-1");
    auto linked =
        LinkProject(*project_.records(), project_.permit(), common::SecretBytes::Random(32), LinkOptions(), kNow);
    SLUIS_ASSERT_OK(linked);
    linked->change.batch.Put(kRequestFamily, project_.permit().id + "/request", "link set");
    SLUIS_ASSERT_OK(project_.records()->Finish(std::move(linked->change)));
    linked->change.locks.clear();
    SLUIS_ASSERT_OK(
        project_.records()->BeginUpload(project_.Header("jobs", "j-2", "j-1"), project_.permit(), AfterRetention()));
  }
  // Whether the store has anything of the project.
  bool Holds() const {
    bool found = false;
    std::vector<std::string> families = RecordStore::Families();
    families.push_back(kRequestFamily);
    for (const std::string& family : families) {
      SLUIS_EXPECT_OK(
          project_.store->Scan(family, project_.permit().id + "/", {}, [&](auto, auto) { return !(found = true); }));
    }
    return found;
  }
  bool HasKey() const { return project_.keystore->Find(project_.permit().id, common::kStoragePurpose).ok(); }
  std::vector<common::Entry> Entries() const { return project_.Entries(common::entry_type::kRetention); }

  Project project_;
};

TEST_F(Housekeeping, GivesUpAnUploadThatNobodyContinues) {
  const std::int64_t begun = common::NowSeconds();
  SLUIS_ASSERT_OK(project_.records()->BeginUpload(project_.Header("persons", "p-1"), project_.permit(), begun));
  SLUIS_ASSERT_OK(KeepHouseAt(begun + kMaxIdleSeconds));
  SLUIS_EXPECT_OK(project_.records()->Status({"persons", "p-1"}));
  SLUIS_ASSERT_OK(KeepHouseAt(begun + kMaxIdleSeconds + 1));
  EXPECT_THAT(project_.records()->Status({"persons", "p-1"}), StatusIs(absl::StatusCode::kNotFound, ""));
  EXPECT_TRUE(Entries().empty());
}

TEST_F(Housekeeping, DeletesEverythingOnceRetentionHasEnded) {
  Fill();
  SLUIS_ASSERT_OK(KeepHouseAt(AfterRetention() - 1));
  EXPECT_TRUE(Holds());
  EXPECT_TRUE(HasKey());
  EXPECT_TRUE(Entries().empty());

  SLUIS_ASSERT_OK(KeepHouseAt(AfterRetention()));
  EXPECT_FALSE(Holds());
  EXPECT_FALSE(HasKey());
  ASSERT_EQ(Entries().size(), 1u);
  const common::Entry entry = Entries()[0];
  EXPECT_EQ(entry.time_seconds, AfterRetention());
  EXPECT_EQ(entry.Text("project"), project_.permit().id);
  EXPECT_EQ(entry.Text("permit_sha256"), common::HexOf(project_.permit().sha256));
  EXPECT_EQ(entry.Number("deliveries"), 3);
  EXPECT_EQ(entry.Number("link_sets"), 1);

  // Also as a service that starts later does it, without records.
  project_.stores.clear();
  SLUIS_ASSERT_OK(KeepHouseAt(AfterRetention() + kDay));
  EXPECT_EQ(Entries().size(), 1u);
}

TEST_F(Housekeeping, WhatComesBackFromABackupGoesAgain) {
  Fill();
  std::vector<std::pair<std::string, std::string>> backup;
  SLUIS_ASSERT_OK(project_.store->Scan(kChunks, project_.permit().id + "/", {}, [&](auto key, auto value) {
    backup.emplace_back(key, value);
    return true;
  }));
  ASSERT_FALSE(backup.empty());
  SLUIS_ASSERT_OK(KeepHouseAt(AfterRetention()));
  common::WriteBatch restore;
  for (const auto& [key, value] : backup) restore.Put(kChunks, key, value);
  SLUIS_ASSERT_OK(project_.store->Write(restore, true));
  project_.stores.clear();
  SLUIS_ASSERT_OK(KeepHouseAt(AfterRetention() + 1));
  EXPECT_FALSE(Holds());
  EXPECT_EQ(Entries().size(), 2u);
}

TEST_F(Housekeeping, DeletesAndLogsTogetherOrNotAtAll) {
  Fill();
  project_.store->writes_left = 0;
  EXPECT_THAT(KeepHouseAt(AfterRetention()), StatusIs(absl::StatusCode::kResourceExhausted, project_.permit().id));
  EXPECT_TRUE(Holds());
  EXPECT_TRUE(HasKey());
  EXPECT_TRUE(Entries().empty());
  project_.store->writes_left.reset();
  SLUIS_ASSERT_OK(KeepHouseAt(AfterRetention()));
  EXPECT_FALSE(Holds());
  EXPECT_EQ(Entries().size(), 1u);
}

TEST_F(Housekeeping, AfterACrashBeforeTheEndDestroysTheKey) {
  // The crash was between the batch, which is there, and the key.
  const common::EntryFields fields = {{"project", project_.permit().id},
                                      {"permit_sha256", common::HexOf(project_.permit().sha256)},
                                      {"deliveries", std::int64_t{3}},
                                      {"link_sets", std::int64_t{1}}};
  SLUIS_ASSERT_OK(
      project_.log->Append(common::FormatEntry(common::entry_type::kRetention, kNow, fields), common::WriteBatch()));
  ASSERT_TRUE(HasKey());
  SLUIS_ASSERT_OK(KeepHouseAt(AfterRetention()));
  EXPECT_FALSE(HasKey());
  EXPECT_EQ(Entries().size(), 1u);
}

}  // namespace
}  // namespace sluis::linker
