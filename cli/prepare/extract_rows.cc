#include "cli/prepare/extract_rows.h"

#include <algorithm>
#include <utility>

#include "common/bytes/secret.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

void WipeAll(std::vector<std::string>& texts) {
  for (std::string& text : texts) {
    common::Wipe(text);
    text.clear();
  }
}

}  // namespace

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
  if (plan.permit_register.features.empty()) return rows;
  for (const common::SimilarityFeature& feature : permit.similarity->features) {
    const auto source = std::ranges::find(plan.permit_register.features, feature.name, &common::FeatureSource::feature);
    const bool has = source != plan.permit_register.features.end();
    rows.feature_fields_.push_back(has ? plan.FieldIndex(source->source) : plan.schema.fields.size());
    if (has && rows.feature_fields_.back() == plan.schema.fields.size()) {
      return absl::InvalidArgumentError("the schema lacks the field " + source->source + " of feature " + feature.name);
    }
  }
  rows.feature_texts_.resize(rows.feature_fields_.size());
  return rows;
}

absl::StatusOr<bool> ExtractRows::Next(SourceRow& row) {
  ExtractRow extract;
  SLUIS_ASSIGN_OR_RETURN(const bool more, reader_->Next(extract));
  for (std::vector<std::string>& texts : texts_) WipeAll(texts);
  WipeAll(feature_texts_);
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
  const std::vector<common::SchemaField>& fields = reader_->plan().schema.fields;
  for (std::size_t i = 0; i < feature_fields_.size(); ++i) {
    const std::size_t field = feature_fields_[i];
    if (field < fields.size()) common::AppendComparable(fields[field], extract.values[field], feature_texts_[i]);
  }
  row.features.assign(feature_texts_.begin(), feature_texts_.end());
  row.attributes = common::AsChars(extract.attributes);
  return true;
}

}  // namespace sluis::cli
