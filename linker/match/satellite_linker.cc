#include "linker/match/satellite_linker.h"

#include <algorithm>
#include <numeric>

#include "common/status/status.h"

namespace sluis::linker {
namespace {

// SatelliteLinks::pass while a pass is judged: the record has a claim, and its `entity` is the slot of the claim.
constexpr std::uint8_t kClaiming = kNotFound - 1;
constexpr std::uint64_t kLeastSpareBytes = 1 << 20;

std::uint64_t StateBytes(const RegisterTokens& backbone, const RegisterTokens& satellite) {
  return satellite.source->records() * (satellite.many_per_person ? 11 : 5) + backbone.source->records() / 8;
}

}  // namespace

SatelliteLinker::SatelliteLinker(const RegisterTokens& backbone, const RegisterTokens& satellite,
                                 const std::vector<std::string>& match_keys,
                                 const std::vector<BackboneTable>& shared_tables, std::uint64_t memory_bytes,
                                 LinkProgress& progress)
    : backbone_(backbone),
      satellite_(satellite),
      shared_tables_(shared_tables),
      spare_bytes_(std::max(memory_bytes, LeastMemory(backbone, satellite)) - StateBytes(backbone, satellite)),
      progress_(progress) {
  links_.report.register_name = satellite.name;
  links_.report.records = satellite.source->records();
  for (const std::string& name : match_keys) {
    links_.report.passes.push_back({.match_key = name});
  }
  for (std::size_t column = 0; column < satellite.passes.size(); ++column) {
    const auto match = std::find(backbone.passes.begin(), backbone.passes.end(), satellite.passes[column]);
    if (match == backbone.passes.end()) {
      continue;
    }
    const std::uint64_t bytes = TupleTable::SlotsFor(backbone.source->records()) *
                                ((shared_tables.empty() ? TupleTable::BytesPerSlot(1) : 0) + BytesPerClaimSlot(column));
    passes_.push_back({.satellite_column = column,
                       .backbone_column = static_cast<std::size_t>(match - backbone.passes.begin()),
                       .number = satellite.passes[column],
                       .partitions = shared_tables.empty() ? PartitionsFor(bytes) : 1});
  }
}

std::uint64_t SatelliteLinker::LeastMemory(const RegisterTokens& backbone, const RegisterTokens& satellite) {
  return StateBytes(backbone, satellite) + kLeastSpareBytes;
}

std::uint64_t SatelliteLinker::BytesPerClaimSlot(std::size_t column) const {
  return satellite_.many_per_person ? 2 * sizeof(std::uint16_t) + column * sizeof(Token) : 1;
}

std::uint32_t SatelliteLinker::PartitionsFor(std::uint64_t bytes) const {
  return static_cast<std::uint32_t>(bytes / spare_bytes_ + 1);
}

std::uint32_t SatelliteLinker::GroupPartitions() const {
  if (satellite_.passes.empty()) {
    return 0;  // without tokens every record is an entity of its own
  }
  return PartitionsFor(TupleTable::SlotsFor(satellite_.source->records()) *
                       TupleTable::BytesPerSlot(satellite_.passes.size()));
}

std::uint64_t SatelliteLinker::PlannedScans() const {
  const std::uint64_t records = satellite_.source->records();
  std::uint64_t scans = satellite_.many_per_person ? GroupPartitions() * records : 0;
  for (const Pass& pass : passes_) {
    scans += pass.partitions * (records + (shared_tables_.empty() ? backbone_.source->records() : 0));
  }
  return scans;
}

absl::Status SatelliteLinker::GroupEntities() {
  const std::size_t columns = satellite_.passes.size();
  const std::uint32_t partitions = GroupPartitions();
  first_of_entity_.resize(satellite_.source->records());
  std::iota(first_of_entity_.begin(), first_of_entity_.end(), 0u);
  present_.assign(satellite_.source->records(), 0);
  std::vector<Token> tuples;
  std::vector<std::uint64_t> hashes;
  for (std::uint32_t partition = 0; partition < partitions; ++partition) {
    TupleTable table(columns, satellite_.source->records() / partitions);
    SLUIS_RETURN_IF_ERROR(ScanRegister(satellite_, progress_, [&](const TokenChunk& chunk) {
      tuples.resize(columns * chunk.count);
      hashes.resize(chunk.count);
      for (std::uint32_t row = 0; row < chunk.count; ++row) {
        std::uint16_t present = 0;
        for (std::size_t column = 0; column < columns; ++column) {
          const Token token = chunk.tokens[column * chunk.count + row];
          tuples[row * columns + column] = token;
          present |= static_cast<std::uint16_t>((token.absent() ? 0 : 1) << column);
        }
        present_[chunk.first_record + row] = present;
        hashes[row] = HashTuple({&tuples[row * columns], columns});
        table.Prefetch(hashes[row]);
      }
      for (std::uint32_t row = 0; row < chunk.count; ++row) {
        const std::uint64_t record = chunk.first_record + row;
        if (present_[record] != 0 && PartitionOf(hashes[row], partitions) == partition) {
          const TupleTable::Insertion insertion =
              table.Insert({&tuples[row * columns], columns}, hashes[row], static_cast<std::uint32_t>(record));
          first_of_entity_[record] = table.record(insertion.slot);
        }
      }
    }));
  }
  return absl::OkStatus();
}

void SatelliteLinker::Claim(const Pass& pass, const BackboneTable& table, const TokenChunk& chunk, std::uint32_t row,
                            Claims& claims) {
  const std::uint64_t record = chunk.first_record + row;
  const std::size_t column = pass.satellite_column;
  const std::size_t slot = table.Find(chunk.tokens[column * chunk.count + row]);
  if (slot == TupleTable::kNoSlot) {
    return;
  }
  PassReport& report = links_.report.passes[static_cast<std::size_t>(pass.number)];
  const std::uint32_t person = table.record(slot);
  if (person == BackboneTable::kAmbiguous) {
    report.ambiguous += IsFirstOfEntity(record) ? 1 : 0;
    return;
  }
  if (!satellite_.many_per_person) {
    if (taken_[person]) {
      ++report.unavailable;
      return;
    }
    claims.claimants[slot] = static_cast<std::uint8_t>(std::min(claims.claimants[slot] + 1, 2));
  } else {
    for (std::size_t stronger = 0; stronger < column; ++stronger) {
      const Token token = chunk.tokens[stronger * chunk.count + row];
      const auto bit = static_cast<std::uint16_t>(1u << stronger);
      Token& first = claims.first[slot * column + stronger];
      if (token.absent()) {
        continue;
      }
      if ((claims.seen[slot] & bit) == 0) {
        claims.seen[slot] |= bit;
        first = token;
      } else if (first != token) {
        claims.differing[slot] |= bit;
      }
    }
  }
  links_.pass[record] = kClaiming;
  links_.entity[record] = static_cast<std::uint32_t>(slot);
}

void SatelliteLinker::Judge(const Pass& pass, const BackboneTable& table, const Claims& claims) {
  PassReport& report = links_.report.passes[static_cast<std::size_t>(pass.number)];
  for (std::uint64_t record = 0; record < links_.pass.size(); ++record) {
    if (links_.pass[record] != kClaiming) {
      continue;
    }
    const std::uint32_t slot = links_.entity[record];
    // Once two claimants differ in a key, each that has the key differs from one of them.
    const bool conflict =
        satellite_.many_per_person ? (claims.differing[slot] & present_[record]) != 0 : claims.claimants[slot] > 1;
    if (conflict) {
      links_.pass[record] = kNotFound;
      report.conflicts += IsFirstOfEntity(record) ? 1 : 0;
      continue;
    }
    links_.pass[record] = static_cast<std::uint8_t>(pass.number);
    links_.entity[record] = table.record(slot);
    report.links += IsFirstOfEntity(record) ? 1 : 0;
    ++report.linked_records;
    if (!satellite_.many_per_person) {
      taken_[links_.entity[record]] = true;
    }
  }
}

absl::Status SatelliteLinker::RunPass(const Pass& pass, Partition partition, const BackboneTable& table) {
  Claims claims;
  if (satellite_.many_per_person) {
    claims.seen.resize(table.slots());
    claims.differing.resize(table.slots());
    claims.first = std::make_unique_for_overwrite<Token[]>(table.slots() * pass.satellite_column);
  } else {
    claims.claimants.resize(table.slots());
  }
  SLUIS_RETURN_IF_ERROR(ScanRegister(satellite_, progress_, [&](const TokenChunk& chunk) {
    const std::span<const Token> column = chunk.tokens.subspan(pass.satellite_column * chunk.count, chunk.count);
    const auto looked_up = [&](std::uint32_t row) {
      return links_.pass[chunk.first_record + row] == kNotFound && !column[row].absent() && partition.Has(column[row]);
    };
    for (std::uint32_t row = 0; row < chunk.count; ++row) {
      if (looked_up(row)) {
        table.Prefetch(column[row]);
      }
    }
    for (std::uint32_t row = 0; row < chunk.count; ++row) {
      if (looked_up(row)) {
        Claim(pass, table, chunk, row, claims);
      }
    }
  }));
  Judge(pass, table, claims);
  return absl::OkStatus();
}

absl::Status SatelliteLinker::Run() {
  links_.pass.assign(satellite_.source->records(), kNotFound);
  links_.entity.assign(satellite_.source->records(), 0);
  if (satellite_.many_per_person) {
    SLUIS_RETURN_IF_ERROR(GroupEntities());
  } else {
    taken_.assign(backbone_.source->records(), false);
  }
  for (const Pass& pass : passes_) {
    if (!shared_tables_.empty()) {
      SLUIS_RETURN_IF_ERROR(RunPass(pass, Partition{}, shared_tables_[pass.backbone_column]));
      continue;
    }
    // Claims on one backbone record all have its token, hence one partition: each is judged whole.
    for (std::uint32_t number = 0; number < pass.partitions; ++number) {
      const Partition partition{.number = number, .count = pass.partitions};
      SLUIS_ASSIGN_OR_RETURN(const std::vector<BackboneTable> tables,
                             BuildBackboneTables(backbone_, {pass.backbone_column}, partition, progress_));
      SLUIS_RETURN_IF_ERROR(RunPass(pass, partition, tables[0]));
    }
  }
  LinkageReport& report = links_.report;
  for (std::uint64_t record = 0; record < links_.pass.size(); ++record) {
    const bool first = IsFirstOfEntity(record);
    report.entities += first ? 1 : 0;
    if (links_.pass[record] == kNotFound) {
      links_.entity[record] = first_of_entity_.empty() ? static_cast<std::uint32_t>(record) : first_of_entity_[record];
      ++report.unlinked_records;
      report.unlinked += first ? 1 : 0;
    }
  }
  return absl::OkStatus();
}

}  // namespace sluis::linker
