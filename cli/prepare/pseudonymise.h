#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/prepare/pseudonym_cache.h"
#include "cli/prepare/row_source.h"
#include "common/permit/permit.h"
#include "common/spill/spill_directory.h"

namespace sluis::cli {

// The key holder, as the preparation sees it; the gRPC client is one.
class Evaluator {
 public:
  struct Answer {
    std::string evaluated;  // 32 bytes each, in the order of the blinded elements
    std::string proof;      // 64 bytes
  };
  virtual ~Evaluator() = default;
  // Evaluates `blinded` (32 bytes each, at most 32,768). The same chunk number with the same bytes may be asked again.
  // Called by one thread at a time, not always the same one.
  [[nodiscard]] virtual absl::StatusOr<Answer> Evaluate(std::string_view purpose, std::string_view delivery_id,
                                                        std::uint32_t chunk, std::string_view blinded) = 0;
};

struct PseudonymiseProgress {
  std::uint64_t rows = 0;
  std::uint64_t distinct = 0;   // inputs found so far that were in no delivery before
  std::uint64_t evaluated = 0;  // of those, answered and stored
  // Of similarity encodings, once all rows are read: tokens that the cache lacked, and of those, answered and stored.
  std::uint64_t tokens = 0, tokens_evaluated = 0;
};

// The rows of a delivery without their identifiers: for each row and match key the name of its pseudonym in the cache,
// then, if the register has features, their values (AppendFeatures), then the attributes. Encrypted, and gone with
// this.
struct PseudonymisedRows {
  common::SpillFile rows;
  std::uint64_t count = 0;
  std::uint64_t evaluated = 0;            // identifiers sent to the key holder
  std::vector<std::uint64_t> absent;      // for each match key, rows without it
  std::uint64_t tokens_evaluated = 0;     // tokens sent to the key holder
  std::vector<std::string> token_inputs;  // of the rows' features, for RowEncoder
};

struct PseudonymiseOptions {
  // Inputs that are evaluated together: 1 .. 32,768 (keys::kMaxBatch). Fewer only make more and smaller messages.
  std::size_t batch = 32'768;
  std::function<void(const PseudonymiseProgress&)> progress;  // may be empty; called every 1,024 rows, with each batch
                                                              // of tokens, and at the end
};

// Checks that `permit` has a register `name` whose match keys, and their public keys and that of tokens if it has
// features, are all there. Errors: PERMISSION_DENIED naming what the permit lacks.
[[nodiscard]] absl::StatusOr<const common::PermitRegister*> FindPermittedRegister(const common::Permit& permit,
                                                                                  std::string_view name);

// Reads all of `source`, has `evaluator` evaluate the distinct inputs that `cache` lacks, of identifiers as they come
// and of tokens at the end, and returns the rows.
//
// Every proof is checked against the public key in `permit`, and every answered chunk is on stable storage in the cache
// before the next but one is sent; a run after a crash or an error sends the same chunks again under their numbers, so
// that nothing is debited twice. Blinding and unblinding of one chunk run beside the evaluation of the other: two
// chunks are under way at a time, about 10 MB each.
// Errors (nothing but the cache remains): PERMISSION_DENIED as FindPermittedRegister; RESOURCE_EXHAUSTED if there are
// more rows than the permit's max_records, or the disk is full; INVALID_ARGUMENT naming row and field as MatchKeyInput,
// or if a row's attributes do not have RowWidth() bytes; FAILED_PRECONDITION (reason OPRF_PROOF_INVALID) if the key
// holder used another key; the source's and the evaluator's own.
[[nodiscard]] absl::StatusOr<PseudonymisedRows> Pseudonymise(const common::Permit& permit, const DeliveryName& delivery,
                                                             RowSource& source, Evaluator& evaluator,
                                                             PseudonymCache& cache, const common::SpillDirectory& spill,
                                                             const PseudonymiseOptions& options);

// Calls `visit(lookups, row)` for each row of `source`; lookups: for each match key the name in the cache, or empty if
// the key is absent. Checks as Pseudonymise. `inputs`, if not null, is set to the inputs before each call and wiped
// after it. Returns the number of rows.
using RowVisitor = std::function<absl::Status(const std::vector<std::string>& lookups, const SourceRow& row)>;
[[nodiscard]] absl::StatusOr<std::uint64_t> ForEachRow(const common::Permit& permit, const common::PermitRegister& reg,
                                                       RowSource& source, const PseudonymCache& cache,
                                                       std::vector<std::string>* inputs, const RowVisitor& visit);

}  // namespace sluis::cli
