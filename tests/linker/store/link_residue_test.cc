#include "linker/store/link_residue.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <numeric>
#include <set>

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "linker/encode/encoding_bytes.h"
#include "linker/encode/permit_plan.h"
#include "linker/store/link_project.h"
#include "tests/linker/store/people.h"

// What the passes leave over is linked by similarity, through LinkProject.

namespace sluis::linker {
namespace {

using common::ReasonOf;
using common::testing::IsOk;
using common::testing::StatusIs;
using testing::Encode;
using testing::EncodeBy;
using testing::Extract;
using testing::Keys;
using testing::kNow;
using testing::MakeEncodedExtract;
using testing::MakePeople;
using testing::Person;
using testing::SimilarPermit;
using testing::Upload;
using testing::WithSlips;

constexpr std::size_t kBackbone = 500;
constexpr std::size_t kSatellite = 400;

// A satellite of `kSatellite` records: of records 0 to 99 nobody is on the backbone; record i from 100 on is person i
// of the backbone, with slips in a third of them, and has a number if it is even. All numbers of strangers are others.
struct Satellite {
  std::vector<Keys> keys;
  std::vector<Person> people;
};
Satellite MakeSatellite(const std::vector<Person>& backbone) {
  std::mt19937 random(7);
  const std::vector<Person> strangers = MakePeople(100, 99);
  Satellite satellite;
  for (std::uint64_t i = 0; i < kSatellite; ++i) {
    Person person = i < 100 ? strangers[i] : backbone[i];
    if (i % 3 == 0) person = WithSlips(std::move(person), random);
    satellite.people.push_back(std::move(person));
    const std::uint64_t number = i % 2 == 1 ? 0 : i < 100 ? 100'000 + i : 1 + i;
    satellite.keys.push_back({number, 0});
  }
  return satellite;
}

std::vector<Keys> BackboneKeys() {
  std::vector<Keys> keys;
  for (std::uint64_t i = 0; i < kBackbone; ++i) keys.push_back({1 + i, 0});
  return keys;
}

struct Linked {
  LinkSetHeader header;
  std::map<std::string, LinkChunk> links;

  // The backbone record of a record, or nothing.
  std::optional<std::size_t> PersonOf(const std::string& name, std::size_t record) const {
    const LinkChunk& of = links.at(name);
    if (!of.found[record]) return std::nullopt;
    const auto& backbone = links.at("persons").ids;
    return std::find(backbone.begin(), backbone.end(), of.ids[record]) - backbone.begin();
  }
};

class LinkResidueTest : public ::testing::Test {
 protected:
  absl::StatusOr<Linked> Link(const LinkOptions& options = {}, const SimilarityOptions& similarity = {}) {
    return LinkUnder(permit_, options, similarity);
  }
  absl::StatusOr<Linked> LinkUnder(const common::Permit& permit, const LinkOptions& options = {},
                                   const SimilarityOptions& similarity = {}) {
    SLUIS_ASSIGN_OR_RETURN(PreparedLinkSet prepared,
                           LinkProject(records_, permit, common::SecretBytes::Random(32), options, kNow, similarity));
    SLUIS_RETURN_IF_ERROR(records_.Finish(std::move(prepared.change)));
    Linked linked;
    SLUIS_ASSIGN_OR_RETURN(linked.header, records_.reader().LinkSet(prepared.id));
    for (const LinkedRegister& reg : linked.header.registers) {
      LinkChunk& all = linked.links[reg.name];
      SLUIS_RETURN_IF_ERROR(records_.reader().ScanLinks(prepared.id, reg.name, [&](auto, const LinkChunk& chunk) {
        all.ids.insert(all.ids.end(), chunk.ids.begin(), chunk.ids.end());
        all.found.insert(all.found.end(), chunk.found.begin(), chunk.found.end());
        return absl::OkStatus();
      }));
    }
    return linked;
  }
  void UploadBackbone() {
    SLUIS_ASSERT_OK(
        Upload(records_, MakeEncodedExtract("persons", "p-1", BackboneKeys(), Encode(backbone_, "p")), permit_));
  }
  void UploadBenefits(const Satellite& satellite, const std::string& encodings) {
    SLUIS_ASSERT_OK(Upload(records_, MakeEncodedExtract("benefits", "b-1", satellite.keys, encodings), permit_));
  }

  const common::Permit permit_ = SimilarPermit();
  const std::vector<Person> backbone_ = MakePeople(kBackbone, 3);
  const std::unique_ptr<common::Store> memory_ = common::MakeMemoryStore(RecordStore::Families());
  RecordStore records_{*memory_, testing::ExamplePermit().id, testing::StorageKey()};
};

// Right and wrong links of records 0 to kSatellite - 1, those with an odd number, which no pass can link.
struct Counts {
  int right = 0, wrong = 0;
};
Counts CountResidue(const Linked& linked, const std::string& name) {
  Counts counts;
  for (std::size_t i = 1; i < kSatellite; i += 2) {
    const auto person = linked.PersonOf(name, i);
    if (!person) continue;
    (i >= 100 && *person == i ? counts.right : counts.wrong) += 1;
  }
  return counts;
}

TEST_F(LinkResidueTest, LinksWhatThePassesLeaveOverAndNothingThatTheyLinked) {
  UploadBackbone();
  const Satellite satellite = MakeSatellite(backbone_);
  UploadBenefits(satellite, Encode(satellite.people, "b"));
  const auto linked = Link();
  SLUIS_ASSERT_OK(linked);
  for (std::size_t i = 100; i < kSatellite; i += 2) EXPECT_EQ(linked->PersonOf("benefits", i), i);
  const Counts counts = CountResidue(*linked, "benefits");
  EXPECT_GE(counts.right, 142);  // of 150
  EXPECT_LE(counts.wrong, 2);

  ASSERT_EQ(linked->header.reports.size(), 1u);
  const LinkageReport& report = linked->header.reports[0];
  EXPECT_EQ(report.passes[0].links, 150u);
  ASSERT_TRUE(report.similarity.has_value());
  const SimilarityReport& similarity = *report.similarity;
  EXPECT_EQ(similarity.outcome, SimilarityOutcome::kCredible);
  EXPECT_GE(similarity.links, static_cast<std::uint64_t>(counts.right + counts.wrong));
  EXPECT_EQ(similarity.links, similarity.linked_records);
  EXPECT_EQ(report.entities, report.passes[0].links + similarity.links + report.unlinked);
  EXPECT_EQ(report.records, report.passes[0].linked_records + similarity.linked_records + report.unlinked_records);
  const auto found =
      std::count(linked->links.at("benefits").found.begin(), linked->links.at("benefits").found.end(), true);
  EXPECT_EQ(static_cast<std::uint64_t>(found), 150 + similarity.links);
  EXPECT_GE(similarity.precision.value, 900'000u);
  EXPECT_GE(similarity.recall.value, 850'000u);
  EXPECT_LE(similarity.precision.low, similarity.precision.value);
  EXPECT_GE(similarity.precision.high, similarity.precision.value);
  // Everyone has one id; nobody has another's.
  std::set<LinkageId> ids(linked->links.at("persons").ids.begin(), linked->links.at("persons").ids.end());
  EXPECT_EQ(ids.size(), kBackbone);
  for (std::size_t i = 0; i < kSatellite; ++i) {
    EXPECT_EQ(ids.contains(linked->links.at("benefits").ids[i]), linked->links.at("benefits").found[i]);
  }
}

TEST_F(LinkResidueTest, SeveralRegistersAtOnceAndSpellsTogether) {
  UploadBackbone();
  const Satellite satellite = MakeSatellite(backbone_);
  UploadBenefits(satellite, Encode(satellite.people, "b"));
  // Jobs: the same people, each with three spells in a row; records without a number are alike in nothing but
  // encodings.
  Satellite jobs;
  for (std::size_t i = 0; i < kSatellite; ++i) {
    for (int spell = 0; spell < 3; ++spell) {
      jobs.keys.push_back(satellite.keys[i]);
      jobs.people.push_back(satellite.people[i]);
    }
  }
  SLUIS_ASSERT_OK(Upload(records_, MakeEncodedExtract("jobs", "j-1", jobs.keys, Encode(jobs.people, "j")), permit_));
  const auto linked = Link();
  SLUIS_ASSERT_OK(linked);
  int right = 0;
  for (std::size_t i = 0; i < kSatellite; ++i) {
    const auto person = linked->PersonOf("jobs", 3 * i);
    EXPECT_EQ(linked->PersonOf("jobs", 3 * i + 1), person) << i;
    EXPECT_EQ(linked->PersonOf("jobs", 3 * i + 2), person) << i;
    if (i % 2 == 0 && i >= 100) {
      EXPECT_EQ(person, i);
    }
    right += i % 2 == 1 && i >= 100 && person == i ? 1 : 0;
  }
  EXPECT_GE(right, 142);
  const LinkageReport& report = linked->header.reports[0];
  ASSERT_EQ(report.register_name, "jobs");
  EXPECT_EQ(report.passes[0].links, 150u);
  EXPECT_EQ(report.passes[0].linked_records, 450u);
  EXPECT_EQ(report.similarity->linked_records, 3 * (report.similarity->links / 3) + report.similarity->links % 3);
  EXPECT_EQ(report.records, 1200u);
  EXPECT_EQ(report.records, 450 + report.similarity->linked_records + report.unlinked_records);
  EXPECT_EQ(report.entities, 150 + report.similarity->links + report.unlinked);
}

TEST_F(LinkResidueTest, RegisterWithoutMatchKeysIsLinkedBySimilarityAlone) {
  common::Permit permit = permit_;
  permit.registers[2].match_keys.clear();
  UploadBackbone();
  const Satellite satellite = MakeSatellite(backbone_);
  Extract extract = MakeEncodedExtract("benefits", "b-1", satellite.keys, Encode(satellite.people, "b"));
  extract.header.match_keys.clear();
  for (std::string& pseudonyms : extract.pseudonyms) pseudonyms.clear();
  extract.header.signature = common::SignDelivery(StatementOf(extract.header), testing::CustodianKey());
  SLUIS_ASSERT_OK(Upload(records_, extract, permit));
  const auto prepared = LinkProject(records_, permit, common::SecretBytes::Random(32), {}, kNow);
  SLUIS_ASSERT_OK(prepared);
  const LinkageReport& report = prepared->header.reports[0];
  EXPECT_EQ(report.entities, kSatellite);
  EXPECT_EQ(report.passes[0].links, 0u);
  EXPECT_EQ(report.similarity->outcome, SimilarityOutcome::kCredible);
  EXPECT_GE(report.similarity->links, 290u);
  EXPECT_LE(report.similarity->links, 303u);
}

// Persons 400 to 419 are in benefits twice: with a number and no encoding, and the other way round.
TEST_F(LinkResidueTest, APersonThatAPassFoundWithoutEncodingIsNotFoundTwice) {
  UploadBackbone();
  Satellite satellite = MakeSatellite(backbone_);
  std::string encodings = Encode(satellite.people, "b");
  const std::size_t width = encodings.size() / kSatellite;
  const std::vector<Person> twice(backbone_.begin() + 400, backbone_.begin() + 420);
  for (std::uint64_t i = 400; i < 420; ++i) satellite.keys.push_back({1 + i, 0});
  encodings += std::string(twice.size() * width, '\0') + Encode(twice, "b");
  satellite.keys.resize(satellite.keys.size() + twice.size(), {0, 0});
  UploadBenefits(satellite, encodings);
  const auto linked = Link();
  SLUIS_ASSERT_OK(linked);
  for (std::size_t i = 0; i < twice.size(); ++i) {
    EXPECT_EQ(linked->PersonOf("benefits", kSatellite + i), 400 + i);
    EXPECT_EQ(linked->PersonOf("benefits", kSatellite + twice.size() + i), std::nullopt) << i;
  }
  EXPECT_GE(CountResidue(*linked, "benefits").right, 142);
  // Of a once-per-person register nobody on the backbone has two records.
  std::set<std::size_t> persons;
  for (std::size_t i = 0; i < satellite.keys.size(); ++i) {
    if (const auto person = linked->PersonOf("benefits", i)) {
      EXPECT_TRUE(persons.insert(*person).second) << *person;
    }
  }
}

// Persons 400 to 419 have no encoding on the backbone, one beside their number in benefits, and no number in jobs.
TEST_F(LinkResidueTest, APersonWithoutEncodingOnTheBackboneIsFoundThroughARegisterThatAPassLinked) {
  constexpr std::size_t kFirst = 400, kCount = 20;
  std::string encodings = Encode(backbone_, "p");
  const std::size_t width = encodings.size() / kBackbone;
  encodings.replace(kFirst * width, kCount * width, kCount * width, '\0');
  SLUIS_ASSERT_OK(Upload(records_, MakeEncodedExtract("persons", "p-1", BackboneKeys(), encodings), permit_));
  const Satellite satellite = MakeSatellite(backbone_);
  Satellite benefits = satellite, jobs = satellite;
  for (std::uint64_t i = kFirst; i < kFirst + kCount; ++i) {
    benefits.keys.push_back({1 + i, 0});
    jobs.keys.push_back({0, 0});
    benefits.people.push_back(backbone_[i]);
    jobs.people.push_back(backbone_[i]);
  }
  UploadBenefits(benefits, Encode(benefits.people, "b"));
  SLUIS_ASSERT_OK(Upload(records_, MakeEncodedExtract("jobs", "j-1", jobs.keys, Encode(jobs.people, "j")), permit_));
  const auto linked = Link();
  SLUIS_ASSERT_OK(linked);
  for (std::size_t i = 0; i < kCount; ++i) {
    EXPECT_EQ(linked->PersonOf("benefits", kSatellite + i), kFirst + i);
    EXPECT_EQ(linked->PersonOf("jobs", kSatellite + i), kFirst + i);
  }
}

// At field level, with the same tens without encodings as above, on the backbone and in the satellite.
TEST_F(LinkResidueTest, AtFieldLevelRecordsWithoutEncodingsKeepTheirPersonsToo) {
  common::Permit permit = permit_;
  permit.similarity->field_level = true;
  const EncodingPlan plan = *PlanOf(permit);
  const std::size_t width = EncodingBytes(plan);
  const auto upload = [&](const std::string& name, const std::vector<Keys>& keys, const std::string& encodings) {
    Extract extract = testing::MakeExtract(name, name + "-1", keys, 64);
    extract.header.encoding_plan_sha256 = plan.Digest();
    extract.header.encoding_bytes = static_cast<std::uint32_t>(width);
    extract.header.signature = common::SignDelivery(StatementOf(extract.header), testing::CustodianKey());
    for (std::size_t at = 0; at < encodings.size(); at += 64 * width) {
      extract.encodings.push_back(encodings.substr(at, 64 * width));
    }
    SLUIS_ASSERT_OK(Upload(records_, extract, permit));
  };
  std::string on_backbone = EncodeBy(plan, backbone_, "p");
  on_backbone.replace(440 * width, 60 * width, 60 * width, '\0');
  upload("persons", BackboneKeys(), on_backbone);
  Satellite satellite = MakeSatellite(backbone_);
  std::string encodings = EncodeBy(plan, satellite.people, "b");
  const std::vector<Person> twice(backbone_.begin() + 400, backbone_.begin() + 420);
  for (std::uint64_t i = 400; i < 420; ++i) satellite.keys.push_back({1 + i, 0});
  encodings += std::string(twice.size() * width, '\0') + EncodeBy(plan, twice, "b");
  satellite.keys.resize(satellite.keys.size() + twice.size(), {0, 0});
  upload("benefits", satellite.keys, encodings);
  const auto linked = LinkUnder(permit);
  SLUIS_ASSERT_OK(linked);
  EXPECT_EQ(linked->header.reports[0].similarity->outcome, SimilarityOutcome::kCredible);
  const Counts counts = CountResidue(*linked, "benefits");
  EXPECT_GE(counts.right, 142);
  EXPECT_LE(counts.wrong, 2);
  for (std::size_t i = 0; i < twice.size(); ++i) {
    EXPECT_EQ(linked->PersonOf("benefits", kSatellite + i), 400 + i);
    EXPECT_NE(linked->PersonOf("benefits", kSatellite + twice.size() + i), 400 + i) << i;
  }
}

TEST_F(LinkResidueTest, StrangersAndTooFewAreNotLinked) {
  UploadBackbone();
  Satellite strangers;
  strangers.people = MakePeople(kSatellite, 1234);
  strangers.keys.assign(kSatellite, {0, 0});
  UploadBenefits(strangers, Encode(strangers.people, "b"));
  const Satellite jobs{std::vector<Keys>(12, {0, 0}), {backbone_.begin(), backbone_.begin() + 12}};
  SLUIS_ASSERT_OK(Upload(records_, MakeEncodedExtract("jobs", "j-1", jobs.keys, Encode(jobs.people, "j")), permit_));
  const auto linked = Link();
  SLUIS_ASSERT_OK(linked);
  for (const LinkageReport& report : linked->header.reports) {
    ASSERT_TRUE(report.similarity.has_value());
    EXPECT_EQ(report.similarity->outcome, SimilarityOutcome::kNotCredible) << report.register_name;
    EXPECT_EQ(report.similarity->links, 0u);
    EXPECT_EQ(report.similarity->precision, EstimatedShare());
    EXPECT_EQ(report.unlinked_records, report.records);
  }
  for (const char* name : {"benefits", "jobs"}) {
    const std::vector<bool>& found = linked->links.at(name).found;
    EXPECT_EQ(std::count(found.begin(), found.end(), true), 0) << name;
  }
}

TEST_F(LinkResidueTest, SaysIfNothingIsLeft) {
  UploadBackbone();
  Satellite all;
  for (std::uint64_t i = 0; i < 50; ++i) all.keys.push_back({1 + i, 0});
  all.people.assign(backbone_.begin(), backbone_.begin() + 50);
  UploadBenefits(all, Encode(all.people, "b"));
  const auto linked = Link();
  SLUIS_ASSERT_OK(linked);
  EXPECT_EQ(linked->header.reports[0].passes[0].links, 50u);
  EXPECT_EQ(linked->header.reports[0].similarity->outcome, SimilarityOutcome::kNothingLeft);
}

TEST_F(LinkResidueTest, IsLeftOutIfTheBackboneHasNoEncodings) {
  common::Permit permit = permit_;
  permit.registers[0].features.clear();
  SLUIS_ASSERT_OK(Upload(records_, testing::MakeExtract("persons", "p-1", BackboneKeys()), permit));
  const Satellite satellite = MakeSatellite(backbone_);
  SLUIS_ASSERT_OK(
      Upload(records_, MakeEncodedExtract("benefits", "b-1", satellite.keys, Encode(satellite.people, "b")), permit));
  const auto prepared = LinkProject(records_, permit, common::SecretBytes::Random(32), {}, kNow);
  SLUIS_ASSERT_OK(prepared);
  EXPECT_FALSE(prepared->header.reports[0].similarity.has_value());
  EXPECT_EQ(prepared->header.reports[0].passes[0].links, 150u);
}

// A record's worth of bytes with about `share` of the bits set.
std::string RandomBits(std::size_t width, double share, std::mt19937& random) {
  std::string bytes(width, '\0');
  std::bernoulli_distribution set(share);
  for (char& byte : bytes) {
    for (int bit = 0; bit < 8; ++bit) byte = static_cast<char>(byte | (set(random) ? 1 << bit : 0));
  }
  return bytes;
}

TEST_F(LinkResidueTest, BrokenAndHostileEncodingsHarmNobodyElse) {
  UploadBackbone();
  Satellite satellite = MakeSatellite(backbone_);
  std::string encodings = Encode(satellite.people, "b");
  const std::size_t width = encodings.size() / kSatellite;
  std::mt19937 random(5);
  constexpr std::size_t kHostile = 50;
  for (std::size_t i = 0; i < kHostile; ++i) {
    satellite.keys.push_back({0, 0});
    // All ones, all zero, too dense for the plan, and such as it could make.
    encodings += i < 10   ? std::string(width, '\xff')
                 : i < 20 ? std::string(width, '\0')
                          : RandomBits(width, i < 40 ? 0.5 : 0.33, random);
  }
  UploadBenefits(satellite, encodings);
  const auto linked = Link();
  SLUIS_ASSERT_OK(linked);
  const Counts counts = CountResidue(*linked, "benefits");
  EXPECT_GE(counts.right, 142);
  EXPECT_LE(counts.wrong, 2);
  for (std::size_t i = kSatellite; i < kSatellite + kHostile; ++i) EXPECT_FALSE(linked->PersonOf("benefits", i)) << i;
}

TEST_F(LinkResidueTest, RefusesAMemoryBoundThatIsTooSmallNamingWhatIsNeeded) {
  UploadBackbone();
  const Satellite satellite = MakeSatellite(backbone_);
  UploadBenefits(satellite, Encode(satellite.people, "b"));
  const auto refused = Link({}, {.memory_bytes = 1 << 20});
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted, "can set similarity_memory_mebibytes"));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted, "needs 33 MiB for these deliveries"));
  EXPECT_EQ(ReasonOf(refused.status()), "SIMILARITY_MEMORY");
  EXPECT_TRUE(records_.reader().LinkSets()->empty());
  SLUIS_EXPECT_OK(Link({}, {.memory_bytes = 33 << 20}));
}

TEST_F(LinkResidueTest, CanBeCancelledAndReportsProgressThroughout) {
  UploadBackbone();
  const Satellite satellite = MakeSatellite(backbone_);
  UploadBenefits(satellite, Encode(satellite.people, "b"));
  std::vector<double> shares;
  std::atomic<bool> end = true, passes_over = false;  // `cancelled` is asked by another thread too
  LinkOptions options;
  options.progress = [&](std::uint64_t done, std::uint64_t total) {
    shares.push_back(static_cast<double>(done) / static_cast<double>(total));
    passes_over = shares.back() >= 0.5;
  };
  options.cancelled = [&] { return end && passes_over; };
  EXPECT_THAT(Link(options), StatusIs(absl::StatusCode::kCancelled, ""));
  EXPECT_GE(shares.back(), 0.5);
  EXPECT_TRUE(records_.reader().LinkSets()->empty());
  end = false;
  shares.clear();
  SLUIS_ASSERT_OK(Link(options));
  EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
  EXPECT_GE(shares.back(), 0.6);
  EXPECT_LE(shares.back(), 1.0);
}

}  // namespace
}  // namespace sluis::linker
