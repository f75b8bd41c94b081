#include "common/csv/fixed_width_reader.h"

#include <algorithm>
#include <utility>

#include "common/status/status.h"

namespace sluis::common {
namespace {

std::string_view TrimSpaces(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

absl::StatusOr<std::unique_ptr<FixedWidthReader>> FixedWidthReader::Open(std::unique_ptr<ByteSource> bytes,
                                                                         std::vector<FixedWidthColumn> columns,
                                                                         Encoding encoding, const ReadLimits& limits) {
  if (columns.empty()) return absl::InvalidArgumentError("a fixed-width file needs at least one column");
  std::vector<bool> taken;
  for (const FixedWidthColumn& column : columns) {
    if (column.start < 1 || column.width < 1 || column.width > limits.record_bytes ||
        column.start - 1 > limits.record_bytes - column.width) {
      return absl::InvalidArgumentError("column `" + column.name +
                                        "`: start and width must be at least 1 and end within " +
                                        std::to_string(limits.record_bytes) + " characters");
    }
    const std::size_t end = column.start - 1 + column.width;
    if (taken.size() < end) taken.resize(end);
    for (std::size_t i = column.start - 1; i < end; ++i) {
      if (taken[i]) return absl::InvalidArgumentError("column `" + column.name + "` overlaps another column");
      taken[i] = true;
    }
  }
  return std::unique_ptr<FixedWidthReader>(
      new FixedWidthReader(std::move(bytes), std::move(columns), encoding, limits));
}

FixedWidthReader::FixedWidthReader(std::unique_ptr<ByteSource> bytes, std::vector<FixedWidthColumn> columns,
                                   Encoding encoding, const ReadLimits& limits)
    : text_(std::move(bytes), encoding), columns_(std::move(columns)), limits_(limits) {
  for (const FixedWidthColumn& column : columns_) {
    header_.push_back(column.name);
    const std::size_t end = column.start - 1 + column.width;
    if (declared_.size() < end) declared_.resize(end);
    std::fill(declared_.begin() + static_cast<std::ptrdiff_t>(column.start - 1),
              declared_.begin() + static_cast<std::ptrdiff_t>(end), true);
  }
}

absl::StatusOr<bool> FixedWidthReader::ReadLine() {
  line_text_.clear();
  ++line_;
  for (;;) {
    if (block_.empty()) {
      if (!ended_) {
        SLUIS_ASSIGN_OR_RETURN(block_, text_.NextBlock());
      }
      if (block_.empty()) {
        ended_ = true;
        return !line_text_.empty();
      }
    }
    if (std::exchange(after_cr_, false) && block_.front() == '\n') {
      block_.remove_prefix(1);
      continue;
    }
    const std::size_t end = block_.find_first_of("\r\n");
    line_text_.append(block_.substr(0, end));
    if (line_text_.size() > limits_.record_bytes) {
      return WithReason(absl::ResourceExhaustedError("a line is longer than " + std::to_string(limits_.record_bytes) +
                                                     " bytes; is a line break missing?"),
                        "CSV_RECORD_TOO_LONG");
    }
    if (end == std::string_view::npos) {
      block_ = {};
      continue;
    }
    after_cr_ = block_[end] == '\r';
    block_.remove_prefix(end + 1);
    return true;
  }
}

void FixedWidthReader::Cut(Record& record) {
  const std::string_view line = line_text_;
  const bool plain = IsPlainAscii(line);
  if (!plain) {
    offsets_.clear();
    for (std::size_t i = 0; i < line.size(); ++i) {
      if ((static_cast<std::uint8_t>(line[i]) & 0xC0) != 0x80) offsets_.push_back(i);
    }
  }
  const std::size_t length = plain ? line.size() : offsets_.size();
  const auto offset = [&](std::size_t character) {
    if (character >= length) return line.size();
    return plain ? character : offsets_[character];
  };
  fields_.clear();
  for (const FixedWidthColumn& column : columns_) {
    const std::size_t begin = offset(column.start - 1);
    fields_.push_back(TrimSpaces(line.substr(begin, offset(column.start - 1 + column.width) - begin)));
  }
  record.fields = fields_;
  if (!plain) {
    if (line.find('\0') != std::string_view::npos) {
      record.fault = RecordFault::kNul;
    } else if (!IsValidUtf8(line)) {
      record.fault = RecordFault::kEncoding;
    }
    if (record.fault != RecordFault::kNone) {
      CheckEncoding(record);  // finds the column, if it is in one
      return;
    }
  }
  if (length < declared_.size()) {
    record.fault = RecordFault::kArity;
    return;
  }
  for (std::size_t i = 0; i < length; ++i) {
    if ((i >= declared_.size() || !declared_[i]) && line[offset(i)] != ' ') {
      record.fault = RecordFault::kStray;
      return;
    }
  }
}

absl::StatusOr<bool> FixedWidthReader::Next(Record& record) {
  do {
    absl::StatusOr<bool> found = ReadLine();
    if (!found.ok()) {
      ++row_;
      return found.status();
    }
    if (!*found) return false;
  } while (line_text_.find_first_not_of(' ') == std::string::npos);
  record = Record{{}, ++row_, line_, RecordFault::kNone, 0};
  Cut(record);
  return true;
}

}  // namespace sluis::common
