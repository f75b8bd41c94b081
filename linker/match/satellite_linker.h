#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "linker/match/backbone_table.h"
#include "linker/match/deterministic.h"

namespace sluis::linker {

// The state of the linkage of one satellite. For LinkSatellites only.
class SatelliteLinker {
 public:
  // `shared_tables`: one per column of the backbone, each whole; or empty, and tables are made in partitions that fit
  // into `memory_bytes`.
  SatelliteLinker(const RegisterTokens& backbone, const RegisterTokens& satellite,
                  const std::vector<std::string>& match_keys, const std::vector<BackboneTable>& shared_tables,
                  std::uint64_t memory_bytes, LinkProgress& progress);

  // Bytes that cannot be partitioned, and a MiB for the smallest useful partition.
  static std::uint64_t LeastMemory(const RegisterTokens& backbone, const RegisterTokens& satellite);

  // Records that Run will scan, the backbone's included.
  std::uint64_t PlannedScans() const;

  [[nodiscard]] absl::Status Run();
  SatelliteLinks TakeLinks() { return std::move(links_); }

 private:
  struct Pass {
    std::size_t satellite_column;
    std::size_t backbone_column;
    int number;
    std::uint32_t partitions;
  };

  // What the claims on one token's backbone record have in common; one entry a slot of the table.
  struct Claims {
    std::vector<std::uint8_t> claimants;   // one per person: 0, 1, or 2 for more
    std::vector<std::uint16_t> seen;       // many per person: stronger keys that some claimant has
    std::vector<std::uint16_t> differing;  // many per person: stronger keys in which claimants differ
    std::unique_ptr<Token[]> first;        // many per person: the first token seen of each stronger key
  };

  std::uint64_t BytesPerClaimSlot(std::size_t column) const;
  std::uint32_t PartitionsFor(std::uint64_t bytes) const;
  std::uint32_t GroupPartitions() const;
  bool IsFirstOfEntity(std::uint64_t record) const {
    return first_of_entity_.empty() || first_of_entity_[record] == record;
  }

  absl::Status GroupEntities();
  absl::Status RunPass(const Pass& pass, Partition partition, const BackboneTable& table);
  void Claim(const Pass& pass, const BackboneTable& table, const TokenChunk& chunk, std::uint32_t row, Claims& claims);
  void Judge(const Pass& pass, const BackboneTable& table, const Claims& claims);

  const RegisterTokens& backbone_;
  const RegisterTokens& satellite_;
  const std::vector<BackboneTable>& shared_tables_;
  const std::uint64_t spare_bytes_;  // for tables and claims
  LinkProgress& progress_;
  std::vector<Pass> passes_;
  SatelliteLinks links_;
  std::vector<std::uint32_t> first_of_entity_;  // many per person: by record
  std::vector<std::uint16_t> present_;          // many per person: by record, bit c = column c has a token
  std::vector<bool> taken_;                     // one per person: by backbone record
};

}  // namespace sluis::linker
