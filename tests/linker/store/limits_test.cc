// What a project may keep at the linker, and its end.

#include <thread>

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "linker/store/link_project.h"
#include "tests/linker/store/country.h"

namespace sluis::linker {
namespace {

using common::ReasonOf;
using common::testing::StatusIs;
using testing::Append;
using testing::ExamplePermit;
using testing::Extract;
using testing::kNow;
using testing::MakeExtract;
using testing::Upload;

const std::vector<testing::Keys> kPersons = {{1, 11}, {2, 12}, {3, 13}, {4, 13}, {0, 15}};
const std::vector<testing::Keys> kJobs = {{2, 12}, {9, 11}, {2, 12}, {8, 18}, {0, 13}, {8, 18}, {0, 0}, {0, 0}};

class Limits : public ::testing::Test {
 protected:
  absl::Status Begin(const std::string& register_name, const std::string& delivery_id) {
    return records_.BeginUpload(MakeExtract(register_name, delivery_id, {{1, 11}}).header, permit_, kNow).status();
  }
  absl::StatusOr<LinkSetId> Link(RecordStore& records) {
    SLUIS_ASSIGN_OR_RETURN(PreparedLinkSet prepared,
                           LinkProject(records, permit_, common::SecretBytes::Random(32), {}, kNow));
    SLUIS_RETURN_IF_ERROR(records.Finish(std::move(prepared.change)));
    return prepared.id;
  }
  std::vector<std::pair<std::string, std::string>> OfOthers() const {
    auto all = testing::Everything(store_);
    std::erase_if(all,
                  [this](const auto& entry) { return entry.first.find("/" + permit_.id + "/") != std::string::npos; });
    return all;
  }

  common::Permit permit_ = ExamplePermit();
  const std::unique_ptr<common::Store> memory_ = common::MakeMemoryStore(RecordStore::Families());
  testing::FailingStore store_{*memory_};
  RecordStore records_{store_, ExamplePermit().id, testing::StorageKey(), {.max_open_uploads = 3}};
};

TEST_F(Limits, ACustodianHasSoManyOpenUploadsOverAllItsRegisters) {
  permit_.registers[0].custodian = permit_.registers[1].custodian = "spiffe://x/a";
  permit_.registers[2].custodian = "spiffe://x/b";
  SLUIS_ASSERT_OK(Begin("jobs", "j-1"));
  SLUIS_ASSERT_OK(Begin("jobs", "j-2"));
  SLUIS_ASSERT_OK(Begin("persons", "p-1"));
  const absl::Status refused = Begin("persons", "p-2");
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted, "3 open uploads, and at most 3 are allowed"));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted, "finish or abort one"));
  EXPECT_EQ(ReasonOf(refused), "UPLOAD_LIMIT");
  EXPECT_THAT(records_.Status({"persons", "p-2"}), StatusIs(absl::StatusCode::kNotFound, ""));
  // An open one is found again; another custodian is not held up.
  SLUIS_EXPECT_OK(Begin("jobs", "j-1"));
  SLUIS_EXPECT_OK(Begin("benefits", "b-1"));
  // Whoever aborts or finishes one may begin another.
  SLUIS_ASSERT_OK(records_.AbortUpload({"jobs", "j-2"}));
  SLUIS_ASSERT_OK(Begin("persons", "p-2"));
  EXPECT_EQ(ReasonOf(Begin("persons", "p-3")), "UPLOAD_LIMIT");
  const Extract first = MakeExtract("jobs", "j-1", {{1, 11}});
  SLUIS_ASSERT_OK(Append(records_, first, 0));
  SLUIS_ASSERT_OK(testing::Commit(records_, first));
  SLUIS_EXPECT_OK(Begin("persons", "p-3"));
}

TEST_F(Limits, LimitCountsEveryLinkSetOfAPermitVersion) {
  permit_.max_link_sets = 2;
  RecordStore one_kept(store_, permit_.id, testing::StorageKey(), {.kept_link_sets = 1});
  SLUIS_ASSERT_OK(Upload(one_kept, MakeExtract("persons", "p-1", kPersons)));
  // What is prepared and dropped costs nothing.
  for (int i = 0; i < 3; ++i) {
    SLUIS_ASSERT_OK(LinkProject(one_kept, permit_, common::SecretBytes::Random(32), {}, kNow));
  }
  SLUIS_ASSERT_OK(Link(one_kept));
  SLUIS_ASSERT_OK(Upload(one_kept, MakeExtract("jobs", "j-1", kJobs)));
  const auto second = Link(one_kept);
  SLUIS_ASSERT_OK(second);
  SLUIS_ASSERT_OK(Upload(one_kept, MakeExtract("jobs", "j-2", kJobs, 4, "j-1")));
  // The first was deleted meanwhile, and counts.
  const auto refused = Link(one_kept);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted, "ask the approvers for a new version"));
  EXPECT_EQ(ReasonOf(refused.status()), "LINK_SET_LIMIT");
  // It is in the store, not in memory.
  RecordStore reopened(store_, permit_.id, testing::StorageKey());
  EXPECT_EQ(ReasonOf(Link(reopened).status()), "LINK_SET_LIMIT");
  EXPECT_TRUE(testing::KeysWith(store_, kLinkSets, "/build/").empty());
  EXPECT_EQ(reopened.reader().LinkSets()->size(), 2u);
  SLUIS_EXPECT_OK(reopened.reader().LinkSet(*second));
  permit_.max_link_sets = 3;
  SLUIS_EXPECT_OK(Link(reopened));
}

TEST_F(Limits, LinkSetsOfAnotherPermitVersionAreNotCounted) {
  permit_.max_link_sets = 1;
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("persons", "p-1", kPersons)));
  SLUIS_ASSERT_OK(Link(records_));
  // The one link set of the store, as if another version had made it.
  auto earlier = (*records_.reader().LinkSets())[0];
  common::WriteBatch batch;
  batch.DeletePrefix(kLinkSets, permit_.id + "/");
  const ProjectKeys keys(permit_.id, testing::StorageKey());
  earlier.header.permit_sha256[0] ^= 1;
  earlier.id = LinkSetIdOf(earlier.header);
  const std::string key = keys.LinkSetKey(earlier.id);
  batch.Put(kLinkSets, key, keys.SealRecord(key, EncodeStoredLinkSet(earlier)));
  SLUIS_ASSERT_OK(store_.Write(batch, false));
  const auto linked = LinkProject(records_, permit_, common::SecretBytes::Random(32), {}, kNow);
  SLUIS_ASSERT_OK(linked);
  EXPECT_FALSE(linked->already_done);
}

TEST_F(Limits, KeepsTheNewestLinkSetsOnly) {
  RecordStore records(store_, permit_.id, testing::StorageKey(), {.kept_link_sets = 2});
  SLUIS_ASSERT_OK(Upload(records, MakeExtract("persons", "p-1", kPersons)));
  std::vector<LinkSetId> ids;
  for (int i = 0; i < 4; ++i) {
    const std::string replaces = i == 0 ? "" : "j-" + std::to_string(i - 1);
    SLUIS_ASSERT_OK(Upload(records, MakeExtract("jobs", "j-" + std::to_string(i), kJobs, 4, replaces)));
    if (i == 3) {
      // A failure of the last write deletes nothing.
      auto prepared = LinkProject(records, permit_, common::SecretBytes::Random(32), {}, kNow);
      SLUIS_ASSERT_OK(prepared);
      store_.writes_left = 0;
      EXPECT_FALSE(records.Finish(std::move(prepared->change)).ok());
      store_.writes_left.reset();
      SLUIS_EXPECT_OK(records.reader().LinkSet(ids[1]));
    }
    const auto id = Link(records);
    SLUIS_ASSERT_OK(id);
    ids.push_back(*id);
  }
  const auto link_sets = records.reader().LinkSets();
  SLUIS_ASSERT_OK(link_sets);
  ASSERT_EQ(link_sets->size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    const StoredLinkSet& link_set = (*link_sets)[i];
    EXPECT_EQ(link_set.id, ids[i]);
    EXPECT_EQ(link_set.deleted(), i < 2);
    EXPECT_EQ(link_set.header.reports.empty(), i < 2);
    EXPECT_EQ(link_set.header.FindRegister("jobs")->delivery_id, "j-" + std::to_string(i));
    // The clock stands still, the order does not.
    EXPECT_EQ(link_set.header.made_seconds, kNow + static_cast<std::int64_t>(i));
    const auto found = records.reader().LinkSet(ids[i]);
    const absl::Status scanned =
        records.reader().ScanLinks(ids[i], "persons", [](auto, auto) { return absl::OkStatus(); });
    if (i < 2) {
      EXPECT_THAT(found, StatusIs(absl::StatusCode::kNotFound, "was deleted: the linker keeps only the newest"));
      EXPECT_EQ(ReasonOf(found.status()), "LINK_SET_DELETED");
      EXPECT_EQ(ReasonOf(scanned), "LINK_SET_DELETED");
    } else {
      SLUIS_EXPECT_OK(found);
      SLUIS_EXPECT_OK(scanned);
      EXPECT_FALSE(testing::KeysWith(store_, kLinkSets, "/links/" + link_set.build).empty());
    }
  }
  // Links of two link sets of two registers: persons in two chunks, jobs in two.
  EXPECT_EQ(testing::KeysWith(store_, kLinkSets, "/links/").size(), 8u);
}

TEST_F(Limits, ErasureDeletesEverythingOfTheProjectAndNothingElse) {
  common::WriteBatch others;
  // Keys of projects whose ids begin with this one's, or sort next to it.
  for (const std::string& id : {permit_.id + "-b", permit_.id + "0"}) {
    for (const std::string_view family : {kDeliveries, kChunks, kLinkSets}) {
      others.Put(family, id + "/delivery/jobs/j-1", "of another");
    }
  }
  SLUIS_ASSERT_OK(store_.Write(others, false));
  const auto of_others = OfOthers();
  ASSERT_EQ(of_others.size(), 6u);
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("persons", "p-1", {{1, 11}, {2, 12}})));
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("jobs", "j-1", {{1, 11}})));
  SLUIS_ASSERT_OK(Link(records_));
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("jobs", "j-2", {{2, 12}}, 4, "j-1")));
  SLUIS_ASSERT_OK(Link(records_));
  const Extract open = MakeExtract("benefits", "b-1", {{1}, {2}}, 1);
  SLUIS_ASSERT_OK(records_.BeginUpload(open.header, permit_, kNow));
  SLUIS_ASSERT_OK(Append(records_, open, 0));

  const auto before = testing::Everything(store_);
  {
    const auto dropped = records_.PrepareErasure();
    SLUIS_ASSERT_OK(dropped);
    EXPECT_EQ(dropped->counts.deliveries, 4u);
    EXPECT_EQ(dropped->counts.link_sets, 2u);
  }
  EXPECT_EQ(testing::Everything(store_), before);
  auto failed = records_.PrepareErasure();
  SLUIS_ASSERT_OK(failed);
  store_.writes_left = 0;
  EXPECT_FALSE(records_.Finish(std::move(failed->change)).ok());
  store_.writes_left.reset();
  EXPECT_EQ(testing::Everything(store_), before);

  auto prepared = records_.PrepareErasure();
  SLUIS_ASSERT_OK(prepared);
  // A chunk that comes while the erasure is held waits for it, and finds no upload.
  absl::Status late;
  std::thread uploader([&] { late = Append(records_, open, 1); });
  SLUIS_ASSERT_OK(records_.Finish(std::move(prepared->change)));
  prepared->change.locks.clear();
  uploader.join();
  EXPECT_THAT(late, StatusIs(absl::StatusCode::kNotFound, "no such upload"));
  EXPECT_EQ(testing::Everything(store_), of_others);

  const auto again = records_.PrepareErasure();
  SLUIS_ASSERT_OK(again);
  EXPECT_TRUE(again->change.batch.empty());
  EXPECT_EQ(again->counts.deliveries, 0u);
}

TEST_F(Limits, ErasureDoesNotNeedTheKey) {
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("persons", "p-1", {{1, 11}})));
  RecordStore stranger(store_, permit_.id, common::SecretBytes::Random(32));
  EXPECT_FALSE(stranger.reader().Deliveries().ok());
  auto prepared = stranger.PrepareErasure();
  SLUIS_ASSERT_OK(prepared);
  EXPECT_EQ(prepared->counts.deliveries, 1u);
  SLUIS_ASSERT_OK(stranger.Finish(std::move(prepared->change)));
  EXPECT_TRUE(testing::Everything(store_).empty());
}

TEST_F(Limits, ErasureWaitsForTheEndOfALinkage) {
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("persons", "p-1", {{1, 11}})));
  {
    const auto linked = LinkProject(records_, permit_, common::SecretBytes::Random(32), {}, kNow);
    SLUIS_ASSERT_OK(linked);
    absl::Status refused;
    std::thread([&] { refused = records_.PrepareErasure().status(); }).join();
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kAborted, "a linkage of the project is running"));
  }
  SLUIS_EXPECT_OK(records_.PrepareErasure());
}

}  // namespace
}  // namespace sluis::linker
