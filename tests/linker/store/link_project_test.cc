#include "linker/store/link_project.h"

#include <map>
#include <random>
#include <set>
#include <thread>

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "tests/linker/store/country.h"

namespace sluis::linker {
namespace {

using common::ReasonOf;
using common::testing::IsOk;
using common::testing::StatusIs;
using testing::ExamplePermit;
using testing::Extract;
using testing::Keys;
using testing::kNow;
using testing::MakeExtract;
using testing::Upload;

absl::StatusOr<LinkSetId> Link(RecordStore& records, std::uint8_t seed) {
  common::SecretBytes seed_bytes(32);
  seed_bytes.ExposeForFilling()[0] = seed;
  SLUIS_ASSIGN_OR_RETURN(PreparedLinkSet prepared,
                         LinkProject(records, ExamplePermit(), std::move(seed_bytes), {}, kNow));
  SLUIS_RETURN_IF_ERROR(records.Finish(std::move(prepared.change)));
  return prepared.id;
}

LinkChunk LinksOf(const RecordStore& records, const LinkSetId& id, const std::string& name) {
  LinkChunk all;
  std::uint32_t next = 0;
  EXPECT_THAT(records.reader().ScanLinks(id, name,
                                         [&](std::uint32_t number, LinkChunk chunk) {
                                           EXPECT_EQ(number, next++);
                                           all.ids.insert(all.ids.end(), chunk.ids.begin(), chunk.ids.end());
                                           all.found.insert(all.found.end(), chunk.found.begin(), chunk.found.end());
                                           return absl::OkStatus();
                                         }),
              IsOk());
  return all;
}

class LinkProjectTest : public ::testing::Test {
 protected:
  LinkProjectTest()
      : memory_(common::MakeMemoryStore(RecordStore::Families())),
        store_(*memory_),
        records_(store_, ExamplePermit().id, testing::StorageKey()) {}

  absl::StatusOr<LinkSetId> Link() { return linker::Link(records_, 1); }
  LinkChunk LinksOf(const LinkSetId& id, const std::string& name) { return linker::LinksOf(records_, id, name); }

  std::unique_ptr<common::Store> memory_;
  testing::FailingStore store_;
  RecordStore records_;
};

const std::vector<Keys> kPersons = {{1, 11}, {2, 12}, {3, 13}, {4, 13}, {0, 15}};
const std::vector<Keys> kJobs = {{2, 12}, {9, 11}, {2, 12}, {8, 18}, {0, 13}, {8, 18}, {0, 0}, {0, 0}};
const std::vector<Keys> kBenefits = {{4}, {5}};

TEST_F(LinkProjectTest, GivesEachPersonOneIdInAllRegisters) {
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("persons", "p-1", kPersons, 2)));
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("jobs", "j-1", kJobs, 3)));
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("benefits", "b-1", kBenefits)));
  const auto id = Link();
  SLUIS_ASSERT_OK(id);
  const LinkChunk persons = LinksOf(*id, "persons"), jobs = LinksOf(*id, "jobs"), benefits = LinksOf(*id, "benefits");
  ASSERT_EQ(persons.ids.size(), 5u);
  EXPECT_EQ(persons.found, std::vector<bool>(5, true));
  EXPECT_EQ(std::set<LinkageId>(persons.ids.begin(), persons.ids.end()).size(), 5u);

  ASSERT_EQ(jobs.ids.size(), 8u);
  EXPECT_EQ(jobs.found, (std::vector<bool>{true, true, true, false, false, false, false, false}));
  EXPECT_EQ(jobs.ids[0], persons.ids[1]);  // by bsn
  EXPECT_EQ(jobs.ids[1], persons.ids[0]);  // by birth_sex_name
  EXPECT_EQ(jobs.ids[2], persons.ids[1]);
  EXPECT_EQ(jobs.ids[3], jobs.ids[5]);  // one unlinked entity
  EXPECT_NE(jobs.ids[6], jobs.ids[7]);  // nulls are not merged

  EXPECT_EQ(benefits.found, (std::vector<bool>{true, false}));
  EXPECT_EQ(benefits.ids[0], persons.ids[3]);
  std::set<LinkageId> unlinked = {jobs.ids[3], jobs.ids[4], jobs.ids[6], jobs.ids[7], benefits.ids[1]};
  unlinked.insert(persons.ids.begin(), persons.ids.end());
  EXPECT_EQ(unlinked.size(), 10u);

  const auto header = records_.reader().LinkSet(*id);
  SLUIS_ASSERT_OK(header);
  ASSERT_EQ(header->registers.size(), 3u);
  EXPECT_EQ(header->registers[0].name, "persons");
  EXPECT_EQ(header->FindRegister("jobs")->delivery_id, "j-1");
  EXPECT_EQ(header->FindRegister("jobs")->delivery_sha256, MakeExtract("jobs", "j-1", kJobs, 3).Digest());
  ASSERT_EQ(header->reports.size(), 2u);
  const LinkageReport& report = header->reports[0];
  EXPECT_EQ(report.register_name, "jobs");
  EXPECT_EQ(report.records, 8u);
  EXPECT_EQ(report.entities, 6u);
  EXPECT_EQ(report.passes[0].match_key, "bsn");
  EXPECT_EQ(report.passes[0].links, 1u);
  EXPECT_EQ(report.passes[0].linked_records, 2u);
  EXPECT_EQ(report.passes[1].links, 1u);
  EXPECT_EQ(report.passes[1].ambiguous, 1u);
  EXPECT_EQ(report.unlinked, 4u);
  EXPECT_EQ(report.unlinked_records, 5u);
  const auto link_sets = records_.reader().LinkSets();
  SLUIS_ASSERT_OK(link_sets);
  ASSERT_EQ(link_sets->size(), 1u);
  EXPECT_EQ((*link_sets)[0].id, *id);
  EXPECT_FALSE((*link_sets)[0].deleted());
}

TEST_F(LinkProjectTest, IdsAreRandomAndTheRestIsNot) {
  // One store for each, since deliveries are not linked twice.
  const auto links_by = [](std::uint8_t seed) {
    const auto memory = common::MakeMemoryStore(RecordStore::Families());
    RecordStore records(*memory, ExamplePermit().id, testing::StorageKey());
    EXPECT_THAT(Upload(records, MakeExtract("persons", "p-1", kPersons)), IsOk());
    EXPECT_THAT(Upload(records, MakeExtract("jobs", "j-1", kJobs)), IsOk());
    const auto id = linker::Link(records, seed);
    EXPECT_THAT(id, IsOk());
    return std::pair(*id, linker::LinksOf(records, *id, "jobs"));
  };
  const auto [first, a] = links_by(1);
  const auto [second, b] = links_by(2);
  const auto [third, c] = links_by(1);
  EXPECT_NE(first, second);
  EXPECT_EQ(first, third);
  EXPECT_EQ(a, c);
  EXPECT_EQ(a.found, b.found);
  for (std::size_t i = 0; i < a.ids.size(); ++i) {
    EXPECT_NE(a.ids[i], b.ids[i]);
    for (std::size_t j = 0; j < a.ids.size(); ++j) {
      EXPECT_EQ(a.ids[i] == a.ids[j], b.ids[i] == b.ids[j]);
    }
  }
}

TEST_F(LinkProjectTest, LinksTheSameDeliveriesOnce) {
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("persons", "p-1", kPersons)));
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("jobs", "j-1", kJobs)));
  const auto first = Link();
  SLUIS_ASSERT_OK(first);
  const auto reports = records_.reader().LinkSet(*first)->reports;
  const auto before = testing::Everything(store_);
  for (int i = 0; i < 3; ++i) {
    const auto again = LinkProject(records_, ExamplePermit(), common::SecretBytes::Random(32), {}, kNow + i);
    SLUIS_ASSERT_OK(again);
    EXPECT_TRUE(again->already_done);
    EXPECT_EQ(again->id, *first);
    EXPECT_EQ(again->header.reports, reports);
    EXPECT_TRUE(again->change.batch.empty());
  }
  EXPECT_EQ(testing::Everything(store_), before);
  // The same records under another delivery id are another delivery.
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("jobs", "j-2", kJobs, 4, "j-1")));
  const auto second = Link();
  SLUIS_ASSERT_OK(second);
  EXPECT_NE(*second, *first);
  // So are fewer registers.
  auto withdrawal = records_.PrepareWithdrawal({"jobs", "j-2"}, kNow);
  SLUIS_ASSERT_OK(withdrawal);
  SLUIS_ASSERT_OK(records_.Finish(std::move(withdrawal->change)));
  const auto third = Link();
  SLUIS_ASSERT_OK(third);
  EXPECT_NE(*third, *second);
  EXPECT_EQ(*Link(), *third);
}

TEST_F(LinkProjectTest, FailsWithoutTheBackboneNamingIt) {
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("jobs", "j-1", kJobs)));
  const auto linked = Link();
  EXPECT_THAT(linked, StatusIs(absl::StatusCode::kFailedPrecondition, "register persons: the backbone"));
  EXPECT_EQ(ReasonOf(linked.status()), "BACKBONE_MISSING");
}

TEST_F(LinkProjectTest, FailsIfARegisterWasDeliveredUnderAnotherPermit) {
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("persons", "p-1", kPersons)));
  common::Permit amended = ExamplePermit();
  amended.sha256[0] ^= 1;
  const auto linked = LinkProject(records_, amended, common::SecretBytes::Random(32), {}, kNow);
  EXPECT_THAT(linked, StatusIs(absl::StatusCode::kFailedPrecondition, "register persons"));
  EXPECT_EQ(ReasonOf(linked.status()), "PERMIT_CHANGED");
}

TEST_F(LinkProjectTest, EmptySatelliteHasNoLinksAndAbsentOneIsLeftOut) {
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("persons", "p-1", kPersons)));
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("benefits", "b-1", {})));
  const auto id = Link();
  SLUIS_ASSERT_OK(id);
  const auto header = records_.reader().LinkSet(*id);
  SLUIS_ASSERT_OK(header);
  ASSERT_EQ(header->reports.size(), 1u);
  EXPECT_EQ(header->reports[0].records, 0u);
  EXPECT_EQ(header->reports[0].passes[0].links, 0u);
  EXPECT_TRUE(LinksOf(*id, "benefits").ids.empty());
  EXPECT_THAT(records_.reader().ScanLinks(*id, "jobs", [](auto, auto) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kNotFound, "does not hold register jobs"));
}

TEST_F(LinkProjectTest, LinkSetsAreSealedAndNotToBeChanged) {
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("persons", "p-1", kPersons)));
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("jobs", "j-1", kJobs, 4)));
  const auto id = Link();
  SLUIS_ASSERT_OK(id);
  const LinkChunk jobs = LinksOf(*id, "jobs");
  for (const auto& [key, value] : testing::Everything(store_)) {
    for (const LinkageId& linkage_id : jobs.ids) {
      EXPECT_EQ((key + value).find(common::AsChars(linkage_id)), std::string::npos);
    }
  }
  const auto scan = [&] {
    return records_.reader().ScanLinks(*id, "jobs", [](auto, auto) { return absl::OkStatus(); });
  };
  // A chunk of the second linkage, sealed by the same keys, in the place of the first's.
  const std::string prefix = "linksets/";
  const std::vector<std::string> chunks = testing::KeysWith(store_, kLinkSets, "/links/");
  ASSERT_EQ(chunks.size(), 2u + 2u);
  const std::string key = chunks[0].substr(prefix.size()), other = chunks[1].substr(prefix.size());
  const std::string original = **store_.Get(kLinkSets, key);
  common::WriteBatch replace;
  replace.Put(kLinkSets, key, **store_.Get(kLinkSets, other));
  SLUIS_ASSERT_OK(store_.Write(replace, false));
  EXPECT_THAT(scan(), StatusIs(absl::StatusCode::kDataLoss, "cannot be opened"));
  // Sealed rightly, but not what the link set's hash covers.
  const ProjectKeys keys(ExamplePermit().id, testing::StorageKey());
  LinkChunk forged = *DecodeLinkChunk(*keys.OpenLinks(key, original));
  forged.found[0] = !forged.found[0];
  common::WriteBatch forge;
  forge.Put(kLinkSets, key, keys.SealLinks(key, EncodeLinkChunk(forged)));
  SLUIS_ASSERT_OK(store_.Write(forge, false));
  EXPECT_THAT(scan(), StatusIs(absl::StatusCode::kDataLoss, "do not have the hash"));
  common::WriteBatch remove;
  remove.Delete(kLinkSets, key);
  SLUIS_ASSERT_OK(store_.Write(remove, false));
  EXPECT_THAT(scan(), StatusIs(absl::StatusCode::kDataLoss, "chunk 0 is missing"));
  EXPECT_THAT(records_.reader().LinkSet(common::Sha256("no such")),
              StatusIs(absl::StatusCode::kNotFound, "no such link set"));
}

TEST_F(LinkProjectTest, LeavesNothingAfterAFailureAtAnyWrite) {
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("persons", "p-1", kPersons)));
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("jobs", "j-1", kJobs, 3)));
  const auto before = testing::Everything(store_);
  int writes = 0;
  for (;; ++writes) {
    store_.writes_left = writes;
    const auto linked = Link();
    store_.writes_left.reset();
    if (linked.ok()) {
      break;
    }
    EXPECT_THAT(linked, StatusIs(absl::StatusCode::kResourceExhausted, "full"));
    EXPECT_TRUE(records_.reader().LinkSets()->empty());
    // What a failure left the next linkage removes, here one that is not finished either.
    SLUIS_ASSERT_OK((*LinkSetWriter::Create(records_))->Begin());
    EXPECT_EQ(testing::Everything(store_), before);
  }
  EXPECT_GE(writes, 3);
  EXPECT_EQ(records_.reader().LinkSets()->size(), 1u);
}

TEST_F(LinkProjectTest, FailsIfADeliveryChangesMeanwhileOrAnotherLinkageRuns) {
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("persons", "p-1", kPersons)));
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("jobs", "j-1", kJobs)));
  bool replaced = false;
  LinkOptions options;
  options.cancelled = [&] {
    if (!std::exchange(replaced, true)) {
      EXPECT_THAT(Upload(records_, MakeExtract("jobs", "j-2", {{1, 1}}, 4, "j-1")), IsOk());
      std::thread([&] { EXPECT_THAT(Link(), StatusIs(absl::StatusCode::kAborted, "another linkage")); }).join();
    }
    return false;
  };
  EXPECT_THAT(LinkProject(records_, ExamplePermit(), common::SecretBytes::Random(32), options, kNow),
              StatusIs(absl::StatusCode::kAborted, "register jobs"));
  EXPECT_TRUE(testing::KeysWith(store_, kLinkSets, "").empty());
  SLUIS_EXPECT_OK(Link());
}

TEST_F(LinkProjectTest, CancellationLeavesNothing) {
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("persons", "p-1", kPersons)));
  SLUIS_ASSERT_OK(Upload(records_, MakeExtract("jobs", "j-1", kJobs)));
  LinkOptions options;
  options.cancelled = [] { return true; };
  EXPECT_THAT(LinkProject(records_, ExamplePermit(), common::SecretBytes::Random(32), options, kNow),
              StatusIs(absl::StatusCode::kCancelled, ""));
  EXPECT_TRUE(testing::KeysWith(store_, kLinkSets, "").empty());
}

TEST(LinkageIds, AreDistinctAndReachableInAnyOrder) {
  const auto seed = [] { return common::SecretBytes::CopyOf(common::AsBytes("0123456789abcdef0123456789abcdef")); };
  LinkageIds forwards(seed()), at_random(seed());
  std::map<std::pair<std::uint32_t, std::uint32_t>, LinkageId> ids;
  std::set<LinkageId> distinct;
  for (std::uint32_t number = 0; number < 3; ++number) {
    for (std::uint32_t record = 0; record < 1000; ++record) {
      ids[{number, record}] = forwards.Get(number, record);
      distinct.insert(ids[{number, record}]);
    }
  }
  EXPECT_EQ(distinct.size(), ids.size());
  std::mt19937 random(5);
  for (int i = 0; i < 5000; ++i) {
    const std::uint32_t number = random() % 3, record = random() % 1000;
    EXPECT_EQ(at_random.Get(number, record), (ids[{number, record}]));
  }
}

LinkSetHeader ExampleHeader() {
  LinkSetHeader header;
  header.permit_id = "integration-2025";
  header.registers.resize(2);
  header.reports = {{.register_name = "jobs", .records = 5, .entities = 4, .passes = {{.match_key = "bsn"}}},
                    {.register_name = "benefits", .records = 3, .entities = 3, .passes = {}}};
  return header;
}

void ExpectPrefixesFail(const LinkSetHeader& header, std::size_t except) {
  const std::string bytes = EncodeLinkSetHeader(header);
  EXPECT_EQ(*DecodeLinkSetHeader(bytes), header);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    if (size != except) {
      EXPECT_THAT(DecodeLinkSetHeader(bytes.substr(0, size)), StatusIs(absl::StatusCode::kDataLoss, "format"));
    }
  }
}

TEST(DecodeLinkSetHeader, FailsOnAnyPrefix) { ExpectPrefixesFail(ExampleHeader(), SIZE_MAX); }

TEST(DecodeLinkSetHeader, KnowsSimilarityAndLeavesEarlierIdsAsTheyWere) {
  const LinkSetHeader without = ExampleHeader();
  EXPECT_EQ(LinkSetIdOf(without), common::Sha256("sluis-link-set-v1\n" + EncodeLinkSetHeader(without)));
  LinkSetHeader with = without;
  with.reports[1].similarity = {.outcome = SimilarityOutcome::kCredible,
                                .links = 2,
                                .linked_records = 2,
                                .precision = {990'000, 970'000, 1'000'000},
                                .recall = {800'000, 700'000, 850'000}};
  EXPECT_NE(LinkSetIdOf(with), LinkSetIdOf(without));
  EXPECT_EQ(LinkSetIdOf(with), common::Sha256("sluis-link-set-v2\n" + EncodeLinkSetHeader(with)));
  // A format without similarity is the beginning of one with it.
  const std::string earlier = EncodeLinkSetHeader(without);
  EXPECT_TRUE(EncodeLinkSetHeader(with).starts_with(earlier));
  ExpectPrefixesFail(with, earlier.size());
  std::string unknown = EncodeLinkSetHeader(with);
  unknown[earlier.size() + 1] = 9;
  EXPECT_THAT(DecodeLinkSetHeader(unknown), StatusIs(absl::StatusCode::kDataLoss, "unknown outcome"));
}

}  // namespace
}  // namespace sluis::linker
