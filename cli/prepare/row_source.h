#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sluis::cli {

// One checked row of an extract.
struct SourceRow {
  // For each match key of the register, in its order: the values of the key's components as they stand in the extract,
  // UTF-8; empty: missing.
  std::vector<std::vector<std::string_view>> components;
  // If the register has features: the value of each feature of the permit's similarity, in its order, UTF-8; empty:
  // missing, or the register has no such feature. Else nothing.
  std::vector<std::string_view> features;
  // The coarsened attributes, PermitRegister::RowWidth() bytes, encoded as common/permit says.
  std::string_view attributes;
};

// Where rows come from; read once, from beginning to end.
class RowSource {
 public:
  virtual ~RowSource() = default;
  // Sets `row` to the next one, valid until the next call; false at the end. Errors: the source's own, which end the
  // preparation and reach its caller unchanged.
  [[nodiscard]] virtual absl::StatusOr<bool> Next(SourceRow& row) = 0;
};

}  // namespace sluis::cli
