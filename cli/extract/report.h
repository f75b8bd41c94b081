#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sluis::cli {

// One error of a file, as people and programs read it. Never holds a value.
struct Finding {
  std::uint64_t row = 0;  // 0: the file as a whole; 1: its header (or first record)
  std::uint64_t line = 0;
  std::string column;  // the schema's name, or "column 3" if the schema has none for it; empty: the record as a whole
  std::string rule;    // stable code
  std::string message;
};

struct CheckReport {
  std::string file;
  std::string register_name;
  std::string format;              // "delimiter `;`, found in the header"
  std::uint64_t records = 0;       // read, good or not
  std::uint64_t good_records = 0;  // without an error of their own; rows that repeat a unique value are among them
  std::vector<Finding> errors;     // by row; at most the cap
  std::map<std::string, std::uint64_t> totals;    // errors by rule, beyond the cap too
  std::map<std::string, std::uint64_t> warnings;  // rows by rule; they are kept
  bool truncated = false;                         // there are more errors than listed
  bool complete = false;                          // the file was read to its end

  // True if the file may be delivered.
  [[nodiscard]] bool ok() const { return complete && totals.empty(); }
};

// For people: a line for each error, then the totals.
[[nodiscard]] std::string ToText(const CheckReport& report);
// For programs: {"file", "register", "format", "records", "good_records", "ok", "complete", "errors": [{"row", "line",
// "column", "rule", "message"}], "totals", "warnings", "truncated"}.
[[nodiscard]] std::string ToJson(const CheckReport& report);

}  // namespace sluis::cli
