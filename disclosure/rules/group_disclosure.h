#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "disclosure/rules/rules.h"
#include "disclosure/system/system.h"

// Group disclosure: where (nearly) all of a group have one characteristic, a table tells it of each of them without
// showing any small number. Not the size of the category is what gives it away, but that nobody, or nearly nobody, is
// outside it; so it is the number outside that must stay uncertain, upwards, also where it is an honest 0.

namespace sluis::disclosure {

// One category that holds (nearly) all of a total.
struct GroupFinding {
  int64_t relation = 0;  // in Relations
  int32_t category = 0;  // cell, a part of the relation
  int64_t level = 0;     // so many more units outside the category must remain possible, >= 1

  friend bool operator==(const GroupFinding&, const GroupFinding&) = default;
};

// Returns the categories that `rule` finds, ordered by relation and category.
//
// For each relation of two parts or more, with T units in its total and c in one part, the part is found if
// T >= from_total and 100 * c >= percent * T. Its level is floor((100 - percent) * T / 100) + 1 - (T - c): with so many
// more outside, the share would be below `percent`.
// `units`: per cell, persons or households. Distinct households need not add up over cells; T - c is then taken as at
// least 0, which finds no fewer categories and asks no less. `exempt`: per cell, 1 for totals that say nothing about a
// group, such as those of linkage rates; empty: none. `structural`: per cell, 1 if everybody knows that nobody can be
// there; empty: none. A category is not found if all others of its total are structurally empty: it is no news then.
// Errors: INVALID_ARGUMENT if the rule is out of range (ValidateRules) or a vector is shorter than a cell of a
// relation. Pure; O(entries of the relations). Source: Brandt et al., Guidelines for the checking of output based on
// microdata research, ESSnet SDC (2010), which names 90 % of a row or column; the level is ours.
[[nodiscard]] absl::StatusOr<std::vector<GroupFinding>> FindGroupDisclosure(const Relations& relations,
                                                                            std::span<const int64_t> units,
                                                                            std::span<const uint8_t> exempt,
                                                                            std::span<const uint8_t> structural,
                                                                            const GroupDisclosureRule& rule);

// Makes the number of units outside each category primary in `measure`, with reason kGroup, lower level 0 and the
// finding's level upwards. With two parts that number is the other part. Else the system gets a further cell at its
// end, one per finding in the order of `findings`, and a further relation: total = category + that cell. It is never
// published and costs nothing; its values are total - category in every measure. Findings that name one category twice
// (two kinds of units) count once, with the larger level.
//
// Opens what must be able to move for that: where nothing else beside a category can, its zero cells become
// suppressible, and with each of them, in every relation where it would stand alone, the zero cells there. They "no
// longer count as published": an attacker must hold it possible that somebody is there. Cells in `structural` stay as
// they are. Zeros stay published wherever the group rule does not need them.
//
// Precondition: `findings` are those of this system's relations; values, levels and suppressible (MarkEmptyCells) are
// set. Call SetUpperBounds after. Errors: INVALID_ARGUMENT if the measure, a relation or a category does not exist;
// RESOURCE_EXHAUSTED above 2^31 - 1 cells.
[[nodiscard]] absl::Status ProtectGroups(std::span<const GroupFinding> findings, int32_t measure,
                                         std::span<const uint8_t> structural, CellSystem& system);

// Appends a cell that is no part of any table: value[m] in measure m, primary in `measure` with `status`, cost 0.
// Returns its number. For what a rule protects although nobody publishes it. The caller adds the relation that ties it
// to the others. Errors: RESOURCE_EXHAUSTED above 2^31 - 1 cells.
[[nodiscard]] absl::StatusOr<int32_t> AppendUnpublishedCell(std::span<const int64_t> value, int32_t measure,
                                                            const PrimaryStatus& status, CellSystem& system);

}  // namespace sluis::disclosure
