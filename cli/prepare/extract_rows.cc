#include "cli/prepare/extract_rows.h"

#include <utility>

#include "common/bytes/secret.h"
#include "common/status/status.h"

namespace sluis::cli {

absl::StatusOr<ExtractRows> ExtractRows::Make(ExtractReader& reader, const common::Permit& permit) {
  if (!reader.header_faults().empty()) {
    return absl::FailedPreconditionError("the columns of the extract do not fit its schema: check the extract first");
  }
  ExtractRows rows(reader);
  const ExtractPlan& plan = reader.plan();
  for (const std::string& name : plan.permit_register.match_keys) {
    const common::MatchKey* key = permit.FindMatchKey(name);
    if (key == nullptr) {
      return absl::InvalidArgumentError("the permit lacks the match key " + name + " of register " +
                                        plan.permit_register.name);
    }
    std::vector<std::size_t>& fields = rows.fields_.emplace_back();
    for (const common::MatchKeyComponent& component : key->components) {
      const std::size_t index = plan.FieldIndex(component.source);
      if (index == plan.schema.fields.size()) {
        return absl::InvalidArgumentError("the schema lacks the field " + component.source + " of match key " + name);
      }
      fields.push_back(index);
    }
    rows.texts_.emplace_back(fields.size());
  }
  return rows;
}

absl::StatusOr<bool> ExtractRows::Next(SourceRow& row) {
  ExtractRow extract;
  SLUIS_ASSIGN_OR_RETURN(const bool more, reader_->Next(extract));
  for (std::vector<std::string>& texts : texts_) {
    for (std::string& text : texts) {
      common::Wipe(text);
      text.clear();
    }
  }
  if (!more) {
    return false;
  }
  if (!extract.faults.empty()) {
    const RowFault& fault = extract.faults.front();
    const std::string field = fault.field == nullptr ? "" : ", field " + fault.field->name;
    return absl::InvalidArgumentError("row " + std::to_string(extract.row) + field + ": " + Explain(fault) +
                                      " (the file was changed after it was checked)");
  }
  row.components.resize(fields_.size());
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    for (std::size_t j = 0; j < fields_[i].size(); ++j) {
      const std::size_t field = fields_[i][j];
      common::AppendText(reader_->plan().schema.fields[field], extract.values[field], texts_[i][j]);
    }
    row.components[i].assign(texts_[i].begin(), texts_[i].end());
  }
  row.attributes = common::AsChars(extract.attributes);
  return true;
}

}  // namespace sluis::cli
