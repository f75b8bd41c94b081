#include "cli/match/input.h"

#include <algorithm>
#include <future>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/extract/rules.h"
#include "cli/extract/unique_check.h"
#include "cli/match/block_encoder.h"
#include "common/crypto/crypto.h"
#include "common/csv/csv_reader.h"
#include "common/csv/fixed_width_reader.h"
#include "common/schema/value.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

using common::SchemaField;

constexpr std::uint64_t kProgressRecords = 16'384;
constexpr std::size_t kBlockRecords = 4096;  // encoded at once by one thread
constexpr std::size_t kUniqueRows = std::numeric_limits<std::uint32_t>::max();

absl::StatusOr<std::unique_ptr<common::TableReader>> OpenTable(std::unique_ptr<common::ByteSource> bytes,
                                                               const common::Schema& schema) {
  if (schema.fixed_width) {
    std::vector<common::FixedWidthColumn> columns;
    for (const SchemaField& field : schema.fields) columns.push_back(*field.fixed_width);
    return common::FixedWidthReader::Open(std::move(bytes), std::move(columns), schema.dialect.encoding, {});
  }
  common::CsvOptions csv;
  csv.delimiter = schema.dialect.delimiter;
  csv.quote = schema.dialect.quote;
  csv.header = schema.dialect.header;
  csv.encoding = schema.dialect.encoding;
  return common::CsvReader::Open(std::move(bytes), csv);
}

class InputReader {
 public:
  InputReader(const std::string& file, const InputOptions& options)
      : options_(options),
        schema_(*options.schema),
        used_(UsedColumnsOf(*options.columns)),
        unique_(nullptr, common::DeriveKey(*options.key, "sluis-match-record-id-v1"), kUniqueRows) {
    input_.check.file = file;
    input_.check.register_name = options.name;
    input_.source.name = options.name;
    input_.source.exact.resize(used_.passes.size());
  }

  absl::StatusOr<Input> Run(std::unique_ptr<common::ByteSource> bytes) {
    auto table = OpenTable(std::move(bytes), schema_);
    if (!table.ok()) return Fail(table.status(), 0, 0);
    ResolveColumns(**table);
    if (!input_.check.totals.empty()) return Finish();
    SLUIS_RETURN_IF_ERROR(PrepareEncoders());
    for (;;) {
      common::Record record;
      const absl::StatusOr<bool> found = (*table)->Next(record);
      if (!found.ok()) return Fail(found.status(), (*table)->row(), (*table)->line());
      if (!*found) break;
      SLUIS_RETURN_IF_ERROR(Add(record));
    }
    input_.check.complete = true;
    SLUIS_RETURN_IF_ERROR(unique_.Finish([&](std::uint64_t row, std::uint64_t line) {
      AddFinding(row, line, KeyField().name, RuleCode(Rule::kPrimaryKey),
                 "an earlier row has the same record id: ids must differ within a file");
    }));
    return Finish();
  }

 private:
  const SchemaField& KeyField() const { return schema_.fields[options_.columns->record_id]; }

  void AddFinding(std::uint64_t row, std::uint64_t line, std::string column, std::string_view rule,
                  std::string message) {
    CheckReport& check = input_.check;
    ++check.totals[std::string(rule)];
    if (check.errors.size() >= options_.error_cap) {
      check.truncated = true;
      return;
    }
    check.errors.push_back({row, line, std::move(column), std::string(rule), std::move(message)});
  }

  absl::StatusOr<Input> Fail(const absl::Status& status, std::uint64_t row, std::uint64_t line) {
    const std::string reason = common::ReasonOf(status);
    AddFinding(row, line, "", reason.empty() ? "FILE_IO" : reason, std::string(status.message()));
    return Finish();
  }

  // Columns are found by name; those that nothing uses need not be there.
  void ResolveColumns(const common::TableReader& table) {
    const std::vector<std::string>& header = table.header();
    if (header.empty()) {
      used_column_ = used_.fields;
      id_column_ = options_.columns->record_id;
      columns_ = schema_.fields.size();
      return;
    }
    columns_ = header.size();
    const auto find = [&](std::size_t index) -> std::size_t {
      const std::string& name = schema_.fields[index].name;
      const auto count = std::ranges::count(header, name);
      if (count != 1) {
        const Rule rule = count == 0 ? Rule::kColumnMissing : Rule::kColumnDuplicate;
        AddFinding(1, table.line(), name, RuleCode(rule), Explain({rule, nullptr, nullptr, 0}));
      }
      return static_cast<std::size_t>(std::ranges::find(header, name) - header.begin());
    };
    id_column_ = find(options_.columns->record_id);
    for (const std::size_t index : used_.fields) {
      used_column_.push_back(index == options_.columns->record_id ? id_column_ : find(index));
    }
    const auto undeclared = std::ranges::count_if(header, [&](const std::string& name) {
      return std::ranges::none_of(schema_.fields, [&](const SchemaField& field) { return field.name == name; });
    });
    if (undeclared > 0) {
      input_.check.warnings[std::string(RuleCode(Rule::kColumnUndeclared))] = static_cast<std::uint64_t>(undeclared);
    }
  }

  absl::Status PrepareEncoders() {
    const linker::EncodingPlan& plan = options_.plan->encoding;
    // Of each source its own, as custodians have it: equal records differ in noise.
    noise_key_ = common::DeriveKey(*options_.key, absl::StrCat("sluis-match-noise-v1 ", options_.name));
    for (unsigned i = 0; i < std::max(1U, options_.threads); ++i) {
      SLUIS_ASSIGN_OR_RETURN(BlockEncoder encoder, BlockEncoder::Make(options_, used_, noise_key_));
      encoders_.push_back(std::move(encoder));
    }
    encoding_.resize(encoders_.size());
    if (plan.features.empty()) return absl::OkStatus();
    if (plan.profile == linker::EncodingProfile::kFieldLevel) {
      for (std::size_t i = 0; i < plan.features.size(); ++i) {
        SLUIS_ASSIGN_OR_RETURN(linker::FieldColumn column, linker::FieldColumn::Create(plan.EncodedBits()));
        input_.source.columns.push_back(std::move(column));
      }
    } else {
      SLUIS_ASSIGN_OR_RETURN(linker::EncodingTable table, linker::EncodingTable::Create(plan.EncodedBits()));
      input_.source.tables.push_back(std::move(table));
    }
    return absl::OkStatus();
  }

  absl::Status Add(common::Record& record) {
    CheckReport& check = input_.check;
    if (check.records % kProgressRecords == 0) {
      if (options_.cancelled && options_.cancelled()) return absl::CancelledError("stopped; nothing was written");
      if (options_.progress) options_.progress(check.records);
    }
    ++check.records;
    if (record.fault == common::RecordFault::kNone && record.fields.size() != columns_) {
      record.fault = common::RecordFault::kArity;
    }
    if (record.fault != common::RecordFault::kNone) {
      const Rule rule = RuleOf(record.fault);
      AddFinding(record.row, record.line, ColumnName(record.fault_column), RuleCode(rule),
                 Explain({rule, nullptr, nullptr, record.fault_column}));
      return absl::OkStatus();
    }
    const std::string_view id = TrimValue(record.fields[id_column_]);
    if (id.empty()) {
      AddFinding(record.row, record.line, KeyField().name, RuleCode(Rule::kPrimaryKey),
                 "the record id is missing: every record needs one, so that links.csv can name it");
      return absl::OkStatus();
    }
    ++check.good_records;
    SLUIS_RETURN_IF_ERROR(unique_.Add(id, record.row, record.line));
    if (!check.totals.empty()) return absl::OkStatus();  // the file is refused: only its faults are of interest
    if (input_.ids.size() == std::numeric_limits<std::uint32_t>::max() - 1) {
      return absl::ResourceExhaustedError("a file has more than 4,294,967,294 records");
    }
    input_.ids.Add(id);
    for (const std::size_t column : used_column_) block_.AddValue(record.fields[column]);
    block_.EndRecord();
    return block_.records() < kBlockRecords ? absl::OkStatus() : EncodeBlock();
  }

  // Encoders take turns, so that the blocks come back in order, each encoder's before it gets the next.
  absl::Status EncodeBlock() {
    SLUIS_RETURN_IF_ERROR(TakeEncoded());
    BlockEncoder* const encoder = &encoders_[turn_];
    const auto launch = encoders_.size() == 1 ? std::launch::deferred : std::launch::async;
    encoding_[turn_] =
        std::async(launch, [encoder, block = std::exchange(block_, RawBlock())] { return encoder->Encode(block); });
    turn_ = (turn_ + 1) % encoders_.size();
    return absl::OkStatus();
  }

  // Takes what the encoder whose turn it is has made, if anything.
  absl::Status TakeEncoded() {
    std::future<absl::StatusOr<EncodedBlock>>& future = encoding_[turn_];
    if (!future.valid()) return absl::OkStatus();
    SLUIS_ASSIGN_OR_RETURN(const EncodedBlock block, future.get());
    linker::MatchSource& source = input_.source;
    for (std::size_t pass = 0; pass < block.exact.size(); ++pass) {
      source.exact[pass].insert(source.exact[pass].end(), block.exact[pass].begin(), block.exact[pass].end());
    }
    const linker::EncodingPlan& plan = options_.plan->encoding;
    const std::size_t words = plan.EncodedBits() / 64;
    std::span<const std::uint64_t> rest(block.words);
    for (const std::uint64_t present : block.present) {
      if (source.columns.empty() && present != 0) {
        source.record_of_row.push_back(encoded_);
        SLUIS_RETURN_IF_ERROR(source.tables[0].Append(rest.first(words)));
      }
      for (std::size_t i = 0; i < source.columns.size(); ++i) {
        if ((present >> i & 1) == 0) {
          source.columns[i].AppendMissing();
        } else {
          SLUIS_RETURN_IF_ERROR(source.columns[i].Append(rest.subspan(i * words, words)));
        }
      }
      rest = rest.subspan(plan.Encodings() * words);
      ++encoded_;
    }
    return absl::OkStatus();
  }

  // The name of the schema for a position of the file, from 1; empty for 0.
  std::string ColumnName(std::size_t position) const {
    if (position == 0) return "";
    for (std::size_t i = 0; i < used_column_.size(); ++i) {
      if (used_column_[i] + 1 == position) return schema_.fields[used_.fields[i]].name;
    }
    return absl::StrCat("column ", position);
  }

  absl::StatusOr<Input> Finish() {
    if (block_.records() > 0) SLUIS_RETURN_IF_ERROR(EncodeBlock());
    for (std::size_t i = 0; i < encoders_.size(); ++i) {
      SLUIS_RETURN_IF_ERROR(TakeEncoded());
      turn_ = (turn_ + 1) % encoders_.size();
    }
    input_.source.records = static_cast<std::uint32_t>(input_.ids.size());
    std::vector<std::string> first_values;
    for (const BlockEncoder& encoder : encoders_) encoder.AddReports(input_.fields, first_values);
    for (const FieldReport& field : input_.fields) {
      for (const auto& [rule, count] : field.warnings) input_.check.warnings[rule] += count;
    }
    std::ranges::stable_sort(input_.check.errors, {}, &Finding::row);
    return std::move(input_);
  }

  const InputOptions& options_;
  const common::Schema& schema_;
  const UsedColumns used_;
  UniqueCheck unique_;
  common::SecretBytes noise_key_;
  std::vector<BlockEncoder> encoders_;
  std::size_t turn_ = 0;  // of them
  RawBlock block_;
  std::uint32_t encoded_ = 0;             // records taken
  std::vector<std::size_t> used_column_;  // by used column, its position in the file
  std::size_t id_column_ = 0, columns_ = 0;
  Input input_;
  std::vector<std::future<absl::StatusOr<EncodedBlock>>> encoding_;  // last: its end waits for those that run
};

}  // namespace

void RecordIds::Add(std::string_view id) {
  chars_ += id;
  ends_.push_back(chars_.size());
}

std::string SourceName(std::string_view path) {
  std::string_view name = path.substr(path.find_last_of('/') + 1);
  for (const std::string_view compressed : {".gz", ".zst"}) {
    if (name.ends_with(compressed)) name.remove_suffix(compressed.size());
  }
  const std::size_t point = name.find_last_of('.');
  return std::string(point == std::string_view::npos || point == 0 ? name : name.substr(0, point));
}

absl::StatusOr<Input> ReadInput(const std::string& path, const InputOptions& options) {
  SLUIS_ASSIGN_OR_RETURN(auto bytes, common::OpenFileSource(path));
  return ReadInputSource(std::move(bytes), path, options);
}

absl::StatusOr<Input> ReadInputSource(std::unique_ptr<common::ByteSource> bytes, const std::string& name,
                                      const InputOptions& options) {
  return InputReader(name, options).Run(std::move(bytes));
}

}  // namespace sluis::cli
