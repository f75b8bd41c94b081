#include "disclosure/table/columns.h"

#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace sluis::disclosure {
namespace {

using common::FieldType;

static_assert(std::endian::native == std::endian::little, "sealed rows are little-endian and read by copying");

template <typename T>
T Read(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <typename T>
void AppendColumn(std::string_view rows, std::size_t width, std::size_t offset, std::vector<T>& out) {
  const std::size_t n = rows.size() / width;
  const std::size_t old = out.size();
  out.resize(old + n);
  for (std::size_t i = 0; i < n; ++i) out[old + i] = Read<T>(rows.data() + i * width + offset);
}

}  // namespace

RegisterColumns::RegisterColumns(const common::PermitRegister* schema) : schema_(schema) {
  for (const common::PermitField& field : schema->fields) columns_.push_back({.type = field.type});
}

absl::Status RegisterColumns::AppendRows(std::string_view rows, std::span<const std::int32_t> persons) {
  const std::size_t width = schema_->RowWidth();
  const auto error = [this](const std::string& what) {
    return absl::InvalidArgumentError(absl::StrCat("register ", schema_->name, ": ", what));
  };
  if (width == 0 || rows.size() % width != 0) {
    return error(absl::StrCat("the opened rows are not whole rows of ", width, " bytes"));
  }
  const std::size_t n = rows.size() / width;
  if (persons.size() != (schema_->backbone ? 0 : n)) {
    return error("each row needs its person, and rows of the backbone none");
  }
  for (std::size_t i = 0; i < persons.size(); ++i) {
    if (persons[i] < -1) return error(absl::StrCat("row ", i, ": the person is below -1"));
  }
  std::size_t offset = 0;
  for (const common::PermitField& field : schema_->fields) {
    for (std::size_t i = 0; i < n; ++i) {
      const char* at = rows.data() + i * width + offset;
      if (field.type == FieldType::kCode) {
        const auto code = Read<std::uint16_t>(at);
        if (code >= field.codes.size() && code != common::kMissingCode) {
          return error(absl::StrCat("row ", i, ": field ", field.name, " has a code that the permit lacks"));
        }
      } else if (field.type == FieldType::kInteger) {
        const auto value = Read<std::int64_t>(at);
        // Custodians check the range before they round towards zero.
        const std::int64_t minimum =
            field.minimum > 0 ? field.minimum / field.round_to * field.round_to : field.minimum;
        if (value != common::kMissingInteger && (value < minimum || value > field.maximum)) {
          return error(absl::StrCat("row ", i, ": field ", field.name, " is outside the permit's range"));
        }
      }
    }
    offset += common::FieldWidth(field.type);
  }
  offset = 0;
  for (std::size_t f = 0; f < columns_.size(); ++f) {
    Column& column = columns_[f];
    switch (column.type) {
      case FieldType::kCode:
        AppendColumn(rows, width, offset, column.codes);
        break;
      case FieldType::kDate:
        AppendColumn(rows, width, offset, column.dates);
        break;
      case FieldType::kInteger:
        AppendColumn(rows, width, offset, column.integers);
        break;
      case FieldType::kToken:
        AppendColumn(rows, width, offset, column.tokens);
        break;
    }
    offset += common::FieldWidth(column.type);
  }
  persons_.insert(persons_.end(), persons.begin(), persons.end());
  rows_ += static_cast<std::int64_t>(n);
  return absl::OkStatus();
}

absl::Status RegisterColumns::CheckPersons(std::int64_t persons) const {
  for (std::size_t i = 0; i < persons_.size(); ++i) {
    if (persons_[i] >= persons) {
      return absl::InvalidArgumentError(
          absl::StrCat("register ", schema_->name, ": row ", i, " names a person whom the backbone lacks"));
    }
  }
  return absl::OkStatus();
}

}  // namespace sluis::disclosure
