#include <filesystem>
#include <fstream>

#include "cli/audit/release_directory.h"
#include "cli/audit/verify_release.h"
#include "common/status/matchers.h"
#include "disclosure/release/write_csv.h"
#include "disclosure/release/write_json_stat.h"
#include "tests/cli/audit/release_fixture.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using disclosure::ReleaseFiles;
using disclosure::testing::SmallProject;

using AuditTest = testing::ReleaseFixture;
using testing::kOrigin;

void ExpectFails(const Verdict& verdict, const std::string& check, const std::string& fragment) {
  EXPECT_FALSE(verdict.Passed());
  const Check* found = verdict.Find(check);
  ASSERT_NE(found, nullptr) << check;
  EXPECT_EQ(found->result, CheckResult::kFailed) << verdict.ToText();
  EXPECT_NE(found->message.find(fragment), std::string::npos) << found->message;
  EXPECT_NE(verdict.ToText().find("\nFAIL\n"), std::string::npos);
}
void ExpectPasses(const Verdict& verdict, const std::string& check) {
  const Check* found = verdict.Find(check);
  ASSERT_NE(found, nullptr) << check;
  EXPECT_EQ(found->result, CheckResult::kPassed) << found->message;
}

TEST_F(AuditTest, AnyoneFindsAGoodReleaseInOrder) {
  AuditInput input = Input();
  input.log_directory = directory_.path() + "/log";
  const auto verdict = VerifyRelease(input, std::nullopt, {});
  SLUIS_ASSERT_OK(verdict);
  EXPECT_TRUE(verdict->Passed()) << verdict->ToText();
  EXPECT_EQ(verdict->checks().size(), 14u);
  EXPECT_FALSE(verdict->for_auditor.has_value());
}

TEST_F(AuditTest, AnAuditorFindsAGoodReleaseInOrder) {
  const Verdict verdict = Auditor();
  EXPECT_TRUE(verdict.Passed()) << verdict.ToText();
  EXPECT_EQ(verdict.checks().size(), 19u);
  ASSERT_TRUE(verdict.for_auditor.has_value());
  EXPECT_EQ(verdict.for_auditor->primary, release_.for_auditor.primary);
  EXPECT_NE(verdict.ToJson().find("\"verdict\": \"PASS\""), std::string::npos);
  EXPECT_NE(verdict.ToText().find("secondary"), std::string::npos);
}

TEST_F(AuditTest, ValuesThatAnyoneCanComputeMayBePublished) {
  SmallProject empty({.with_jobs = false});
  release_ = *Protect(empty.Input(), {.threads = 1});
  ASSERT_GT(release_.conceded, 0);
  Republish();
  const Verdict verdict = Auditor();
  EXPECT_TRUE(verdict.Passed()) << verdict.ToText();
}

TEST_F(AuditTest, EveryFileStandsUnderItsHash) {
  for (const auto& [path, bytes] : ReleaseFiles(files_)) {
    if (path.find('/') == std::string::npos) continue;
    files_[path][bytes.size() / 2] ^= 1;
    ExpectFails(Anyone(), "files", path);
    files_[path] = bytes + "\n";
    ExpectFails(Anyone(), "files", path);
    files_.erase(path);
    ExpectFails(Anyone(), "files", path + ": missing");
    files_[path] = bytes;
  }
  files_["tables/more.csv"] = "";
  ExpectFails(Anyone(), "files", "tables/more.csv: not a file of this release");
  files_.erase("tables/more.csv");
  files_[disclosure::kRequestFile] += " ";
  ExpectFails(Anyone(), "files", "request.yaml");
}

TEST_F(AuditTest, ManifestEntryAndProofHoldTogether) {
  const ReleaseFiles good = files_;
  files_[disclosure::kManifestFile] += " ";
  ExpectFails(Anyone(), "manifest", "one form");
  EXPECT_EQ(Anyone().Find("recomputation")->result, CheckResult::kNotDone);
  files_ = good;
  std::string& manifest = files_[disclosure::kManifestFile];
  manifest.replace(manifest.find("links-1"), 7, "links-2");
  ExpectFails(Anyone(), "entry", "published_sha256");
  files_ = good;
  std::string& entry = files_[disclosure::kEntryFile];
  entry.replace(entry.find("\"time\":2"), 8, "\"time\":9");
  ExpectPasses(Anyone(), "entry");
  ExpectFails(Anyone(), "proof", "");
  files_ = good;
  std::string& proof = files_[disclosure::kProofFile];
  proof[proof.size() - 10] = proof[proof.size() - 10] == 'A' ? 'B' : 'A';
  ExpectFails(Anyone(), "proof", "");
  files_ = good;
  files_.erase(disclosure::kProofFile);
  ExpectFails(Anyone(), "manifest", "release.tlog-proof: missing");
}

TEST_F(AuditTest, ALogOfAnotherKeyProvesNothing) {
  project_.permit.log_keys["gate"] = common::FormatVerifierKey({kOrigin, common::SigningKey::Generate().public_key});
  ExpectFails(Anyone(), "proof", "");
}

TEST_F(AuditTest, AnotherPermitOrRuleSetIsFound) {
  project_.permit.sha256[0] ^= 1;
  ExpectFails(Anyone(), "permit", "another version of the permit");
  project_.permit.sha256[0] ^= 1;
  for (common::PermitAttachment& attachment : project_.permit.attachments) {
    if (attachment.name == project_.permit.rule_set) attachment.sha256[0] ^= 1;
  }
  ExpectFails(Anyone(), "permit", "rule_set_sha256");
}

TEST_F(AuditTest, TablesThatWereNotAskedForAreFound) {
  project_.request.tables.pop_back();
  ExpectFails(Anyone(), "request", "not as many tables");
}

TEST_F(AuditTest, APopulationOtherThanAskedForIsFound) {
  release_.population[2] = release_.population[0];
  Republish();
  EXPECT_FALSE(Anyone().Passed());
  EXPECT_EQ(Anyone().Find("request")->result, CheckResult::kFailed);
}

// From here on everything is hashed, logged and signed: the gate itself did wrong.
TEST_F(AuditTest, AValueThatDoesNotAddUpIsFound) {
  release_.tables[0].values[1] = 1;  // the sum of all wages, below its parts
  Republish();
  ExpectPasses(Anyone(), "files");
  ExpectFails(Anyone(), "totals", "add up");
  ExpectFails(Auditor(), "true-values", "table work");
}

TEST_F(AuditTest, FormatsThatContradictEachOtherAreFound) {
  disclosure::ReleasedTable other = release_.tables[0];
  other.values[FirstSuppressed()] = 7;
  auto manifest = *disclosure::ParseManifest(files_[disclosure::kManifestFile]);
  const std::string json = disclosure::WriteJsonStat(other);
  manifest.tables[0].json_stat = {.sha256 = common::Sha256(json), .length = json.size()};
  files_["tables/work.json"] = json;
  files_[disclosure::kManifestFile] = disclosure::FormatManifest(manifest);
  SealAndLog();
  ExpectPasses(Anyone(), "files");
  ExpectPasses(Anyone(), "entry");
  ExpectFails(Anyone(), "formats", "tables/work.json");
}

TEST_F(AuditTest, AFlagThatTellsPrimaryFromSecondaryIsFound) {
  auto manifest = *disclosure::ParseManifest(files_[disclosure::kManifestFile]);
  std::string& json = files_["tables/work.json"];
  const std::size_t flag = json.find("\"C\"");
  ASSERT_NE(flag, std::string::npos);
  json.replace(flag, 3, "\"D\"");
  manifest.tables[0].json_stat.sha256 = common::Sha256(json);
  std::string& sdmx = files_["tables/by_age.sdmx.csv"];
  const std::size_t status = sdmx.find(",Q,C,");
  ASSERT_NE(status, std::string::npos);
  sdmx.replace(status, 5, ",Q,D,");
  manifest.tables[1].sdmx_csv.sha256 = common::Sha256(sdmx);
  files_[disclosure::kManifestFile] = disclosure::FormatManifest(manifest);
  SealAndLog();
  ExpectPasses(Anyone(), "files");
  ExpectFails(Anyone(), "flags", "work.json");
}

TEST_F(AuditTest, SuppressedCellsThatCanBeComputedAreFound) {
  // Hides one value whose neighbours are all published.
  disclosure::ReleasedTable& table = release_.tables[2];
  for (std::size_t i = 0; i < table.values.size(); ++i) {
    if (table.values[i]) continue;
    const auto& measures = release_.evidence.request_system.system.measures;
    const auto cell = static_cast<std::size_t>(release_.evidence.tables[2].cell_of[i / table.measures.size()]);
    table.values[i] = measures[0].value[cell];
  }
  table.values[table.values.size() - 1].reset();
  Republish();
  ExpectFails(Anyone(), "recomputation", "can be computed");
}

TEST_F(AuditTest, APrimaryCellThatIsPublishedIsFound) {
  // The number of people in a cell that is primary in it, in every table that shows the cell.
  const disclosure::Measure& people = release_.evidence.request_system.system.measures[0];
  std::size_t primary = 0;
  while (people.reason[static_cast<std::size_t>(release_.evidence.tables[0].cell_of[primary])] ==
         disclosure::PrimaryReason::kNone) {
    ++primary;
  }
  const std::int32_t in_system = release_.evidence.tables[0].cell_of[primary];
  int published = 0;
  for (std::size_t t = 0; t < release_.tables.size(); ++t) {
    disclosure::ReleasedTable& table = release_.tables[t];
    for (std::size_t i = 0; i < table.values.size(); ++i) {
      const std::size_t measures = table.measures.size();
      if (release_.evidence.tables[t].cell_of[i / measures] != in_system) continue;
      if (table.measures[i % measures].name != people.name) continue;
      table.values[i] = people.value[static_cast<std::size_t>(in_system)];
      ++published;
    }
  }
  ASSERT_GT(published, 0);
  Republish();
  ExpectPasses(Anyone(), "files");
  const Verdict verdict = Auditor();
  ExpectPasses(verdict, "rules");
  ExpectFails(verdict, "certificate", "primary, and published");
  ExpectFails(verdict, "levels", "primary, and published");
}

TEST_F(AuditTest, FiguresOfTheEntryAreThoseOfTheTables) {
  release_.cells += 1;
  SealAndLog();
  ExpectFails(Anyone(), "figures", "cells");
  release_.cells -= 1;
  release_.suppressed += 1'000;
  SealAndLog();
  ExpectFails(Anyone(), "figures", "suppressed");
}

TEST_F(AuditTest, EvidenceOpensForItsAuditorAndIsTheOneThatTheEntryNames) {
  ExpectFails(Auditor(common::SealingKeyPair::Generate()), "evidence", "not sealed to this key");
  sealed_[sealed_.size() / 2] ^= 1;
  ExpectFails(Auditor(), "evidence", "its hash is another");
  EXPECT_EQ(Auditor().Find("levels")->result, CheckResult::kNotDone);
  EXPECT_TRUE(Anyone().Passed());
}

TEST_F(AuditTest, DocumentsInTheEvidenceAreThoseOfTheRelease) {
  const disclosure::Evidence good = release_.evidence;
  const auto with = [&](auto change) {
    release_.evidence = good;
    change(release_.evidence);
    SealAndLog();
    return Auditor();
  };
  ExpectFails(with([](auto& e) { e.request += " "; }), "documents", "request");
  ExpectFails(with([](auto& e) { e.rule_set += " "; }), "documents", "rule set");
  ExpectFails(with([](auto& e) { e.link_set = "links-2"; }), "documents", "link set");
  ExpectFails(with([](auto& e) { e.permit_sha256[1] ^= 1; }), "documents", "permit");
  ExpectFails(with([](auto& e) { e.attachments["sex.csv"] += "\n"; }), "documents", "sex.csv");
  ExpectFails(with([](auto& e) { e.attachments["other.csv"] = ""; }), "documents", "other.csv");
  EXPECT_TRUE(with([](auto&) {}).Passed());
}

TEST_F(AuditTest, RulesThatWereNotAppliedAreFound) {
  disclosure::CellSystem& system = release_.evidence.request_system.system;
  std::size_t primary = 0;
  while (system.measures[0].reason[primary] == disclosure::PrimaryReason::kNone) ++primary;
  system.measures[0].upper_level[primary] -= 1;
  SealAndLog();
  ExpectFails(Auditor(), "rules", "protection");
}

TEST_F(AuditTest, ACertificateThatProvesNothingIsFound) {
  const std::string good = release_.evidence.certificate;
  release_.evidence.certificate.back() ^= 1;
  SealAndLog();
  ExpectFails(Auditor(), "certificate", "");
  ExpectPasses(Auditor(), "levels");
  release_.evidence.certificate.clear();
  SealAndLog();
  ExpectFails(Auditor(), "certificate", "");
  release_.evidence.certificate = good;
  SealAndLog();
  EXPECT_TRUE(Auditor().Passed());
}

TEST_F(AuditTest, TheWholeLogIsChecked) {
  const std::string log = directory_.path() + "/log";
  const LogAudit audit = VerifyLog(log, log_->verifier_key(), "");
  EXPECT_TRUE(audit.verdict.Passed()) << audit.verdict.ToText();
  EXPECT_EQ(audit.size, 3u);
  EXPECT_EQ(audit.entries_by_type.at("release"), 1u);
  Append("not an entry");
  const LogAudit bad = VerifyLog(log, log_->verifier_key(), "");
  EXPECT_EQ(bad.verdict.Find("entries")->result, CheckResult::kFailed);
  EXPECT_NE(bad.verdict.Find("entries")->message.find("entry 3"), std::string::npos);
  EXPECT_FALSE(VerifyLog(log, {kOrigin, common::SigningKey::Generate().public_key}, "").verdict.Passed());

  AuditInput input = Input();
  input.log_directory = log;
  ExpectPasses(*VerifyRelease(input, std::nullopt, {}), "log");
  for (const auto& file : std::filesystem::recursive_directory_iterator(log + "/tile/entries")) {
    if (!file.is_regular_file()) continue;
    std::fstream(file.path(), std::ios::in | std::ios::out | std::ios::binary).seekp(20).put('#');
  }
  ExpectFails(*VerifyRelease(input, std::nullopt, {}), "log", "");
}

TEST_F(AuditTest, ReadsAReleaseFromItsDirectory) {
  const std::filesystem::path root = directory_.path() + "/release";
  for (const auto& [path, bytes] : files_) {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream(root / path, std::ios::binary) << bytes;
  }
  const auto read = ReadReleaseDirectory(root.string());
  SLUIS_ASSERT_OK(read);
  EXPECT_EQ(*read, files_);
  std::filesystem::create_symlink("/etc/passwd", root / "link");
  EXPECT_THAT(ReadReleaseDirectory(root.string()), StatusIs(absl::StatusCode::kFailedPrecondition, "link"));
  EXPECT_THAT(ReadReleaseDirectory((root / "none").string()), StatusIs(absl::StatusCode::kNotFound, "none"));
}

}  // namespace
}  // namespace sluis::cli
