#include "common/csv/record.h"

#include "common/csv/text_source.h"

namespace sluis::common {

void CheckEncoding(Record& record) {
  for (std::size_t i = 0; i < record.fields.size(); ++i) {
    const std::string_view field = record.fields[i];
    if (IsPlainAscii(field)) continue;
    if (field.find('\0') != std::string_view::npos) {
      record.fault = RecordFault::kNul;
    } else if (!IsValidUtf8(field)) {
      record.fault = RecordFault::kEncoding;
    } else {
      continue;
    }
    record.fault_column = i + 1;
    return;
  }
}

}  // namespace sluis::common
