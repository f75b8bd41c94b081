#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/extract/report.h"
#include "cli/match/plan.h"
#include "common/bytes/secret.h"
#include "common/csv/byte_source.h"
#include "linker/encode/token_seeds.h"
#include "linker/fuzzy/match_source.h"

// Reading an input: each record is encoded as it is read, and only its encoding and its id are kept.

namespace sluis::cli {

// Record ids, one after the other in one buffer.
class RecordIds {
 public:
  void Add(std::string_view id);
  std::size_t size() const { return ends_.size(); }
  std::string_view operator[](std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(chars_).substr(begin, ends_[index] - begin);
  }

 private:
  std::string chars_;
  std::vector<std::size_t> ends_;
};

// What is worth knowing about one field of an input. Values with several faults count for the first.
struct FieldReport {
  std::string name;  // of the column
  std::uint64_t missing = 0;
  bool constant = false;                          // all values that are there are the same
  std::map<std::string, std::uint64_t> warnings;  // values by the rule that they break; they are used as text
};

struct Input {
  linker::MatchSource source;
  RecordIds ids;
  CheckReport check;                // not ok(): the input cannot be used
  std::vector<FieldReport> fields;  // of the plan's features and passes, each once
};

// Returns the name of the source in links.csv: the file's name without folder, without .gz or .zst, and without its
// extension.
[[nodiscard]] std::string SourceName(std::string_view path);

struct InputOptions {
  std::string name;                        // of the source
  const common::Schema* schema = nullptr;  // outlives the call, as all here
  const InputColumns* columns = nullptr;   // from ResolvePlan
  const linker::MatchPlan* plan = nullptr;
  const linker::TokenSeeds* seeds = nullptr;
  const common::SecretBytes* key = nullptr;  // of this run: noise, exact tokens and duplicates derive from it
  unsigned threads = 1;  // that encode, beside the caller's, which then only reads; the input does not depend on it
  std::size_t error_cap = 1000;
  std::function<void(std::uint64_t records)> progress;  // called every 16,384 records, if set
  std::function<bool()> cancelled;                      // asked as often, if set
};

// Reads `bytes` and encodes it. Faults of the file are no error but in `check`: columns that are missing or occur
// twice, records of wrong length or encoding, a record without an id, an id that occurs twice (the later rows are
// named). Such a file is read to its end, so that all of it can be told.
//
// Values that break their field's type or constraints do not: they are counted by field and encoded as they stand,
// since dirty data must not lose a record. A valid date or whole number goes in in one canonical form whatever the
// schema's format; a value beyond 1,024 bytes with its beginning; an identifier that fails the eleven test, and a value
// that the schema declares missing, not at all. Columns that the schema lacks are not read, their order does not
// matter; either is a warning.
//
// Errors: CANCELLED; RESOURCE_EXHAUSTED beyond 2^32 - 2 records; INTERNAL.
[[nodiscard]] absl::StatusOr<Input> ReadInput(const std::string& path, const InputOptions& options);
[[nodiscard]] absl::StatusOr<Input> ReadInputSource(std::unique_ptr<common::ByteSource> bytes, const std::string& name,
                                                    const InputOptions& options);

}  // namespace sluis::cli
