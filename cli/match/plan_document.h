#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "linker/fuzzy/match_plan.h"

namespace sluis::cli {

// Returns the kind of a field by its type. Errors: INVALID_ARGUMENT if an input lacks the field.
using KindOfField = std::function<absl::StatusOr<linker::FeatureKind>(const std::string& name)>;

// Changes `plan` as `document` says (YAML, proto/sluis/linker/v1/plan.proto); what it does not mention stays. Features
// without a kind get `kind_of`'s, without a weight the default of their kind; stable bits that it does not give are
// DefaultStableBits of the plan that comes out. Errors: INVALID_ARGUMENT, beginning with
// "the plan", on an unknown key, a wrong type, or a number that is out of its range; what the encoding plan as a whole
// allows is checked by EncodingPlan::Validate.
[[nodiscard]] absl::Status ApplyPlanDocument(std::string_view document, const KindOfField& kind_of,
                                             linker::MatchPlan& plan);

}  // namespace sluis::cli
