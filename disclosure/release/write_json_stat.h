#pragma once

#include <string>

#include "disclosure/release/released_table.h"

namespace sluis::disclosure {

// Returns `table` as a JSON-stat 2.0 dataset: `id` and `size` with the dimensions and then "measure" (role metric);
// `category.index` as an array and `category.label` as an object in the same order (some readers go by the labels'
// order), `category.child` for the hierarchy; `value` as a sparse object by position, in which suppressed cells are
// absent, and `status` as an object with "C" for exactly those. Values are whole numbers. An empty label is written as
// its code. `extension.method` names the method of each measure where one is not suppressed.
// Precondition: ValidateReleasedTable(table) is OK. Source: json-stat.org, full format, version 2.0.
[[nodiscard]] std::string WriteJsonStat(const ReleasedTable& table);

}  // namespace sluis::disclosure
