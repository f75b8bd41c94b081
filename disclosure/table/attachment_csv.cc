#include "disclosure/table/attachment_csv.h"

#include <csv.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sluis::disclosure {
namespace {

struct Collector {
  std::vector<std::vector<std::string>> records;
  std::vector<std::string> record;
};

void OnCell(void* text, std::size_t length, void* data) {
  static_cast<Collector*>(data)->record.emplace_back(static_cast<const char*>(text), length);
}

void OnRecord(int, void* data) {
  auto* collector = static_cast<Collector*>(data);
  collector->records.push_back(std::move(collector->record));
  collector->record.clear();
}

}  // namespace

absl::StatusOr<std::vector<std::vector<std::string>>> ReadAttachmentCsv(std::string_view content, std::string_view name,
                                                                        const std::vector<std::string>& header) {
  const std::string file(name);
  if (content.substr(0, 3) == "\xEF\xBB\xBF") content.remove_prefix(3);
  csv_parser parser;
  if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) return absl::InternalError("csv parser");
  const std::unique_ptr<csv_parser, void (*)(csv_parser*)> freed(&parser, csv_free);
  Collector collector;
  if (csv_parse(&parser, content.data(), content.size(), OnCell, OnRecord, &collector) != content.size() ||
      csv_fini(&parser, OnCell, OnRecord, &collector) != 0) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": record ", collector.records.size() + 1,
                                                   ": broken quoting; quote cells as RFC 4180 says"));
  }
  std::vector<std::vector<std::string>>& records = collector.records;
  if (records.empty()) return absl::InvalidArgumentError(absl::StrCat(file, ": is empty; expected a header"));
  if (!header.empty() && records[0] != header) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": the header must be ", absl::StrJoin(header, ",")));
  }
  for (std::size_t i = 1; i < records.size(); ++i) {
    if (records[i].size() != records[0].size()) {
      return absl::InvalidArgumentError(absl::StrCat(file, ": record ", i + 1, ": ", records[i].size(),
                                                     " cells where the header has ", records[0].size()));
    }
  }
  if (!header.empty()) records.erase(records.begin());
  return std::move(records);
}

}  // namespace sluis::disclosure
