#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"

// A synthetic country: a person register and four registers to link it with, with the errors of real ones, and the
// truth. For demonstrations, rehearsals and measurements; nobody in it exists.

namespace sluis::cli {

struct GenerateOptions {
  std::uint64_t persons = 0;     // rows of the person register: 1..80,000,000
  std::uint64_t seed = 0;        // the same seed gives the same country
  std::string reference_date;    // yyyy-mm-dd, 1950-01-01..2099-12-31: the day on which the register is taken
  std::string output_directory;  // must exist
  unsigned threads = 0;          // that make blocks, beside the one that writes; 0: one per processor; at most 256.
                                 // Does not change a byte
  bool overwrite = false;        // replace files of an earlier run; otherwise their presence is an error
};

// Called by the thread of GenerateCountry, after each block, with the numbers of persons written and wanted.
using GenerateProgress = std::function<void(std::uint64_t written, std::uint64_t persons)>;

// Writes persons.csv, jobs.csv, benefits.tsv.gz, diplomas.csv.zst, civic.csv (README.md describes them), truth.csv and
// manifest.json to the directory, with mode 0600.
//
// truth.csv has a line register,row,person for each row of each register: rows count from 1 without the header; person
// is the row of the person register from 0, or -1 for people who are not in it. manifest.json lists, per file, rows,
// bytes and SHA-256 of the file and of its content before compression; the latter is the same on every machine.
// All files appear under their names only when all are complete; the manifest last. A run that is killed leaves its
// unfinished files (.NAME.tmp-PID), which no later run reads.
//
// `progress` may be null. Errors (nothing is left behind, except that a fault during the final renaming leaves the
// files already renamed, without manifest):
//   INVALID_ARGUMENT    persons, reference_date, threads or output_directory out of the bounds above; names which
//   ALREADY_EXISTS      one of the files is there and `overwrite` is false
//   RESOURCE_EXHAUSTED  the disk or the disk quota is full, or a thread could not be started
//   PERMISSION_DENIED, FAILED_PRECONDITION, UNAVAILABLE  from the file system
// Cost: about 3 microseconds a person and core, some 250 bytes of disk a person; memory depends on the number of
// threads only.
[[nodiscard]] absl::Status GenerateCountry(const GenerateOptions& options, const GenerateProgress& progress);

}  // namespace sluis::cli
