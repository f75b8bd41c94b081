#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "common/csv/byte_source.h"

// Files that say which records are one person: links.csv, and truths to hold it against.

namespace sluis::cli {

// Which entity each record belongs to; entities are numbered from 0 in the order of the file.
struct Entities {
  std::map<std::string, std::unordered_map<std::string, std::uint32_t>> by_source;  // record id -> entity
  std::uint32_t entities = 0;
  std::uint64_t records = 0;
};

// Reads a CSV file with the columns entity, source and record_id, in any order; others are passed over. Errors:
// INVALID_ARGUMENT, with `name` and the row, if a column is missing or occurs twice, a value is empty, a record of
// wrong length, or a record named twice; RESOURCE_EXHAUSTED beyond 2^32 - 2 entities; as common::CsvReader.
[[nodiscard]] absl::StatusOr<Entities> ReadEntities(std::unique_ptr<common::ByteSource> bytes, const std::string& name);

// How far two partitions of the same records agree; shares in 0..1, 1 if there is nothing that could be wrong.
struct Quality {
  double precision = 1, recall = 1, f1 = 1;
};

struct Evaluation {
  Quality pairwise, b_cubed;
  std::uint64_t records = 0;        // in both files; only they count
  std::uint64_t true_pairs = 0;     // pairs of records that are one person in truth
  std::uint64_t found_pairs = 0;    // in the links
  std::uint64_t correct_pairs = 0;  // in both
  std::uint64_t not_in_truth = 0;   // records of the links that the truth does not name
  std::uint64_t not_in_links = 0;   // records that the truth names, of sources that the links have
};

// Holds `links` against `truth`. Records that only one of them has are left out and counted; sources that the links
// lack are no matter. Errors: INVALID_ARGUMENT if they have no record in common.
[[nodiscard]] absl::StatusOr<Evaluation> Evaluate(const Entities& links, const Entities& truth);

// For people, and as JSON.
[[nodiscard]] std::string ToText(const Evaluation& evaluation);
[[nodiscard]] std::string ToJson(const Evaluation& evaluation);

}  // namespace sluis::cli
