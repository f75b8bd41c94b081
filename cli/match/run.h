#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sluis::cli {

// What `sluis match` was asked for; see its --help.
struct MatchCommand {
  std::vector<std::string> schemas;  // one per input, or one for all
  std::vector<std::string> inputs;
  std::string plan;        // file; empty: from the schemas alone
  std::string mode;        // "link", "dedupe", "link-and-dedupe"; empty: dedupe for one input, else link
  std::string out;         // links.csv
  std::string report;      // report.json
  std::string review_out;  // agreement patterns for review; empty: none
  std::string review_in;   // what reviewers decided; empty: nothing
  std::string truth;       // to hold the links against
  std::string work;        // directory for finished comparisons; empty: none
  std::string links;       // links of an earlier run, to hold against the truth instead of matching
  std::optional<std::uint64_t> seed;
  unsigned threads = 0;  // at most 1,024; 0: one per processor
  bool print_plan = false;
};

// Runs the command: checks that `out`, `report` and `work` can be written and `truth` can be read, reads, matches,
// writes `out` and `report`, each whole or not at all, and prints what was found. Returns kExitOk, or kExitBadData if
// an input has errors, which are printed. Errors: INVALID_ARGUMENT for what is wrong with the command, a schema or the
// plan; those of reading and writing files and of linker::MatchRecords; CANCELLED after Ctrl-C.
[[nodiscard]] absl::StatusOr<int> RunMatch(const MatchCommand& command, bool json, bool quiet);

}  // namespace sluis::cli
