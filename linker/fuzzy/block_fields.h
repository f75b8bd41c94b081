#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/candidate/candidates.h"
#include "linker/fellegi_sunter/field_column.h"
#include "linker/fuzzy/match_plan.h"
#include "linker/fuzzy/match_records.h"

namespace sluis::linker {

// Returns the candidates between `a` and `b`, or within `a` without `b`, of records encoded field by field: by Hamming
// LSH over the beginnings of a record's encodings, laid side by side, and by passes of exact tokens, one for each two
// of the five fields with the most different values, for records whose values of both are equal. Who moves keeps a name
// and a birth date, whatever else differs. Errors: as FindCandidates.
[[nodiscard]] absl::StatusOr<Candidates> BlockFields(FieldColumns a, std::optional<FieldColumns> b,
                                                     const MatchPlan& plan, const MatchOptions& options,
                                                     std::uint64_t seed);

}  // namespace sluis::linker
