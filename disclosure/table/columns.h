#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/permit/permit.h"

namespace sluis::disclosure {

// One attribute of a register in memory; only the vector of its type is filled, with one entry a row. Missing values as
// in common/permit/permit.h.
struct Column {
  common::FieldType type = common::FieldType::kCode;
  std::vector<std::uint16_t> codes{};    // positions in PermitField::codes
  std::vector<std::int32_t> dates{};     // days since 1970-01-01
  std::vector<std::int64_t> integers{};  // in PermitField::unit
  std::vector<std::uint64_t> tokens{};   // 0: missing
};

// The opened rows of one register as columns. The backbone has a row for each person, and its row number is the person;
// a row of another register names its person, or none if the linkage found none. Rows are in no meaningful order.
class RegisterColumns {
 public:
  // `schema` must outlive this object.
  explicit RegisterColumns(const common::PermitRegister* schema);

  // Appends opened rows: `rows` holds a whole number of rows of schema->RowWidth() bytes, laid out field after field as
  // common::FieldType says. `persons`: for each row the row number of its person in the backbone, or -1 if unlinked;
  // empty for the backbone itself.
  //
  // Errors (all or nothing; messages name register, row within `rows` and field, never a value):
  //   INVALID_ARGUMENT  `rows` is not a whole number of rows; `persons` has another length; a person below -1; a code
  //                     position outside the permit's codes; an integer outside the permit's range
  [[nodiscard]] absl::Status AppendRows(std::string_view rows, std::span<const std::int32_t> persons);

  // Returns OK if every person of a row is below `persons`, the number of rows of the backbone; otherwise
  // INVALID_ARGUMENT naming register and row.
  [[nodiscard]] absl::Status CheckPersons(std::int64_t persons) const;

  [[nodiscard]] const common::PermitRegister& schema() const { return *schema_; }
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] const Column& column(std::size_t field) const { return columns_[field]; }
  [[nodiscard]] std::span<const std::int32_t> persons() const { return persons_; }  // empty: the backbone

 private:
  const common::PermitRegister* schema_;
  std::int64_t rows_ = 0;
  std::vector<Column> columns_;
  std::vector<std::int32_t> persons_;
};

}  // namespace sluis::disclosure
