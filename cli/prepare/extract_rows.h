#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/extract/reader.h"
#include "cli/prepare/row_source.h"
#include "common/permit/permit.h"

namespace sluis::cli {

// The rows of a checked extract.
class ExtractRows : public RowSource {
 public:
  // Errors: FAILED_PRECONDITION if the reader's header has faults; INVALID_ARGUMENT if a match key or feature of the
  // reader's register names a field that the schema lacks. `reader` must outlive the source.
  [[nodiscard]] static absl::StatusOr<ExtractRows> Make(ExtractReader& reader, const common::Permit& permit);

  // Errors: INVALID_ARGUMENT with row and field at the first faulty row: the whole file was to be checked before, so it
  // has changed since; as ExtractReader::Next.
  [[nodiscard]] absl::StatusOr<bool> Next(SourceRow& row) override;

 private:
  explicit ExtractRows(ExtractReader& reader) : reader_(&reader) {}

  ExtractReader* reader_;
  std::vector<std::vector<std::size_t>> fields_;  // for each match key, indices of its components in the schema
  std::vector<std::vector<std::string>> texts_;   // the present row's values
  // For each feature of the permit, the index of its source in the schema; the number of fields if the register has no
  // such feature. Empty if it has none at all.
  std::vector<std::size_t> feature_fields_;
  std::vector<std::string> feature_texts_;
};

}  // namespace sluis::cli
