#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/match/input.h"
#include "linker/fuzzy/match_records.h"

namespace sluis::cli {

// What one run of `sluis match` was and found. Counts and parameters only: no value, no record id.
struct RunReport {
  linker::MatchMode mode = linker::MatchMode::kLink;
  std::optional<std::uint64_t> seed;  // absent: keys were drawn at random
  unsigned threads = 1;
  nlohmann::ordered_json review;  // what reviewers decided; null: nothing
  std::vector<std::string> warnings;
  std::vector<linker::StepTime> steps;  // reading and writing included
  std::uint64_t peak_memory_bytes = 0;
};

// report.json; README.md has the keys.
[[nodiscard]] nlohmann::ordered_json ReportJson(const RunReport& run, std::span<const Input> inputs,
                                                const linker::MatchPlan& plan, const linker::MatchResult& result);

// The same in a few lines for people.
[[nodiscard]] std::string ReportText(const RunReport& run, std::span<const Input> inputs,
                                     const linker::MatchResult& result);

[[nodiscard]] std::string_view ModeName(linker::MatchMode mode);  // "link", "dedupe", "link-and-dedupe"

}  // namespace sluis::cli
