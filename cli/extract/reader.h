#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/extract/attributes.h"
#include "cli/extract/plan.h"
#include "cli/extract/rules.h"
#include "common/csv/byte_source.h"
#include "common/csv/record.h"
#include "common/schema/value.h"

namespace sluis::cli {

// One record of an extract; everything in it is valid until the next call of Next.
struct ExtractRow {
  std::uint64_t row = 0;  // as common::Record
  std::uint64_t line = 0;
  std::span<const common::Value> values;     // by schema field; those with x-role: ignore are missing
  std::span<const std::uint8_t> attributes;  // coarsened, RowWidth bytes; of no use if there are faults
  std::span<const RowFault> faults;          // empty: the row is good
  std::span<const RowFault> warnings;
};

// Reads an extract as schema and permit have it. Used twice: to check the whole file, then to prepare what leaves. The
// second pass checks again, since the file may have changed: a row with faults must then stop the delivery.
class ExtractReader {
 public:
  struct Options {
    common::ReadLimits limits = {};
    const common::SecretBytes* token_key = nullptr;  // see AttributeEncoder
  };

  // Reads the header. Columns that do not fit are no error here, but in header_faults(). Errors: those of
  // OpenFileSource, CsvReader::Open and FixedWidthReader::Open.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ExtractReader>> Open(const std::string& path,
                                                                           std::shared_ptr<const ExtractPlan> plan,
                                                                           const Options& options);
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ExtractReader>> OpenSource(
      std::unique_ptr<common::ByteSource> bytes, std::shared_ptr<const ExtractPlan> plan, const Options& options);

  // What is wrong with the columns; while there is anything, Next must not be called. Positions count from 1.
  const std::vector<RowFault>& header_faults() const { return header_faults_; }
  // Where reading stands (common::TableReader).
  const common::TableReader& table() const { return *table_; }
  // For people: "delimiter `;`, found in the header".
  const std::string& format() const { return format_; }
  const ExtractPlan& plan() const { return *plan_; }

  // Reads the next record; false at the end. Errors: as common::TableReader::Next; FAILED_PRECONDITION if the header
  // has faults. Cost: about 1 microsecond for 12 columns without patterns; no allocation.
  [[nodiscard]] absl::StatusOr<bool> Next(ExtractRow& row);

 private:
  ExtractReader(std::shared_ptr<const ExtractPlan> plan, const Options& options);
  void ResolveColumns(const std::vector<std::string>& header);
  void ReadValues(const common::Record& record);

  std::shared_ptr<const ExtractPlan> plan_;
  std::unique_ptr<common::TableReader> table_;
  std::vector<RowFault> header_faults_;
  std::string format_;
  std::vector<std::size_t> column_of_field_;
  std::vector<common::ValueReader> readers_;  // by schema field
  AttributeEncoder encoder_;
  std::vector<common::Value> values_;
  std::vector<std::uint8_t> attributes_;
  std::vector<RowFault> faults_;
  std::vector<RowFault> warnings_;
};

}  // namespace sluis::cli
