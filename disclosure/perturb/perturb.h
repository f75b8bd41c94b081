#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "disclosure/attack/attack.h"
#include "disclosure/cell_key/keys.h"
#include "disclosure/perturb/method.h"
#include "disclosure/system/system.h"

// One response variable of a system of tables, protected by a method that changes values; what of it holds, and what a
// reader of the result can find out.

namespace sluis::disclosure {

// The true values of a variable. Every list has one entry a cell.
struct MeasureToPerturb {
  const Relations& relations;
  std::span<const int64_t> value{};
  // Only for the noise of amounts: contributors and their largest contributions, top_per_cell of them for each cell,
  // descending; which cells are sensitive (empty: none).
  std::span<const int64_t> contributors{};
  int32_t top_per_cell = 0;
  std::span<const int64_t> top{};
  std::span<const uint8_t> sensitive{};
};

// Returns the indices of the draws that `method` makes for a cell; none for methods without draws.
[[nodiscard]] std::vector<uint32_t> DrawIndices(const ProtectionMethod& method);

// Returns all draws of all cells, cell after cell. `cell_keys`: one a cell.
[[nodiscard]] std::vector<uint64_t> MakeDraws(const ProtectionMethod& method, std::span<const uint64_t> cell_keys,
                                              const DrawSource& source);

// Returns the table of probabilities of a cell-key method; nothing for others. Errors: as DesignTable.
[[nodiscard]] absl::StatusOr<std::optional<PerturbationTable>> TableOf(const ProtectionMethod& method);

struct PerturbedValues {
  std::vector<int64_t> value;  // one entry a cell
  int32_t steps = 0;           // controlled rounding: how many multiples beyond the nearest two values went, at most
};

// Returns the values of `measure` as `method` lets them be published. `draws`: as MakeDraws; `table`: as TableOf, made
// once and kept, because it may differ in its last digits between machines.
//
// Errors: INVALID_ARGUMENT as ValidateMethod, or if lists have the wrong length, values are outside 0 .. 2^50 or do not
// add up; FAILED_PRECONDITION if no additive table was found within the steps that the method allows.
// Deterministic.
[[nodiscard]] absl::StatusOr<PerturbedValues> Perturb(const MeasureToPerturb& measure, const ProtectionMethod& method,
                                                      std::span<const uint64_t> draws,
                                                      const std::optional<PerturbationTable>& table);

// Returns OK if `perturbed` is what `method` may make of `measure`. Values with draws are made again from `draws` and
// `table`; of a rounding that adds up it is checked that it does, and what the method promises of each value: how
// they were chosen is not repeated. Errors: FAILED_PRECONDITION naming the cell; INVALID_ARGUMENT as Perturb.
[[nodiscard]] absl::Status CheckPerturbed(const MeasureToPerturb& measure, const ProtectionMethod& method,
                                          std::span<const uint64_t> draws,
                                          const std::optional<PerturbationTable>& table,
                                          const PerturbedValues& perturbed);

// Returns the cells, ascending, of which only one true value is possible for a reader who knows the published values,
// the method (RangeOfTrueValue), everything that adds up truly, and that nothing is negative: by linear programs over
// all cells together (FindExact). `published`: value and flag of each cell; where the flag is 0 the value is withheld.
// Of small-count rounding only cells are told whose true value is not the published one: what it leaves as it is, is no
// secret.
// Errors: as FindExact. Cost: two linear programs a cell at most, most cells needing none of their own.
[[nodiscard]] absl::StatusOr<std::vector<int32_t>> FindPinned(const PublishedTable& published,
                                                              const ProtectionMethod& method, int32_t steps,
                                                              const AttackOptions& options);

}  // namespace sluis::disclosure
