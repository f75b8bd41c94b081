#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "disclosure/release/perturbed_measure.h"
#include "disclosure/release/released_table.h"
#include "disclosure/rules/rules.h"
#include "disclosure/table/build_system.h"

namespace sluis::disclosure {

// Everything that an auditor needs to check a release without asking anyone: the true table with the contributions that
// the rules look at, statuses and protection levels, the certificate, and the documents that say what should have been
// done. It reveals values: it is sealed to the auditors before it leaves the gate, and never published.
struct EvidenceTable {
  std::string name;
  std::vector<ReleasedDimension> dimensions;
  std::vector<std::string> measures;  // names, among those of the system
  std::vector<std::int32_t> cell_of;  // of each cell of the table, its cell in the system
};

struct Evidence {
  std::string request_id, permit_id, link_set, software;
  common::Hash256 permit_sha256{};
  std::string request;                             // exact bytes of the request document
  std::string rule_set;                            // exact bytes of the rule set that was applied
  std::map<std::string, std::string> attachments;  // hierarchies and code lists that were used: name -> bytes
  std::vector<EvidenceTable> tables;
  RequestSystem request_system;  // cell_of is in `tables`, and empty here
  std::vector<std::uint8_t> pattern;
  std::vector<PerturbedMeasure> perturbed;                 // ascending measures; those that are not suppressed
  std::string certificate;                                 // as EncodeCertificate writes it
  std::map<std::string, common::Hash256> released_sha256;  // published file -> hash of its bytes
};

// Returns the evidence about a release; the caller fills in documents, names, certificate and
// hashes. Precondition: the arguments are those
// that MakeReleasedTables took.
[[nodiscard]] Evidence MakeEvidence(const TablePlan& plan, RequestSystem request, std::span<const std::uint8_t> pattern,
                                    std::vector<PerturbedMeasure> perturbed = {});

// Returns the bytes of `evidence`: format in README.md. One encoding for each evidence.
[[nodiscard]] std::string EncodeEvidence(const Evidence& evidence);

// Returns the evidence that `bytes` encode. Errors: INVALID_ARGUMENT if they are truncated, have bytes left over or are
// of another version. Never allocates more than a small multiple of the length of `bytes`. Checks the form only.
[[nodiscard]] absl::StatusOr<Evidence> DecodeEvidence(std::string_view bytes);

// Returns OK if the evidence agrees with itself and with `rules` (read by the caller from evidence.rule_set): the
// system is valid and additive; it holds every relation that the tables' hierarchies imply; totals of the contributions
// are the table's values; reasons and protection levels are what the rules give; every primary cell is suppressed;
// measures that are not suppressed are what their methods make of the true values (VerifyPerturbed). Does
// not check the certificate (CheckCertificate) nor attack the table (VerifyLevels): call both on request_system.system
// and pattern. Errors: INVALID_ARGUMENT if it is malformed; FAILED_PRECONDITION naming measure and cell if something
// disagrees.
[[nodiscard]] absl::Status VerifyEvidence(const Evidence& evidence, const RuleSet& rules);

// Returns OK if the published `table` is what the evidence says of the table of that name: the same codes and measures,
// each published value the true one, and exactly the cells of the pattern suppressed; of a measure with another method
// the value that it was given, and exactly those withheld that were to be. Errors: NOT_FOUND if there is no
// such table; FAILED_PRECONDITION naming measure and cell.
[[nodiscard]] absl::Status CompareWithReleased(const Evidence& evidence, const ReleasedTable& table);

}  // namespace sluis::disclosure
