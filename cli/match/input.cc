#include "cli/match/input.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/extract/rules.h"
#include "cli/extract/unique_check.h"
#include "common/crypto/crypto.h"
#include "common/csv/csv_reader.h"
#include "common/csv/fixed_width_reader.h"
#include "common/schema/value.h"
#include "common/status/status.h"
#include "linker/encode/normalise.h"
#include "linker/encode/record_encoder.h"

namespace sluis::cli {
namespace {

using common::SchemaField;
using common::Value;
using common::ValueFault;
using common::ValueState;

constexpr std::uint64_t kProgressRecords = 16'384;
constexpr std::string_view kTooLong = "VALUE_TOO_LONG";
constexpr std::size_t kUniqueRows = std::numeric_limits<std::uint32_t>::max();

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Cuts `text` to `bytes` without splitting a character.
void Clip(std::string& text, std::size_t bytes) {
  while (bytes > 0 && (static_cast<std::uint8_t>(text[bytes]) & 0xC0) == 0x80) --bytes;
  text.resize(bytes);
}

// A field that features or passes use, and what its values turn out to be.
struct UsedField {
  std::size_t index = 0;  // in the schema
  std::size_t column = 0;
  common::ValueReader reader;
  std::string text;      // of the record at hand, as it is compared; empty: missing
  bool clipped = false;  // `text` is only the beginning of the value
  std::string first;     // the first value that was there
  FieldReport report;
};

absl::StatusOr<std::unique_ptr<common::TableReader>> OpenTable(std::unique_ptr<common::ByteSource> bytes,
                                                               const common::Schema& schema) {
  if (schema.fixed_width) {
    std::vector<common::FixedWidthColumn> columns;
    for (const SchemaField& field : schema.fields) columns.push_back(*field.fixed_width);
    return common::FixedWidthReader::Open(std::move(bytes), std::move(columns), schema.dialect.encoding, {});
  }
  common::CsvOptions csv;
  csv.delimiter = schema.dialect.delimiter;
  csv.quote = schema.dialect.quote;
  csv.header = schema.dialect.header;
  csv.encoding = schema.dialect.encoding;
  return common::CsvReader::Open(std::move(bytes), csv);
}

class InputReader {
 public:
  InputReader(const std::string& file, const InputOptions& options)
      : options_(options),
        schema_(*options.schema),
        exact_hasher_(common::DeriveKey(*options.key, "sluis-match-exact-v1")),
        unique_(nullptr, common::DeriveKey(*options.key, "sluis-match-record-id-v1"), kUniqueRows) {
    input_.check.file = file;
    input_.check.register_name = options.name;
    input_.source.name = options.name;
    for (const std::size_t index : options.columns->features) feature_use_.push_back(Use(index));
    for (const std::size_t index : options.columns->passes) pass_use_.push_back(Use(index));
    input_.source.exact.resize(pass_use_.size());
  }

  absl::StatusOr<Input> Run(std::unique_ptr<common::ByteSource> bytes) {
    auto table = OpenTable(std::move(bytes), schema_);
    if (!table.ok()) return Fail(table.status(), 0, 0);
    ResolveColumns(**table);
    if (!input_.check.totals.empty()) return Finish();
    SLUIS_RETURN_IF_ERROR(PrepareEncoder());
    for (;;) {
      common::Record record;
      const absl::StatusOr<bool> found = (*table)->Next(record);
      if (!found.ok()) return Fail(found.status(), (*table)->row(), (*table)->line());
      if (!*found) break;
      SLUIS_RETURN_IF_ERROR(Add(record));
    }
    input_.check.complete = true;
    SLUIS_RETURN_IF_ERROR(unique_.Finish([&](std::uint64_t row, std::uint64_t line) {
      AddFinding(row, line, KeyField().name, RuleCode(Rule::kPrimaryKey),
                 "an earlier row has the same record id: ids must differ within a file");
    }));
    return Finish();
  }

 private:
  const SchemaField& KeyField() const { return schema_.fields[options_.columns->record_id]; }

  std::size_t Use(std::size_t index) {
    for (std::size_t i = 0; i < used_.size(); ++i) {
      if (used_[i].index == index) return i;
    }
    UsedField used{index, 0, common::ValueReader(schema_.fields[index]), {}, false, {}, {}};
    used.report.name = schema_.fields[index].name;
    used_.push_back(std::move(used));
    return used_.size() - 1;
  }

  void AddFinding(std::uint64_t row, std::uint64_t line, std::string column, std::string_view rule,
                  std::string message) {
    CheckReport& check = input_.check;
    ++check.totals[std::string(rule)];
    if (check.errors.size() >= options_.error_cap) {
      check.truncated = true;
      return;
    }
    check.errors.push_back({row, line, std::move(column), std::string(rule), std::move(message)});
  }

  Input Fail(const absl::Status& status, std::uint64_t row, std::uint64_t line) {
    const std::string reason = common::ReasonOf(status);
    AddFinding(row, line, "", reason.empty() ? "FILE_IO" : reason, std::string(status.message()));
    return Finish();
  }

  // Columns are found by name; those that nothing uses need not be there.
  void ResolveColumns(const common::TableReader& table) {
    const std::vector<std::string>& header = table.header();
    if (header.empty()) {
      for (UsedField& used : used_) used.column = used.index;
      id_column_ = options_.columns->record_id;
      columns_ = schema_.fields.size();
      return;
    }
    columns_ = header.size();
    const auto find = [&](std::size_t index) -> std::size_t {
      const std::string& name = schema_.fields[index].name;
      const auto count = std::ranges::count(header, name);
      if (count != 1) {
        const Rule rule = count == 0 ? Rule::kColumnMissing : Rule::kColumnDuplicate;
        AddFinding(1, table.line(), name, RuleCode(rule), Explain({rule, nullptr, nullptr, 0}));
      }
      return static_cast<std::size_t>(std::ranges::find(header, name) - header.begin());
    };
    id_column_ = find(options_.columns->record_id);
    for (UsedField& used : used_) {
      if (used.index != options_.columns->record_id) used.column = find(used.index);
      if (used.index == options_.columns->record_id) used.column = id_column_;
    }
    const auto undeclared = std::ranges::count_if(header, [&](const std::string& name) {
      return std::ranges::none_of(schema_.fields, [&](const SchemaField& field) { return field.name == name; });
    });
    if (undeclared > 0) {
      input_.check.warnings[std::string(RuleCode(Rule::kColumnUndeclared))] = static_cast<std::uint64_t>(undeclared);
    }
  }

  absl::Status PrepareEncoder() {
    const linker::EncodingPlan& plan = options_.plan->encoding;
    if (plan.features.empty()) return absl::OkStatus();
    // Of each source its own, as custodians have it: equal records differ in noise.
    noise_key_ = common::DeriveKey(*options_.key, absl::StrCat("sluis-match-noise-v1 ", options_.name));
    auto encoder = linker::RecordEncoder::Make(
        plan, *options_.seeds, {.noise_key = &noise_key_, .date_orders = options_.columns->date_orders});
    if (!encoder.ok()) return encoder.status();
    encoder_.emplace(*std::move(encoder));
    if (plan.profile == linker::EncodingProfile::kFieldLevel) {
      for (std::size_t i = 0; i < plan.features.size(); ++i) {
        SLUIS_ASSIGN_OR_RETURN(linker::FieldColumn column, linker::FieldColumn::Create(plan.EncodedBits()));
        input_.source.columns.push_back(std::move(column));
      }
    } else {
      SLUIS_ASSIGN_OR_RETURN(linker::EncodingTable table, linker::EncodingTable::Create(plan.EncodedBits()));
      input_.source.tables.push_back(std::move(table));
    }
    return absl::OkStatus();
  }

  absl::Status Add(common::Record& record) {
    CheckReport& check = input_.check;
    if (check.records % kProgressRecords == 0) {
      if (options_.cancelled && options_.cancelled()) return absl::CancelledError("stopped; nothing was written");
      if (options_.progress) options_.progress(check.records);
    }
    ++check.records;
    if (record.fault == common::RecordFault::kNone && record.fields.size() != columns_) {
      record.fault = common::RecordFault::kArity;
    }
    if (record.fault != common::RecordFault::kNone) {
      const Rule rule = RuleOf(record.fault);
      AddFinding(record.row, record.line, ColumnName(record.fault_column), RuleCode(rule),
                 Explain({rule, nullptr, nullptr, record.fault_column}));
      return absl::OkStatus();
    }
    const std::string_view id = Trim(record.fields[id_column_]);
    if (id.empty()) {
      AddFinding(record.row, record.line, KeyField().name, RuleCode(Rule::kPrimaryKey),
                 "the record id is missing: every record needs one, so that links.csv can name it");
      return absl::OkStatus();
    }
    ++check.good_records;
    SLUIS_RETURN_IF_ERROR(unique_.Add(id, record.row, record.line));
    if (!check.totals.empty()) return absl::OkStatus();  // the file is refused: only its faults are of interest
    if (input_.ids.size() == std::numeric_limits<std::uint32_t>::max() - 1) {
      return absl::ResourceExhaustedError("a file has more than 4,294,967,294 records");
    }
    input_.ids.Add(id);
    for (UsedField& used : used_) ReadValue(record.fields[used.column], used);
    SLUIS_RETURN_IF_ERROR(AddExact());
    return Encode();
  }

  // The name of the schema for a position of the file, from 1; empty for 0.
  std::string ColumnName(std::size_t position) const {
    if (position == 0) return "";
    for (const UsedField& used : used_) {
      if (used.column + 1 == position) return used.report.name;
    }
    return absl::StrCat("column ", position);
  }

  void ReadValue(std::string_view raw, UsedField& used) {
    const SchemaField& field = schema_.fields[used.index];
    Value value;
    const ValueFault fault = used.reader.Read(raw, value);
    used.text.clear();
    if (fault == ValueFault::kElevenTest) {
      ++used.report.warnings[std::string(RuleCode(Rule::kIdentifierElevenTest))];
    } else if (fault == ValueFault::kNone) {
      common::AppendComparable(field, value, used.text);
    } else {
      ++used.report.warnings[std::string(RuleCode(RuleOf(fault)))];
      const std::string_view text = Trim(raw);
      const std::optional<Value> typed = common::ParseTyped(field, text);
      if (fault == ValueFault::kRequired) {
        used.text.clear();
      } else if (typed && typed->state != ValueState::kMissing) {
        common::AppendComparable(field, *typed, used.text);
      } else {
        used.text = text;
      }
    }
    used.clipped = used.text.size() > linker::kMaxTokenisedBytes;
    if (used.clipped) {
      ++used.report.warnings[std::string(kTooLong)];
      Clip(used.text, linker::kMaxTokenisedBytes);
    }
    if (used.text.empty()) {
      ++used.report.missing;
    } else if (used.first.empty()) {
      used.first = used.text;
      used.report.constant = true;
    } else if (used.report.constant && used.text != used.first) {
      used.report.constant = false;
    }
  }

  absl::Status AddExact() {
    for (std::size_t pass = 0; pass < pass_use_.size(); ++pass) {
      // The beginning of a long identifier is not the identifier.
      const UsedField& used = used_[pass_use_[pass]];
      const std::string_view text = used.clipped ? std::string_view() : used.text;
      const auto normaliser = options_.plan->passes[pass].normaliser == linker::ExactNormaliser::kBsn
                                  ? common::Normaliser::kBsn
                                  : common::Normaliser::kText;
      SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> normal, linker::Normalise(normaliser, text));
      linker::Token token{0, 0};
      if (normal && !normal->empty()) {
        const common::Hash256 hash = exact_hasher_.Compute(absl::StrCat(pass, ":"), *normal);
        std::memcpy(&token, hash.data(), sizeof(token));
      }
      input_.source.exact[pass].push_back(token);
    }
    return absl::OkStatus();
  }

  absl::Status Encode() {
    const auto record = static_cast<std::uint32_t>(input_.ids.size() - 1);
    if (!encoder_) return absl::OkStatus();
    values_.clear();
    for (const std::size_t use : feature_use_) values_.push_back(used_[use].text);
    SLUIS_RETURN_IF_ERROR(encoder_->Encode(values_, encoding_));
    linker::MatchSource& source = input_.source;
    if (options_.plan->encoding.profile == linker::EncodingProfile::kRecordLevel) {
      if (encoding_.present == 0) return absl::OkStatus();
      source.record_of_row.push_back(record);
      return source.tables[0].Append(encoding_.Row(0));
    }
    for (std::size_t i = 0; i < source.columns.size(); ++i) {
      if (!encoding_.HasFeature(i)) {
        source.columns[i].AppendMissing();
      } else {
        SLUIS_RETURN_IF_ERROR(source.columns[i].Append(encoding_.Row(i)));
      }
    }
    return absl::OkStatus();
  }

  Input Finish() {
    input_.source.records = static_cast<std::uint32_t>(input_.ids.size());
    for (UsedField& used : used_) {
      for (const auto& [rule, count] : used.report.warnings) input_.check.warnings[rule] += count;
      input_.fields.push_back(std::move(used.report));
    }
    std::ranges::stable_sort(input_.check.errors, {}, &Finding::row);
    return std::move(input_);
  }

  const InputOptions& options_;
  const common::Schema& schema_;
  common::HmacSha256 exact_hasher_;
  UniqueCheck unique_;
  common::SecretBytes noise_key_;
  std::optional<linker::RecordEncoder> encoder_;
  std::vector<UsedField> used_;
  std::vector<std::size_t> feature_use_, pass_use_;  // in used_
  std::size_t id_column_ = 0, columns_ = 0;
  std::vector<std::string_view> values_;
  linker::Encoding encoding_;
  Input input_;
};

}  // namespace

void RecordIds::Add(std::string_view id) {
  chars_ += id;
  ends_.push_back(chars_.size());
}

std::string SourceName(std::string_view path) {
  std::string_view name = path.substr(path.find_last_of('/') + 1);
  for (const std::string_view compressed : {".gz", ".zst"}) {
    if (name.ends_with(compressed)) name.remove_suffix(compressed.size());
  }
  const std::size_t point = name.find_last_of('.');
  return std::string(point == std::string_view::npos || point == 0 ? name : name.substr(0, point));
}

absl::StatusOr<Input> ReadInput(const std::string& path, const InputOptions& options) {
  SLUIS_ASSIGN_OR_RETURN(auto bytes, common::OpenFileSource(path));
  return ReadInputSource(std::move(bytes), path, options);
}

absl::StatusOr<Input> ReadInputSource(std::unique_ptr<common::ByteSource> bytes, const std::string& name,
                                      const InputOptions& options) {
  return InputReader(name, options).Run(std::move(bytes));
}

}  // namespace sluis::cli
