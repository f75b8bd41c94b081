#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "cli/audit/verdict.h"
#include "common/crypto/crypto.h"
#include "common/permit/permit.h"
#include "common/tlog/note.h"
#include "disclosure/protect/package.h"
#include "disclosure/rules/rules.h"
#include "disclosure/table/request.h"

// The audit of a release, from its files alone: by anyone, or by an auditor with the evidence. Asks no service.

namespace sluis::cli {

struct AuditInput {
  const disclosure::ReleaseFiles& files;
  const common::Permit& permit;
  const std::map<std::string, std::string>& attachments;  // of the permit; the caller has checked their hashes
  // Readers of the two documents, such as disclosure::ParseTableRequest and ParseRuleSet.
  std::function<absl::StatusOr<disclosure::TableRequest>(std::string_view)> read_request;
  std::function<absl::StatusOr<disclosure::RuleSet>(std::string_view)> read_rules;
  std::string log_directory = {};  // static files of the gate's log; empty: only the proof is checked
};

struct AuditOptions {
  std::function<void(std::string_view step, std::int64_t done, std::int64_t total)> progress = {};
  const std::atomic<bool>* cancelled = nullptr;
};

// What an auditor has beside the release.
struct AuditorInput {
  std::string_view sealed_evidence;
  const common::SealingKeyPair& key;
};

// Returns what anyone can check of a release:
//   manifest       release.json is in its one form
//   files          each file has its length and hash; none is missing, none too many
//   entry          the log entry is about these files and this permit
//   figures        the numbers of cells in the entry are those of the tables
//   proof          the entry is in the log that the permit names as the gate's
//   permit         the release is under this permit, its rule set and attachments
//   request        the request is allowed by the permit, and the tables are those that it asks for
//   tables         every tidy CSV is a whole table
//   formats        JSON-stat and SDMX-CSV say what the tidy CSV says, byte for byte what is written from it
//   flags          no flag in any format but free and confidential: nothing tells primary from secondary
//   methods        each measure names the method that the request chose for it, with the rule set's parameters
//   totals         what is published adds up, within and across tables; measures whose method does not are passed over
//   recomputation  no suppressed value fits one whole number only, nor does the true value behind a perturbed one
//   log            with log_directory: the whole log agrees with itself, extends the proof's checkpoint and has the
//                  entry at its place
// and with `auditor` what only the evidence shows:
//   evidence       the file is the one that the entry names, opens with the key, and belongs to this release
//   documents      request, rule set, permit and attachments in the evidence are those of the release
//   rules          the cells add up; reasons and protection levels are what the rules make of the contributions
//   true-values    published values are the true ones, and the suppressed cells those of the pattern
//   certificate    proves, by addition alone, that every protection level is reached
//   levels         an attack with everything that is published narrows no primary cell below its levels
// A failed check is in the verdict. Errors: CANCELLED only.
// Does not find out whether the contributions in the evidence are those of the registers: README.md.
[[nodiscard]] absl::StatusOr<Verdict> VerifyRelease(const AuditInput& input, const std::optional<AuditorInput>& auditor,
                                                    const AuditOptions& options);

struct LogAudit {
  Verdict verdict;  // checks "log" and "entries"
  std::uint64_t size = 0;
  std::map<std::string, std::uint64_t> entries_by_type;
};

// Returns what the log below `directory` holds, after checking all of it against `key` and, unless it is empty, against
// the signed checkpoint `older`. Check "entries": each is in the form of common/entry.
[[nodiscard]] LogAudit VerifyLog(const std::string& directory, const common::VerifierKey& key,
                                 const std::string& older);

}  // namespace sluis::cli
