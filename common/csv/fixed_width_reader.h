#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/csv/byte_source.h"
#include "common/csv/record.h"
#include "common/csv/text_source.h"

namespace sluis::common {

struct FixedWidthColumn {
  std::string name;
  std::size_t start = 1;  // first character, from 1
  std::size_t width = 1;  // in characters of the encoding, not in bytes
};

// Lines in which every field has its place. Lines end with LF, CR or CRLF; blank ones are skipped. A line that ends
// before its last column, or has anything but spaces outside the columns, is at fault (kArity, kStray): the second
// would be data that nobody declared. Fields lose the spaces around them.
class FixedWidthReader : public TableReader {
 public:
  // `columns`: any order; fields come in this order. Errors: INVALID_ARGUMENT if there is none, or two overlap, or one
  // begins at 0, is empty or ends beyond `limits.record_bytes`.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<FixedWidthReader>> Open(std::unique_ptr<ByteSource> bytes,
                                                                              std::vector<FixedWidthColumn> columns,
                                                                              Encoding encoding,
                                                                              const ReadLimits& limits);

  [[nodiscard]] absl::StatusOr<bool> Next(Record& record) override;
  const std::vector<std::string>& header() const override { return header_; }
  std::uint64_t row() const override { return row_; }
  std::uint64_t line() const override { return line_; }

 private:
  FixedWidthReader(std::unique_ptr<ByteSource> bytes, std::vector<FixedWidthColumn> columns, Encoding encoding,
                   const ReadLimits& limits);
  [[nodiscard]] absl::StatusOr<bool> ReadLine();
  void Cut(Record& record);

  TextSource text_;
  std::vector<FixedWidthColumn> columns_;
  std::vector<bool> declared_;  // by character: does a column hold it
  std::vector<std::string> header_;
  ReadLimits limits_;
  std::string_view block_;
  std::string line_text_;
  std::vector<std::size_t> offsets_;  // of the characters of a line that is not plain ASCII
  std::vector<std::string_view> fields_;
  std::uint64_t row_ = 0;
  std::uint64_t line_ = 0;
  bool after_cr_ = false;
  bool ended_ = false;
};

}  // namespace sluis::common
