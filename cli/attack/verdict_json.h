#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/attack/judge.h"

namespace sluis::cli {

// {"verdict": "holds" or "broken", ...}: counts, and the names of at most 100 cells that are at fault.
[[nodiscard]] nlohmann::ordered_json ToJson(const Verdict& verdict, const CellTable& table);

// The same in lines for people, at most 20 cells.
[[nodiscard]] std::string ToText(const Verdict& verdict, const CellTable& table);

// intervals.csv: the columns of the cell names, low,high (whole numbers; `high` empty if nothing bounds the cell),
// exact (0 or 1), and with levels short: empty, lower, upper or both.
[[nodiscard]] std::string IntervalsCsv(const Verdict& verdict, const CellTable& table);

}  // namespace sluis::cli
