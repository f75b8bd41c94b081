#pragma once

#include <span>
#include <string>

#include "cli/match/input.h"
#include "linker/cluster/cluster.h"

namespace sluis::cli {

// Returns the text of links.csv: entity,source,record_id,status; every record of every input once, in the order of the
// inputs and of their records. Entities are numbered from 1 in the order in which they first occur.
[[nodiscard]] std::string LinksCsv(std::span<const Input> inputs, const linker::Clustering& clustering);

}  // namespace sluis::cli
