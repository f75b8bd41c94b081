#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/csv/byte_source.h"
#include "common/csv/record.h"
#include "common/csv/text_source.h"

namespace sluis::common {

struct CsvOptions {
  char delimiter = 0;  // ',' ';' or tab; 0: the one that occurs most often in the header
  char quote = '"';
  bool header = true;
  Encoding encoding = Encoding::kUtf8;
  ReadLimits limits = {};
};

// Delimiter-separated values: RFC 4180 with LF, CR or CRLF, any of the delimiters above, and no repair of what is not
// well-formed. Blank lines are skipped. Parsing is libcsv's, in strict mode.
class CsvReader : public TableReader {
 public:
  // Reads the header, if there is one; its names lose spaces around them.
  // Errors: as TableReader::Next, and INVALID_ARGUMENT with reason
  //   FILE_EMPTY             the file has no record at all
  //   CSV_DELIMITER          none was declared and two occur equally often in the header
  //   CSV_ENCODING, CSV_NUL  in the header
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<CsvReader>> Open(std::unique_ptr<ByteSource> bytes,
                                                                       const CsvOptions& options);
  ~CsvReader() override;

  [[nodiscard]] absl::StatusOr<bool> Next(Record& record) override;
  const std::vector<std::string>& header() const override { return header_; }
  std::uint64_t row() const override { return row_; }
  std::uint64_t line() const override { return line_; }

  char delimiter() const { return options_.delimiter; }
  // True if the delimiter was found in the header, not declared.
  bool delimiter_detected() const { return detected_; }

 private:
  class Parser;

  CsvReader(std::unique_ptr<ByteSource> bytes, const CsvOptions& options);
  [[nodiscard]] absl::Status DetectDelimiter();
  [[nodiscard]] absl::Status Start();
  [[nodiscard]] absl::Status ParseNextBlock();

  CsvOptions options_;
  TextSource text_;
  std::string head_;  // text that was read to find the delimiter
  std::unique_ptr<Parser> parser_;
  std::vector<std::string> header_;
  std::vector<std::string_view> fields_;
  std::size_t arity_ = 0;
  std::uint64_t row_ = 0;
  std::uint64_t line_ = 0;
  bool detected_ = false;
  bool ended_ = false;
};

}  // namespace sluis::common
