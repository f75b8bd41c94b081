#pragma once

#include <cstdint>
#include <vector>

#include "disclosure/suppress/certificate.h"
#include "disclosure/suppress/suppress.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// A system in which cells that are the same number (tied by relations of one part) are one cell.
struct MergedSystem {
  CellSystem system;
  std::vector<int32_t> merged_of;               // per cell of the original system: its cell here
  std::vector<std::vector<int32_t>> originals;  // per cell here: the original cells, ascending
};

// Returns `system` with tied cells merged: the widest levels, the tightest bound, the sum of the costs; suppressible if
// all are. Relations that become equal are one. Cells stay apart where merging would put one of them twice into a
// relation. A cell that is primary and tied to one that cannot be suppressed is left primary and not suppressible:
// nothing can protect it. Precondition: Validate(system) is OK. O(entries of the relations * log).
[[nodiscard]] MergedSystem MergeTiedCells(const CellSystem& system);

// Returns `options` for `merged.system`.
[[nodiscard]] SuppressOptions MergeOptions(const CellSystem& system, const MergedSystem& merged,
                                           const SuppressOptions& options);

// Returns the pattern and the certificate of `system` that those of `merged.system` stand for.
[[nodiscard]] Pattern UnmergePattern(const MergedSystem& merged, const Pattern& pattern);
[[nodiscard]] Certificate UnmergeCertificate(const CellSystem& system, const MergedSystem& merged,
                                             Certificate certificate);

}  // namespace sluis::disclosure
