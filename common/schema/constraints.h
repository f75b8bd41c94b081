#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/schema/schema.h"
#include "nlohmann/json.hpp"

namespace sluis::common::schema_internal {

// Reads the `constraints` of `field`, whose type and formats are known already. Bounds and enumerations become numbers
// in the unit of Value::number. Errors: INVALID_ARGUMENT with the path.
[[nodiscard]] absl::Status ReadConstraints(const nlohmann::json& json, const std::string& path, SchemaField& field);

}  // namespace sluis::common::schema_internal
