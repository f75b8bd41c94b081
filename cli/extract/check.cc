#include "cli/extract/check.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "cli/extract/reader.h"
#include "cli/extract/unique_check.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

using common::SchemaField;
using common::Value;
using common::ValueState;

constexpr std::uint64_t kProgressRecords = 65'536;

// The keys whose values may not repeat: each `unique` field, and the primary key.
struct UniqueKey {
  Rule rule;
  std::vector<std::size_t> fields;
  std::unique_ptr<UniqueCheck> check;
};

class Checker {
 public:
  Checker(const std::string& name, const std::shared_ptr<const ExtractPlan>& plan, const CheckOptions& options)
      : plan_(plan), options_(options) {
    report_.file = name;
    report_.register_name = plan->permit_register.name;
  }

  CheckReport Fail(const absl::Status& status, std::uint64_t row, std::uint64_t line) {
    std::string rule = common::ReasonOf(status);
    if (rule.empty()) rule = "FILE_IO";
    Add({row, line, "", std::move(rule), std::string(status.message())});
    return Result();
  }

  CheckReport Run(std::unique_ptr<common::ByteSource> bytes) {
    auto reader = ExtractReader::OpenSource(std::move(bytes), plan_, {.limits = options_.limits});
    if (!reader.ok()) return Fail(reader.status(), 0, 0);
    report_.format = (*reader)->format();
    for (const RowFault& fault : (*reader)->header_faults()) Add(fault, 1, (*reader)->table().line());
    if (!report_.totals.empty()) return Result();
    if (const absl::Status status = PrepareUniqueKeys(); !status.ok()) return Fail(status, 0, 0);
    if (const absl::Status status = ReadRows(**reader); !status.ok()) {
      return Fail(status, (*reader)->table().row(), (*reader)->table().line());
    }
    if (const absl::Status status = FinishUniqueKeys(); !status.ok()) return Fail(status, 0, 0);
    return Result();
  }

 private:
  void Add(Finding finding) {
    ++report_.totals[finding.rule];
    Keep(std::move(finding));
  }
  void Keep(Finding finding) {
    if (report_.errors.size() < options_.error_cap) {
      report_.errors.push_back(std::move(finding));
    } else {
      report_.truncated = true;
    }
  }
  void Add(const RowFault& fault, std::uint64_t row, std::uint64_t line) {
    ++report_.totals[std::string(RuleCode(fault.rule))];
    if (report_.errors.size() >= options_.error_cap) {
      report_.truncated = true;
      return;
    }
    std::string column;
    if (fault.field != nullptr) {
      column = fault.field->name;
    } else if (fault.column > 0) {
      column = "column " + std::to_string(fault.column);
    }
    Keep({row, line, std::move(column), std::string(RuleCode(fault.rule)), Explain(fault)});
  }

  absl::Status PrepareUniqueKeys() {
    const common::Schema& schema = plan_->schema;
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
      if (schema.fields[i].constraints.unique && schema.fields[i].role != common::FieldRole::kIgnore) {
        keys_.push_back({Rule::kValueUnique, {i}, nullptr});
      }
    }
    if (!schema.primary_key.empty()) keys_.push_back({Rule::kPrimaryKey, schema.primary_key, nullptr});
    if (keys_.empty()) return absl::OkStatus();
    if (options_.unique_key == nullptr) return absl::InternalError("no key for hashing unique values was given");
    for (UniqueKey& key : keys_) {
      key.check = std::make_unique<UniqueCheck>(options_.spill, *options_.unique_key,
                                                std::max<std::size_t>(1, options_.unique_memory_rows));
    }
    return absl::OkStatus();
  }

  absl::Status ReadRows(ExtractReader& reader) {
    ExtractRow row;
    for (;;) {
      SLUIS_ASSIGN_OR_RETURN(const bool found, reader.Next(row));
      if (!found) break;
      if (report_.records == plan_->permit_register.max_records) {
        Add(RowFault{Rule::kRecordsTooMany}, row.row, row.line);
        return absl::OkStatus();
      }
      ++report_.records;
      for (const RowFault& fault : row.faults) Add(fault, row.row, row.line);
      for (const RowFault& warning : row.warnings) ++warnings_[static_cast<std::size_t>(warning.rule)];
      if (row.faults.empty()) {
        ++report_.good_records;
        for (UniqueKey& key : keys_) SLUIS_RETURN_IF_ERROR(AddKey(key, row));
      }
      if (options_.progress && report_.records % kProgressRecords == 0) options_.progress(report_.records);
    }
    report_.complete = true;
    if (report_.records == 0) Add(RowFault{Rule::kRegisterEmpty}, 0, 0);
    return absl::OkStatus();
  }

  // Rows without the key are not compared: a missing identifier is a warning, other missing parts are errors already.
  absl::Status AddKey(UniqueKey& key, const ExtractRow& row) {
    key_text_.clear();
    for (const std::size_t i : key.fields) {
      const Value& value = row.values[i];
      if (value.state == ValueState::kMissing) return absl::OkStatus();
      const std::size_t begin = key_text_.size();
      common::AppendText(plan_->schema.fields[i], value, key_text_);
      key_text_ += '\0';
      key_text_ += std::to_string(key_text_.size() - begin);  // so that ("ab","c") and ("a","bc") differ
    }
    return key.check->Add(key_text_, row.row, row.line);
  }

  absl::Status FinishUniqueKeys() {
    if (!report_.complete) return absl::OkStatus();
    for (UniqueKey& key : keys_) {
      const SchemaField& field = plan_->schema.fields[key.fields.front()];
      SLUIS_RETURN_IF_ERROR(key.check->Finish([&](std::uint64_t row, std::uint64_t line) {
        Add(RowFault{key.rule, &field, nullptr, 0}, row, line);
      }));
    }
    return absl::OkStatus();
  }

  CheckReport Result() {
    for (std::size_t rule = 0; rule < warnings_.size(); ++rule) {
      if (warnings_[rule] > 0) report_.warnings.emplace(RuleCode(static_cast<Rule>(rule)), warnings_[rule]);
    }
    std::stable_sort(report_.errors.begin(), report_.errors.end(),
                     [](const Finding& a, const Finding& b) { return a.row < b.row; });
    return std::move(report_);
  }

  const std::shared_ptr<const ExtractPlan>& plan_;
  const CheckOptions& options_;
  CheckReport report_;
  std::vector<UniqueKey> keys_;
  std::array<std::uint64_t, static_cast<std::size_t>(Rule::kIdentifierElevenTest) + 1> warnings_{};
  std::string key_text_;
};

}  // namespace

CheckReport CheckExtract(const std::string& path, const std::shared_ptr<const ExtractPlan>& plan,
                         const CheckOptions& options) {
  absl::StatusOr<std::unique_ptr<common::ByteSource>> bytes = common::OpenFileSource(path);
  if (!bytes.ok()) return Checker(path, plan, options).Fail(bytes.status(), 0, 0);
  return CheckExtractSource(*std::move(bytes), path, plan, options);
}

CheckReport CheckExtractSource(std::unique_ptr<common::ByteSource> bytes, const std::string& name,
                               const std::shared_ptr<const ExtractPlan>& plan, const CheckOptions& options) {
  return Checker(name, plan, options).Run(std::move(bytes));
}

}  // namespace sluis::cli
