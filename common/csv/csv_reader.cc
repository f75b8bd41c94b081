#include "common/csv/csv_reader.h"

#include <csv.h>

#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

int NoSpace(unsigned char) { return 0; }  // libcsv would drop spaces around fields, which are part of a value

// Number of line breaks in a field: LF, CR or CRLF.
std::uint64_t CountLineBreaks(std::string_view field) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; (i = field.find_first_of("\r\n", i)) != std::string_view::npos; ++i) {
    if (field[i] == '\r' && i + 1 < field.size() && field[i + 1] == '\n') ++i;
    ++count;
  }
  return count;
}

bool HasLineBreak(std::string_view field) {
  return !field.empty() && (std::memchr(field.data(), '\n', field.size()) != nullptr ||
                            std::memchr(field.data(), '\r', field.size()) != nullptr);
}

}  // namespace

// Collects what libcsv calls back with: the text of all fields of a block one after the other, where each ends, and
// the records. A record that a block leaves unfinished is carried to the next.
class CsvReader::Parser {
 public:
  struct Found {
    std::size_t first_field;
    std::size_t field_count;
    std::uint64_t line;
  };

  Parser(char delimiter, char quote, const ReadLimits& limits) : limits_(limits) {
    csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL);
    csv_set_delim(&parser_, static_cast<unsigned char>(delimiter));
    csv_set_quote(&parser_, static_cast<unsigned char>(quote));
    csv_set_space_func(&parser_, NoSpace);
    csv_set_blk_size(&parser_, 4096);
  }
  ~Parser() { csv_free(&parser_); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  void Parse(std::string_view block) {
    DropReturned();
    const std::size_t done = csv_parse(&parser_, block.data(), block.size(), OnField, OnRow, this);
    if (done < block.size()) {
      FailOnce(csv_error(&parser_) == CSV_EPARSE
                   ? Broken("CSV_QUOTE", "a quote stands where none may; double it inside a quoted field")
                   : absl::ResourceExhaustedError("not enough memory to read the record"));
    }
    // What libcsv holds of the unfinished field counts already, so that a line without end costs bounded memory.
    CheckLimits(parser_.entry_pos);
  }

  void Finish() {
    DropReturned();
    if (csv_fini(&parser_, OnField, OnRow, this) != 0) {
      FailOnce(Broken("CSV_QUOTE", "a quoted field is not closed before the end of the file"));
    }
  }

  bool HasRecord() const { return next_ < records_.size(); }
  Found TakeRecord(std::vector<std::string_view>& fields) {
    const Found& found = records_[next_++];
    fields.clear();
    for (std::size_t i = found.first_field; i < found.first_field + found.field_count; ++i) {
      const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
      fields.emplace_back(text_.data() + begin, ends_[i] - begin);
    }
    return found;
  }
  const absl::Status& failure() const { return failure_; }
  std::uint64_t failure_line() const { return record_line_; }

 private:
  static absl::Status Broken(std::string_view reason, const char* message) {
    return WithReason(absl::InvalidArgumentError(message), reason);
  }
  void FailOnce(absl::Status status) {
    if (failure_.ok()) failure_ = std::move(status);
  }
  void CheckLimits(std::size_t field_bytes) {
    const std::size_t begin = open_field_ == 0 ? 0 : ends_[open_field_ - 1];
    if (field_bytes > limits_.field_bytes) {
      FailOnce(WithReason(absl::ResourceExhaustedError("a field is longer than " + std::to_string(limits_.field_bytes) +
                                                       " bytes; is a closing quote or a line break missing?"),
                          "CSV_FIELD_TOO_LONG"));
    } else if (text_.size() - begin + field_bytes > limits_.record_bytes) {
      FailOnce(
          WithReason(absl::ResourceExhaustedError("a record is longer than " + std::to_string(limits_.record_bytes) +
                                                  " bytes; is a closing quote or a line break missing?"),
                     "CSV_RECORD_TOO_LONG"));
    } else if (ends_.size() - open_field_ >= limits_.columns) {
      FailOnce(WithReason(
          absl::ResourceExhaustedError("a record has more than " + std::to_string(limits_.columns) + " columns"),
          "CSV_TOO_MANY_COLUMNS"));
    }
  }
  // Forgets the records of the last block and moves the unfinished one to the front.
  void DropReturned() {
    const std::size_t begin = open_field_ == 0 ? 0 : ends_[open_field_ - 1];
    text_.erase(0, begin);
    ends_.erase(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(open_field_));
    for (std::size_t& end : ends_) end -= begin;
    open_field_ = 0;
    records_.clear();
    next_ = 0;
  }

  static void OnField(void* data, std::size_t size, void* self) {
    static_cast<Parser*>(self)->AddField({static_cast<const char*>(data), size});
  }
  static void OnRow(int terminator, void* self) { static_cast<Parser*>(self)->EndRow(terminator); }

  void AddField(std::string_view field) {
    if (!failure_.ok()) return;
    CheckLimits(field.size());
    if (!failure_.ok()) return;
    if (HasLineBreak(field)) line_ += CountLineBreaks(field);
    text_.append(field);
    ends_.push_back(text_.size());
    after_cr_ = false;
  }
  void EndRow(int terminator) {
    if (!failure_.ok()) return;
    const std::size_t count = ends_.size() - open_field_;
    if (count > 0) {
      records_.push_back({open_field_, count, record_line_});
      open_field_ = ends_.size();
    }
    const bool second_half_of_crlf = terminator == '\n' && after_cr_ && count == 0;
    if (!second_half_of_crlf) ++line_;
    after_cr_ = terminator == '\r';
    record_line_ = line_;
  }

  csv_parser parser_{};
  ReadLimits limits_;
  std::string text_;
  std::vector<std::size_t> ends_;
  std::vector<Found> records_;
  std::size_t next_ = 0;
  std::size_t open_field_ = 0;  // index in ends_ of the first field of the unfinished record
  std::uint64_t line_ = 1;
  std::uint64_t record_line_ = 1;
  bool after_cr_ = false;
  absl::Status failure_;
};

CsvReader::CsvReader(std::unique_ptr<ByteSource> bytes, const CsvOptions& options)
    : options_(options), text_(std::move(bytes), options.encoding) {}
CsvReader::~CsvReader() = default;

absl::StatusOr<std::unique_ptr<CsvReader>> CsvReader::Open(std::unique_ptr<ByteSource> bytes,
                                                           const CsvOptions& options) {
  std::unique_ptr<CsvReader> reader(new CsvReader(std::move(bytes), options));
  SLUIS_RETURN_IF_ERROR(reader->Start());
  return reader;
}

absl::Status CsvReader::DetectDelimiter() {
  static constexpr std::array<char, 3> kCandidates = {',', ';', '\t'};
  std::array<std::size_t, 3> counts{};
  bool quoted = false;
  bool begun = false;  // something else than line breaks was seen
  std::size_t position = 0;
  for (bool header_ended = false; !header_ended;) {
    for (; position < head_.size() && !header_ended; ++position) {
      const char c = head_[position];
      if (c == options_.quote) quoted = !quoted;
      if (quoted) continue;
      for (std::size_t i = 0; i < kCandidates.size(); ++i) counts[i] += c == kCandidates[i] ? 1 : 0;
      const bool line_break = c == '\n' || c == '\r';
      header_ended = line_break && begun;
      begun = begun || !line_break;
    }
    if (header_ended || head_.size() > options_.limits.record_bytes) break;
    SLUIS_ASSIGN_OR_RETURN(const std::string_view block, text_.NextBlock());
    if (block.empty()) break;
    head_.append(block);
  }
  std::size_t best = 0;
  for (std::size_t i = 1; i < counts.size(); ++i) {
    if (counts[i] > counts[best]) best = i;
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (i != best && counts[i] == counts[best] && counts[best] > 0) {
      return WithReason(absl::InvalidArgumentError("the header has two delimiters equally often: declare which one "
                                                   "it is in the schema's dialect.delimiter"),
                        "CSV_DELIMITER");
    }
  }
  options_.delimiter = kCandidates[best];
  detected_ = true;
  return absl::OkStatus();
}

absl::Status CsvReader::Start() {
  if (options_.delimiter == 0) SLUIS_RETURN_IF_ERROR(DetectDelimiter());
  parser_ = std::make_unique<Parser>(options_.delimiter, options_.quote, options_.limits);
  if (!options_.header) return absl::OkStatus();
  Record record;
  SLUIS_ASSIGN_OR_RETURN(const bool found, Next(record));
  if (!found) {
    return WithReason(absl::InvalidArgumentError("the file is empty: it lacks even a header"), "FILE_EMPTY");
  }
  if (record.fault == RecordFault::kNul) {
    return WithReason(absl::InvalidArgumentError("the header holds a NUL byte"), "CSV_NUL");
  }
  if (record.fault == RecordFault::kEncoding) {
    return WithReason(absl::InvalidArgumentError("the header is not valid in the declared encoding"), "CSV_ENCODING");
  }
  for (const std::string_view name : record.fields) {
    header_.emplace_back(absl::StripAsciiWhitespace(absl::string_view(name.data(), name.size())));
  }
  return absl::OkStatus();
}

absl::Status CsvReader::ParseNextBlock() {
  if (!head_.empty()) {
    const std::string head = std::exchange(head_, std::string());
    parser_->Parse(head);
    return absl::OkStatus();
  }
  SLUIS_ASSIGN_OR_RETURN(const std::string_view block, text_.NextBlock());
  if (block.empty()) {
    ended_ = true;
    parser_->Finish();
  } else {
    parser_->Parse(block);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> CsvReader::Next(Record& record) {
  while (!parser_->HasRecord()) {
    absl::Status status = parser_->failure();
    if (status.ok() && ended_) return false;
    if (status.ok()) status = ParseNextBlock();
    if (!status.ok()) {
      ++row_;
      line_ = parser_->failure_line();
      return status;
    }
  }
  const Parser::Found found = parser_->TakeRecord(fields_);
  line_ = found.line;
  record = Record{fields_, ++row_, line_, RecordFault::kNone, 0};
  const char* begin = fields_.front().data();
  const char* end = fields_.back().data() + fields_.back().size();
  if (!IsPlainAscii({begin, static_cast<std::size_t>(end - begin)})) CheckEncoding(record);
  if (arity_ == 0) arity_ = fields_.size();
  if (fields_.size() != arity_) {
    record.fault = RecordFault::kArity;
    record.fault_column = 0;
  }
  return true;
}

}  // namespace sluis::common
