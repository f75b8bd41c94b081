#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "cli/app/command.h"
#include "cli/app/key_file.h"
#include "cli/audit/release_directory.h"
#include "cli/audit/verify_release.h"
#include "common/document/permit_document.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"
#include "disclosure/server/request_document.h"
#include "disclosure/server/rule_set_document.h"

namespace sluis::cli {
namespace {

constexpr std::uint64_t kMaxAttachmentBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kMaxEvidenceBytes = std::uint64_t{4} << 30;

struct AuditCommandOptions {
  std::string release, permit, evidence, key, log, older;
  std::vector<std::string> approvers;
};

absl::StatusOr<std::vector<common::Approver>> ReadApprovers(const std::vector<std::string>& arguments) {
  std::vector<common::Approver> approvers;
  for (const std::string& argument : arguments) {
    const std::size_t equals = argument.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError("--approver: NAME=BASE64 is expected");
    }
    common::Approver& approver = approvers.emplace_back();
    const absl::StatusOr<std::string> key = common::Base64Decode(argument.substr(equals + 1));
    if (!key.ok() || key->size() != approver.public_key.size()) {
      return absl::InvalidArgumentError("--approver: a public key of 32 bytes in base 64 is expected after '='");
    }
    approver.name = argument.substr(0, equals);
    std::copy(key->begin(), key->end(), approver.public_key.begin());
  }
  return approvers;
}

// A permit as anyone can check it: the document, the hashes of its attachments, and its approvals if the public keys of
// the approvers are given.
absl::StatusOr<common::PermitBundle> ReadPermit(const AuditCommandOptions& options) {
  if (!options.approvers.empty()) {
    SLUIS_ASSIGN_OR_RETURN(const std::vector<common::Approver> approvers, ReadApprovers(options.approvers));
    return common::LoadPermit(options.permit, approvers, static_cast<int>(approvers.size()));
  }
  common::PermitBundle bundle;
  SLUIS_ASSIGN_OR_RETURN(bundle.document, common::ReadFileBounded(options.permit + "/permit.yaml", 4 << 20));
  SLUIS_ASSIGN_OR_RETURN(bundle.permit, common::ParsePermit(bundle.document));
  for (const common::PermitAttachment& attachment : bundle.permit.attachments) {
    SLUIS_ASSIGN_OR_RETURN(std::string bytes,
                           common::ReadFileBounded(options.permit + "/" + attachment.name, kMaxAttachmentBytes));
    if (common::Sha256(bytes) != attachment.sha256) {
      return absl::InvalidArgumentError(attachment.name + ": not the attachment whose hash is in the permit");
    }
    bundle.attachments[attachment.name] = std::move(bytes);
  }
  return bundle;
}

absl::StatusOr<disclosure::RuleSet> ReadRules(std::string_view yaml) {
  SLUIS_ASSIGN_OR_RETURN(disclosure::NamedRuleSet named, disclosure::ParseRuleSet(yaml));
  return std::move(named.rules);
}

absl::StatusOr<Verdict> Verify(const AuditCommandOptions& options) {
  if (options.evidence.empty() != options.key.empty()) {
    return absl::InvalidArgumentError("--evidence and --key belong together: give both, or none");
  }
  SLUIS_ASSIGN_OR_RETURN(const common::PermitBundle bundle, ReadPermit(options));
  SLUIS_ASSIGN_OR_RETURN(const disclosure::ReleaseFiles files, ReadReleaseDirectory(options.release));
  const AuditInput input{.files = files,
                         .permit = bundle.permit,
                         .attachments = bundle.attachments,
                         .read_request = disclosure::ParseTableRequest,
                         .read_rules = ReadRules,
                         .log_directory = options.log};
  if (options.evidence.empty()) return VerifyRelease(input, std::nullopt, {});
  SLUIS_ASSIGN_OR_RETURN(const common::SealingKeyPair key, ReadSealingKey(options.key));
  SLUIS_ASSIGN_OR_RETURN(const std::string sealed, common::ReadFileBounded(options.evidence, kMaxEvidenceBytes));
  return VerifyRelease(input, AuditorInput{.sealed_evidence = sealed, .key = key}, {});
}

int PrintLogAudit(const LogAudit& audit, bool json) {
  if (json) {
    nlohmann::ordered_json out = nlohmann::ordered_json::parse(audit.verdict.ToJson());
    out["size"] = audit.size;
    out["entries_by_type"] = audit.entries_by_type;
    std::cout << out.dump(2) << "\n";
  } else {
    if (audit.verdict.Find("log")->result == CheckResult::kPassed) {
      std::cout << absl::StrCat(audit.size, " entries\n");
      for (const auto& [type, entries] : audit.entries_by_type)
        std::cout << absl::StrCat("  ", type, " ", entries, "\n");
    }
    std::cout << audit.verdict.ToText();
  }
  return audit.verdict.Passed() ? kExitOk : kExitNotVerified;
}

}  // namespace

void AddAuditCommand(CLI::App& app, Globals& globals) {
  CLI::App* audit = app.add_subcommand("audit", "Check releases and logs, without asking any service");
  audit->require_subcommand(1);
  auto options = std::make_shared<AuditCommandOptions>();

  CLI::App* verify = audit->add_subcommand("verify", "Check a release: as anyone, or as an auditor with the evidence");
  verify->footer(
      "Example:\n  sluis audit verify --release releases/work-2026 --permit permits/integration\nExit code 0 if every "
      "check passes, 6 if one does not.");
  verify->add_option("--release", options->release, "Folder with the files of the release")->required();
  verify->add_option("--permit", options->permit, "Folder with permit.yaml and its attachments")->required();
  verify->add_option("--approver", options->approvers,
                     "NAME=BASE64, public key of an approver; each one given must have approved the permit");
  verify->add_option("--evidence", options->evidence, "The sealed evidence (auditors)");
  verify->add_option("--key", options->key, "The auditor's sealing key file");
  verify->add_option("--log", options->log, "Folder with the static files of the gate's log, to check all of it");
  OnRunWithCode(verify, globals, [options, &globals]() -> absl::StatusOr<int> {
    SLUIS_ASSIGN_OR_RETURN(const Verdict verdict, Verify(*options));
    std::cout << (globals.json ? verdict.ToJson() : verdict.ToText());
    return verdict.Passed() ? kExitOk : kExitNotVerified;
  });

  CLI::App* log = audit->add_subcommand("log", "Check a whole log and count its entries by type");
  log->footer("Example:\n  sluis audit log --log gate/log --key 'gate.example/log+1a2b3c4d+AR...'");
  log->add_option("--log", options->log, "Folder with the static files of the log")->required();
  log->add_option("--key", options->key, "The log's verifier key, as the permit names it")->required();
  log->add_option("--older", options->older, "File with a checkpoint seen earlier, which the log must extend");
  OnRunWithCode(log, globals, [options, &globals]() -> absl::StatusOr<int> {
    SLUIS_ASSIGN_OR_RETURN(const common::VerifierKey key, common::ParseVerifierKey(options->key));
    std::string older;
    if (!options->older.empty()) {
      SLUIS_ASSIGN_OR_RETURN(older, common::ReadFileBounded(options->older, common::kMaxNoteBytes));
    }
    return PrintLogAudit(VerifyLog(options->log, key, older), globals.json);
  });
}

}  // namespace sluis::cli
