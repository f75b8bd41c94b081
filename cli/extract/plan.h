#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/extract/code_list.h"
#include "common/permit/permit.h"
#include "common/schema/schema.h"

namespace sluis::cli {

// A schema and a permit that fit each other: which field of the file becomes which attribute.
struct ExtractPlan {
  common::Schema schema;
  common::PermitRegister permit_register;
  std::vector<std::size_t> attribute_source;  // by permit_register.fields: index into schema.fields
  CodeLists code_lists;

  // Checks that every attribute, match key and feature of the register has a source of fitting type and role, and that
  // every field of the schema which the permit does not use is ignored (minimisation).
  // Errors: INVALID_ARGUMENT with reason SCHEMA_PERMIT and all that does not fit, one line each; NOT_FOUND if the
  // permit has no register `register_name`.
  [[nodiscard]] static absl::StatusOr<std::shared_ptr<const ExtractPlan>> Make(common::Schema schema,
                                                                               const common::Permit& permit,
                                                                               std::string_view register_name,
                                                                               CodeLists code_lists);

  // Index in schema.fields of the field that the permit calls `permit_name`; schema.fields.size() if there is none.
  [[nodiscard]] std::size_t FieldIndex(std::string_view permit_name) const;
};

}  // namespace sluis::cli
