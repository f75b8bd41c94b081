#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/match/input.h"
#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"
#include "common/schema/value.h"
#include "linker/encode/record_encoder.h"

// Records in blocks, so that several can be encoded at once.

namespace sluis::cli {

// Without spaces and tabs around it.
[[nodiscard]] std::string_view TrimValue(std::string_view text);

// Columns of a schema that features or passes use, each once.
struct UsedColumns {
  std::vector<std::size_t> fields;    // indices into the schema's fields
  std::vector<std::size_t> features;  // by feature of the plan, the position in `fields`
  std::vector<std::size_t> passes;    // by exact pass, likewise
};
[[nodiscard]] UsedColumns UsedColumnsOf(const InputColumns& columns);

// Values of some records as the file has them: for each record those of the used columns.
class RawBlock {
 public:
  void AddValue(std::string_view value) {
    chars_ += value;
    ends_.push_back(chars_.size());
  }
  void EndRecord() { ++records_; }
  std::size_t records() const { return records_; }
  std::string_view value(std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(chars_).substr(begin, ends_[index] - begin);
  }

 private:
  std::string chars_;
  std::vector<std::size_t> ends_;
  std::size_t records_ = 0;
};

struct EncodedBlock {
  std::vector<std::vector<linker::Token>> exact;  // by pass, then record
  std::vector<std::uint64_t> present;             // by record: bit i, it has feature i; nothing without features
  std::vector<std::uint64_t> words;               // of the encodings of all records, absent ones included
};

// Reads values and encodes them. Encode is for one thread at a time; several encoders of one input give the same
// encodings, and their reports added up are those of one.
class BlockEncoder {
 public:
  // `options`, `used` and `noise_key` outlive it. Errors: as linker::RecordEncoder::Make.
  [[nodiscard]] static absl::StatusOr<BlockEncoder> Make(const InputOptions& options, const UsedColumns& used,
                                                         const common::SecretBytes& noise_key);
  // Errors: as linker::RecordEncoder::Encode.
  [[nodiscard]] absl::StatusOr<EncodedBlock> Encode(const RawBlock& block);

  // Adds what was found about the values so far to `fields`, by used column.
  void AddReports(std::vector<FieldReport>& fields, std::vector<std::string>& first_values) const;

 private:
  // A column and what its values turn out to be.
  struct Field {
    std::size_t index = 0;  // in the schema
    common::ValueReader reader;
    std::string text;      // of the record at hand, as it is compared; empty: missing
    bool clipped = false;  // `text` is only the beginning of the value
    std::string first;     // the first value that was there
    FieldReport report;
  };

  BlockEncoder(const InputOptions& options, const UsedColumns& used);
  void ReadValue(std::string_view raw, Field& field);
  absl::Status AddExact(EncodedBlock& out);
  absl::Status AddEncoding(EncodedBlock& out);

  const InputOptions* options_;
  const UsedColumns* used_;
  std::unique_ptr<common::HmacSha256> exact_hasher_;
  std::optional<linker::RecordEncoder> encoder_;
  std::vector<Field> fields_;
  std::vector<std::string_view> values_;
  linker::Encoding encoding_;
};

}  // namespace sluis::cli
