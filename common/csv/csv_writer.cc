#include "common/csv/csv_writer.h"

namespace sluis::common {

void CsvWriter::Field(std::string_view value) {
  if (fields_++ > 0) out_ += delimiter_;
  only_empty_ = only_empty_ && value.empty();
  const char special[] = {'"', '\r', '\n', delimiter_};
  if (value.find_first_of(std::string_view(special, sizeof special)) == std::string_view::npos) {
    out_ += value;
    return;
  }
  out_ += '"';
  for (const char c : value) {
    if (c == '"') out_ += '"';
    out_ += c;
  }
  out_ += '"';
}

void CsvWriter::EndRecord() {
  if (fields_ == 1 && only_empty_) out_ += "\"\"";  // else the record would be a blank line, which readers skip
  out_ += "\r\n";
  fields_ = 0;
  only_empty_ = true;
}

}  // namespace sluis::common
