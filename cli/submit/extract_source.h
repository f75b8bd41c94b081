#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/extract/reader.h"
#include "cli/prepare/row_source.h"
#include "common/permit/permit.h"

namespace sluis::cli {

// The rows of a checked extract as the preparation reads them. A row with faults ends it: the file was changed after it
// was checked.
class ExtractSource final : public RowSource {
 public:
  // `token_key` and `permit` outlive the source. Errors: as ExtractReader::Open; FAILED_PRECONDITION if the header has
  // faults now.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ExtractSource>> Open(const std::string& path,
                                                                           std::shared_ptr<const ExtractPlan> plan,
                                                                           const common::Permit& permit,
                                                                           const common::SecretBytes& token_key);

  absl::StatusOr<bool> Next(SourceRow& row) override;

 private:
  ExtractSource(std::unique_ptr<ExtractReader> reader, std::shared_ptr<const ExtractPlan> plan,
                const common::Permit& permit);

  std::unique_ptr<ExtractReader> reader_;
  std::shared_ptr<const ExtractPlan> plan_;
  std::vector<std::vector<std::size_t>> fields_;  // by match key and component: index of the schema's field
  std::vector<std::string> texts_;                // by schema field: canonical text, where a match key needs it
  std::vector<bool> needed_;
};

}  // namespace sluis::cli
