#include "cli/audit/verify_fetched.h"

#include "cli/app/exit_code.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "tests/cli/audit/release_fixture.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;

class VerifyFetchedTest : public testing::ReleaseFixture {
 protected:
  absl::StatusOr<disclosure::Manifest> Fetched() {
    return VerifyFetched(files_, project_.permit, {.release_id = "release-1", .request = project_.documents.request});
  }
  void ExpectRefused(const std::string& fragment) {
    const auto manifest = Fetched();
    EXPECT_THAT(manifest, StatusIs(absl::StatusCode::kDataLoss, fragment));
    EXPECT_EQ(common::ReasonOf(manifest.status()), "RELEASE_NOT_VERIFIED");
    EXPECT_EQ(ToExitCode(manifest.status()), kExitNotVerified);
  }
  // Writes `manifest` into the release and logs it, as a gate that lies would.
  void LogManifest(const disclosure::Manifest& manifest) {
    files_[disclosure::kManifestFile] = disclosure::FormatManifest(manifest);
    SealAndLog();
  }
};

TEST_F(VerifyFetchedTest, ReturnsTheManifestOfAGoodRelease) {
  const auto manifest = Fetched();
  SLUIS_ASSERT_OK(manifest);
  EXPECT_EQ(manifest->release, "release-1");
  EXPECT_EQ(manifest->tables.size(), release_.tables.size());
}

TEST_F(VerifyFetchedTest, HoldsUnderALaterVersionOfThePermit) {
  project_.permit.sha256[0] ^= 1;
  ++project_.permit.version;
  SLUIS_EXPECT_OK(Fetched());
}

TEST_F(VerifyFetchedTest, RefusesEveryDoctoredFile) {
  const disclosure::ReleaseFiles good = files_;
  for (const auto& [path, bytes] : good) {
    files_[path][bytes.size() / 2] ^= 1;
    ExpectRefused("");
    files_[path] = bytes + "\n";
    ExpectRefused("");
    files_.erase(path);
    ExpectRefused(path + ": missing");
    files_ = good;
  }
  files_["tables/more.csv"] = "";
  ExpectRefused("tables/more.csv: not a file of this release");
}

TEST_F(VerifyFetchedTest, RefusesAnEntryThatIsNotInTheLogOfTheGate) {
  std::string& entry = files_[disclosure::kEntryFile];
  entry.replace(entry.find("\"time\":2"), 8, "\"time\":9");
  ExpectRefused("");
  entry.replace(entry.find("\"time\":9"), 8, "\"time\":2");
  SLUIS_EXPECT_OK(Fetched());
  project_.permit.log_keys["gate"] =
      common::FormatVerifierKey({testing::kOrigin, common::SigningKey::Generate().public_key});
  ExpectRefused("");
  project_.permit.log_keys.erase("gate");
  ExpectRefused("no log key");
}

TEST_F(VerifyFetchedTest, RefusesTheAnswerToAnotherRequest) {
  const disclosure::ReleaseFiles good = files_;
  project_.documents.request += "# something else\n";
  ExpectRefused("request_sha256: not that of the request that was sent");
  // Even with the other request in the files, and everything logged: it is not what was sent.
  Republish();
  project_.documents.request += "# and again\n";
  ExpectRefused("request_sha256: not that of the request that was sent");
}

TEST_F(VerifyFetchedTest, RefusesAnotherReleaseOrProjectThatIsInTheLog) {
  const auto good = *disclosure::ParseManifest(files_[disclosure::kManifestFile]);
  disclosure::Manifest other = good;
  other.release = "release-2";
  LogManifest(other);
  ExpectRefused("release: not the one that was asked for");
  other = good;
  other.project = "another-project";
  LogManifest(other);
  ExpectRefused("project");
  LogManifest(good);
  SLUIS_EXPECT_OK(Fetched());
}

}  // namespace
}  // namespace sluis::cli
