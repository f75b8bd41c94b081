#include "cli/extract/reader.h"

#include <map>
#include <utility>

#include "common/csv/csv_reader.h"
#include "common/csv/fixed_width_reader.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

using common::FieldRole;
using common::Schema;
using common::SchemaField;
using common::Value;
using common::ValueFault;
using common::ValueState;

std::string DescribeDelimiter(const common::CsvReader& reader) {
  const std::string name = reader.delimiter() == '\t' ? "tab" : "`" + std::string(1, reader.delimiter()) + "`";
  return "delimiter " + name + (reader.delimiter_detected() ? ", found in the header" : ", as declared");
}

}  // namespace

ExtractReader::ExtractReader(std::shared_ptr<const ExtractPlan> plan, const Options& options)
    : plan_(std::move(plan)), encoder_(plan_, options.token_key) {
  for (const SchemaField& field : plan_->schema.fields) readers_.emplace_back(field);
  values_.resize(plan_->schema.fields.size());
  attributes_.resize(encoder_.row_width());
}

absl::StatusOr<std::unique_ptr<ExtractReader>> ExtractReader::Open(const std::string& path,
                                                                   std::shared_ptr<const ExtractPlan> plan,
                                                                   const Options& options) {
  SLUIS_ASSIGN_OR_RETURN(auto bytes, common::OpenFileSource(path));
  return OpenSource(std::move(bytes), std::move(plan), options);
}

absl::StatusOr<std::unique_ptr<ExtractReader>> ExtractReader::OpenSource(std::unique_ptr<common::ByteSource> bytes,
                                                                         std::shared_ptr<const ExtractPlan> plan,
                                                                         const Options& options) {
  std::unique_ptr<ExtractReader> reader(new ExtractReader(std::move(plan), options));
  const Schema& schema = reader->plan_->schema;
  if (schema.fixed_width) {
    std::vector<common::FixedWidthColumn> columns;
    for (const SchemaField& field : schema.fields) columns.push_back(*field.fixed_width);
    SLUIS_ASSIGN_OR_RETURN(reader->table_, common::FixedWidthReader::Open(std::move(bytes), std::move(columns),
                                                                          schema.dialect.encoding, options.limits));
    reader->format_ = "fixed width";
  } else {
    common::CsvOptions csv;
    csv.delimiter = schema.dialect.delimiter;
    csv.quote = schema.dialect.quote;
    csv.header = schema.dialect.header;
    csv.encoding = schema.dialect.encoding;
    csv.limits = options.limits;
    SLUIS_ASSIGN_OR_RETURN(auto table, common::CsvReader::Open(std::move(bytes), csv));
    reader->format_ = DescribeDelimiter(*table);
    reader->table_ = std::move(table);
  }
  reader->ResolveColumns(reader->table_->header());
  return reader;
}

void ExtractReader::ResolveColumns(const std::vector<std::string>& header) {
  const auto& fields = plan_->schema.fields;
  column_of_field_.resize(fields.size());
  if (header.empty()) {
    for (std::size_t i = 0; i < fields.size(); ++i) column_of_field_[i] = i;
    return;
  }
  std::map<std::string_view, std::size_t> field_by_name;
  for (std::size_t i = 0; i < fields.size(); ++i) field_by_name.emplace(fields[i].name, i);
  std::vector<bool> found(fields.size());
  for (std::size_t column = 0; column < header.size(); ++column) {
    const auto entry = field_by_name.find(header[column]);
    if (entry == field_by_name.end()) {
      // By position only: in a file without a header the first row holds values, and those are never repeated.
      header_faults_.push_back({Rule::kColumnUndeclared, nullptr, nullptr, column + 1});
      continue;
    }
    const std::size_t index = entry->second;
    if (found[index]) header_faults_.push_back({Rule::kColumnDuplicate, &fields[index], nullptr, column + 1});
    if (plan_->schema.fields_match == common::FieldsMatch::kExact && index != column && header_faults_.empty()) {
      header_faults_.push_back({Rule::kColumnOrder, &fields[index], nullptr, column + 1});
    }
    found[index] = true;
    column_of_field_[index] = column;
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!found[i]) header_faults_.push_back({Rule::kColumnMissing, &fields[i], nullptr, 0});
  }
}

void ExtractReader::ReadValues(const common::Record& record) {
  const auto& fields = plan_->schema.fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const SchemaField& field = fields[i];
    if (field.role == FieldRole::kIgnore) continue;
    const std::size_t column = column_of_field_[i];
    const ValueFault fault = readers_[i].Read(record.fields[column], values_[i]);
    if (fault == ValueFault::kElevenTest) {
      warnings_.push_back({Rule::kIdentifierElevenTest, &field, nullptr, column + 1});
    } else if (fault != ValueFault::kNone) {
      faults_.push_back({RuleOf(fault), &field, nullptr, column + 1});
    } else if (field.role == FieldRole::kIdentifier && values_[i].state == ValueState::kMissing) {
      warnings_.push_back({Rule::kIdentifierMissing, &field, nullptr, column + 1});
    }
  }
  for (const std::size_t i : plan_->schema.primary_key) {
    const bool counted = fields[i].role == FieldRole::kIdentifier;  // as a warning already
    if (values_[i].state == ValueState::kMissing && !counted && faults_.empty()) {
      faults_.push_back({Rule::kPrimaryKey, &fields[i], nullptr, column_of_field_[i] + 1});
    }
  }
}

absl::StatusOr<bool> ExtractReader::Next(ExtractRow& row) {
  if (!header_faults_.empty()) {
    return absl::FailedPreconditionError("the file's columns are not those of the schema");
  }
  common::Record record;
  SLUIS_ASSIGN_OR_RETURN(const bool found, table_->Next(record));
  if (!found) return false;
  faults_.clear();
  warnings_.clear();
  if (record.fault == common::RecordFault::kNone && record.fields.size() != values_.size()) {
    record.fault = common::RecordFault::kArity;  // a file without a header
  }
  if (record.fault == common::RecordFault::kNone) {
    ReadValues(record);
    encoder_.Encode(values_, attributes_, faults_);
  } else {
    RowFault fault{RuleOf(record.fault), nullptr, nullptr, record.fault_column};
    for (std::size_t i = 0; i < column_of_field_.size() && record.fault_column > 0; ++i) {
      if (column_of_field_[i] + 1 == record.fault_column) fault.field = &plan_->schema.fields[i];
    }
    faults_.push_back(fault);
  }
  row = ExtractRow{record.row, record.line, values_, attributes_, faults_, warnings_};
  return true;
}

}  // namespace sluis::cli
