#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "linker/match/deterministic.h"
#include "linker/match/token_table.h"

namespace sluis::linker {

// Where the linkage stands, shared by its threads.
class LinkProgress {
 public:
  explicit LinkProgress(const LinkOptions& options) : options_(options) {}
  void AddToTotal(std::uint64_t records) { total_ += records; }
  // Counts `records` as scanned. Errors: CANCELLED if the caller or another thread's failure asks for the end.
  [[nodiscard]] absl::Status Advance(std::uint64_t records);
  void Stop() { stopped_ = true; }

 private:
  const LinkOptions& options_;
  std::atomic<std::uint64_t> scanned_ = 0, total_ = 0;
  std::atomic<bool> stopped_ = false;
  std::mutex report_mutex_;
};

// The backbone record of each token of one match key, or of one partition of these tokens.
class BackboneTable {
 public:
  static constexpr std::uint32_t kAmbiguous = TupleTable::kNoRecord;

  explicit BackboneTable(std::uint64_t expected_tokens) : table_(1, expected_tokens) {}

  void Prefetch(Token token) const { table_.Prefetch(HashTuple({&token, 1})); }
  void Add(Token token, std::uint32_t record) {
    const TupleTable::Insertion insertion = table_.Insert({&token, 1}, HashTuple({&token, 1}), record);
    if (!insertion.inserted) {
      table_.set_record(insertion.slot, kAmbiguous);
    }
  }
  std::size_t Find(Token token) const { return table_.Find({&token, 1}, HashTuple({&token, 1})); }
  std::uint32_t record(std::size_t slot) const { return table_.record(slot); }
  std::size_t slots() const { return table_.slots(); }

  static std::uint64_t Bytes(std::uint64_t tokens) {
    return TupleTable::SlotsFor(tokens) * TupleTable::BytesPerSlot(1);
  }

 private:
  TupleTable table_;
};

// Which partition of a token column is looked at.
struct Partition {
  std::uint32_t number = 0;
  std::uint32_t count = 1;

  bool Has(Token token) const { return count == 1 || PartitionOf(HashToken(token), count) == number; }
};

// Scans `source` and checks that it has the declared number of records and whole columns.
[[nodiscard]] absl::Status ScanRegister(const RegisterTokens& input, LinkProgress& progress,
                                        const std::function<void(const TokenChunk&)>& visit);

// Returns the tables of `columns` of the backbone, all made in one scan. Errors: as ScanRegister.
[[nodiscard]] absl::StatusOr<std::vector<BackboneTable>> BuildBackboneTables(const RegisterTokens& backbone,
                                                                             const std::vector<std::size_t>& columns,
                                                                             Partition partition,
                                                                             LinkProgress& progress);

}  // namespace sluis::linker
