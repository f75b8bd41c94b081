#include "cli/extract/code_list.h"

#include <vector>

#include "common/csv/csv_reader.h"
#include "common/status/status.h"

namespace sluis::cli {

absl::StatusOr<CodeList> ParseCodeList(std::string_view bytes) {
  common::CsvOptions options;
  options.delimiter = ',';
  SLUIS_ASSIGN_OR_RETURN(const auto reader,
                         common::CsvReader::Open(common::MakeMemorySource(std::string(bytes)), options));
  if (reader->header() != std::vector<std::string>{"from", "to"}) {
    return absl::InvalidArgumentError("a code list must have the header from,to");
  }
  CodeList list;
  common::Record record;
  for (;;) {
    SLUIS_ASSIGN_OR_RETURN(const bool found, reader->Next(record));
    if (!found) return list;
    if (record.fault != common::RecordFault::kNone ||
        !list.emplace(std::string(record.fields[0]), std::string(record.fields[1])).second) {
      return absl::InvalidArgumentError("code list, row " + std::to_string(record.row) +
                                        ": malformed, or the same `from` as an earlier row");
    }
  }
}

}  // namespace sluis::cli
