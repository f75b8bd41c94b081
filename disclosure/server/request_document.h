#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "disclosure/table/request.h"
#include "proto/sluis/disclosure/v1/table_request.pb.h"

namespace sluis::disclosure {

// Returns `document` as the request that disclosure/table plans. Fills in what the document may leave out (the variable
// of a dimension's own name) and reads dates; whether the permit allows it is for PlanTables to say.
// Errors: INVALID_ARGUMENT with the path of the field: a date that is none, a variable without a rule, an age bound
// above 150.
[[nodiscard]] absl::StatusOr<TableRequest> ToTableRequest(const v1::TableRequest& document);

// Reads the YAML text of a request. Errors: as common::ParseYaml and ToTableRequest.
[[nodiscard]] absl::StatusOr<TableRequest> ParseTableRequest(std::string_view yaml);

}  // namespace sluis::disclosure
