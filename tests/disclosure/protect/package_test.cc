#include "disclosure/protect/package.h"

#include "common/status/matchers.h"
#include "tests/disclosure/protect/small_project.h"

namespace sluis::disclosure {
namespace {

using common::SealingKeyPair;
using common::testing::StatusIs;
using testing::SmallProject;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kDataLoss = absl::StatusCode::kDataLoss;

class PackageTest : public ::testing::Test {
 protected:
  PackageTest() : release_(*Protect(project_.Input(), {.threads = 1})) {}

  SmallProject project_;
  ProtectedRelease release_;
};

TEST_F(PackageTest, HoldsManifestRequestAndThreeFilesATable) {
  const auto files = MakePackage(release_, project_.documents, "release-1");
  SLUIS_ASSERT_OK(files);
  EXPECT_EQ(files->size(), 2u + 3u * 3u);
  EXPECT_EQ(files->at(kRequestFile), testing::kSmallRequest);
  const auto manifest = ParseManifest(files->at(kManifestFile));
  SLUIS_ASSERT_OK(manifest);
  EXPECT_EQ(FormatManifest(*manifest), files->at(kManifestFile));
  EXPECT_EQ(manifest->release, "release-1");
  EXPECT_EQ(manifest->project, project_.permit.id);
  EXPECT_EQ(manifest->request, project_.request.id);
  ASSERT_EQ(manifest->tables.size(), 3u);
  EXPECT_EQ(manifest->tables[0].population, manifest->tables[1].population);
  EXPECT_NE(manifest->tables[0].population, manifest->tables[2].population);
  EXPECT_EQ(manifest->tables[0].csv.sha256, common::Sha256(files->at("tables/work.csv")));
  EXPECT_EQ(manifest->tables[0].sdmx_csv.length, files->at("tables/work.sdmx.csv").size());
}

TEST_F(PackageTest, ManifestHasOneForm) {
  const std::string good = MakePackage(release_, project_.documents, "release-1")->at(kManifestFile);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = good;
    changed.replace(changed.find(from), from.size(), to);
    return ParseManifest(changed);
  };
  EXPECT_THAT(with("\"format\": 1", "\"format\": 2"), StatusIs(kInvalid, "one form"));
  EXPECT_THAT(with("\"format\": 1", "\"extra\": 0,\n  \"format\": 1"), StatusIs(kInvalid, "one form"));
  EXPECT_THAT(with("release-1", "../x"), StatusIs(kInvalid, "release"));
  EXPECT_THAT(with("\"name\": \"work\"", "\"name\": \"../w\""), StatusIs(kInvalid, "names"));
  EXPECT_THAT(with("\"name\": \"work\"", "\"name\": \"by_age\""), StatusIs(kInvalid, "twice"));
  EXPECT_THAT(with("tables/work.csv", "/etc/passwd"), StatusIs(kInvalid, "one form"));
  EXPECT_THAT(with("\"population\": ", "\"population\": -"), StatusIs(kInvalid, "population"));
  EXPECT_THAT(ParseManifest(good + " "), StatusIs(kInvalid, "one form"));
  EXPECT_THAT(ParseManifest("[]"), StatusIs(kInvalid, "object"));
  for (std::size_t size = 0; size < good.size(); size += 7) EXPECT_FALSE(ParseManifest(good.substr(0, size)).ok());
}

TEST_F(PackageTest, RefusesAReleaseIdThatCouldBeAPath) {
  EXPECT_THAT(MakePackage(release_, project_.documents, "../1"), StatusIs(kInvalid, "release"));
  EXPECT_THAT(MakePackage(release_, project_.documents, ""), StatusIs(kInvalid, "release"));
}

TEST_F(PackageTest, EntrySaysNothingSmallerThanABand) {
  const auto files = *MakePackage(release_, project_.documents, "release-1");
  const auto fields = ReleaseEntryFields(files, release_, "sealed");
  SLUIS_ASSERT_OK(fields);
  EXPECT_EQ(std::get<std::string>(fields->at("published_sha256")), common::HexOf(PublishedHash(files)));
  EXPECT_EQ(std::get<std::string>(fields->at("evidence_sha256")), common::HexOf(common::Sha256("sealed")));
  EXPECT_EQ(std::get<std::string>(fields->at("suppressed")), SuppressionBand(release_.suppressed));
  EXPECT_EQ(std::get<std::int64_t>(fields->at("cells")), release_.cells);
}

TEST_F(PackageTest, EvidenceKnowsTheHashOfEachFile) {
  const auto files = *MakePackage(release_, project_.documents, "release-1");
  AddReleasedHashes(files, release_.evidence);
  EXPECT_EQ(release_.evidence.released_sha256.size(), files.size());
  EXPECT_EQ(release_.evidence.released_sha256.at(kManifestFile), PublishedHash(files));
}

class SealTest : public ::testing::Test {
 protected:
  const SealingKeyPair first_ = SealingKeyPair::Generate(), second_ = SealingKeyPair::Generate(),
                       stranger_ = SealingKeyPair::Generate();
  const EvidenceBinding binding_{.release = "release-1", .published_sha256 = common::Sha256("published")};
  const std::array<std::uint8_t, 32> auditors_[2] = {first_.public_key, second_.public_key};
  const std::string sealed_ = *SealEvidence("what nobody else may see", auditors_, binding_);
};

TEST_F(SealTest, EachAuditorOpensItAlone) {
  for (const SealingKeyPair* key : {&first_, &second_}) {
    const auto opened = OpenEvidence(sealed_, *key, binding_);
    SLUIS_ASSERT_OK(opened);
    EXPECT_EQ(*opened, "what nobody else may see");
  }
  EXPECT_THAT(OpenEvidence(sealed_, stranger_, binding_), StatusIs(kDataLoss, "not sealed to this key"));
}

TEST_F(SealTest, OpensForItsReleaseOnly) {
  EvidenceBinding other = binding_;
  other.release = "release-2";
  EXPECT_THAT(OpenEvidence(sealed_, first_, other), StatusIs(kDataLoss, ""));
  other = binding_;
  other.published_sha256[0] ^= 1;
  EXPECT_THAT(OpenEvidence(sealed_, first_, other), StatusIs(kDataLoss, ""));
}

TEST_F(SealTest, EveryChangedByteAndEveryTruncationIsFound) {
  for (std::size_t at = 0; at < sealed_.size(); ++at) {
    std::string changed = sealed_;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(OpenEvidence(changed, first_, binding_).ok()) << "byte " << at;
    EXPECT_FALSE(OpenEvidence(sealed_.substr(0, at), first_, binding_).ok()) << "length " << at;
  }
  EXPECT_FALSE(OpenEvidence(sealed_ + "x", first_, binding_).ok());
}

TEST_F(SealTest, NumberOfAuditorsIsBounded) {
  EXPECT_THAT(SealEvidence("x", {}, binding_), StatusIs(kInvalid, "1 to 64"));
  const std::vector<std::array<std::uint8_t, 32>> many(65, first_.public_key);
  EXPECT_THAT(SealEvidence("x", many, binding_), StatusIs(kInvalid, "1 to 64"));
  std::string claims = sealed_;
  claims[18] = '\xff';  // the first byte of the number of auditors
  EXPECT_THAT(OpenEvidence(claims, first_, binding_), StatusIs(kInvalid, "version 1"));
}

}  // namespace
}  // namespace sluis::disclosure
