#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "absl/status/status.h"
#include "linker/encode/encoding_plan.h"
#include "linker/fuzzy/comparison_store.h"
#include "linker/match/deterministic.h"
#include "linker/store/delivery.h"
#include "linker/store/project_reader.h"

namespace sluis::linker {

// A satellite with encodings, and what the deterministic passes made of it.
struct ResidueSatellite {
  const DeliveryRecord* delivery = nullptr;
  bool many_per_person = false;
  SatelliteLinks* links = nullptr;
};

struct ResidueOptions {
  // Bound on what this step holds. A quarter of it is for candidate pairs, the rest must hold all rows.
  std::uint64_t memory_bytes = std::uint64_t{2} << 30;
  int threads = 2;
  // Called as a comparison begins, with those done and all.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress = nullptr;
  // Asked about every 50 ms, by another thread: true ends the step with CANCELLED.
  std::function<bool()> cancelled = nullptr;
  ComparisonStore* comparisons = nullptr;  // null: none are kept
};

// Links, by similarity of their encodings, what the deterministic passes left over, and enters it into the satellites'
// links: `pass` becomes `similarity_pass`, `entity` the backbone record, and the report gets its similarity part.
//
// Each register takes part with a row for each person it shows (residue_rows.h), backbone and satellites all at once:
// MatchRecords clusters them, without contradiction to what the passes linked, which is never undone. A source entity
// is linked if it shares a cluster with a backbone record, and if the comparison of its register with the backbone
// gives a credible estimate; a cluster without a backbone record links nothing, so that the gate learns less.
//
// `backbone` and all satellites have encodings by `plan`. The result depends on the encodings and links only:
// reproducible, and the same whether comparisons were kept or not. Errors: RESOURCE_EXHAUSTED (reason
// SIMILARITY_MEMORY) if memory_bytes does not suffice, naming what does; CANCELLED; those of the reader and
// MatchRecords. After an error the links are as they were.
[[nodiscard]] absl::Status LinkResidue(const ProjectReader& reader, const EncodingPlan& plan,
                                       const DeliveryRecord& backbone, std::span<const ResidueSatellite> satellites,
                                       std::uint8_t similarity_pass, const ResidueOptions& options);

}  // namespace sluis::linker
