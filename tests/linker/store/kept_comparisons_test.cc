#include "linker/store/kept_comparisons.h"

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "linker/store/link_project.h"
#include "tests/linker/store/people.h"

namespace sluis::linker {
namespace {

using common::testing::IsOk;
using common::testing::StatusIs;
using testing::Encode;
using testing::Extract;
using testing::Keys;
using testing::KeysWith;
using testing::kNow;
using testing::MakeEncodedExtract;
using testing::MakePeople;
using testing::Person;
using testing::SimilarPermit;
using testing::Upload;

std::string Hex(const common::Hash256& hash) { return common::HexEncode(common::AsChars(hash)); }

// 300 people on the backbone; a register has people `from` to `from` + 199, with a slip in each fourth, without keys.
Extract Register(const std::string& name, const std::string& id, std::size_t from, const std::string& replaces = "") {
  static const std::vector<Person> everybody = MakePeople(400, 11);
  std::mt19937 random(static_cast<std::uint32_t>(from));
  const std::size_t count = name == "persons" ? 300 : 200;
  std::vector<Person> people(everybody.begin() + static_cast<std::ptrdiff_t>(from),
                             everybody.begin() + static_cast<std::ptrdiff_t>(from + count));
  std::vector<Keys> keys;
  for (std::size_t i = 0; i < count; ++i) {
    if (name != "persons" && i % 4 == 0) people[i] = testing::WithSlips(people[i], random);
    keys.push_back({name == "persons" || i % 5 == 0 ? 1 + from + i : 0, 0});
  }
  return MakeEncodedExtract(name, id, keys, Encode(people, name), 64, replaces);
}

class KeptComparisonsTest : public ::testing::Test {
 protected:
  KeptComparisonsTest() {
    SLUIS_EXPECT_OK(Upload(records_, Register("persons", "p-1", 0), permit_));
    SLUIS_EXPECT_OK(Upload(records_, Register("jobs", "j-1", 50), permit_));
    SLUIS_EXPECT_OK(Upload(records_, Register("benefits", "b-1", 100), permit_));
  }

  absl::StatusOr<PreparedLinkSet> Link() { return Link(records_); }
  absl::StatusOr<PreparedLinkSet> Link(RecordStore& records) {
    // One seed throughout, so that equal links have equal ids.
    SLUIS_ASSIGN_OR_RETURN(
        PreparedLinkSet prepared,
        LinkProject(records, permit_, common::SecretBytes::CopyOf(common::AsBytes(std::string(32, 's'))), {}, kNow));
    SLUIS_RETURN_IF_ERROR(records.Finish(std::exchange(prepared.change, {})));
    return prepared;
  }
  // The ids of what is kept.
  std::set<std::string> Kept() {
    std::set<std::string> ids;
    const std::string folder = "/comparison/";
    for (const std::string& key : KeysWith(store_, kLinkSets, folder))
      ids.insert(key.substr(key.find(folder) + folder.size(), 64));
    return ids;
  }

  const common::Permit permit_ = SimilarPermit();
  const std::unique_ptr<common::Store> memory_ = common::MakeMemoryStore(RecordStore::Families());
  testing::FailingStore store_{*memory_};
  RecordStore records_{store_, permit_.id, testing::StorageKey()};
};

TEST_F(KeptComparisonsTest, OneNewDeliveryRedoesItsOwnComparisonsOnlyAndLinksAsFromScratch) {
  SLUIS_ASSERT_OK(Link());
  const std::set<std::string> first = Kept();
  EXPECT_EQ(first.size(), 3u);
  const auto values = [&] { return testing::Everything(store_); };
  const auto before = values();
  SLUIS_ASSERT_OK(Upload(records_, Register("benefits", "b-2", 120, "b-1"), permit_));
  // Gone with the delivery; of the others nothing is touched.
  const std::set<std::string> left = Kept();
  EXPECT_EQ(left.size(), 1u);
  EXPECT_EQ(KeysWith(store_, kLinkSets, "/compared/").size(), 2u);
  const auto again = Link();
  SLUIS_ASSERT_OK(again);
  const std::set<std::string> second = Kept();
  EXPECT_EQ(second.size(), 3u);
  EXPECT_TRUE(second.contains(*left.begin()));
  // The kept one was not written anew: sealed values differ each time.
  for (const auto& [key, value] : before) {
    if (key.find("/comparison/" + *left.begin()) == std::string::npos) continue;
    EXPECT_EQ(**store_.Get(kLinkSets, key.substr(std::string(kLinkSets).size() + 1)), value);
  }

  const auto scratch = common::MakeMemoryStore(RecordStore::Families());
  RecordStore anew(*scratch, permit_.id, testing::StorageKey());
  SLUIS_ASSERT_OK(Upload(anew, Register("persons", "p-1", 0), permit_));
  SLUIS_ASSERT_OK(Upload(anew, Register("jobs", "j-1", 50), permit_));
  SLUIS_ASSERT_OK(Upload(anew, Register("benefits", "b-1", 100), permit_));
  SLUIS_ASSERT_OK(Upload(anew, Register("benefits", "b-2", 120, "b-1"), permit_));
  const auto from_scratch = Link(anew);
  SLUIS_ASSERT_OK(from_scratch);
  EXPECT_EQ(again->header.reports, from_scratch->header.reports);
  ASSERT_EQ(again->header.registers.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(again->header.registers[i].links_sha256, from_scratch->header.registers[i].links_sha256);
  }
  EXPECT_GT(again->header.reports[0].similarity->links, 50u);
}

TEST_F(KeptComparisonsTest, GoWithAWithdrawalAndAnErasure) {
  SLUIS_ASSERT_OK(Link());
  auto withdrawal = records_.PrepareWithdrawal({"jobs", "j-1"}, kNow);
  SLUIS_ASSERT_OK(withdrawal);
  EXPECT_EQ(Kept().size(), 3u);
  SLUIS_ASSERT_OK(records_.Finish(std::exchange(withdrawal->change, {})));
  EXPECT_EQ(Kept().size(), 1u);
  auto erasure = records_.PrepareErasure();
  SLUIS_ASSERT_OK(erasure);
  SLUIS_ASSERT_OK(records_.Finish(std::move(erasure->change)));
  EXPECT_TRUE(testing::Everything(store_).empty());
}

TEST_F(KeptComparisonsTest, AreSealedAndOpenInTheirPlaceOnly) {
  SLUIS_ASSERT_OK(Link());
  const std::set<std::string> kept = Kept();
  for (const std::string& key : KeysWith(store_, kLinkSets, "/comparison/")) {
    const std::string value = **store_.Get(kLinkSets, key.substr(std::string(kLinkSets).size() + 1));
    EXPECT_EQ(value.find("sluis-kept-comparison"), std::string::npos);
  }
  // One in the place of another is not believed: the links are as before, and it is made again.
  const ProjectKeys keys(permit_.id, testing::StorageKey());
  const std::string prefix = std::string(kLinkSets) + "/";
  const std::vector<std::string> parts = KeysWith(store_, kLinkSets, "/comparison/");
  const std::string at = parts.front().substr(prefix.size());
  const std::string damaged = **store_.Get(kLinkSets, parts.back().substr(prefix.size()));
  common::WriteBatch move;
  move.Put(kLinkSets, at, damaged);
  SLUIS_ASSERT_OK(store_.Write(move, false));
  auto before = (*records_.reader().LinkSets())[0].header;
  common::WriteBatch forget;
  forget.DeletePrefix(kLinkSets, permit_.id + "/set/");
  SLUIS_ASSERT_OK(store_.Write(forget, false));
  const auto again = Link();
  SLUIS_ASSERT_OK(again);
  EXPECT_EQ(again->header, before);
  EXPECT_EQ(again->damaged_comparison_parts, 1u);
  EXPECT_EQ(Kept(), kept);
  EXPECT_NE(**store_.Get(kLinkSets, at), damaged);
}

TEST_F(KeptComparisonsTest, AreNotSavedForADeliveryThatIsGone) {
  const DeliveryRecord jobs = **records_.reader().Current("jobs"), benefits = **records_.reader().Current("benefits");
  const std::vector<DeliveryRecord> deliveries = {jobs, benefits};
  KeptComparisons kept(records_, deliveries);
  const ComparisonKey key = common::Sha256("a comparison");
  kept.Between("jobs", "benefits");
  SLUIS_ASSERT_OK(kept.Save(key, 0, "content"));
  EXPECT_EQ(**kept.Find(key, 0), "content");
  EXPECT_EQ(*kept.Find(key, 1), std::nullopt);
  EXPECT_EQ(KeysWith(store_, kLinkSets, "/compared/jobs/j-1/" + Hex(key)).size(), 1u);
  EXPECT_EQ(KeysWith(store_, kLinkSets, "/compared/benefits/b-1/" + Hex(key)).size(), 1u);
  SLUIS_ASSERT_OK(Upload(records_, Register("jobs", "j-2", 60, "j-1"), permit_));
  EXPECT_TRUE(KeysWith(store_, kLinkSets, "/compar").empty());
  EXPECT_THAT(kept.Save(key, 0, "content"), StatusIs(absl::StatusCode::kAborted, "register jobs: its delivery was"));
  EXPECT_TRUE(KeysWith(store_, kLinkSets, "/compar").empty());
  // Of a register within itself it is noted once.
  kept.Between("benefits", "benefits");
  SLUIS_ASSERT_OK(kept.Save(key, 0, "content"));
  EXPECT_EQ(KeysWith(store_, kLinkSets, "/compared/").size(), 1u);
}

TEST_F(KeptComparisonsTest, ThoseThatNoLinkageUsesAreDropped) {
  {
    const std::vector<DeliveryRecord> deliveries = {**records_.reader().Current("jobs"),
                                                    **records_.reader().Current("benefits")};
    KeptComparisons kept(records_, deliveries);
    kept.Between("jobs", "benefits");
    SLUIS_ASSERT_OK(kept.Save(common::Sha256("of an earlier version of the program"), 0, "content"));
    SLUIS_ASSERT_OK(kept.Save(common::Sha256("of an earlier version of the program"), 1, "content"));
  }
  EXPECT_EQ(Kept().size(), 1u);
  SLUIS_ASSERT_OK(Link());
  EXPECT_EQ(Kept().size(), 3u);
  EXPECT_FALSE(Kept().contains(Hex(common::Sha256("of an earlier version of the program"))));
  EXPECT_EQ(KeysWith(store_, kLinkSets, "/compared/").size(), 6u);
}

// Under a new version of the permit the two are no registers any more; their deliveries stay until retention ends.
TEST_F(KeptComparisonsTest, ThoseOfRegistersThatAreNotLinkedAnyMoreAreDropped) {
  const auto linked = Link();
  SLUIS_ASSERT_OK(linked);
  EXPECT_EQ(linked->damaged_comparison_parts, 0u);
  common::Permit next = permit_;
  next.sha256 = common::Sha256("the next version");
  next.registers.resize(1);
  Extract persons = Register("persons", "p-2", 0, "p-1");
  persons.header.permit_sha256 = next.sha256;
  persons.header.signature = common::SignDelivery(StatementOf(persons.header), testing::CustodianKey());
  SLUIS_ASSERT_OK(Upload(records_, persons, next));
  EXPECT_EQ(Kept().size(), 1u);
  SLUIS_ASSERT_OK(LinkProject(records_, next, common::SecretBytes::Random(32), {}, kNow));
  EXPECT_TRUE(KeysWith(store_, kLinkSets, "/compar").empty());
}

// Whatever write fails, the next linkage links as if nothing had, and nothing but what is kept for it is left.
TEST_F(KeptComparisonsTest, AFailureAtAnyWriteLosesNothing) {
  auto withdrawal = records_.PrepareWithdrawal({"jobs", "j-1"}, kNow);
  SLUIS_ASSERT_OK(withdrawal);
  SLUIS_ASSERT_OK(records_.Finish(std::exchange(withdrawal->change, {})));
  const auto reference_store = common::MakeMemoryStore(RecordStore::Families());
  RecordStore reference(*reference_store, permit_.id, testing::StorageKey());
  for (const Extract& extract : {Register("persons", "p-1", 0), Register("benefits", "b-1", 100)}) {
    SLUIS_ASSERT_OK(Upload(reference, extract, permit_));
  }
  const auto expected = Link(reference);
  SLUIS_ASSERT_OK(expected);
  int failures = 0;
  for (int writes = 0;; ++writes) {
    store_.writes_left = writes;
    const auto linked = Link();
    const bool failed_somewhere = *store_.writes_left < 0;
    store_.writes_left.reset();
    if (linked.ok()) {
      EXPECT_EQ(linked->header, expected->header);
      if (!failed_somewhere) break;
      // A comparison that could not be kept is none the worse.
      common::WriteBatch forget;
      forget.DeletePrefix(kLinkSets, permit_.id + "/set/");
      SLUIS_ASSERT_OK(store_.Write(forget, false));
      continue;
    }
    ++failures;
    EXPECT_THAT(linked, StatusIs(absl::StatusCode::kResourceExhausted, "full"));
    EXPECT_TRUE(records_.reader().LinkSets()->empty());
    for (const auto& id : Kept()) EXPECT_EQ(id.size(), 64u);
  }
  EXPECT_GE(failures, 3);
  EXPECT_EQ(Kept().size(), 1u);
}

}  // namespace
}  // namespace sluis::linker
