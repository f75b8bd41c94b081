#include "linker/match/backbone_table.h"

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::linker {

absl::Status LinkProgress::Advance(std::uint64_t records) {
  const std::uint64_t scanned = scanned_ += records;
  if (stopped_ || (options_.cancelled && options_.cancelled())) {
    stopped_ = true;
    return absl::CancelledError("the linkage was cancelled; nothing of it is kept");
  }
  if (options_.progress) {
    // Whoever finds another thread reporting leaves it to that one.
    const std::unique_lock lock(report_mutex_, std::try_to_lock);
    if (lock.owns_lock()) {
      options_.progress(scanned, total_);
    }
  }
  return absl::OkStatus();
}

absl::Status ScanRegister(const RegisterTokens& input, LinkProgress& progress,
                          const std::function<void(const TokenChunk&)>& visit) {
  std::uint64_t next_record = 0;
  SLUIS_RETURN_IF_ERROR(input.source->Scan([&](const TokenChunk& chunk) -> absl::Status {
    if (chunk.first_record != next_record || chunk.count > input.source->records() - next_record ||
        chunk.tokens.size() != input.passes.size() * chunk.count) {
      return absl::InvalidArgumentError(absl::StrCat("register ", input.name, ": the chunk at record ", next_record,
                                                     " is misplaced or has wrong columns"));
    }
    visit(chunk);
    next_record += chunk.count;
    return progress.Advance(chunk.count);
  }));
  if (next_record != input.source->records()) {
    return absl::InvalidArgumentError(absl::StrCat("register ", input.name, ": ", input.source->records(),
                                                   " records are declared, ", next_record, " were read"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<BackboneTable>> BuildBackboneTables(const RegisterTokens& backbone,
                                                               const std::vector<std::size_t>& columns,
                                                               Partition partition, LinkProgress& progress) {
  std::vector<BackboneTable> tables;
  tables.reserve(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    tables.emplace_back(backbone.source->records() / partition.count);
  }
  SLUIS_RETURN_IF_ERROR(ScanRegister(backbone, progress, [&](const TokenChunk& chunk) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::span<const Token> column = chunk.tokens.subspan(columns[i] * chunk.count, chunk.count);
      for (const Token& token : column) {
        tables[i].Prefetch(token);
      }
      for (std::uint32_t row = 0; row < chunk.count; ++row) {
        if (!column[row].absent() && partition.Has(column[row])) {
          tables[i].Add(column[row], static_cast<std::uint32_t>(chunk.first_record + row));
        }
      }
    }
  }));
  return tables;
}

}  // namespace sluis::linker
