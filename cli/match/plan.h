#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/schema/schema.h"
#include "linker/encode/encoding_plan.h"
#include "linker/fuzzy/match_plan.h"

// From schemas, and a plan document if there is one, to what is matched and how.

namespace sluis::cli {

// What of one input's columns is read. Indices into the fields of its schema.
struct InputColumns {
  std::size_t record_id = 0;
  std::vector<std::size_t> features;  // in the order of the plan's
  std::vector<std::size_t> passes;    // likewise
  std::vector<linker::DateOrder> date_orders;
};

struct ResolvedPlan {
  linker::MatchPlan plan;
  std::vector<InputColumns> columns;  // one per input
  std::vector<std::string> warnings;  // fields that are not used, and why
};

// An input as far as plans need it: `name` stands in messages. `schema` must outlive the call.
struct InputSchema {
  std::string name;
  const common::Schema* schema = nullptr;
};

// Returns the plan for `inputs` (at least one) that follows from their schemas, changed by what `document` says (YAML,
// proto/sluis/linker/v1/plan.proto; empty: nothing). Without a document:
//
//   features  Fields with the role quasi that all schemas have; a field's name is its x-field, else the column's. Kinds
//             by type: date kDate, integer and year kDigits, number kNumber, boolean and any field with an enum
//             kCategory, string kText. A field whose kind differs among schemas is kText.
//   passes    Fields with the role identifier that all schemas have, in the order of the first: exact agreement after
//             normalisation, as BSN if all of them ask for the eleven test.
//   the rest  DefaultPlan (linker/encode) and MatchPlan's own defaults.
//
// Fields that some schemas lack are not used and named in the warnings.
// Errors: INVALID_ARGUMENT if a schema has not exactly one primary key column, if the schemas have no field in common,
// if a record-level plan has one to three features and no `allow_few_features`, if a field-level one has more than
// kMaxComparedFields, if the document has an unknown key
// or a setting out of range, or names a field that a schema lacks or does not read.
[[nodiscard]] absl::StatusOr<ResolvedPlan> ResolvePlan(std::span<const InputSchema> inputs, std::string_view document);

// Returns `plan` as a document that ResolvePlan reads back to an equal plan, every setting written out.
[[nodiscard]] std::string PlanDocument(const linker::MatchPlan& plan);

// The same as JSON, for reports.
[[nodiscard]] nlohmann::ordered_json PlanJson(const linker::MatchPlan& plan);

[[nodiscard]] std::string_view FeatureKindName(linker::FeatureKind kind);  // "NAME"

}  // namespace sluis::cli
