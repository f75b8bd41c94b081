#pragma once

#include <string>
#include <string_view>

namespace sluis::common {

// Appends records to a string as RFC 4180 has them: CRLF after each, quotes only where they are needed. The caller
// writes the string out and clears it whenever it likes.
class CsvWriter {
 public:
  explicit CsvWriter(std::string& out, char delimiter = ',') : out_(out), delimiter_(delimiter) {}

  void Field(std::string_view value);
  void EndRecord();

 private:
  std::string& out_;
  char delimiter_;
  std::size_t fields_ = 0;
  bool only_empty_ = true;
};

}  // namespace sluis::common
