#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/audit/verify_release.h"
#include "common/tlog/writer.h"
#include "gtest/gtest.h"
#include "tests/common/store/temporary_directory.h"
#include "tests/disclosure/protect/small_project.h"

namespace sluis::cli::testing {

inline constexpr char kOrigin[] = "gate.example/log";

// One release of the small project, in a log between other entries.
class ReleaseFixture : public ::testing::Test {
 protected:
  ReleaseFixture()
      : store_(common::MakeMemoryStore(common::LogFamilies())), release_(*Protect(project_.Input(), {.threads = 1})) {
    log_ = *common::LogWriter::Open(*store_, kOrigin, common::SigningKey::Generate(), directory_.path() + "/log");
    project_.permit.log_keys["gate"] = common::FormatVerifierKey(log_->verifier_key());
    files_ = *MakePackage(release_, project_.documents, "release-1");
    Append(common::FormatEntry(common::entry_type::kPermit, 1, {{"project", project_.permit.id}}));
    SealAndLog();
    Append(common::FormatEntry(common::entry_type::kRefusal, 3, {{"project", project_.permit.id}}));
  }

  std::uint64_t Append(const std::string& entry) {
    return log_->Append(std::vector<std::string>{entry}, common::WriteBatch()).value().first_index;
  }

  // Seals the evidence and logs the release, as a gate would; tests call it again after changing something, to see what
  // is found although everything is signed.
  void SealAndLog() {
    files_.erase(disclosure::kEntryFile);
    files_.erase(disclosure::kProofFile);
    disclosure::AddReleasedHashes(files_, release_.evidence);
    const std::array<std::uint8_t, 32> auditors[] = {auditor_.public_key};
    sealed_ =
        *disclosure::SealEvidence(disclosure::EncodeEvidence(release_.evidence), auditors,
                                  {.release = "release-1", .published_sha256 = disclosure::PublishedHash(files_)});
    files_[disclosure::kEntryFile] =
        common::FormatEntry(common::entry_type::kRelease, 2, *ReleaseEntryFields(files_, release_, sealed_));
    files_[disclosure::kProofFile] = *log_->ProveInclusion(Append(files_[disclosure::kEntryFile]));
  }

  // Writes changed tables with all hashes anew.
  void Republish() {
    files_ = *MakePackage(release_, project_.documents, "release-1");
    SealAndLog();
  }

  AuditInput Input() {
    return {.files = files_,
            .permit = project_.permit,
            .attachments = project_.attachments,
            .read_request = [this](std::string_view) { return project_.request; },
            .read_rules = [this](std::string_view) { return project_.rules; }};
  }
  Verdict Anyone() { return *VerifyRelease(Input(), std::nullopt, {}); }
  Verdict Auditor(const common::SealingKeyPair& key) {
    return *VerifyRelease(Input(), AuditorInput{.sealed_evidence = sealed_, .key = key}, {});
  }
  Verdict Auditor() { return Auditor(auditor_); }

  // The first suppressed value of table 0.
  std::size_t FirstSuppressed() {
    std::size_t at = 0;
    while (release_.tables[0].values[at].has_value()) ++at;
    return at;
  }

  disclosure::testing::SmallProject project_;
  common::testing::TemporaryDirectory directory_;
  const common::SealingKeyPair auditor_ = common::SealingKeyPair::Generate();
  std::unique_ptr<common::Store> store_;
  std::unique_ptr<common::LogWriter> log_;
  disclosure::ProtectedRelease release_;
  disclosure::ReleaseFiles files_;
  std::string sealed_;
};

}  // namespace sluis::cli::testing
