#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/encode/encoding_plan.h"
#include "linker/fuzzy/match_source.h"
#include "linker/match/deterministic.h"
#include "linker/store/delivery.h"
#include "linker/store/project_reader.h"

// A register as the matching by similarity sees it: a row for each person it shows, as far as the deterministic passes
// could tell.

namespace sluis::linker {

inline constexpr std::uint32_t kWithoutRow = std::numeric_limits<std::uint32_t>::max();

// The rows of a satellite.
struct ResidueRows {
  // Record r of `source` is row r here: its encoding is that of the first record of the row that has one. One exact
  // pass: the token of a row that is linked to backbone record n stands for n; of others it is absent.
  MatchSource source;
  // By first record of an unlinked source entity its row, kWithoutRow if it has no encoding.
  std::vector<std::uint32_t> row_of_entity;
};

// Returns the backbone with a row for each record, whose token stands for it, also if it has no encoding: the rows of
// satellites that the passes linked to it would be taken for nobody's otherwise. An encoding of so many set bits that
// the plan cannot have made it counts as none: it would spoil the estimates, which are about all rows together. Errors:
// those of the reader; INVALID_ARGUMENT if there are 2^32 - 1 records or more.
[[nodiscard]] absl::StatusOr<MatchSource> BackboneRows(const ProjectReader& reader, const DeliveryRecord& delivery,
                                                       const EncodingPlan& plan);

// Returns the rows of a satellite: one for all records that `links` gives to one backbone record, also if none of them
// has an encoding, so that nobody else of the register is linked to it; one for each other source entity that has one.
//
// In a many-per-person register each record without any token is a source entity of its own. Those of them whose
// encodings are equal share a row, since nothing tells them apart: a register of spells without match keys would be
// compared spell by spell otherwise.
// Errors: as BackboneRows. Memory beside the result: 4 bytes for each backbone record.
[[nodiscard]] absl::StatusOr<ResidueRows> SatelliteRows(const ProjectReader& reader, const DeliveryRecord& delivery,
                                                        const EncodingPlan& plan, bool many_per_person,
                                                        const SatelliteLinks& links, std::uint64_t backbone_records);

// Bytes that a row takes in ResidueRows.
[[nodiscard]] std::uint64_t BytesPerRow(const EncodingPlan& plan);

}  // namespace sluis::linker
