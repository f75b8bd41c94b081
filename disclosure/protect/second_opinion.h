#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "disclosure/perturb/perturb.h"
#include "disclosure/release/released_table.h"
#include "disclosure/suppress/certificate.h"
#include "disclosure/system/system.h"

// The judgement about a pattern, by code that had no part in making it. The gate asks for it before anything leaves,
// and an auditor asks again with the evidence.

namespace sluis::disclosure {

// Values of suppressed cells that are published all the same, because anyone could compute them from the rest: of each
// measure of the system, cells in ascending order.
using Concessions = std::vector<std::vector<std::int32_t>>;

struct SecondOpinionOptions {
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};  // suppressed cells looked at; may be empty
  const std::atomic<bool>* cancelled = nullptr;                              // may be null
};

// Returns OK if the certificate proves that `pattern` protects although the values in `conceded` are published:
// CheckCertificate holds, no conceded cell is published already or primary in its measure, and no deviation of that
// measure moves it. Errors: INVALID_ARGUMENT and FAILED_PRECONDITION, as CheckCertificate.
[[nodiscard]] absl::Status ProveProtection(const CellSystem& system, const Pattern& pattern,
                                           const Concessions& conceded, const Certificate& certificate);

// Returns OK if an attacker who knows all published cells, the conceded values, all relations and the bounds cannot
// narrow any primary cell of any measure below its protection levels. Does not look at any certificate.
// Errors: FAILED_PRECONDITION saying how many levels fell short, in which measure; INVALID_ARGUMENT, CANCELLED and
// INTERNAL as VerifyLevels.
[[nodiscard]] absl::Status AttackLevels(const CellSystem& system, const Pattern& pattern, const Concessions& conceded,
                                        const SecondOpinionOptions& options);

// The method of a published measure that is not suppressed: what a reader makes its values' ranges of.
struct PublicMethod {
  ProtectionMethod method;
  std::int32_t steps = 0;  // of controlled rounding
};
using PublicMethods = std::map<std::string, PublicMethod>;  // by measure

// Returns what the tables' texts say of their measures: the method of `methods` (by measure) whose text stands there.
// Errors: FAILED_PRECONDITION naming table and measure if there is none, or a text stands at a measure without method.
[[nodiscard]] absl::StatusOr<PublicMethods> ReadMethods(std::span<const ReleasedTable> tables,
                                                        const std::map<std::string, ProtectionMethod>& methods);

// A value of a published table that anyone can compute: a suppressed one, or the true one behind a perturbed one.
struct ExactCell {
  std::int32_t table = 0;
  std::int64_t cell = 0;
  std::string measure;
};

// Returns the suppressed values of `tables` that only one whole number fits, each once (where it is first shown), and
// of the measures in `methods` the cells whose true value only one whole number can be (FindPinned). `population`: as
// BuildPublicSystem. Errors: as BuildPublicSystem, FindExact and FindPinned.
[[nodiscard]] absl::StatusOr<std::vector<ExactCell>> FindExactCells(std::span<const ReleasedTable> tables,
                                                                    std::span<const std::int32_t> population,
                                                                    const SecondOpinionOptions& options,
                                                                    const PublicMethods& methods = {});

}  // namespace sluis::disclosure
