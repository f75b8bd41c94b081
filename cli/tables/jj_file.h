#pragma once

#include <string>

#include "absl/status/status.h"
#include "cli/tables/cells_file.h"
#include "cli/tables/system_builder.h"

namespace sluis::cli {

// Reads a file in the JJ format (see generic_system.h) into `builder`. Numbers may be written with a decimal point or
// an exponent if they are whole. Errors: as ReadSystem.
[[nodiscard]] absl::Status ReadJjFile(const std::string& path, const ReadCellsOptions& options, SystemBuilder& builder);

}  // namespace sluis::cli
