#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/prepare/delivery_state.h"
#include "cli/prepare/pseudonymise.h"
#include "cli/prepare/randomness.h"
#include "cli/prepare/row_source.h"
#include "cli/prepare/seal_and_shuffle.h"

namespace sluis::cli {

// A delivery to prepare.
struct DeliveryJob {
  const common::Permit* permit = nullptr;  // checked, valid today
  std::string register_name;
  std::string delivery_id;  // unique among all deliveries of this custodian under the permit
  std::string replaces;     // delivery that this one corrects; empty: none
  common::Hash256 input_sha256{};
  common::Hash256 schema_sha256{};
};

// What a preparation works with; all must outlive it.
struct Workshop {
  PseudonymCache& cache;
  DeliveryStates& states;
  const common::SpillDirectory& spill;
  RandomSource& random;
};

// Brings a delivery to kPrepared and returns its state; the spool is at states.SpoolPath(), under states.spool_key().
//
// A delivery that is kPrepared or kCommitted already is returned as it is, without reading `source`: an upload that
// broke resumes with exactly the same bytes. A run that crashed before is done again; what the key holder had answered
// is in the cache. `source` and `input_sha256` must be of the same file. Another `replaces` than before is taken over
// until the delivery is kCommitted.
// Errors: FAILED_PRECONDITION if the delivery id was used for another file, schema or permit, or was committed with
// another `replaces`, or if the spool of a prepared delivery is gone; as Pseudonymise and SealAndShuffle.
[[nodiscard]] absl::StatusOr<DeliveryState> PrepareDelivery(const DeliveryJob& job, RowSource& source,
                                                            Evaluator& evaluator, const Workshop& workshop,
                                                            const PseudonymiseOptions& pseudonymise_options,
                                                            const SealOptions& seal_options);

// What would leave, as `sluis submit --dry-run` prints it.
struct DryRunReport {
  struct Purpose {
    std::string name;
    std::uint64_t distinct = 0;         // distinct identifiers, or tokens of similarity encodings
    std::uint64_t cached = 0;           // of those, evaluated for an earlier delivery: not sent again
    std::uint64_t delivery_budget = 0;  // evaluations that the permit gives a delivery of the register
  };
  struct Key {
    std::string name;
    std::uint64_t records = 0;  // records that carry the key
  };
  struct Field {
    std::string name;
    std::string granularity;  // in words: "one of 12 age classes on 2024-01-01"
  };
  std::uint64_t records = 0;
  std::vector<Purpose> purposes;
  std::vector<Key> keys;
  std::vector<Field> fields;
  std::vector<std::string> features;      // that the encodings are made of
  std::uint64_t encoding_bytes = 0;       // of a record's similarity encodings; 0: none
  std::uint64_t row_bytes = 0;            // of a sealed row
  std::uint64_t bytes_to_key_holder = 0;  // blinded elements
  std::uint64_t bytes_to_linker = 0;      // pseudonyms, encodings and sealed rows
};

// Reads all of `source` and reports; nothing leaves, nothing is stored. Counts are exact. Errors: as ForEachRow and
// FindPermittedRegister; RESOURCE_EXHAUSTED if the disk is full.
[[nodiscard]] absl::StatusOr<DryRunReport> DryRun(const common::Permit& permit, const std::string& register_name,
                                                  RowSource& source, const PseudonymCache& cache,
                                                  const common::SpillDirectory& spill);

// Returns what a recipient learns of a field at most, in words.
[[nodiscard]] std::string DescribeGranularity(const common::PermitField& field);

}  // namespace sluis::cli
