#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sluis::common {

struct ReadLimits {
  std::size_t field_bytes = 64 << 10;  // of one field, as UTF-8
  std::size_t record_bytes = 1 << 20;  // of all fields of a record
  std::size_t columns = 4096;
};

// What makes one record unusable while reading can go on after it.
enum class RecordFault {
  kNone,
  kArity,     // another number of fields than the header (or the columns) has
  kEncoding,  // not valid in the declared encoding
  kNul,       // a NUL byte
  kStray,     // fixed width: characters outside the declared columns
};

struct Record {
  std::span<const std::string_view> fields;  // UTF-8; valid until the next call of Next; spaces are kept
  std::uint64_t row = 0;                     // 1 is the first record of the file, the header included
  std::uint64_t line = 0;                    // line of the file on which the record begins, from 1
  RecordFault fault = RecordFault::kNone;
  std::size_t fault_column = 0;  // 1-based position of the field at fault; 0: the record as a whole
};

// Records of a file, one after the other, in bounded memory.
class TableReader {
 public:
  virtual ~TableReader() = default;
  // Reads the next record; false at the end.
  // Errors end the reading; row() and line() say where; messages hold no byte of the file:
  //   INVALID_ARGUMENT    CSV_QUOTE: a quote where none may stand, or a quoted field that is never closed
  //   RESOURCE_EXHAUSTED  CSV_FIELD_TOO_LONG, CSV_RECORD_TOO_LONG, CSV_TOO_MANY_COLUMNS: a limit is passed
  //   and those of the byte source (FILE_TRUNCATED, FILE_COMPRESSION, FILE_ENCODING as reasons)
  [[nodiscard]] virtual absl::StatusOr<bool> Next(Record& record) = 0;
  // Names of the columns; empty if the file has no header.
  virtual const std::vector<std::string>& header() const = 0;
  // Where reading stands: the record last returned, or the one that failed.
  virtual std::uint64_t row() const = 0;
  virtual std::uint64_t line() const = 0;
};

// Sets `record`'s fault if a field holds NUL or is not valid UTF-8.
void CheckEncoding(Record& record);

}  // namespace sluis::common
