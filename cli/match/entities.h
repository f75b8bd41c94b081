#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "common/csv/byte_source.h"
#include "linker/cluster/evaluate.h"

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

struct Evaluation {
  linker::PartitionQuality quality;
  std::uint64_t records = 0;       // in both files; only they count
  std::uint64_t not_in_truth = 0;  // records of the links that the truth does not name
  std::uint64_t not_in_links = 0;  // records that the truth names, of sources that the links have
};

// Holds `links` against `truth`. Records that only one of them has are left out and counted; sources that the links
// lack are no matter. `within_sources`: only pairs within a source count, as after deduplicating several sources.
// Errors: INVALID_ARGUMENT if they have no record in common.
[[nodiscard]] absl::StatusOr<Evaluation> Evaluate(const Entities& links, const Entities& truth, bool within_sources);

// For people, and as JSON.
[[nodiscard]] std::string ToText(const Evaluation& evaluation);
[[nodiscard]] nlohmann::ordered_json ToJson(const Evaluation& evaluation);

}  // namespace sluis::cli
