#include "cli/submit/extract_source.h"

#include "absl/strings/str_cat.h"
#include "common/schema/value.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

absl::Status Changed() {
  return common::WithReason(
      absl::FailedPreconditionError("the file was changed while it was being submitted; submit it again"),
      "FILE_CHANGED");
}

}  // namespace

ExtractSource::ExtractSource(std::unique_ptr<ExtractReader> reader, std::shared_ptr<const ExtractPlan> plan,
                             const common::Permit& permit)
    : reader_(std::move(reader)),
      plan_(std::move(plan)),
      texts_(plan_->schema.fields.size()),
      needed_(plan_->schema.fields.size(), false) {
  for (const std::string& name : plan_->permit_register.match_keys) {
    std::vector<std::size_t>& components = fields_.emplace_back();
    for (const common::MatchKeyComponent& component : permit.FindMatchKey(name)->components) {
      components.push_back(plan_->FieldIndex(component.source));
      needed_[components.back()] = true;
    }
  }
}

absl::StatusOr<std::unique_ptr<ExtractSource>> ExtractSource::Open(const std::string& path,
                                                                   std::shared_ptr<const ExtractPlan> plan,
                                                                   const common::Permit& permit,
                                                                   const common::SecretBytes& token_key) {
  ExtractReader::Options options;
  options.token_key = &token_key;
  SLUIS_ASSIGN_OR_RETURN(std::unique_ptr<ExtractReader> reader, ExtractReader::Open(path, plan, options));
  if (!reader->header_faults().empty()) return Changed();
  return std::unique_ptr<ExtractSource>(new ExtractSource(std::move(reader), std::move(plan), permit));
}

absl::StatusOr<bool> ExtractSource::Next(SourceRow& row) {
  ExtractRow extract;
  SLUIS_ASSIGN_OR_RETURN(const bool more, reader_->Next(extract));
  if (!more) return false;
  if (!extract.faults.empty()) return Changed();
  for (std::size_t f = 0; f < texts_.size(); ++f) {
    if (!needed_[f]) continue;
    texts_[f].clear();
    common::AppendText(plan_->schema.fields[f], extract.values[f], texts_[f]);
  }
  row.components.resize(fields_.size());
  for (std::size_t k = 0; k < fields_.size(); ++k) {
    row.components[k].clear();
    for (const std::size_t f : fields_[k]) row.components[k].push_back(texts_[f]);
  }
  row.attributes = common::AsChars(extract.attributes);
  return true;
}

}  // namespace sluis::cli
